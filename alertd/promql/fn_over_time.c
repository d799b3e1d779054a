/*
 * Functions of a window's samples, and the loop that slides the window along a series:
 * both ends only move forward, so each sample enters and leaves once.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "alertd/promql/fn_body.h"
#include "alertd/promql/number.h"

struct slide {
    struct eval *eval;
    const struct fn *fn;
    struct ranges *ranges;
    const double *params;         /* by step; NULL: none */
    struct window_bounds *bounds; /* by step */
    double *room;                 /* for functions that sort or slide */
    size_t room_n;
    int late; /* what the last look at the clock said */
};

enum {
    /* below these, looking at each window alone is as fast */
    OVERLAP_SAMPLES_MIN = 8,
    OVERLAP_STEPS_MIN = 2,
    SAMPLES_PER_LOOK = 1 << 16,
};

/* Long windows over many steps take their time within one series. */
static bool is_late(struct slide *slide, size_t work)
{
    slide->late = eval_work(slide->eval, work);
    return slide->late != 0;
}

/* All windows at once, if the function can. */
static bool slide_at_once(const struct slide *slide,
                          const struct range_series *in,
                          size_t most,
                          double *values)
{
    const struct grid *grid = &slide->eval->grid;
    const struct ranges *ranges = slide->ranges;
    const struct windows windows = {
        .t_ms = in->t_ms,
        .values = in->values,
        .n_values = in->n,
        .bounds = slide->bounds,
        .n = grid->n,
        .first_to_ms = ranges_end(ranges, grid->start_ms),
        .step_ms = ranges->fixed ? 0 : grid->step_ms,
        .range_ms = ranges->range_ms,
        .overlap = most >= OVERLAP_SAMPLES_MIN && grid->n > 1 &&
                   ranges->range_ms / grid->step_ms >= OVERLAP_STEPS_MIN,
        .params = slide->params,
        .room = slide->room,
    };

    return slide->fn->slide && slide->fn->slide(&windows, values);
}

/* One window after the other. */
static void slide_each(struct slide *slide, const struct range_series *in, double *values)
{
    const struct grid *grid = &slide->eval->grid;
    struct window window = {.room = slide->room};
    size_t work = 0;

    for (size_t i = 0; i < grid->n; i++) {
        const struct window_bounds *bounds = &slide->bounds[i];

        if (bounds->first == bounds->end)
            continue;
        window.at_ms = grid_at(grid, i);
        window.to_ms = ranges_end(slide->ranges, window.at_ms);
        window.from_ms = window.to_ms - slide->ranges->range_ms;
        window.t_ms = in->t_ms + bounds->first;
        window.values = in->values + bounds->first;
        window.n = bounds->end - bounds->first;
        window.param = slide->params ? slide->params[i] : 0;
        if (!slide->fn->window(&window, &values[i]))
            values[i] = sample_stale();
        work += window.n;
        if (work < SAMPLES_PER_LOOK)
            continue;
        if (is_late(slide, work))
            return;
        work = 0;
    }
    (void)is_late(slide, work);
}

/* False: no step has a point. */
static bool slide_window(struct slide *slide, const struct range_series *in, double *values)
{
    size_t most = ranges_bounds(slide->eval, slide->ranges, in, slide->bounds);

    if (most == 0)
        return false;
    if (slide_at_once(slide, in, most, values))
        (void)is_late(slide, most * slide->eval->grid.n);
    else
        slide_each(slide, in, values);
    return has_point(values, slide->eval->grid.n);
}

static bool looks_like_a_counter(const char *name)
{
    static const char *const endings[] = {"_total", "_sum", "_count", "_bucket"};
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);

        if (len >= n && strcmp(name + len - n, endings[i]) == 0)
            return true;
    }
    return false;
}

static void check_counter(struct eval *eval,
                          const struct promql_expr *arg,
                          const struct range_series *series)
{
    const char *name = series->nameless ? NULL : labels_get(series->labels, LABEL_NAME);

    if (name && !looks_like_a_counter(name))
        eval_inform(eval, arg,
                    "metric might not be a counter, name does not end in "
                    "_total/_sum/_count/_bucket: \"%s\"",
                    name);
}

