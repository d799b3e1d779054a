/*
 * Windows that overlap, all of one series at once: what one window found serves the next.
 *
 *     samples   . . . . . . . . . . . .
 *     window 1  [- - - - - -)                a sum takes what enters and gives what leaves,
 *     window 2      [- - - - - -)            a least or greatest sample waits until it leaves,
 *     window 3          [- - - - - -)        a quantile keeps its samples in order
 *
 * The result has the bits that looking at each window alone has; where that cannot be had
 * (sums of fractions round differently in another order) these decline, and each window is
 * looked at alone.
 */

#include <math.h>
#include <string.h>

#include "alertd/promql/fn_body.h"
#include "alertd/promql/number.h"

/* --- sums ------------------------------------------------------------------------------- */

/* Whole numbers, so small that no sum of them rounds. */
static bool sums_are_exact(const struct windows *windows)
{
    static const double exact_max = 9007199254740992.0; /* 2^53 */
    double greatest = 0;

    for (size_t i = 0; i < windows->n_values; i++) {
        double size = fabs(windows->values[i]);

        if (!(size < exact_max) || size != floor(size) ||
            (size == 0 && signbit(windows->values[i])))
            return false;
        greatest = size > greatest ? size : greatest;
    }
    return greatest * (double)windows->n_values < exact_max;
}

static bool slide_sum(const struct windows *windows, bool mean, double *values)
{
    double sum = 0;
    size_t first = 0;
    size_t end = 0;

    if (!windows->overlap || !sums_are_exact(windows))
        return false;
    for (size_t i = 0; i < windows->n; i++) {
        const struct window_bounds *bounds = &windows->bounds[i];

        for (; end < bounds->end; end++)
            sum += windows->values[end];
        for (; first < bounds->first; first++)
            sum -= windows->values[first];
        if (bounds->end > bounds->first)
            values[i] = mean ? sum / (double)(bounds->end - bounds->first) : sum;
    }
    return true;
}

bool slide_sum_over_time(const struct windows *windows, double *values)
{
    return slide_sum(windows, false, values);
}

bool slide_avg_over_time(const struct windows *windows, double *values)
{
    return slide_sum(windows, true, values);
}

/* --- least and greatest ----------------------------------------------------------------- */

static bool has_nan(const struct windows *windows)
{
    bool found = false;

    for (size_t i = 0; i < windows->n_values; i++)
        found |= isnan(windows->values[i]);
    return found;
}

/* The samples that could still be the extreme one, in their order, the best of them in front:
 * one that is beaten by a later one never will be. `sign` -1 looks for the least. */
static bool slide_extreme(const struct windows *windows, double sign, double *values)
{
    size_t *waiting = (size_t *)windows->room;
    size_t head = 0;
    size_t tail = 0;
    size_t end = 0;

    _Static_assert(sizeof(size_t) <= sizeof(double), "places fit into the room of samples");
    if (!windows->overlap || has_nan(windows))
        return false;
    for (size_t i = 0; i < windows->n; i++) {
        const struct window_bounds *bounds = &windows->bounds[i];

        for (; end < bounds->end; end++) {
            while (tail > head &&
                   sign * windows->values[waiting[tail - 1]] < sign * windows->values[end])
                tail--;
            waiting[tail++] = end;
        }
        while (head < tail && waiting[head] < bounds->first)
            head++;
        if (bounds->end > bounds->first)
            values[i] = windows->values[waiting[head]];
    }
    return true;
}

bool slide_max_over_time(const struct windows *windows, double *values)
{
    return slide_extreme(windows, 1, values);
}

bool slide_min_over_time(const struct windows *windows, double *values)
{
    return slide_extreme(windows, -1, values);
}

/* --- quantiles --------------------------------------------------------------------------- */

/* A window's samples in order, and room for the next one's and for what comes and goes. */
struct sorted {
    double *samples;
    size_t n;
    double *spare;
    double *coming;
    double *going;
};

static bool is_same(double a, double b)
{
    return !number_is_before(a, b) && !number_is_before(b, a);
}

/* The first of what still comes and goes: among what is less nothing changes. */
static double next_change(const double *coming,
                          size_t n_coming,
                          const double *going,
                          size_t n_going)
{
    double first_coming = n_coming ? *coming : INFINITY;
    double first_going = n_going ? *going : INFINITY;

    return number_is_before(first_coming, first_going) ? first_coming : first_going;
}

/* One pass: the old ones without those that go, those that come in between. */
static void exchange(struct sorted *sorted, size_t n_coming, size_t n_going)
{
    const double *coming = sorted->coming;
    const double *going = sorted->going;
    double *to = sorted->spare;
    double next = next_change(coming, n_coming, going, n_going);

    for (size_t i = 0; i < sorted->n; i++) {
        double value = sorted->samples[i];

        if (value < next) { /* most are; no NaN is */
            *to++ = value;
            continue;
        }
        for (; n_coming > 0 && number_is_before(*coming, value); n_coming--)
            *to++ = *coming++;
        if (n_going > 0 && is_same(*going, value)) {
            going++;
            n_going--;
        } else {
            *to++ = value;
        }
        next = next_change(coming, n_coming, going, n_going);
    }
    memcpy(to, coming, n_coming * sizeof(*coming));
    sorted->n = (size_t)(to - sorted->spare) + n_coming;
    double *old = sorted->samples;
    sorted->samples = sorted->spare;
    sorted->spare = old;
}

/* From the window `from` to the window `to`, both within the series. */
static void advance(struct sorted *sorted,
                    const double *values,
                    const struct window_bounds *from,
                    const struct window_bounds *to)
{
    size_t n_coming = to->end - from->end;
    size_t n_going = to->first - from->first;

    if (to->first >= from->end || n_coming + n_going > sorted->n) { /* little of it stays */
        sorted->n = to->end - to->first;
        memcpy(sorted->samples, values + to->first, sorted->n * sizeof(*values));
        number_sort(sorted->samples, sorted->n);
        return;
    }
    if (n_coming + n_going == 0)
        return;
    memcpy(sorted->coming, values + from->end, n_coming * sizeof(*values));
    memcpy(sorted->going, values + from->first, n_going * sizeof(*values));
    number_sort(sorted->coming, n_coming);
    number_sort(sorted->going, n_going);
    exchange(sorted, n_coming, n_going);
}

bool slide_quantile_over_time(const struct windows *windows, double *values)
{
    size_t n = windows->n_values;
    struct sorted sorted = {.samples = windows->room,
                            .spare = windows->room + n,
                            .coming = windows->room + 2 * n,
                            .going = windows->room + 3 * n};
    struct window_bounds at = {0};

    if (!windows->overlap)
        return false;
    for (size_t i = 0; i < windows->n; i++) {
        const struct window_bounds *bounds = &windows->bounds[i];

        if (bounds->end == bounds->first)
            continue;
        advance(&sorted, windows->values, &at, bounds);
        at = *bounds;
        values[i] = number_quantile_sorted(windows->params[i], sorted.samples, sorted.n);
    }
    return true;
}
