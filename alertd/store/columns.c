/*
 * Samples as two columns. See columns.h.
 */

#include "alertd/store/columns.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

void columns_done(struct columns *columns)
{
    free(columns->t_ms);
    free(columns->values);
    *columns = (struct columns){0};
}

static void columns_reserve(struct columns *columns, size_t n_more)
{
    size_t need = columns->n + n_more;

    columns->t_ms = mem_grow(columns->t_ms, &columns->capacity, need, sizeof(int64_t));
    columns->values = mem_grow(columns->values, &columns->values_capacity, need, sizeof(double));
}

void columns_add(struct columns *columns, int64_t t_ms, double value)
{
    columns_reserve(columns, 1);
    columns->t_ms[columns->n] = t_ms;
    columns->values[columns->n++] = value;
}

/* n samples were decoded behind columns->n: keep those within [from, to]. */
static void keep_within(struct columns *columns, size_t n, int64_t from_ms, int64_t to_ms)
{
    const int64_t *t_ms = columns->t_ms + columns->n;
    const double *values = columns->values + columns->n;
    size_t first = 0;

    while (n > 0 && t_ms[n - 1] > to_ms)
        n--;
    while (first < n && t_ms[first] < from_ms)
        first++;
    if (first > 0) {
        memmove(columns->t_ms + columns->n, t_ms + first, (n - first) * sizeof(*t_ms));
        memmove(columns->values + columns->n, values + first, (n - first) * sizeof(*values));
    }
    columns->n += n - first;
}

bool columns_add_view(struct columns *columns,
                      const struct chunk_view *view,
                      int64_t from_ms,
                      int64_t to_ms)
{
    columns_reserve(columns, view->n);
    if (!chunk_view_decode(view, columns->t_ms + columns->n, columns->values + columns->n))
        return false;
    keep_within(columns, view->n, from_ms, to_ms);
    return true;
}

int columns_add_chunk(struct columns *columns,
                      const void *bytes,
                      size_t len,
                      int64_t from_ms,
                      int64_t to_ms,
                      struct err *reterr)
{
    struct chunk_info info = {0};
    int r = chunk_check(bytes, len, &info, reterr);

    if (r != 0)
        return r;
    const struct chunk_view view = chunk_view_sealed(bytes, len, &info);
    if (!columns_add_view(columns, &view, from_ms, to_ms))
        return err_set(reterr, CHUNK_E_CORRUPT, "a chunk's bits are not %zu samples", info.n);
    return 0;
}

static bool is_settled(const int64_t *t_ms, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (t_ms[i] <= t_ms[i - 1])
            return false;
    return true;
}

static int compare_samples(const void *a, const void *b)
{
    int64_t x = ((const struct sample *)a)->t_ms;
    int64_t y = ((const struct sample *)b)->t_ms;

    return x < y ? -1 : x > y;
}

size_t samples_settle(int64_t *t_ms, double *values, size_t n)
{
    size_t kept = 0;

    if (is_settled(t_ms, n))
        return n;
    MEM_AUTO struct sample *sorted = mem_alloc(n * sizeof(*sorted));
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct sample){t_ms[i], values[i]};
    qsort(sorted, n, sizeof(*sorted), compare_samples);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && t_ms[kept - 1] == sorted[i].t_ms)
            continue; /* copies of one sample: memory and disk overlap while sealing */
        t_ms[kept] = sorted[i].t_ms;
        values[kept++] = sorted[i].value;
    }
    return kept;
}

void columns_settle(struct columns *columns)
{
    columns->n = samples_settle(columns->t_ms, columns->values, columns->n);
}
