/*
 * The door: a question becomes an evaluation, and its columns an answer: whole, or one by one as they are
 * made. See promql.h.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/eval.h"

enum {
    SAMPLES_DEFAULT = 500000000,
    POINTS_DEFAULT = 11000,
    LOOKBACK_DEFAULT_MS = 5 * 60 * 1000,
};

static int take_notes(struct eval *eval,
                      const struct note *notes,
                      const char ***ret_texts,
                      size_t *ret_n)
{
    size_t n = 0;

    for (const struct note *at = notes; at; at = at->next)
        n++;
    const char **texts = arena_array(eval->arena, n ? n : 1, sizeof(*texts));
    if (!texts)
        return eval_out_of_memory(eval);
    *ret_texts = texts;
    *ret_n = n;
    for (; notes; notes = notes->next)
        texts[--n] = notes->text;
    return 0;
}

static const struct labels *final_labels(struct eval *eval, const struct column *column)
{
    static const struct label_filter all = {.choice = LABELS_ALL};

    if (!column->nameless || !labels_get(column->labels, LABEL_NAME))
        return column->labels;
    return filter_labels(eval, &all, column);
}

/* The points of a column. Without holes between them they share the steps' times. */
static int final_points(struct eval *eval,
                        const struct column *column,
                        const int64_t *steps,
                        struct promql_series *ret)
{
    double *values = column->values;
    size_t end = eval->grid.n;
    size_t first = 0;
    size_t n = 0;

    while (end > 0 && is_hole(values[end - 1]))
        end--;
    while (first < end && is_hole(values[first]))
        first++;
    for (size_t i = first; i < end; i++)
        n += !is_hole(values[i]);
    *ret = (struct promql_series){
        .labels = ret->labels, .n = n, .t_ms = steps + first, .values = values + first};
    if (n == end - first)
        return 0;
    int64_t *t_ms = arena_room(eval->arena, n, sizeof(*t_ms));
    if (!t_ms)
        return eval_out_of_memory(eval);
    for (size_t i = first, put = 0; i < end; i++)
        if (!is_hole(values[i])) {
            t_ms[put] = steps[i];
            values[first + put++] = values[i];
        }
    ret->t_ms = t_ms;
    return 0;
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const struct promql_series *)a)->labels,
                          ((const struct promql_series *)b)->labels);
}

void promql_sort(struct promql_value *value)
{
    qsort(value->series, value->n, sizeof(*value->series), by_labels);
}

static int finish_columns(struct eval *eval, struct value *value, struct promql_value *ret)
{
    int64_t *steps = arena_array(eval->arena, eval->grid.n, sizeof(*steps));
    struct promql_series *series = arena_array(eval->arena, value->n ? value->n : 1,
                                               sizeof(*series));

    if (!steps || !series)
        return eval_out_of_memory(eval);
    for (size_t i = 0; i < eval->grid.n; i++)
        steps[i] = grid_at(&eval->grid, i);
    for (size_t i = 0; i < value->n; i++) {
        struct promql_series made = {.labels = final_labels(eval, &value->columns[i])};
        int r = made.labels ? final_points(eval, &value->columns[i], steps, &made)
                            : eval_out_of_memory(eval);

        if (r)
            return r;
        if (made.n)
            series[ret->n++] = made;
    }
    ret->series = series;
    return 0;
}

/* The samples of the window that ends at to_ms, kept. */
static int finish_range(struct eval *eval,
                        const struct range_series *in,
                        int64_t from_ms,
                        int64_t to_ms,
                        struct promql_series *ret)
{
    const struct column column = {.labels = in->labels, .nameless = in->nameless};
    size_t from = 0;
    size_t to = in->n;

    while (from < to && in->t_ms[from] <= from_ms)
        from++;
    while (to > from && in->t_ms[to - 1] > to_ms)
        to--;
    ret->n = to - from;
    if (from == to)
        return 0;
    int64_t *t_ms = arena_array(eval->arena, ret->n, sizeof(*t_ms));
    double *values = arena_array(eval->arena, ret->n, sizeof(*values));
    ret->labels = final_labels(eval, &column);
    if (!t_ms || !values || !ret->labels)
        return eval_out_of_memory(eval);
    memcpy(t_ms, in->t_ms + from, ret->n * sizeof(*t_ms));
    memcpy(values, in->values + from, ret->n * sizeof(*values));
    ret->t_ms = t_ms;
    ret->values = values;
    return 0;
}

/* `foo[5m]` asked for by itself: the samples as they are. */
static int finish_ranges(struct eval *eval,
                         const struct promql_expr *expr,
                         struct promql_value *ret)
{
    struct ranges ranges;
    int r = eval_ranges(eval, expr, &ranges);

    if (r)
        return r;
    int64_t to_ms = ranges_end(&ranges, eval->grid.start_ms);
    ret->series = arena_array(eval->arena, ranges.n ? ranges.n : 1, sizeof(*ret->series));
    if (!ret->series)
        return eval_out_of_memory(eval);
    for (size_t i = 0; !r && i < ranges.n; i++) {
        struct range_series in;
        struct promql_series *series = &ret->series[ret->n];

        r = ranges_read(eval, &ranges, i, &in);
        if (!r)
            r = finish_range(eval, &in, to_ms - ranges.range_ms, to_ms, series);
        ret->n += !r && series->n > 0;
    }
    return r;
}

