/*
 * Samples out of the source: vector selectors look back from each step, range vectors
 * keep their samples for windows, subqueries evaluate an expression on a grid of its
 * own. Windows and look-back are open on the left: a sample exactly that old is out.
 */

#include <string.h>

#include "alertd/promql/eval.h"
#include "lib/base/bug.h"

enum {
    SUBQUERY_STEP_DEFAULT_MS = 60 * 1000
};

/* Where a selector looks, seen from a step: at a fixed instant, or so much before it. */
struct sight {
    bool fixed;
    int64_t fixed_ms;
    int64_t offset_ms;
};

static int64_t sight_at(const struct sight *sight, int64_t step_ms)
{
    return (sight->fixed ? sight->fixed_ms : step_ms) - sight->offset_ms;
}

static struct duration_scope scope_of(const struct eval *eval)
{
    const struct grid *query = &eval->query;

    /* An instant query has neither step nor length. */
    if (query->n == 1 && query->step_ms == 1)
        return (struct duration_scope){0};
    return (struct duration_scope){query->step_ms, (int64_t)(query->n - 1) * query->step_ms};
}

static int duration_in(struct eval *eval, const struct promql_duration *duration, int64_t *ret_ms)
{
    struct duration_scope scope = scope_of(eval);

    return duration_value(duration, &scope, ret_ms, eval->reterr);
}

static int positive_in(struct eval *eval, const struct promql_duration *duration, int64_t *ret_ms)
{
    int r = duration_in(eval, duration, ret_ms);

    if (!r && *ret_ms <= 0)
        return EVAL_FAILED(eval, "duration must be greater than 0");
    return r;
}

static int find_sight(struct eval *eval, const struct promql_when *when, struct sight *ret)
{
    struct sight sight = {.fixed = when->at != AT_NONE};

    switch (when->at) {
    case AT_NONE: break;
    case AT_TIME: sight.fixed_ms = when->at_ms; break;
    case AT_START: sight.fixed_ms = eval->query.start_ms; break;
    case AT_END: sight.fixed_ms = grid_at(&eval->query, eval->query.n - 1); break;
    }
    int r = when->offset ? duration_in(eval, when->offset, &sight.offset_ms) : 0;
    if (!r)
        *ret = sight;
    return r;
}

static void keep_source_warnings(struct eval *eval,
                                 const struct promql_expr *expr,
                                 const struct source_result *result)
{
    for (size_t i = 0; i < result->n_warnings; i++)
        eval_warn(eval, expr, "%s", result->warnings[i]);
}

/* All samples of the matching series that a window of `back_ms` over the steps sees. */
static int read_samples(struct eval *eval,
                        const struct promql_expr *expr,
                        const struct sight *sight,
                        int64_t back_ms,
                        struct source_result *ret_result)
{
    const struct promql_selector *selector = &expr->selector;
    const struct source *source = eval->source;
    int64_t first_ms = sight_at(sight, eval->grid.start_ms);
    int64_t last_ms = sight_at(sight, grid_at(&eval->grid, eval->grid.n - 1));
    size_t left = eval->limits.max_samples - eval->n_samples;
    struct source_result result = {0};
    int r = eval_tick(eval);

    if (!r)
        r = source->select(source->self, selector->matchers, selector->n_matchers,
                           first_ms - back_ms + 1, last_ms, left, eval->arena, &result,
                           eval->reterr);
    if (r == SOURCE_E_LIMIT)
        return PROMQL_E_LIMIT;
    if (r)
        return r;
    if (result.n_samples > left) {
        (void)err_set(eval->reterr, PROMQL_E_LIMIT,
                      "query processing would load too many samples into memory in query "
                      "execution (at most %zu)",
                      eval->limits.max_samples);
        return PROMQL_E_LIMIT;
    }
    eval->n_samples += result.n_samples;
    keep_source_warnings(eval, expr, &result);
    *ret_result = result;
    return 0;
}

