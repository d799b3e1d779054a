/*
 * Samples out of the source: vector selectors look back from each step, range vectors
 * give windows their samples, subqueries evaluate an expression on a grid of its own.
 * Windows and look-back are open on the left: a sample exactly that old is out.
 *
 * A selector's series are read one at a time into the same room (source.h): what is made
 * of one is made before the next is read.
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

/* So long before the end of a window that lies offset_ms behind its step, nothing had come yet. */
static int64_t unknown_ms(const struct eval *eval, int64_t offset_ms)
{
    int64_t lag_ms = eval->limits.lag_ms;

    return lag_ms > 0 && lag_ms > offset_ms ? lag_ms - offset_ms : 0;
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

static void keep_part(const struct source_query *query, struct source_selection *selection)
{
    size_t n = 0;

    for (size_t i = 0; i < selection->n; i++)
        if (source_query_counts(query, selection->matches[i].labels->hash))
            selection->matches[n++] = selection->matches[i];
    selection->n = n;
}

/* Which series match, for windows of `back_ms` over the steps. */
static int open_reading(struct eval *eval,
                        const struct promql_expr *expr,
                        const struct sight *sight,
                        int64_t back_ms,
                        struct reading *ret)
{
    const struct promql_selector *selector = &expr->selector;
    const struct source *source = eval->source;
    int64_t first_ms = sight_at(sight, eval->grid.start_ms);
    int64_t last_ms = sight_at(sight, grid_at(&eval->grid, eval->grid.n - 1));
    struct reading made = {.query = {
                               .matchers = selector->matchers,
                               .n_matchers = selector->n_matchers,
                               .from_ms = first_ms - back_ms + 1,
                               .to_ms = last_ms - unknown_ms(eval, sight->offset_ms),
                               .newest_only = !selector->range && first_ms == last_ms,
                               .part = eval->part,
                               .n_parts = eval->n_parts,
                           }};
    int r = eval_tick(eval);

    if (!r && made.query.from_ms <= made.query.to_ms)
        r = source->select(source->self, &made.query, eval->arena, &made.selection, eval->reterr);
    if (r)
        return r == SOURCE_E_LIMIT ? PROMQL_E_LIMIT : r;
    keep_part(&made.query, &made.selection);
    for (size_t i = 0; i < made.selection.n_warnings; i++)
        eval_pass_on(eval, expr, made.selection.warnings[i]);
    *ret = made;
    return 0;
}

/* The samples of series number i are in reading->columns. */
static int read_series(struct eval *eval, struct reading *reading, size_t i)
{
    const struct source *source = eval->source;

    reading->columns.step_ms = 0; /* what a source that always has times does not say */
    int r = source->read(source->self, &reading->query, &reading->selection.matches[i], eval->arena,
                         &reading->columns, eval->reterr);

    if (r)
        return r == SOURCE_E_LIMIT ? PROMQL_E_LIMIT : r;
    if (reading->columns.kind != SAMPLE_FLOAT)
        return EVAL_FAILED(eval, "a series of native histograms, which are not supported");
    eval->n_samples += reading->columns.n;
    eval->n_series += reading->columns.n > 0;
    if (eval->n_samples <= eval->limits.max_samples)
        return 0;
    (void)err_set(eval->reterr, PROMQL_E_LIMIT,
                  "the query reads more than %zu samples; select fewer series or a shorter time",
                  eval->limits.max_samples);
    return PROMQL_E_LIMIT;
}

/* A place among ascending times that only moves forward. */
struct cursor {
    size_t at; /* the times before it are passed */
    size_t by; /* it moved last: samples are regular mostly, and so many come again */
};

/* Passes all of n times at or before until_ms. */
static size_t cursor_move(struct cursor *cursor, const int64_t *t_ms, size_t n, int64_t until_ms)
{
    size_t at = cursor->at;

    if (cursor->by > 0 && cursor->by <= n - at && t_ms[at + cursor->by - 1] <= until_ms)
        at += cursor->by;
    while (at < n && t_ms[at] <= until_ms)
        at++;
    cursor->by = at - cursor->at;
    cursor->at = at;
    return at;
}

/* The newest sample at or before each step, within the look-back. False: none at all. */
static bool look_back(const struct eval *eval,
                      const struct sight *sight,
                      const struct source_columns *series,
                      bool times,
                      double *values)
{
    int64_t cut_ms = unknown_ms(eval, sight->offset_ms);
    const struct sight known = {sight->fixed, sight->fixed_ms, sight->offset_ms + cut_ms};
    int64_t lookback_ms = eval->limits.lookback_ms - cut_ms; /* from there on */
    struct cursor cursor = {0};
    bool any = false;

    for (size_t i = 0; i < eval->grid.n; i++) {
        int64_t at_ms = sight_at(&known, grid_at(&eval->grid, i));
        size_t next = cursor_move(&cursor, series->t_ms, series->n, at_ms);

        if (next == 0)
            continue;
        int64_t t_ms = series->t_ms[next - 1];
        double value = series->values[next - 1];
        if (t_ms <= at_ms - lookback_ms || sample_is_stale(value))
            continue;
        values[i] = times ? (double)t_ms / 1000 : value;
        any = true;
    }
    return any;
}

/* The step's newest sample among regular ones; a hole: there is none within the look-back. */
static double newest_at(const struct source_columns *series, int64_t at_ms, int64_t lookback_ms)
{
    if (at_ms < series->first_ms)
        return sample_stale();
    size_t i = (size_t)((at_ms - series->first_ms) / series->step_ms);
    i = i < series->n ? i : series->n - 1;
    return series->first_ms + (int64_t)i * series->step_ms > at_ms - lookback_ms ? series->values[i]
                                                                                 : sample_stale();
}

/* Whether n values from `from` on have room where the samples are, which nobody keeps. */
static bool has_room(const struct source_columns *series, size_t from, size_t n)
{
    size_t first = series->value_room ? (size_t)(series->values - series->value_room) + from : 0;

    return series->value_room && first <= series->capacity && n <= series->capacity - first;
}

/* The same of regular samples; a marker is a hole as it is. Steps as long as the samples lie apart see
 * one after the other: that is a copy, or no copy at all where they may be left where they are. Returns
 * where the values are. */
static double *look_back_regular(const struct eval *eval,
                                 const struct sight *sight,
                                 const struct source_columns *series,
                                 bool may_stay,
                                 double *values)
{
    int64_t start_ms = sight_at(sight, eval->grid.start_ms);
    int64_t past_ms = start_ms < series->first_ms ? series->first_ms - start_ms : 0;
    int64_t step_ms = eval->grid.step_ms;
    size_t n = eval->grid.n;
    size_t at = (size_t)((past_ms + step_ms - 1) / step_ms);

    at = at < n ? at : n;
    make_holes(values, at);
    if (step_ms == series->step_ms && at < n) {
        int64_t behind_ms = start_ms + (int64_t)at * step_ms - series->first_ms;
        size_t from = (size_t)(behind_ms / step_ms);
        size_t n_same = from < series->n ? series->n - from : 0;
        n_same = n_same < n - at ? n_same : n - at;
        n_same = behind_ms % step_ms < eval->limits.lookback_ms ? n_same : 0;
        if (may_stay && at == 0 && has_room(series, from, n))
            values = series->value_room + (series->values - series->value_room) + from;
        else
            memcpy(values + at, series->values + from, n_same * sizeof(*values));
        at += n_same;
    }
    for (; at < n; at++)
        values[at] = newest_at(series, start_ms + (int64_t)at * step_ms, eval->limits.lookback_ms);
    return values;
}

/* The series that was read as a column in the maker's room, or where it is. */
static int give_column(struct maker *maker,
                       const struct sight *sight,
                       const struct source_columns *series,
                       bool times,
                       const struct labels *labels)
{
    const struct eval *eval = maker->eval;
    struct taker *taker = maker->taker;

    if (series->n == 0)
        return 0;
    if (series->step_ms == 0) {
        make_holes(maker->values, eval->grid.n);
        return look_back(eval, sight, series, times, maker->values)
                   ? maker_give(maker, labels, false)
                   : 0;
    }
    double *values = look_back_regular(eval, sight, series, !taker->keeps, maker->values);
    if (!has_point(values, eval->grid.n))
        return 0;
    if (values == maker->values)
        return maker_give(maker, labels, false);
    return taker->take(taker, &(struct column){labels, false, values});
}

static int select_each(struct eval *eval,
                       const struct promql_expr *expr,
                       bool times,
                       struct taker *taker)
{
    struct maker maker = {.eval = eval, .taker = taker};
    struct reading reading;
    struct sight sight = {0};
    int r = find_sight(eval, &expr->selector.when, &sight);

    if (!r)
        r = open_reading(eval, expr, &sight, eval->limits.lookback_ms, &reading);
    if (!r)
        r = taker->expect(taker, reading.selection.n, selector_has_one_name(&expr->selector));
    reading.query.regular = !times && !sight.fixed && eval->limits.lag_ms == 0;
    for (size_t i = 0; !r && i < reading.selection.n; i++) {
        r = maker_room(&maker);
        if (!r)
            r = read_series(eval, &reading, i);
        if (!r)
            r = give_column(&maker, &sight, &reading.columns, times,
                            reading.selection.matches[i].labels);
        r = r ? r : eval_tick(eval);
    }
    return r;
}

static int select_vector(struct eval *eval,
                         const struct promql_expr *expr,
                         bool times,
                         struct value *ret_value)
{
    struct collector all = collector_of(eval);
    int r = select_each(eval, expr, times, &all.taker);

    if (!r)
        *ret_value = all.value;
    return r;
}

int eval_selector(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    return select_vector(eval, expr, false, ret_value);
}

int eval_selector_each(struct eval *eval, const struct promql_expr *expr, struct taker *taker)
{
    return select_each(eval, expr, false, taker);
}

int eval_selector_times(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    struct explain_frame frame = {0};

    if (eval->explain)
        explain_enter(eval, expr, &frame);
    int r = select_vector(eval, expr, true, ret_value);
    if (eval->explain)
        explain_value(eval, &frame, r ? NULL : ret_value, false);
    return r;
}

/* --- Range vectors ---------------------------------------------------------------------- */

/* The columns without staleness markers: as they are when there is none. */
static int drop_markers(struct eval *eval, struct source_columns *columns)
{
    size_t n_markers = 0;

    for (size_t i = 0; i < columns->n; i++)
        n_markers += sample_is_stale(columns->values[i]);
    if (n_markers == 0)
        return 0;
    /* A source may lend its own columns: what is changed is a copy. In its room a source's
     * samples never lie before where they are put. */
    if (!source_columns_reserve(columns, eval->arena, columns->n))
        return eval_out_of_memory(eval);
    size_t put = 0;
    for (size_t i = 0; i < columns->n; i++)
        if (!sample_is_stale(columns->values[i])) {
            columns->t_room[put] = columns->t_ms[i];
            columns->value_room[put++] = columns->values[i];
        }
    columns->n = put;
    columns->t_ms = columns->t_room;
    columns->values = columns->value_room;
    return 0;
}

static int read_range(struct eval *eval,
                      struct ranges *ranges,
                      size_t i,
                      struct range_series *ret_series)
{
    struct source_columns *columns = &ranges->reading.columns;
    int r = read_series(eval, &ranges->reading, i);

    if (!r)
        r = drop_markers(eval, columns);
    if (r)
        return r;
    *ret_series = (struct range_series){ranges->reading.selection.matches[i].labels, false,
                                        columns->n, columns->t_ms, columns->values};
    return 0;
}

int ranges_read(struct eval *eval, struct ranges *ranges, size_t i, struct range_series *ret_series)
{
    struct explain_frame frame = {0};

    if (ranges->series) {
        *ret_series = ranges->series[i];
        return 0;
    }
    if (eval->explain)
        explain_enter(eval, ranges->expr, &frame);
    int r = read_range(eval, ranges, i, ret_series);
    if (eval->explain)
        explain_read(eval, &frame, ranges, r ? NULL : ret_series);
    return r ? eval_blame(eval, ranges->expr, r) : 0;
}

/* What had not come yet goes, of each window. The most that is left of one. */
static size_t cut_bounds(const struct eval *eval,
                         const struct ranges *ranges,
                         const struct range_series *series,
                         struct window_bounds *bounds)
{
    int64_t cut_ms = unknown_ms(eval, ranges->offset_ms);
    uint32_t most = 0;

    for (size_t i = 0; i < eval->grid.n; i++) {
        int64_t known_ms = ranges_end(ranges, grid_at(&eval->grid, i)) - cut_ms;
        while (bounds[i].end > bounds[i].first && series->t_ms[bounds[i].end - 1] > known_ms)
            bounds[i].end--;
        most = bounds[i].end - bounds[i].first > most ? bounds[i].end - bounds[i].first : most;
    }
    return most;
}

/* Both ends only move forward. */
size_t ranges_bounds(const struct eval *eval,
                     const struct ranges *ranges,
                     const struct range_series *series,
                     struct window_bounds *ret_bounds)
{
    struct cursor first_cursor = {0};
    struct cursor end_cursor = {0};
    size_t most = 0;

    for (size_t i = 0; i < eval->grid.n; i++) {
        int64_t to_ms = ranges_end(ranges, grid_at(&eval->grid, i));
        int64_t from_ms = to_ms - ranges->range_ms;
        size_t end = cursor_move(&end_cursor, series->t_ms, series->n, to_ms);
        size_t first = cursor_move(&first_cursor, series->t_ms, end, from_ms);

        ret_bounds[i] = (struct window_bounds){(uint32_t)first, (uint32_t)end};
        most = end - first > most ? end - first : most;
    }
    return eval->limits.lag_ms > 0 ? cut_bounds(eval, ranges, series, ret_bounds) : most;
}

static int select_ranges(struct eval *eval, const struct promql_expr *expr, struct ranges *ret)
{
    struct sight sight;
    struct ranges made = {0};
    int r = positive_in(eval, expr->selector.range, &made.range_ms);

    if (!r)
        r = find_sight(eval, &expr->selector.when, &sight);
    if (!r)
        r = open_reading(eval, expr, &sight, made.range_ms, &made.reading);
    if (r)
        return r;
    made.n = made.reading.selection.n;
    made.one_name = selector_has_one_name(&expr->selector);
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

static int find_ranges(struct eval *eval, const struct promql_expr *expr, struct ranges *ret)
{
    if (expr->kind == PROMQL_SELECTOR)
        return select_ranges(eval, expr, ret);
    if (expr->kind == PROMQL_SUBQUERY)
        return subquery_ranges(eval, expr, ret);
    UNREACHABLE("not a range vector");
}

int eval_ranges(struct eval *eval, const struct promql_expr *expr, struct ranges *ret_ranges)
{
    struct explain_frame frame = {0};

    expr = expr_unwrap(expr);
    if (eval->explain)
        explain_enter(eval, expr, &frame);
    int r = find_ranges(eval, expr, ret_ranges);
    if (eval->explain)
        explain_ranges(eval, &frame, r ? NULL : ret_ranges);
    if (!r)
        ret_ranges->expr = expr;
    return r ? eval_blame(eval, expr, r) : 0;
}