static int set_grid(struct eval *eval, const struct promql_query *query)
{
    size_t max_points = query->limits.max_points ? query->limits.max_points : POINTS_DEFAULT;

    eval->query = (struct grid){query->start_ms, 1, 1};
    if (query->step_ms > 0) {
        if (query->end_ms < query->start_ms) {
            (void)err_set(eval->reterr, PROMQL_E_EVAL, "the query ends before it starts");
            return PROMQL_E_EVAL;
        }
        uint64_t steps = (uint64_t)(query->end_ms - query->start_ms) / (uint64_t)query->step_ms;

        if (steps >= max_points) {
            (void)err_set(eval->reterr, PROMQL_E_LIMIT,
                          "exceeded maximum resolution of %zu points per timeseries. Try "
                          "increasing the value of the step parameter",
                          max_points);
            return PROMQL_E_LIMIT;
        }
        eval->query.step_ms = query->step_ms;
        eval->query.n = (size_t)steps + 1;
    }
    eval->grid = eval->query;
    if (query->n_steps > 0) {
        assert(query->first_step + query->n_steps <= eval->query.n);
        eval->grid.start_ms = grid_at(&eval->query, query->first_step);
        eval->grid.n = query->n_steps;
    }
    return 0;
}

static int evaluate(struct eval *eval,
                    const struct promql_expr *expr,
                    bool instant,
                    struct promql_value *ret)
{
    struct value value = {0};
    int r;

    ret->type = instant ? expr->type : PROMQL_MATRIX;
    if (expr->type == PROMQL_MATRIX)
        r = finish_ranges(eval, expr_unwrap(expr), ret);
    else
        r = eval_expr(eval, expr, &value);
    if (!r && expr->type == PROMQL_STRING)
        ret->string = value.string;
    else if (!r && expr->type != PROMQL_MATRIX)
        r = finish_columns(eval, &value, ret);
    if (!r && ret->type == PROMQL_MATRIX && ret->n)
        promql_sort(ret);
    return r;
}

/* An evaluation of the query, nothing of it done. */
static int begin(const struct promql_expr *expr,
                 const struct promql_query *query,
                 struct eval *eval,
                 struct err *reterr)
{
    bool instant = query->step_ms <= 0;

    if (instant && !query->explain)
        eval->memo = query->memo;
    if (!query->explain)
        eval->hole = query->hole;
    if (!eval->limits.max_samples)
        eval->limits.max_samples = SAMPLES_DEFAULT;
    if (!eval->limits.lookback_ms)
        eval->limits.lookback_ms = LOOKBACK_DEFAULT_MS;
    if (!instant && expr->type != PROMQL_SCALAR && expr->type != PROMQL_VECTOR) {
        (void)err_set(reterr, PROMQL_E_TYPE,
                      "invalid expression type \"%s\" for range query, must be Scalar or instant "
                      "Vector",
                      type_words(expr->type));
        return PROMQL_E_TYPE;
    }
    int r = set_grid(eval, query);
    return !r && eval->explain ? explain_start(eval, expr) : r;
}

int promql_eval(const struct promql_expr *expr,
                const struct source *source,
                const struct promql_query *query,
                struct arena *arena,
                struct promql_value *ret_value,
                struct err *reterr)
{
    struct eval eval = {.source = source,
                        .limits = query->limits,
                        .part = query->part,
                        .n_parts = query->n_parts,
                        .arena = arena,
                        .reterr = reterr,
                        .explain = query->explain,
                        .told = query->told};
    struct promql_value made = {0};
    int r = begin(expr, query, &eval, reterr);

    if (!r)
        r = evaluate(&eval, expr, query->step_ms <= 0, &made);
    if (!r)
        r = take_notes(&eval, eval.warnings, &made.warnings, &made.n_warnings);
    if (!r)
        r = take_notes(&eval, eval.infos, &made.infos, &made.n_infos);
    if (r)
        return r;
    if (eval.explain)
        explain_finish(&eval);
    made.n_samples = eval.n_samples;
    made.n_series_read = eval.n_series;
    *ret_value = made;
    return 0;
}

/* --- One by one -------------------------------------------------------------------------- */

struct giving {
    struct taker taker;
    struct eval *eval;
    bool one_name;
    promql_take *take;
    void *arg;
};

static int expect(struct taker *taker, size_t n, bool one_name)
{
    struct giving *giving = (struct giving *)taker;

    giving->one_name = one_name;
    return one_name ? 0 : PROMQL_E_SEVERAL;
}

static int give(struct taker *taker, const struct column *column)
{
    const struct giving *giving = (const struct giving *)taker;
    const struct labels *labels = final_labels(giving->eval, column);
    size_t end = giving->eval->grid.n;
    size_t first = 0;

    if (!labels)
        return eval_out_of_memory(giving->eval);
    while (end > 0 && is_hole(column->values[end - 1]))
        end--;
    while (first < end && is_hole(column->values[first]))
        first++;
    return end > first
               ? giving->take(giving->arg, labels, first, column->values + first, end - first)
               : 0;
}

int promql_eval_each(const struct promql_expr *expr,
                     const struct source *source,
                     const struct promql_query *query,
                     struct arena *arena,
                     promql_take *take,
                     void *arg,
                     struct err *reterr)
{
    struct eval eval = {.source = source,
                        .limits = query->limits,
                        .part = query->part,
                        .n_parts = query->n_parts,
                        .arena = arena,
                        .reterr = reterr,
                        .told = query->told};
    struct giving giving = {
        .taker = {.expect = expect, .take = give}, .eval = &eval, .take = take, .arg = arg};

    assert(query->step_ms > 0 && !query->explain);
    if (expr->type != PROMQL_VECTOR)
        return PROMQL_E_SEVERAL;
    int r = begin(expr, query, &eval, reterr);
    return r ? r : eval_each(&eval, expr, &giving.taker);
}