/* The metric's name is pinned by the selector: all its series share it. */
static bool has_one_name(const struct promql_selector *selector)
{
    for (size_t i = 0; i < selector->n_matchers; i++)
        if (selector->matchers[i].type == MATCHER_EQUAL &&
            strcmp(selector->matchers[i].name, LABEL_NAME) == 0)
            return true;
    return false;
}

/* The newest sample at or before each step, within the look-back. False: none at all. */
static bool look_back(const struct eval *eval,
                      const struct sight *sight,
                      const struct source_series *series,
                      bool times,
                      double *values)
{
    size_t next = 0; /* samples before it are at or before the step */
    bool any = false;

    for (size_t i = 0; i < eval->grid.n; i++) {
        int64_t at_ms = sight_at(sight, grid_at(&eval->grid, i));

        while (next < series->n && series->t_ms[next] <= at_ms)
            next++;
        if (next == 0)
            continue;
        int64_t t_ms = series->t_ms[next - 1];
        double value = series->values[next - 1];
        if (t_ms <= at_ms - eval->limits.lookback_ms || sample_is_stale(value))
            continue;
        values[i] = times ? (double)t_ms / 1000 : value;
        any = true;
    }
    return any;
}

static int select_vector(struct eval *eval,
                         const struct promql_expr *expr,
                         bool times,
                         struct value *ret_value)
{
    struct source_result result;
    struct sight sight;
    struct value made;
    double *spare = NULL; /* still all holes */
    int r = find_sight(eval, &expr->selector.when, &sight);

    if (!r)
        r = read_samples(eval, expr, &sight, eval->limits.lookback_ms, &result);
    if (!r)
        r = vector_new(eval, result.n, &made);
    for (size_t i = 0; !r && i < result.n; i++) {
        spare = spare ? spare : holes_new(eval);
        if (!spare)
            return eval_out_of_memory(eval);
        if (look_back(eval, &sight, &result.series[i], times, spare)) {
            made.columns[made.n++] = (struct column){result.series[i].labels, false, spare};
            spare = NULL;
        }
        r = eval_tick(eval);
    }
    if (r)
        return r;
    made.one_name = has_one_name(&expr->selector);
    *ret_value = made;
    return 0;
}

int eval_selector(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    return select_vector(eval, expr, false, ret_value);
}

int eval_selector_times(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    return select_vector(eval, expr, true, ret_value);
}

/* --- Range vectors ---------------------------------------------------------------------- */

/* The samples without staleness markers: as they are when there is none. */
static int without_markers(struct eval *eval,
                           const struct source_series *in,
                           struct range_series *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < in->n; i++)
        n += !sample_is_stale(in->values[i]);
    *ret = (struct range_series){in->labels, false, n, in->t_ms, in->values};
    if (n == in->n)
        return 0;
    int64_t *t_ms = arena_array(eval->arena, n ? n : 1, sizeof(*t_ms));
    double *values = arena_array(eval->arena, n ? n : 1, sizeof(*values));
    if (!t_ms || !values)
        return eval_out_of_memory(eval);
    for (size_t i = 0, put = 0; i < in->n; i++)
        if (!sample_is_stale(in->values[i])) {
            t_ms[put] = in->t_ms[i];
            values[put++] = in->values[i];
        }
    ret->t_ms = t_ms;
    ret->values = values;
    return 0;
}

static int select_ranges(struct eval *eval, const struct promql_expr *expr, struct ranges *ret)
{
    struct source_result result;
    struct sight sight;
    struct ranges made = {0};
    int r = positive_in(eval, expr->selector.range, &made.range_ms);

    if (!r)
        r = find_sight(eval, &expr->selector.when, &sight);
    if (!r)
        r = read_samples(eval, expr, &sight, made.range_ms, &result);
    if (r)
        return r;
    made.series = arena_array(eval->arena, result.n ? result.n : 1, sizeof(*made.series));
    if (!made.series)
        return eval_out_of_memory(eval);
    for (size_t i = 0; i < result.n; i++) {
        r = without_markers(eval, &result.series[i], &made.series[i]);
        if (r)
            return r;
    }
    made.n = result.n;
    made.one_name = has_one_name(&expr->selector);
    made.fixed = sight.fixed;
    made.fixed_ms = sight.fixed_ms;
    made.offset_ms = sight.offset_ms;
    *ret = made;
    return 0;
}

