/*
 * What changed between two texts. See lines.h.
 *
 *   trace[d][k] = how far along `before` one gets on diagonal k with d edits; from the end
 *   the way back through the traces is the edit.
 */

#include "alertd/postmortem/lines.h"

#include <stdbool.h>
#include <string.h>

struct line {
    const char *text;
    size_t len;
};

struct side {
    const struct line *lines;
    int n;
};

struct writer {
    struct lines_edit *edits;
    size_t n;
};

const char *lines_kind_name(enum lines_kind kind)
{
    static const char *const names[] = {"same", "removed", "added"};

    return names[kind];
}

static struct line *split(struct arena *arena, const char *text, int *ret_n)
{
    size_t n = 0;

    for (const char *at = text; *at; at++)
        n += *at == '\n';
    struct line *lines = arena_array(arena, n + 2, sizeof(*lines));

    *ret_n = 0;
    while (lines && *text) {
        size_t len = strcspn(text, "\n");

        lines[(*ret_n)++] = (struct line){text, len};
        text += len + (text[len] == '\n');
    }
    return lines;
}

static bool same(const struct line *a, const struct line *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void put(struct writer *writer, enum lines_kind kind, const struct line *line)
{
    writer->edits[writer->n++] = (struct lines_edit){kind, line->text, line->len};
}

/* The furthest x for each diagonal -d..d, row d at trace + d * d (rows have 2 d + 1). */
static int furthest(const int *trace, int d, int k)
{
    if (d == 0)
        return 0;
    const int *before = trace + (d - 1) * (d - 1) + (d - 1);
    bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);

    return down ? before[k + 1] : before[k - 1] + 1;
}

/* Fills the traces until both ends are reached; the number of edits, or -1. */
static int trace_edits(const struct side *a, const struct side *b, int *trace, int limit)
{
    for (int d = 0; d <= limit; d++) {
        int *row = trace + d * d + d;

        for (int k = -d; k <= d; k++)
            row[k] = -1; /* diagonals of the other parity are never looked at */
        for (int k = -d; k <= d; k += 2) {
            int x = furthest(trace, d, k);
            int y = x - k;

            while (x < a->n && y >= 0 && y < b->n && same(&a->lines[x], &b->lines[y])) {
                x++;
                y++;
            }
            row[k] = x;
            if (x >= a->n && y >= b->n)
                return d;
        }
    }
    return -1;
}

/* From the end to the beginning, so the edits come out backwards. */
static void walk_back(
    const struct side *a, const struct side *b, const int *trace, int d, struct writer *writer)
{
    int x = a->n;
    int y = b->n;

    for (; d > 0; d--) {
        const int *before = trace + (d - 1) * (d - 1) + (d - 1);
        int k = x - y;
        bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);
        int from_x = down ? before[k + 1] : before[k - 1];
        int from_y = from_x - (down ? k + 1 : k - 1);

        while (x > from_x + !down && y > from_y + down) {
            put(writer, LINES_SAME, &a->lines[--x]);
            y--;
        }
        if (down)
            put(writer, LINES_ADDED, &b->lines[--y]);
        else
            put(writer, LINES_REMOVED, &a->lines[--x]);
    }
    while (x > 0 && y > 0) {
        put(writer, LINES_SAME, &a->lines[--x]);
        y--;
    }
}

static void turn_around(struct lines_edit *edits, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct lines_edit kept = edits[i];

        edits[i] = edits[n - 1 - i];
        edits[n - 1 - i] = kept;
    }
}

static int diff_middle(struct arena *arena,
                       const struct side *a,
                       const struct side *b,
                       struct writer *writer)
{
    int limit = a->n + b->n < LINES_EDITS_MAX ? a->n + b->n : LINES_EDITS_MAX;
    int *trace = arena_array(arena, ((size_t)limit + 1) * ((size_t)limit + 1) + 1, sizeof(*trace));
    size_t begin = writer->n;

    if (!trace)
        return LINES_E_LIMIT;
    int d = trace_edits(a, b, trace, limit);

    if (d >= 0) {
        walk_back(a, b, trace, d, writer);
        turn_around(writer->edits + begin, writer->n - begin);
        return 0;
    }
    for (int i = 0; i < a->n; i++)
        put(writer, LINES_REMOVED, &a->lines[i]);
    for (int i = 0; i < b->n; i++)
        put(writer, LINES_ADDED, &b->lines[i]);
    return 0;
}

int lines_diff(struct arena *arena,
               const char *before,
               const char *after,
               struct lines_edit **ret_edits,
               size_t *ret_n,
               struct err *reterr)
{
    struct side a = {0};
    struct side b = {0};
    const struct line *x = split(arena, before, &a.n);
    const struct line *y = split(arena, after, &b.n);
    struct writer writer = {
        .edits = arena_array(arena, (size_t)a.n + (size_t)b.n + 1, sizeof(struct lines_edit))};
    int head = 0;
    int tail = 0;

    if (!x || !y || !writer.edits)
        return err_set(reterr, LINES_E_LIMIT, "the texts are too large to compare");
    while (head < a.n && head < b.n && same(&x[head], &y[head]))
        put(&writer, LINES_SAME, &x[head++]);
    while (tail < a.n - head && tail < b.n - head && same(&x[a.n - 1 - tail], &y[b.n - 1 - tail]))
        tail++;
    a.lines = x + head;
    b.lines = y + head;
    a.n -= head + tail;
    b.n -= head + tail;
    if (diff_middle(arena, &a, &b, &writer))
        return err_set(reterr, LINES_E_LIMIT, "the texts are too large to compare");
    for (int i = 0; i < tail; i++)
        put(&writer, LINES_SAME, &a.lines[a.n + i]);
    *ret_edits = writer.edits;
    *ret_n = writer.n;
    return 0;
}
