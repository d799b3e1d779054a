/*
 * See passing.h.
 */

#include "alertd/tune/passing.h"

#include <stdint.h>

enum {
    BLOCK = 32, /* a loop of a known length: the compiler takes several values at a time */
};

struct bounds {
    double sign, above, upto;
    bool is_above; /* `above` counts */
};

static bool leaves(const struct bounds *bounds, double value)
{
    double turned = bounds->sign * value;

    return (bounds->is_above && !(turned > bounds->above)) || turned > bounds->upto;
}

static bool any_leaves(const struct bounds *bounds, const double *values)
{
    int64_t n_above = 0;
    int64_t n_beyond = 0;

    for (size_t i = 0; i < BLOCK; i++) {
        n_above += bounds->sign * values[i] > bounds->above;
        n_beyond += bounds->sign * values[i] > bounds->upto;
    }
    return n_beyond > 0 || (bounds->is_above && n_above < BLOCK);
}

size_t passing_stay(
    const double *values, size_t n, double sign, const double *above, const double *upto)
{
    const struct bounds bounds = {sign, above ? *above : 0, upto ? *upto : INFINITY, above != NULL};
    size_t i = 0;

    while (n - i >= BLOCK && !any_leaves(&bounds, values + i))
        i += BLOCK;
    while (i < n && !leaves(&bounds, values[i]))
        i++;
    return i;
}