/* --- Subqueries --------------------------------------------------------------------------- */

/* The points of a column as samples. */
static int samples_of(struct eval *eval,
                      const struct grid *grid,
                      const struct column *column,
                      struct range_series *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < grid->n; i++)
        n += !is_hole(column->values[i]);
    int64_t *t_ms = arena_array(eval->arena, n ? n : 1, sizeof(*t_ms));
    if (!t_ms)
        return eval_out_of_memory(eval);
    for (size_t i = 0, put = 0; i < grid->n; i++)
        if (!is_hole(column->values[i])) {
            t_ms[put] = grid_at(grid, i);
            column->values[put++] = column->values[i];
        }
    *ret = (struct range_series){column->labels, column->nameless, n, t_ms, column->values};
    return 0;
}

static int64_t floor_to(int64_t t_ms, int64_t step_ms)
{
    int64_t rest = t_ms % step_ms;

    return t_ms - (rest < 0 ? rest + step_ms : rest);
}

/* The grid a subquery is evaluated on: multiples of its step within its windows. */
static int subquery_grid(struct eval *eval,
                         const struct promql_expr *expr,
                         const struct sight *sight,
                         int64_t range_ms,
                         struct grid *ret)
{
    int64_t first_ms = sight_at(sight, eval->grid.start_ms) - range_ms; /* itself is out */
    int64_t last_ms = sight_at(sight, grid_at(&eval->grid, eval->grid.n - 1));
    int64_t step_ms = eval->limits.subquery_step_ms;
    struct grid grid = {.step_ms = step_ms > 0 ? step_ms : SUBQUERY_STEP_DEFAULT_MS};
    int r = expr->subquery.step ? positive_in(eval, expr->subquery.step, &grid.step_ms) : 0;

    if (r)
        return r;
    grid.start_ms = floor_to(first_ms, grid.step_ms) + grid.step_ms;
    if (grid.start_ms <= last_ms)
        grid.n = (size_t)((last_ms - grid.start_ms) / grid.step_ms) + 1;
    *ret = grid;
    return 0;
}

static int subquery_ranges(struct eval *eval, const struct promql_expr *expr, struct ranges *ret)
{
    struct grid outer = eval->grid;
    struct ranges made = {0};
    struct sight sight;
    struct grid inner;
    struct value value = {0};
    int r = positive_in(eval, expr->subquery.range, &made.range_ms);

    if (!r)
        r = find_sight(eval, &expr->subquery.when, &sight);
    if (!r)
        r = subquery_grid(eval, expr, &sight, made.range_ms, &inner);
    if (r)
        return r;
    if (inner.n) {
        eval->grid = inner;
        r = eval_expr(eval, expr->subquery.of, &value);
        eval->grid = outer;
    }
    if (!r)
        made.series = arena_array(eval->arena, value.n ? value.n : 1, sizeof(*made.series));
    if (!r && !made.series)
        r = eval_out_of_memory(eval);
    for (size_t i = 0; !r && i < value.n; i++)
        r = samples_of(eval, &inner, &value.columns[i], &made.series[i]);
    if (r)
        return r;
    made.n = value.n;
    made.one_name = value.one_name;
    made.fixed = sight.fixed;
    made.fixed_ms = sight.fixed_ms;
    made.offset_ms = sight.offset_ms;
    *ret = made;
    return 0;
}

int eval_ranges(struct eval *eval, const struct promql_expr *expr, struct ranges *ret_ranges)
{
    expr = expr_unwrap(expr);
    if (expr->kind == PROMQL_SELECTOR)
        return select_ranges(eval, expr, ret_ranges);
    if (expr->kind == PROMQL_SUBQUERY)
        return subquery_ranges(eval, expr, ret_ranges);
    UNREACHABLE("not a range vector");
}
