/*
 * When nothing was collected. See gaps.h.
 */

#include "alertd/tune/gaps.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "lib/base/mem.h"

#define COLLECTED "count(up == 1)"

bool gaps_matter(const struct promql_expr *expr)
{
    static const char *const names[] = {"absent", "absent_over_time", "vector"};
    struct promql_expr *child;

    for (size_t i = 0; expr->kind == PROMQL_CALL && i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(expr->call.fn->name, names[i]) == 0)
            return true;
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        if (gaps_matter(child))
            return true;
    return false;
}

static int64_t time_of(const struct tune_span *span, uint32_t step)
{
    return span->start_ms + (int64_t)step * span->step_ms;
}

int gaps_find(const struct tune_reader *reader,
              const struct tune_span *span,
              struct gaps *ret,
              struct err *reterr)
{
    MEM_AUTO bool *is_there = mem_zalloc(span->n_steps * sizeof(*is_there));
    size_t capacity = 0;
    uint32_t i = 0;

    *ret = (struct gaps){0};
    int r = reading_there(reader, COLLECTED, span, is_there, reterr);
    if (r)
        return r;
    while (i < span->n_steps && !is_there[i])
        i++; /* not yet begun */
    for (uint32_t from; i < span->n_steps; i++) {
        if (is_there[i])
            continue;
        for (from = i; i < span->n_steps && !is_there[i];)
            i++;
        ret->at = mem_grow(ret->at, &capacity, ret->n + 1, sizeof(*ret->at));
        ret->at[ret->n++] = (struct gap){time_of(span, from), time_of(span, i)};
    }
    return 0;
}

void gaps_done(struct gaps *gaps)
{
    free(gaps->at);
    *gaps = (struct gaps){0};
}

bool gaps_hold(const struct gaps *gaps, int64_t at_ms)
{
    for (size_t i = 0; i < gaps->n; i++)
        if (gaps->at[i].begin_ms <= at_ms && at_ms < gaps->at[i].end_ms)
            return true;
    return false;
}
