/*
 * One expected alert beside one that came. See unit_diff.h.
 *
 * Texts of several lines are compared line by line, with one line around what differs:
 * a description of twenty lines with one wrong number shows one line of each side.
 */

#include "alertd/eval/unit_diff.h"

#include <string.h>

#include "alertd/eval/unit_report.h"

enum {
    VALUE_SHOWN_MAX = 2000, /* bytes of one line of a value */
    CARET_FROM = 8,         /* shorter values need no hand that points */
};

/* --- Label sets ---------------------------------------------------------------------------- */

/* Walks two sets in name order: each name once, with the value of either, or NULL. */
struct pairs {
    const struct labels *a, *b;
    uint32_t at_a, at_b;
    const char *name, *value_a, *value_b;
};

static bool next_pair(struct pairs *pairs)
{
    bool more_a = pairs->at_a < pairs->a->n, more_b = pairs->at_b < pairs->b->n;

    if (!more_a && !more_b)
        return false;
    const struct label none = {"", ""};
    const struct label *a = more_a ? &pairs->a->at[pairs->at_a] : &none;
    const struct label *b = more_b ? &pairs->b->at[pairs->at_b] : &none;
    int order = !more_a ? 1 : !more_b ? -1 : strcmp(a->name, b->name);

    pairs->name = order <= 0 ? a->name : b->name;
    pairs->value_a = order <= 0 ? a->value : NULL;
    pairs->value_b = order >= 0 ? b->value : NULL;
    pairs->at_a += order <= 0;
    pairs->at_b += order >= 0;
    return true;
}

static bool same_value(const struct pairs *pairs)
{
    return pairs->value_a && pairs->value_b && strcmp(pairs->value_a, pairs->value_b) == 0;
}

size_t unit_diff_distance(const struct labels *a, const struct labels *b)
{
    struct pairs pairs = {.a = a, .b = b};
    size_t distance = 0;

    while (next_pair(&pairs))
        distance += !same_value(&pairs);
    return distance;
}

size_t unit_diff_shared(const struct labels *a, const struct labels *b)
{
    struct pairs pairs = {.a = a, .b = b};
    size_t shared = 0;

    while (next_pair(&pairs))
        shared += same_value(&pairs) && strcmp(pairs.name, "alertname") != 0;
    return shared;
}

size_t unit_diff_conflicts(const struct labels *a, const struct labels *b)
{
    struct pairs pairs = {.a = a, .b = b};
    size_t conflicts = 0;

    while (next_pair(&pairs))
        conflicts += pairs.value_a && pairs.value_b && !same_value(&pairs);
    return conflicts;
}

static void add_name(const char *name, struct str *out)
{
    if (labels_name_is_classic(name))
        str_add(out, name);
    else
        unit_report_text(name, VALUE_SHOWN_MAX, out);
}

/* `{a="b", c="d"}` of what both have in the same way. */
static void add_shared(const struct labels *a, const struct labels *b, struct str *out)
{
    struct pairs pairs = {.a = a, .b = b};
    bool first = true;

    str_addc(out, '{');
    while (next_pair(&pairs)) {
        if (!same_value(&pairs) || strcmp(pairs.name, "alertname") == 0)
            continue;
        str_add(out, first ? "" : ", ");
        add_name(pairs.name, out);
        str_add(out, "=\"");
        unit_report_text(pairs.value_a, VALUE_SHOWN_MAX, out);
        str_addc(out, '"');
        first = false;
    }
    str_addc(out, '}');
}

void unit_diff_set(const char *mark, const struct labels *labels, struct str *out)
{
    str_add(out, mark);
    add_shared(labels, labels, out);
    str_addc(out, '\n');
}

/* --- Values ---------------------------------------------------------------------------------- */

/* A value's line: in quotes when its ends would not be seen. */
static void add_line(const char *text, size_t len, struct str *out)
{
    STR_AUTO struct str line = STR_INIT(VALUE_SHOWN_MAX * 16);
    bool quote = len == 0 || text[0] == ' ' || text[len - 1] == ' ';

    str_addn(&line, text, len);
    str_add(out, quote ? "\"" : "");
    unit_report_text(str_text(&line), VALUE_SHOWN_MAX, out);
    str_add(out, quote ? "\"" : "");
}

static void add_value(
    char mark, const char *kind, const char *name, const char *value, struct str *out)
{
    size_t len = strcspn(value, "\n");

    str_addf(out, "%c %s ", mark, kind);
    add_name(name, out);
    if (!value[len]) {
        str_add(out, ": ");
        add_line(value, len, out);
        str_addc(out, '\n');
        return;
    }
    str_add(out, ": |\n");
    while (*value) {
        len = strcspn(value, "\n");
        str_addf(out, "%c     ", mark);
        add_line(value, len, out);
        str_addc(out, '\n');
        value += len + (value[len] == '\n');
    }
}

