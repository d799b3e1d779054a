/*
 * How fast things grow: rate, increase, delta with extrapolation to the window's ends,
 * irate and idelta of the last two samples, deriv and predict_linear by least squares.
 *
 * The samples of a window seldom reach its ends. When the first is within 1.1 average
 * distances of the start, the growth is extended to the start, otherwise by half a
 * distance; the same at the end. A counter cannot have been below zero, which bounds
 * the extension at the start. (Prometheus' rule, promql/functions.go.)
 */

#include <math.h>

#include "alertd/promql/fn_body.h"
#include "alertd/promql/number.h"

/* How the samples of a window lie in it. Regular ones lie alike in all windows of a series: the
 * divisions are done once. */
struct extent {
    int64_t sampled_ms, before_ms, behind_ms; /* from the first to the last; around them */
    size_t n;
    double sampled, at_start, at_end; /* seconds; what the growth is extended by */
    double factor;                    /* that extends it */
};

static double extension(const struct extent *extent, double at_start)
{
    return (extent->sampled + at_start + extent->at_end) / extent->sampled;
}

static void measure(struct extent *extent)
{
    double distance;
    double threshold;

    extent->sampled = (double)extent->sampled_ms / 1000;
    extent->at_start = (double)extent->before_ms / 1000;
    extent->at_end = (double)extent->behind_ms / 1000;
    distance = extent->sampled / (double)(extent->n - 1);
    threshold = distance * 1.1;
    if (extent->at_start >= threshold)
        extent->at_start = distance / 2;
    if (extent->at_end >= threshold)
        extent->at_end = distance / 2;
    extent->factor = extension(extent, extent->at_start);
}

/* The extent of window number i, unless it is that of the window before. */
static void lay_out(const struct windows *windows, size_t i, struct extent *extent)
{
    const struct window_bounds *bounds = &windows->bounds[i];
    int64_t to_ms = windows->first_to_ms + (int64_t)i * windows->step_ms;
    int64_t first_ms = windows->t_ms[bounds->first];
    int64_t last_ms = windows->t_ms[bounds->end - 1];
    struct extent now = {.sampled_ms = last_ms - first_ms,
                         .before_ms = first_ms - (to_ms - windows->range_ms),
                         .behind_ms = to_ms - last_ms,
                         .n = bounds->end - bounds->first};

    if (now.n == extent->n && now.sampled_ms == extent->sampled_ms &&
        now.before_ms == extent->before_ms && now.behind_ms == extent->behind_ms)
        return;
    measure(&now);
    *extent = now;
}

/* Where it was zero, if it grew evenly, nothing lies before. */
static double counter_extension(const struct extent *extent, double first, double growth)
{
    if (!(growth > 0 && first >= 0))
        return extent->factor;
    if (first >= growth && extent->sampled >= extent->at_start)
        return extent->factor; /* longer ago than the start, without a division */
    double to_zero = extent->sampled * (first / growth);
    return to_zero < extent->at_start ? extension(extent, to_zero) : extent->factor;
}

/* The samples that are less than the one before them. */
struct falls {
    size_t *at;
    size_t n;
    size_t next; /* those before it are behind the window's start */
};

static void find_falls(const struct windows *windows, struct falls *falls)
{
    for (size_t i = 1; i < windows->n_values; i++)
        if (windows->values[i] < windows->values[i - 1])
            falls->at[falls->n++] = i;
}

/* Each value before a fall was grown through once more. Added one by one: the order shows
 * in the last bit. */
static double growth_through(const struct windows *windows,
                             const struct window_bounds *bounds,
                             struct falls *falls)
{
    double growth = windows->values[bounds->end - 1] - windows->values[bounds->first];

    while (falls->next < falls->n && falls->at[falls->next] <= bounds->first)
        falls->next++;
    for (size_t i = falls->next; i < falls->n && falls->at[i] < bounds->end; i++)
        growth += windows->values[falls->at[i] - 1];
    return growth;
}

/* `seconds` that the growth is spread over. */
static bool slide_growth(const struct windows *windows,
                         bool is_counter,
                         double seconds,
                         double *values)
{
    struct falls falls = {.at = (size_t *)windows->room};
    struct extent extent = {0};

    _Static_assert(sizeof(size_t) <= sizeof(double), "places fit into the room of samples");
    if (is_counter)
        find_falls(windows, &falls);
    for (size_t i = 0; i < windows->n; i++) {
        const struct window_bounds *bounds = &windows->bounds[i];

        if (bounds->end - bounds->first < 2)
            continue;
        double growth = growth_through(windows, bounds, &falls);
        lay_out(windows, i, &extent);
        double factor = is_counter
                            ? counter_extension(&extent, windows->values[bounds->first], growth)
                            : extent.factor;
        values[i] = growth * (factor / seconds);
    }
    return true;
}

bool slide_increase(const struct windows *windows, double *values)
{
    return slide_growth(windows, true, 1, values);
}

bool slide_rate(const struct windows *windows, double *values)
{
    return slide_growth(windows, true, (double)windows->range_ms / 1000, values);
}

bool slide_delta(const struct windows *windows, double *values)
{
    return slide_growth(windows, false, 1, values);
}

bool window_irate(const struct window *window, double *ret_value)
{
    if (window->n < 2)
        return false;
    double last = window->values[window->n - 1];
    double before = window->values[window->n - 2];
    double growth = last < before ? last : last - before;
    double ms = (double)(window->t_ms[window->n - 1] - window->t_ms[window->n - 2]);
    *ret_value = growth / (ms / 1000);
    return true;
}

bool window_idelta(const struct window *window, double *ret_value)
{
    if (window->n < 2)
        return false;
    *ret_value = window->values[window->n - 1] - window->values[window->n - 2];
    return true;
}

/* Least squares of the samples: value = slope * seconds since origin + intercept. */
static void fit_line(const struct window *window,
                     int64_t origin_ms,
                     double *ret_slope,
                     double *ret_intercept)
{
    struct sum sum_x = {0};
    struct sum sum_y = {0};
    struct sum sum_xy = {0};
    struct sum sum_xx = {0};
    double n = (double)window->n;
    bool flat = true;

    for (size_t i = 0; i < window->n; i++) {
        double x = (double)(window->t_ms[i] - origin_ms) / 1000;
        double y = window->values[i];

        flat = flat && (i == 0 || y == window->values[0]);
        sum_add(&sum_x, x);
        sum_add(&sum_y, y);
        sum_add(&sum_xy, x * y);
        sum_add(&sum_xx, x * x);
    }
    if (flat) {
        *ret_slope = isinf(window->values[0]) ? NAN : 0;
        *ret_intercept = isinf(window->values[0]) ? NAN : window->values[0];
        return;
    }
    double all_x = sum_x.value + sum_x.lost;
    double all_y = sum_y.value + sum_y.lost;
    double covariance = sum_xy.value + sum_xy.lost - all_x * all_y / n;
    double variance = sum_xx.value + sum_xx.lost - all_x * all_x / n;
    *ret_slope = covariance / variance;
    *ret_intercept = all_y / n - *ret_slope * all_x / n;
}

bool window_deriv(const struct window *window, double *ret_value)
{
    double intercept;

    if (window->n < 2)
        return false;
    fit_line(window, window->t_ms[0], ret_value, &intercept);
    return true;
}

bool window_predict_linear(const struct window *window, double *ret_value)
{
    double slope;
    double intercept;

    if (window->n < 2)
        return false;
    fit_line(window, window->at_ms, &slope, &intercept);
    *ret_value = slope * window->param + intercept;
    return true;
}
