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

/* Each value before a fall was grown through once more. Added one by one: the order shows
 * in the last bit. */
static double growth_of_counter(const struct window *window)
{
    double growth = window->values[window->n - 1] - window->values[0];

    for (size_t i = 1; !window->rising && i < window->n; i++)
        if (window->values[i] < window->values[i - 1])
            growth += window->values[i - 1];
    return growth;
}

/* The factor that extends growth from the sampled part to the window. */
static double extension(const struct window *window, double growth, bool is_counter)
{
    double sampled = (double)(window->t_ms[window->n - 1] - window->t_ms[0]) / 1000;
    double at_start = (double)(window->t_ms[0] - window->from_ms) / 1000;
    double at_end = (double)(window->to_ms - window->t_ms[window->n - 1]) / 1000;
    double distance = sampled / (double)(window->n - 1);
    double threshold = distance * 1.1;

    if (at_start >= threshold)
        at_start = distance / 2;
    if (is_counter) {
        double to_zero = at_start;

        if (growth > 0 && window->values[0] >= 0)
            to_zero = sampled * (window->values[0] / growth);
        if (to_zero < at_start)
            at_start = to_zero;
    }
    if (at_end >= threshold)
        at_end = distance / 2;
    return (sampled + at_start + at_end) / sampled;
}

bool window_increase(const struct window *window, double *ret_value)
{
    if (window->n < 2)
        return false;
    double growth = growth_of_counter(window);
    *ret_value = growth * extension(window, growth, true);
    return true;
}

bool window_rate(const struct window *window, double *ret_value)
{
    if (window->n < 2)
        return false;
    double growth = growth_of_counter(window);
    double seconds = (double)(window->to_ms - window->from_ms) / 1000;
    *ret_value = growth * (extension(window, growth, true) / seconds);
    return true;
}

bool window_delta(const struct window *window, double *ret_value)
{
    if (window->n < 2)
        return false;
    double growth = window->values[window->n - 1] - window->values[0];
    *ret_value = growth * extension(window, growth, false);
    return true;
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
