/*
 * Experimental functions of a window's samples: mad_over_time, the median distance from
 * the median, and double_exponential_smoothing, Holt's: a level and a trend, each new
 * sample weighed against what they foretold.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/fn_body.h"
#include "alertd/promql/number.h"
#include "lib/base/float.h"

struct smoothing {
    struct eval *eval;
    const double *level, *trend;  /* factors by step; NULL: the median's distance */
    struct window_bounds *bounds; /* by step */
    double *room;                 /* for the median's distance */
    size_t room_n;
};

static double median_distance(const double *values, size_t n, double *room)
{
    memcpy(room, values, n * sizeof(*room));
    double median = number_quantile(0.5, room, n);
    for (size_t i = 0; i < n; i++)
        room[i] = fabs(values[i] - median);
    return number_quantile(0.5, room, n);
}

static int check_factor(struct eval *eval, const char *what, const char *name, double factor)
{
    char text[FLOAT_TEXT_MAX];

    if (!(factor <= 0 || factor >= 1))
        return 0;
    if (isinf(factor))
        (void)float_plain(factor, text);
    else
        (void)snprintf(text, sizeof(text), "%f", factor);
    return EVAL_FAILED(eval, "invalid %s factor. Expected: 0 < %s < 1, got: %s", what, name, text);
}

static double smoothed(const double *values, size_t n, double level_factor, double trend_factor)
{
    double level = values[0];
    double trend = values[1] - values[0];
    double before = 0;

    for (size_t i = 1; i < n; i++) {
        double seen = level_factor * values[i];

        if (i > 1)
            trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
        double foretold = (1 - level_factor) * (level + trend);
        before = level;
        level = seen + foretold;
    }
    return level;
}

/* One window; its value stays a hole when there are too few samples. */
static int smooth_window(
    const struct smoothing *in, size_t step, const double *values, size_t n, double *ret_value)
{
    if (!in->level) {
        *ret_value = median_distance(values, n, in->room);
        return 0;
    }
    int r = check_factor(in->eval, "smoothing", "sf", in->level[step]);
    if (!r)
        r = check_factor(in->eval, "trend", "tf", in->trend[step]);
    if (!r && n > 1)
        *ret_value = smoothed(values, n, in->level[step], in->trend[step]);
    return r;
}

static int smooth_series(const struct smoothing *in,
                         const struct ranges *ranges,
                         const struct range_series *series,
                         double *values)
{
    int r = 0;

    (void)ranges_bounds(in->eval, ranges, series, in->bounds);
    for (size_t step = 0; !r && step < in->eval->grid.n; step++) {
        const struct window_bounds *bounds = &in->bounds[step];
        size_t n = bounds->end - bounds->first;

        if (n)
            r = smooth_window(in, step, series->values + bounds->first, n, &values[step]);
        if (!r)
            r = eval_work(in->eval, n);
    }
    return r ? r : eval_tick(in->eval);
}

/* Room for a series of n samples: of the longest so far. False past the arena's limit. */
static bool make_room(struct smoothing *in, size_t n)
{
    if (in->level || n <= in->room_n)
        return true;
    in->room_n = n + n / 2;
    in->room = arena_array(in->eval->arena, in->room_n, sizeof(*in->room));
    return in->room != NULL;
}

static int smooth_all(struct smoothing *in, const struct promql_expr *arg, struct value *ret_value)
{
    struct eval *eval = in->eval;
    struct ranges ranges;
    struct value made;
    int r = eval_ranges(eval, arg, &ranges);

    if (!r)
        r = vector_new(eval, ranges.n, &made);
    if (r)
        return r;
    in->bounds = arena_array(eval->arena, eval->grid.n, sizeof(*in->bounds));
    if (!in->bounds)
        return eval_out_of_memory(eval);
    for (size_t i = 0; !r && i < ranges.n; i++) {
        struct range_series series;

        r = ranges_read(eval, &ranges, i, &series);
        if (r)
            return r;
        double *values = vector_add(eval, &made, series.labels, true);
        if (!values || !make_room(in, series.n))
            return eval_out_of_memory(eval);
        r = smooth_series(in, &ranges, &series, values);
    }
    if (r)
        return r;
    vector_drop_empty(eval, &made);
    made.one_name = true;
    r = ranges.one_name ? 0 : vector_merge(eval, &made, true);
    if (!r)
        *ret_value = made;
    return r;
}

int eval_mad_over_time(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    struct smoothing in = {.eval = eval};

    return smooth_all(&in, call->call.args[0], ret_value);
}

int eval_double_exponential_smoothing(struct eval *eval,
                                      const struct promql_expr *call,
                                      struct value *ret_value)
{
    struct smoothing in = {.eval = eval};
    int r = eval_scalar_arg(eval, call, 1, &in.level);

    if (!r)
        r = eval_scalar_arg(eval, call, 2, &in.trend);
    return r ? r : smooth_all(&in, call->call.args[0], ret_value);
}