/* Room for a series of n samples: of the longest so far. False past the arena's limit. */
static bool make_room(struct slide *slide, size_t n)
{
    if (!slide->bounds) {
        slide->bounds = arena_room(slide->eval->arena, slide->eval->grid.n, sizeof(*slide->bounds));
        if (!slide->bounds)
            return false;
    }
    if ((!slide->fn->sorts && !slide->fn->slide) || n <= slide->room_n)
        return true;
    slide->room_n = n + n / 2;
    slide->room = arena_room(slide->eval->arena, slide->room_n, WINDOWS_ROOM * sizeof(double));
    return slide->room != NULL;
}

static int slide_all(struct slide *slide, bool nameless, struct taker *taker)
{
    struct eval *eval = slide->eval;
    struct ranges *ranges = slide->ranges;
    struct maker maker = {.eval = eval, .taker = taker};
    int r = taker->expect(taker, ranges->n, ranges->one_name);

    for (size_t i = 0; !r && i < ranges->n; i++) {
        struct range_series in;

        r = ranges_read(eval, ranges, i, &in);
        if (!r)
            r = maker_start(&maker);
        if (!r && !make_room(slide, in.n))
            r = eval_out_of_memory(eval);
        if (r)
            return r;
        if (slide_window(slide, &in, maker.values)) {
            if (slide->fn->wants_counter)
                check_counter(eval, ranges->expr, &in);
            r = maker_give(&maker, in.labels, nameless || in.nameless);
        }
        r = slide->late ? slide->late : r ? r : eval_tick(eval);
    }
    return r;
}

static int collect(struct slide *slide, struct value *ret_value)
{
    struct collector all = collector_of(slide->eval);
    int r = slide_all(slide, false, &all.taker);

    if (!r)
        *ret_value = all.value;
    return r;
}

static int drop_names_strictly(struct eval *eval, struct value *value)
{
    bool one_name = value->one_name;

    for (size_t i = 0; i < value->n; i++)
        value->columns[i].nameless = true;
    value->one_name = true;
    return one_name ? 0 : vector_merge(eval, value, true);
}

/* Where a window was looked at; without samples nobody minds what was asked of them. */
static void warn_quantiles(struct eval *eval,
                           const struct promql_expr *param,
                           const double *q,
                           const struct value *made)
{
    for (size_t step = 0; step < eval->grid.n; step++) {
        size_t i = 0;

        while (i < made->n && is_hole(made->columns[i].values[step]))
            i++;
        if (i < made->n)
            warn_quantile(eval, param, q[step]);
    }
}

static int open_slide(struct eval *eval,
                      const struct promql_expr *call,
                      struct ranges *ranges,
                      struct slide *ret)
{
    struct slide slide = {.eval = eval, .fn = call->call.fn, .ranges = ranges};
    size_t matrix = call->call.fn->args[0] == PROMQL_MATRIX ? 0 : 1;
    int r = call->call.n_args > 1 ? eval_scalar_arg(eval, call, 1 - matrix, &slide.params) : 0;

    if (!r)
        r = eval_ranges(eval, call->call.args[matrix], ranges);
    if (!r)
        *ret = slide;
    return r;
}

static int close_slide(struct slide *slide, const struct promql_expr *call, struct value *ret_value)
{
    int r = collect(slide, ret_value);

    if (r || slide->fn->keeps_name)
        return r;
    if (slide->fn->sorts && slide->params)
        warn_quantiles(slide->eval, call->call.args[0], slide->params, ret_value);
    return drop_names_strictly(slide->eval, ret_value);
}

int eval_window(struct eval *eval, const struct promql_expr *call, struct value *ret_value)
{
    struct ranges ranges;
    struct slide slide;
    int r = open_slide(eval, call, &ranges, &slide);

    return r ? r : close_slide(&slide, call, ret_value);
}

int eval_window_each(struct eval *eval, const struct promql_expr *call, struct taker *taker)
{
    struct ranges ranges;
    struct slide slide;
    struct value value;
    int r = open_slide(eval, call, &ranges, &slide);

    if (r)
        return r;
    /* Without their names some may be alike: that, and quantiles' words, take all of them. */
    if (slide.fn->keeps_name || (ranges.one_name && !slide.fn->sorts))
        return slide_all(&slide, !slide.fn->keeps_name, taker);
    r = close_slide(&slide, call, &value);
    return r ? r : vector_each(eval, &value, taker);
}

