#pragma once

/*
 * Does a value pass a threshold? And how long does that stay so: most values change nothing, and these are
 * looked at many at a time.
 *
 *     value OP threshold   is   sign x value > bound,   whichever the operator; NaN never passes
 */

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/surface.h"

struct passing {
    double sign, bound;
};

static inline struct passing passing_of(enum surface_op op, double threshold)
{
    bool is_turned = op == SURFACE_BELOW || op == SURFACE_AT_MOST;
    double sign = is_turned ? -1 : 1;
    double turned = sign * threshold;

    /* `value >= T` is `value > the double before T` */
    return (struct passing){sign, op == SURFACE_AT_LEAST || op == SURFACE_AT_MOST
                                      ? nextafter(turned, -INFINITY)
                                      : turned};
}

static inline bool passing_passes(struct passing passing, double value)
{
    return passing.sign * value > passing.bound;
}

/* How many of the values at the front are like this: sign x value > above (NULL: all are), and not > upto
 * (NULL: none is). */
size_t passing_stay(
    const double *values, size_t n, double sign, const double *above, const double *upto);

enum {
    PASSING_WORD = 64,
};
/* Which of n values, at most PASSING_WORD, pass: the first one is the lowest bit. */
uint64_t passing_word(struct passing passing, const double *values, size_t n);
