#pragma once

/*
 * Which thresholds and which `for`s are worth a look: those at which something changes, said
 * in numbers that a person would write.
 *
 *     peaks of the values  . .. ... .....  .  .   .       (downwards: their valleys)
 *     thresholds               | |  | |    |    | *  |    quantiles of them, rounded; * now
 *                           |    |    |    |    |    |    even ones between: what rises once has one peak
 *                          ||| || |                       quantiles of all values
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/surface.h"

/* Numbers, thinned so that there are never too many. */
struct grid_numbers {
    double *at;
    size_t n, capacity;
    uint64_t n_seen;
    uint64_t every; /* one of so many is kept; 0: all, so far */
};

/* The peaks of some series, and their values. Zeroed at first, but for op. */
struct grid_peaks {
    enum surface_op op;
    struct grid_numbers peaks, values;
};
void grid_peaks_done(struct grid_peaks *peaks);
/* Values of one series in order of time, NaN where there is none. */
void grid_peaks_add(struct grid_peaks *peaks, const double *values, size_t n);

/* What others of the same op saw, too. */
void grid_peaks_merge(struct grid_peaks *into, const struct grid_peaks *from);

/* From the easiest to pass to the hardest, `now` among them, at most n_max (2 to
 * SURFACE_THRESHOLDS_MAX); returns how many. */
size_t grid_thresholds(struct grid_peaks *peaks, double now, double *ret_thresholds, size_t n_max);

/* One more threshold in its place, unless it is among them or there are n_max of them already.
 * Returns how many there are. */
size_t grid_add_threshold(
    enum surface_op op, double threshold, double *thresholds, size_t n, size_t n_max);
/* Round numbers between the easiest and the hardest of them, about n_even, so that whoever drags finds
 * one everywhere. Returns how many there are. */
size_t grid_add_even(enum surface_op op, size_t n_even, double *thresholds, size_t n, size_t n_max);
/* More of them, in the middle of where they lie farthest apart, until there are n_wanted (at most
 * SURFACE_THRESHOLDS_MAX), or no number between. Returns how many there are. */
size_t grid_fill_thresholds(double *thresholds, size_t n, size_t n_wanted);
/* The same of fors (at most SURFACE_FORS_MAX), by how many times longer the next one is. */
size_t grid_fill_fors(uint32_t *for_steps, size_t n, size_t n_wanted);
/* One more `for`, in steps. */
size_t grid_add_for(uint32_t steps, uint32_t *for_steps, size_t n, size_t n_max);

/* Steps of the interval, ascending, now_ms among them: none, and what people write up to a few
 * hours. ret_for_steps has room for SURFACE_FORS_MAX. */
size_t grid_fors(int64_t interval_ms, int64_t now_ms, uint32_t *ret_for_steps);

/* How many steps an alert is pending: `for` is over at the first evaluation that is not
 * before its end. */
uint32_t grid_for_steps(int64_t for_ms, int64_t interval_ms);
