/*
 * See grid.h.
 */

#include "alertd/tune/grid.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum {
    NUMBERS_MAX = 1 << 16,
    DIGITS = 2, /* a threshold is said in so many, where that tells it from its neighbours */
};

/* --- peaks --- */

void grid_peaks_done(struct grid_peaks *peaks)
{
    free(peaks->peaks.at);
    free(peaks->values.at);
    *peaks = (struct grid_peaks){.op = peaks->op};
}

/* Every second of them, from now on too. */
static void thin(struct grid_numbers *numbers)
{
    numbers->n = (numbers->n + 1) / 2;
    for (size_t i = 0; i < numbers->n; i++)
        numbers->at[i] = numbers->at[2 * i];
    numbers->every *= 2;
}

static void put(struct grid_numbers *numbers, double value)
{
    numbers->at = mem_grow(numbers->at, &numbers->capacity, numbers->n + 1, sizeof(*numbers->at));
    numbers->at[numbers->n++] = value;
}

static void keep(struct grid_numbers *numbers, double value)
{
    if (!isfinite(value))
        return;
    if (numbers->every == 0)
        numbers->every = 1;
    if (numbers->n_seen++ % numbers->every != 0)
        return;
    if (numbers->n == NUMBERS_MAX)
        thin(numbers);
    put(numbers, value);
}

/* Both as thin as the thinner one. */
static void merge(struct grid_numbers *into, const struct grid_numbers *from)
{
    if (from->n == 0)
        return;
    if (into->every == 0)
        into->every = 1;
    while (into->every < from->every)
        thin(into);
    for (size_t i = 0; i < from->n; i += into->every / from->every) {
        if (into->n == NUMBERS_MAX)
            thin(into);
        put(into, from->at[i]);
    }
    into->n_seen += from->n_seen;
}

void grid_peaks_merge(struct grid_peaks *into, const struct grid_peaks *from)
{
    merge(&into->peaks, &from->peaks);
    merge(&into->values, &from->values);
}

void grid_peaks_add(struct grid_peaks *peaks, const double *values, size_t n)
{
    bool is_up = peaks->op == SURFACE_ABOVE || peaks->op == SURFACE_AT_LEAST;
    double best = NAN; /* since it last turned */

    for (size_t i = 0; i < n; i++) {
        keep(&peaks->values, values[i]);
        double before = i > 0 ? values[i - 1] : NAN;
        bool rises = isnan(before) || (is_up ? values[i] > before : values[i] < before);
        bool falls = isnan(values[i]) || (is_up ? values[i] < before : values[i] > before);
        if (!isnan(best) && falls) {
            keep(&peaks->peaks, best);
            best = NAN;
        }
        if (!isnan(values[i]) && rises)
            best = values[i];
    }
    keep(&peaks->peaks, best);
}

/* --- thresholds --- */

static int compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return (*left > *right) - (*left < *right);
}

static double rounded(double value, int digits)
{
    if (value == 0)
        return 0;
    double unit = pow(10, floor(log10(fabs(value))) - digits + 1);
    return unit >= 1 ? round(value / unit) * unit : round(value / unit) / round(1 / unit);
}

static void sort(struct grid_numbers *numbers)
{
    if (numbers->n > 0)
        qsort(numbers->at, numbers->n, sizeof(double), compare);
}

static size_t add_quantiles(const struct grid_numbers *numbers, size_t n, double *ret)
{
    if (numbers->n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        ret[i] = rounded(numbers->at[i * (numbers->n - 1) / (n > 1 ? n - 1 : 1)], DIGITS);
    return n;
}

static size_t add_even(const struct grid_numbers *values, size_t n, double *ret)
{
    if (values->n == 0 || values->at[0] == values->at[values->n - 1])
        return 0;
    double low = values->at[0];
    double room = values->at[values->n - 1] - low;
    for (size_t i = 0; i < n; i++)
        ret[i] = rounded(low + room * (double)(i + 1) / (double)(n + 1), DIGITS);
    return n;
}

size_t grid_thresholds(struct grid_peaks *peaks, double now, double *ret_thresholds, size_t n_max)
{
    size_t n = 0;
    size_t n_even = (n_max - 1) / 4;
    size_t n_values = (n_max - 1) / 8;

    sort(&peaks->peaks);
    sort(&peaks->values);
    ret_thresholds[n++] = now;
    n += add_quantiles(&peaks->peaks, n_max - 1 - n_even - n_values, ret_thresholds + n);
    n += add_quantiles(&peaks->values, n_values, ret_thresholds + n);
    n += add_even(&peaks->values, n_even, ret_thresholds + n);
    qsort(ret_thresholds, n, sizeof(double), compare);
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++)
        if (n_kept == 0 || ret_thresholds[i] != ret_thresholds[n_kept - 1])
            ret_thresholds[n_kept++] = ret_thresholds[i];
    if (peaks->op == SURFACE_BELOW || peaks->op == SURFACE_AT_MOST)
        for (size_t i = 0; i < n_kept / 2; i++) {
            double swapped = ret_thresholds[i];
            ret_thresholds[i] = ret_thresholds[n_kept - 1 - i];
            ret_thresholds[n_kept - 1 - i] = swapped;
        }
    return n_kept;
}