int eval_absent_over_time(struct eval *eval,
                          const struct promql_expr *call,
                          struct value *ret_value)
{
    static const struct fn present = {.window = window_present_over_time};
    struct ranges ranges;
    struct value made;
    struct slide slide = {.eval = eval, .fn = &present, .ranges = &ranges};
    int r = eval_ranges(eval, call->call.args[0], &ranges);

    if (!r)
        r = collect(&slide, &made);
    return r ? r : absent_of(eval, call, &made, ret_value);
}

/* --- Bodies --------------------------------------------------------------------------------- */

bool window_last_over_time(const struct window *window, double *ret_value)
{
    *ret_value = window->values[window->n - 1];
    return true;
}

bool window_first_over_time(const struct window *window, double *ret_value)
{
    *ret_value = window->values[0];
    return true;
}

bool window_present_over_time(const struct window *window, double *ret_value)
{
    *ret_value = 1;
    return true;
}

bool window_count_over_time(const struct window *window, double *ret_value)
{
    *ret_value = (double)window->n;
    return true;
}

bool window_sum_over_time(const struct window *window, double *ret_value)
{
    struct sum sum = {0};

    for (size_t i = 0; i < window->n; i++)
        sum_add(&sum, window->values[i]);
    *ret_value = isinf(sum.value) ? sum.value : sum.value + sum.lost;
    return true;
}

/* The sum over the count; a running mean from where the sum would overflow. */
bool window_avg_over_time(const struct window *window, double *ret_value)
{
    struct sum sum = {window->values[0], 0};
    double count = 1;
    size_t i = 1;

    for (; i < window->n; i++) {
        struct sum next = sum;

        sum_add(&next, window->values[i]);
        if (isinf(next.value))
            break;
        sum = next;
        count++;
    }
    if (i == window->n) {
        *ret_value = sum.value / count + sum.lost / count;
        return true;
    }
    struct sum mean = {sum.value / count, sum.lost / count};
    for (; i < window->n; i++) {
        double share = count / (count + 1);

        mean = (struct sum){share * mean.value, share * mean.lost};
        count++;
        sum_add(&mean, window->values[i] / count);
    }
    *ret_value = mean.value + mean.lost;
    return true;
}

bool window_max_over_time(const struct window *window, double *ret_value)
{
    double max = window->values[0];

    for (size_t i = 1; i < window->n; i++)
        if (window->values[i] > max || isnan(max))
            max = window->values[i];
    *ret_value = max;
    return true;
}

bool window_min_over_time(const struct window *window, double *ret_value)
{
    double min = window->values[0];

    for (size_t i = 1; i < window->n; i++)
        if (window->values[i] < min || isnan(min))
            min = window->values[i];
    *ret_value = min;
    return true;
}

/* Welford's variance with compensated sums. */
bool window_stdvar_over_time(const struct window *window, double *ret_value)
{
    struct sum mean = {0};
    struct sum squares = {0};

    for (size_t i = 0; i < window->n; i++) {
        double delta = window->values[i] - (mean.value + mean.lost);

        sum_add(&mean, delta / (double)(i + 1));
        sum_add(&squares, delta * (window->values[i] - (mean.value + mean.lost)));
    }
    *ret_value = (squares.value + squares.lost) / (double)window->n;
    return true;
}

bool window_stddev_over_time(const struct window *window, double *ret_value)
{
    (void)window_stdvar_over_time(window, ret_value);
    *ret_value = sqrt(*ret_value);
    return true;
}

bool window_quantile_over_time(const struct window *window, double *ret_value)
{
    memcpy(window->room, window->values, window->n * sizeof(*window->room));
    *ret_value = number_quantile(window->param, window->room, window->n);
    return true;
}

bool window_changes(const struct window *window, double *ret_value)
{
    size_t changes = 0;

    for (size_t i = 1; i < window->n; i++) {
        double before = window->values[i - 1];
        double now = window->values[i];

        changes += now != before && !(isnan(now) && isnan(before));
    }
    *ret_value = (double)changes;
    return true;
}

bool window_resets(const struct window *window, double *ret_value)
{
    size_t resets = 0;

    for (size_t i = 1; i < window->n; i++)
        resets += window->values[i] < window->values[i - 1];
    *ret_value = (double)resets;
    return true;
}
