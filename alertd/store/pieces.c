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

void pieces_join(struct pieces *into, const struct pieces *from)
{
    if (!from->first)
        return;
    if (!into->first) {
        *into = *from;
        return;
    }
    into->disordered |= from->disordered || from->first->view.t0_ms <= into->last_ms;
    into->last->next = from->first;
    into->last = from->last;
    into->last_ms = from->last_ms;
    into->n += from->n;
    into->n_samples += from->n_samples;
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

/* Columns being put together. As long as all is regular the times are not written. */
struct row {
    struct chunk_decoder *decoder;
    int64_t *t_ms;
    double *values;
    size_t n;
    int64_t first_ms, step_ms; /* step_ms 0: the times are written */
};

static void give_times(struct row *row)
{
    if (row->step_ms != 0)
        chunk_write_times(row->first_ms, row->step_ms, row->n, row->t_ms);
    row->step_ms = 0;
}

/* Behind what is there. *ret_step_ms: 0, or its times are regular and not written. */
static bool decode(const struct row *row, const struct piece *piece, int64_t *ret_step_ms)
{
    int64_t *t_ms = row->t_ms + row->n;
    double *values = row->values + row->n;

    if (!piece->samples)
        return chunk_decode_regular(row->decoder, &piece->view, t_ms, values, ret_step_ms);
    for (size_t i = 0; i < piece->view.n; i++) {
        t_ms[i] = piece->samples[i].t_ms;
        values[i] = piece->samples[i].value;
    }
    *ret_step_ms = 0;
    return true;
}

/* False: bits that are no samples. */
static bool add_piece(struct row *row, const struct piece *piece, bool *settled)
{
    const struct chunk_view *view = &piece->view;
    size_t n_new = view->n;
    int64_t step_ms = 0;

    if (!decode(row, piece, &step_ms))
        return false;
    bool goes_on = row->n == 0 ||
                   (step_ms == row->step_ms &&
                    (uint64_t)view->t0_ms ==
                        (uint64_t)row->first_ms + (uint64_t)row->n * (uint64_t)step_ms);
    if (row->n == 0) {
        row->first_ms = view->t0_ms;
        row->step_ms = step_ms;
    }
    if (step_ms == 0 || !goes_on) {
        give_times(row);
        if (step_ms != 0)
            chunk_write_times(view->t0_ms, step_ms, n_new, row->t_ms + row->n);
        if (row->n > 0 && row->t_ms[row->n] <= row->t_ms[row->n - 1])
            *settled = drop_known(row->t_ms, row->values, row->n, &n_new) && *settled;
    }
    row->n += n_new;
    return true;
}

/* All pieces behind each other, by their beginnings, into columns with room for all. False:
 * bits that are no samples. */
static bool decode_all(const struct pieces *pieces, struct row *row)
{
    MEM_AUTO const struct piece **ordered = mem_alloc((pieces->n + 1) * sizeof(*ordered));
    bool settled = true;
    size_t n_pieces = 0;

    for (const struct piece *piece = pieces->first; piece; piece = piece->next)
        ordered[n_pieces++] = piece;
    if (pieces->disordered)
        qsort(ordered, n_pieces, sizeof(*ordered), compare_pieces);
    for (size_t i = 0; i < n_pieces; i++)
        if (!add_piece(row, ordered[i], &settled))
            return false;
    if (!settled)
        row->n = samples_settle(row->t_ms, row->values, row->n);
    return true;
}

/* How many of the row's samples are before t_ms. */
static size_t count_before(const struct row *row, int64_t t_ms)
{
    if (row->step_ms == 0)
        return times_lower_bound(row->t_ms, row->n, t_ms);
    if (t_ms <= row->first_ms)
        return 0;
    uint64_t n = ((uint64_t)t_ms - (uint64_t)row->first_ms - 1) / (uint64_t)row->step_ms + 1;
    return n < row->n ? (size_t)n : row->n;
}

static void free_decoder(void *decoder)
{
    chunk_decoder_done(decoder);
    free(decoder);
}

/* NULL past the arena's limit. */
static struct chunk_decoder *decoder_of(struct source_columns *columns, struct arena *arena)
{
    if (columns->own)
        return columns->own;
    struct chunk_decoder *decoder = mem_zalloc(sizeof(*decoder));
    if (!arena_on_reset(arena, free_decoder, decoder)) {
        free(decoder);
        return NULL;
    }
    columns->own = decoder;
    return decoder;
}

int pieces_read(const struct pieces *pieces,
                const struct source_query *query,
                struct arena *arena,
                struct source_columns *columns,
                struct err *reterr)
{
    columns->n = 0;
    columns->step_ms = 0;
    if (pieces->n_samples == 0)
        return 0;
    struct row row = {.decoder = decoder_of(columns, arena)};
    if (!row.decoder || !source_columns_reserve(columns, arena, pieces->n_samples))
        return err_set(reterr, SOURCE_E_LIMIT,
                       "the query needs more memory than it may use: ask for less time");
    row.t_ms = columns->t_room;
    row.values = columns->value_room;
    if (!decode_all(pieces, &row))
        return err_set(reterr, -EIO, "the bits of a chunk are not its samples");
    if (!query->regular)
        give_times(&row);
    size_t first = count_before(&row, query->from_ms);
    size_t end = query->to_ms == INT64_MAX ? row.n : count_before(&row, query->to_ms + 1);
    columns->n = end > first ? end - first : 0;
    columns->values = columns->value_room + first;
    columns->t_ms = row.step_ms == 0 ? columns->t_room + first : NULL;
    columns->step_ms = row.step_ms;
    columns->first_ms = row.first_ms + (int64_t)first * row.step_ms;
    return 0;
}