/* A hand below the first character in which two lines differ. */
static void add_caret(
    const char *kind, const char *name, const char *a, const char *b, struct str *out)
{
    size_t same = 0, before = 0;

    while (a[same] && a[same] == b[same])
        same++;
    while (same > 0 && ((unsigned char)a[same] & 0xc0) == 0x80)
        same--;
    for (size_t i = 0; i < same; i++) {
        before += ((unsigned char)a[i] & 0xc0) != 0x80;
        if ((unsigned char)a[i] < 0x20)
            return; /* shown escaped: the columns are others */
    }
    if (same == 0 || strlen(a) < CARET_FROM || a[0] == ' ' || strlen(a) > VALUE_SHOWN_MAX)
        return;
    for (const char *c = name; *c; c++)
        before += ((unsigned char)*c & 0xc0) != 0x80;
    before += strlen(kind) + 5; /* mark, two blanks, colon and blank */
    str_addf(out, "%*s^\n", (int)before, "");
}

static void add_context(const char *line, size_t len, struct str *out)
{
    str_add(out, "      ");
    add_line(line, len, out);
    str_addc(out, '\n');
}

/* Whole lines from `at` to `end`, the line end of the last one perhaps missing. */
static void add_lines(char mark, const char *at, const char *end, struct str *out)
{
    while (at < end) {
        size_t len = strcspn(at, "\n");

        len = at + len > end ? (size_t)(end - at) : len;
        str_addf(out, "%c     ", mark);
        add_line(at, len, out);
        str_addc(out, '\n');
        at += len + 1;
    }
}

/* Bytes of the whole lines both begin with. */
static size_t same_head(const char *a, const char *b)
{
    size_t head = 0;

    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '\n')
            head = i + 1;
    return head;
}

/* Bytes of the whole lines both end with, and of the line end before them. */
static size_t same_tail(const char *a, size_t len_a, const char *b, size_t len_b)
{
    size_t tail = 0;

    for (size_t i = 1; i <= len_a && i <= len_b && a[len_a - i] == b[len_b - i]; i++)
        if (a[len_a - i] == '\n')
            tail = i;
    return tail;
}

/* The lines both texts begin and end with are left out but one on each side. */
static void add_lines_that_differ(const char *a, const char *b, struct str *out)
{
    size_t head = same_head(a, b), len_a = strlen(a), len_b = strlen(b);
    size_t tail = same_tail(a + head, len_a - head, b + head, len_b - head);
    size_t from = head ? head - 1 : 0;

    while (from > 0 && a[from - 1] != '\n')
        from--;
    if (head)
        add_context(a + from, head - 1 - from, out);
    add_lines('-', a + head, a + len_a - tail, out);
    add_lines('+', b + head, b + len_b - tail, out);
    if (tail > 1)
        add_context(a + len_a - tail + 1, strcspn(a + len_a - tail + 1, "\n"), out);
}

/* Only line ends behind the last line differ: nobody would see that unescaped. */
static bool differ_at_the_end(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return a[strspn(a, "\n")] == '\0' && b[strspn(b, "\n")] == '\0';
}

static void add_escaped(char mark, const char *kind, const struct pairs *pairs, struct str *out)
{
    str_addf(out, "%c %s ", mark, kind);
    add_name(pairs->name, out);
    str_add(out, ": \"");
    unit_report_text(mark == '-' ? pairs->value_a : pairs->value_b, VALUE_SHOWN_MAX, out);
    str_add(out, "\"\n");
}

static void add_difference(const char *kind, const struct pairs *pairs, struct str *out)
{
    const char *a = pairs->value_a, *b = pairs->value_b;

    if (a && b && differ_at_the_end(a, b)) {
        add_escaped('-', kind, pairs, out);
        add_escaped('+', kind, pairs, out);
        return;
    }
    if (a && b && strchr(a, '\n') && strchr(b, '\n')) {
        str_addf(out, "  %s ", kind);
        add_name(pairs->name, out);
        str_add(out, ": |\n");
        add_lines_that_differ(a, b, out);
        return;
    }
    if (a)
        add_value('-', kind, pairs->name, a, out);
    if (b)
        add_value('+', kind, pairs->name, b, out);
    if (a && b && !strchr(a, '\n') && !strchr(b, '\n'))
        add_caret(kind, pairs->name, a, b, out);
}

static void add_differences(const char *kind,
                            const struct labels *expected,
                            const struct labels *got,
                            struct str *out)
{
    struct pairs pairs = {.a = expected, .b = got};

    while (next_pair(&pairs))
        if (!same_value(&pairs))
            add_difference(kind, &pairs, out);
}

/* --- Alerts ---------------------------------------------------------------------------------- */

void unit_diff_alert(const struct unit_alert *expected,
                     const struct unit_alert *got,
                     struct str *out)
{
    str_add(out, "  ");
    add_shared(expected->labels, got->labels, out);
    str_addc(out, '\n');
    add_differences("label", expected->labels, got->labels, out);
    add_differences("annotation", expected->annotations, got->annotations, out);
}

void unit_diff_lone_alert(char mark, const struct unit_alert *alert, struct str *out)
{
    const char text[] = {mark, ' ', '\0'};

    unit_diff_set(text, alert->labels, out);
    for (uint32_t i = 0; i < alert->annotations->n; i++)
        add_value(mark, "  annotation", alert->annotations->at[i].name,
                  alert->annotations->at[i].value, out);
}
