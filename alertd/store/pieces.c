/*
 * What a query found of one series. See pieces.h.
 */

#include "alertd/store/pieces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/segment.h"
#include "lib/base/mem.h"

struct piece {
    struct piece *next;
    struct chunk_view view;
    const struct sample *samples; /* not NULL: they are the piece, view.n of them */
};

static void append(struct pieces *pieces, struct piece *piece)
{
    if (pieces->last) {
        pieces->last->next = piece;
        pieces->disordered |= piece->view.t0_ms <= pieces->last_ms;
    } else {
        pieces->first = piece;
    }
    pieces->last = piece;
    pieces->last_ms = piece->view.t1_ms;
    pieces->n++;
    pieces->n_samples += piece->view.n;
}

bool pieces_add_chunk(struct pieces *pieces, struct arena *arena, const struct chunk_view *view)
{
    struct piece *piece = arena_alloc(arena, sizeof(*piece));
    unsigned char *bits = arena_room(arena, view->n_bytes, 1);

    if (!piece || !bits)
        return false;
    memcpy(bits, view->bits, view->n_bytes);
    *piece = (struct piece){.view = *view};
    piece->view.bits = bits;
    append(pieces, piece);
    return true;
}

bool pieces_add_samples(struct pieces *pieces,
                        struct arena *arena,
                        const struct sample *samples,
                        size_t n)
{
    struct piece *piece = arena_alloc(arena, sizeof(*piece));
    struct sample *copy = arena_room(arena, n, sizeof(*copy));

    if (!piece || !copy)
        return false;
    memcpy(copy, samples, n * sizeof(*copy));
    *piece = (struct piece){
        .view = {.n = n, .t0_ms = samples[0].t_ms, .t1_ms = samples[n - 1].t_ms}, .samples = copy};
    append(pieces, piece);
    return true;
}

static bool decode(const struct piece *piece, int64_t *t_ms, double *values)
{
    if (!piece->samples)
        return chunk_view_decode(&piece->view, t_ms, values);
    for (size_t i = 0; i < piece->view.n; i++) {
        t_ms[i] = piece->samples[i].t_ms;
        values[i] = piece->samples[i].value;
    }
    return true;
}

static int compare_pieces(const void *a, const void *b)
{
    int64_t x = (*(const struct piece *const *)a)->view.t0_ms;
    int64_t y = (*(const struct piece *const *)b)->view.t0_ms;

    return x < y ? -1 : x > y;
}

size_t times_lower_bound(const int64_t *times, size_t n, int64_t t_ms)
{
    size_t low = 0;
    size_t high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (times[middle] < t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of n_new samples behind n others, leaves out those that are among the others already: what
 * memory kept of what was sealed. False: some lie between the others, all must be sorted. */
static bool drop_known(int64_t *t_ms, double *values, size_t n, size_t *n_new)
{
    size_t known = times_lower_bound(t_ms, n, t_ms[n]);
    size_t skip = 0;

    for (; skip < *n_new && t_ms[n + skip] <= t_ms[n - 1]; skip++) {
        while (t_ms[known] < t_ms[n + skip])
            known++;
        if (t_ms[known] != t_ms[n + skip])
            return false;
    }
    *n_new -= skip;
    memmove(t_ms + n, t_ms + n + skip, *n_new * sizeof(*t_ms));
    memmove(values + n, values + n + skip, *n_new * sizeof(*values));
    return true;
}

/* All pieces behind each other, by their beginnings, into columns with room for all. False:
 * bits that are no samples. */
static bool decode_all(const struct pieces *pieces, int64_t *t_ms, double *values, size_t *ret_n)
{
    MEM_AUTO const struct piece **ordered = mem_alloc((pieces->n + 1) * sizeof(*ordered));
    bool settled = true;
    size_t n_pieces = 0;
    size_t n = 0;

    for (const struct piece *piece = pieces->first; piece; piece = piece->next)
        ordered[n_pieces++] = piece;
    if (pieces->disordered)
        qsort(ordered, n_pieces, sizeof(*ordered), compare_pieces);
    for (size_t i = 0; i < n_pieces; i++) {
        size_t n_new = ordered[i]->view.n;

        if (!decode(ordered[i], t_ms + n, values + n))
            return false;
        if (n > 0 && t_ms[n] <= t_ms[n - 1])
            settled = drop_known(t_ms, values, n, &n_new) && settled;
        n += n_new;
    }
    *ret_n = settled ? n : samples_settle(t_ms, values, n);
    return true;
}

int pieces_read(const struct pieces *pieces,
                int64_t from_ms,
                int64_t to_ms,
                struct arena *arena,
                struct source_columns *columns,
                struct err *reterr)
{
    size_t n = pieces->n_samples;

    columns->n = 0;
    if (n == 0)
        return 0;
    if (!source_columns_reserve(columns, arena, n))
        return err_set(reterr, SOURCE_E_LIMIT,
                       "the query needs more memory than it may use: ask for less time");
    if (!decode_all(pieces, columns->t_room, columns->value_room, &n))
        return err_set(reterr, -EIO, "the bits of a chunk are not its samples");
    size_t first = times_lower_bound(columns->t_room, n, from_ms);
    size_t end = to_ms == INT64_MAX ? n : times_lower_bound(columns->t_room, n, to_ms + 1);
    columns->n = end > first ? end - first : 0;
    columns->t_ms = columns->t_room + first;
    columns->values = columns->value_room + first;
    return 0;
}