size_t grid_add_threshold(
    enum surface_op op, double threshold, double *thresholds, size_t n, size_t n_max)
{
    bool is_turned = op == SURFACE_BELOW || op == SURFACE_AT_MOST;
    size_t at = 0;

    while (at < n && (is_turned ? thresholds[at] > threshold : thresholds[at] < threshold))
        at++;
    if (n == n_max || (at < n && thresholds[at] == threshold))
        return n;
    for (size_t i = n; i > at; i--)
        thresholds[i] = thresholds[i - 1];
    thresholds[at] = threshold;
    return n + 1;
}

size_t grid_add_even(enum surface_op op, size_t n_even, double *thresholds, size_t n, size_t n_max)
{
    double low = n > 0 ? fmin(thresholds[0], thresholds[n - 1]) : 0;
    double high = n > 0 ? fmax(thresholds[0], thresholds[n - 1]) : 0;
    double unit = pow(10, floor(log10((high - low) / (double)n_even)));

    if (!(high > low) || !isfinite(unit) || unit == 0)
        return n;
    double factor = 1; /* of the unit: 1, 2, 5 */
    while ((high - low) / (unit * factor) > (double)n_even * 1.5 && factor < 5)
        factor = factor == 1 ? 2 : 5;

    double first = ceil(low / (unit * factor)) * factor; /* in units */
    for (size_t i = 0; (first + (double)i * factor) * unit < high; i++) {
        double at = first + (double)i * factor;
        n = grid_add_threshold(op, unit >= 1 ? at * unit : at / round(1 / unit), thresholds, n,
                               n_max);
    }
    return n;
}

/* --- fors --- */

size_t grid_add_for(uint32_t steps, uint32_t *for_steps, size_t n, size_t n_max)
{
    size_t at = 0;

    while (at < n && for_steps[at] < steps)
        at++;
    if (n == n_max || (at < n && for_steps[at] == steps))
        return n;
    for (size_t i = n; i > at; i--)
        for_steps[i] = for_steps[i - 1];
    for_steps[at] = steps;
    return n + 1;
}

uint32_t grid_for_steps(int64_t for_ms, int64_t interval_ms)
{
    return (uint32_t)((for_ms + interval_ms - 1) / interval_ms);
}

static int compare_steps(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

size_t grid_fors(int64_t interval_ms, int64_t now_ms, uint32_t *ret_for_steps)
{
    static const int64_t minutes[] = {0,  1,  2,  3,  4,  5,  7,   10,  12,  15,
                                      20, 25, 30, 45, 60, 90, 120, 180, 240, 360};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(minutes) / sizeof(*minutes); i++)
        ret_for_steps[n++] = grid_for_steps(minutes[i] * 60000, interval_ms);
    ret_for_steps[n++] = grid_for_steps(now_ms, interval_ms);
    qsort(ret_for_steps, n, sizeof(*ret_for_steps), compare_steps);
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++)
        if (n_kept == 0 || ret_for_steps[i] != ret_for_steps[n_kept - 1])
            ret_for_steps[n_kept++] = ret_for_steps[i];
    return n_kept;
}

size_t grid_fill_thresholds(double *thresholds, size_t n, size_t n_wanted)
{
    while (n > 1 && n < n_wanted) {
        size_t at = 1;
        for (size_t i = 2; i < n; i++)
            if (fabs(thresholds[i] - thresholds[i - 1]) > fabs(thresholds[at] - thresholds[at - 1]))
                at = i;
        double middle = thresholds[at - 1] + (thresholds[at] - thresholds[at - 1]) / 2;
        if (middle == thresholds[at - 1] || middle == thresholds[at])
            break;
        memmove(thresholds + at + 1, thresholds + at, (n - at) * sizeof(*thresholds));
        thresholds[at] = middle;
        n++;
    }
    return n;
}

size_t grid_fill_fors(uint32_t *for_steps, size_t n, size_t n_wanted)
{
    while (n > 1 && n < n_wanted) {
        double most = 0;
        size_t at = 0;
        for (size_t i = 1; i < n; i++) {
            double times = (double)for_steps[i] / (for_steps[i - 1] + 1.0);
            if (for_steps[i] - for_steps[i - 1] > 1 && times > most) {
                most = times;
                at = i;
            }
        }
        if (at == 0)
            break;
        memmove(for_steps + at + 1, for_steps + at, (n - at) * sizeof(*for_steps));
        for_steps[at] = for_steps[at - 1] + (for_steps[at + 1] - for_steps[at - 1]) / 2;
        n++;
    }
    return n;
}
