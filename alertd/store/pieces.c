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
    unsigned char *bits = arena_alloc(arena, view->n_bytes);

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
    struct sample *copy = arena_array(arena, n, sizeof(*copy));

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

/* All pieces behind each other, by their beginnings; false: bits that are no samples. */
static bool decode_all(const struct pieces *pieces, int64_t *t_ms, double *values)
{
    MEM_AUTO const struct piece **ordered = mem_alloc((pieces->n + 1) * sizeof(*ordered));
    size_t n = 0;

    for (const struct piece *piece = pieces->first; piece; piece = piece->next)
        ordered[n++] = piece;
    if (pieces->disordered)
        qsort(ordered, n, sizeof(*ordered), compare_pieces);
    for (size_t i = 0; i < n; i++) {
        if (!decode(ordered[i], t_ms, values))
            return false;
        t_ms += ordered[i]->view.n;
        values += ordered[i]->view.n;
    }
    return true;
}

/* The first sample at or after t_ms. */
static size_t lower_bound(const int64_t *times, size_t n, int64_t t_ms)
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

int pieces_read(const struct pieces *pieces,
                int64_t from_ms,
                int64_t to_ms,
                struct arena *arena,
                struct source_columns *columns,
                struct err *reterr)
{
    size_t n = pieces->n_samples;

    if (!source_columns_reserve(columns, arena, n))
        return err_set(reterr, SOURCE_E_LIMIT,
                       "the query needs more memory than it may use: ask for less time");
    if (!decode_all(pieces, columns->t_room, columns->value_room))
        return err_set(reterr, -EIO, "the bits of a chunk are not its samples");
    if (pieces->disordered)
        n = samples_settle(columns->t_room, columns->value_room, n);
    size_t first = lower_bound(columns->t_room, n, from_ms);
    size_t end = to_ms == INT64_MAX ? n : lower_bound(columns->t_room, n, to_ms + 1);
    columns->n = end > first ? end - first : 0;
    columns->t_ms = columns->t_room + first;
    columns->values = columns->value_room + first;
    return 0;
}
