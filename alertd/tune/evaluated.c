/*
 * See evaluated.h.
 */

#include "alertd/tune/evaluated.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/mem.h"

uint32_t evaluated_from(const struct tune_result *result, uint32_t step)
{
    uint32_t low = 0;
    uint32_t high = result->n_steps;

    if (!result->at_span)
        return step < high ? step : high;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (result->at_span[middle] < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Those of n values from *first on that count, *first then being theirs. */
static const double *evaluated_of(struct evaluated *feeding,
                                  const double *values,
                                  uint32_t *first,
                                  size_t *n)
{
    const struct tune_result *result = feeding->result;
    uint32_t from = *first;
    size_t n_kept = 0;

    if (!result->at_span)
        return values;
    feeding->values = mem_grow(feeding->values, &feeding->capacity, *n + 1, sizeof(double));
    uint32_t step = evaluated_from(result, from);
    *first = step;
    for (; step < result->n_steps && result->at_span[step] < from + *n; step++)
        feeding->values[n_kept++] = values[result->at_span[step] - from];
    *n = n_kept;
    return feeding->values;
}

int evaluated_lay(const struct tune_reader *reader,
                  const struct tune_ask *ask,
                  struct tune_result *result,
                  struct err *reterr)
{
    const struct tune_span *span = &result->span;
    uint32_t n = 0;

    result->n_steps = span->n_steps;
    if (!ask->evaluated)
        return 0;
    MEM_AUTO bool *is_there = mem_zalloc(span->n_steps * sizeof(*is_there));
    int r = reading_there(reader, ask->evaluated, span, is_there, reterr);
    if (r != 0)
        return r;
    result->at_span = mem_alloc(span->n_steps * sizeof(*result->at_span));
    for (uint32_t i = 0; i < span->n_steps; i++)
        if (is_there[i])
            result->at_span[n++] = i;
    if (n == 0)
        return err_set(reterr, -EINVAL, "%.200s has no value in this time: nothing was evaluated",
                       ask->evaluated);
    result->n_steps = n;
    result->first_step = evaluated_from(result, result->first_step);
    return 0;
}

int evaluated_add(void *arg,
                  const struct labels *labels,
                  uint32_t first,
                  const double *values,
                  size_t n,
                  struct err *reterr)
{
    struct evaluated *feeding = arg;
    const double *counted = evaluated_of(feeding, values, &first, &n);

    return backtest_add(feeding->backtest, labels, first, counted, n, reterr);
}

int evaluated_add_at(void *arg,
                     size_t threshold,
                     const struct labels *labels,
                     uint32_t first,
                     const double *values,
                     size_t n,
                     struct err *reterr)
{
    struct evaluated *feeding = arg;
    const double *counted = evaluated_of(feeding, values, &first, &n);

    return backtest_add_at(feeding->backtest, threshold, labels, first, counted, n, reterr);
}
