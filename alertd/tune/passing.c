/*
 * See passing.h.
 */

#include "alertd/tune/passing.h"

#include <stdint.h>

enum {
    BLOCK = 32, /* a loop of a known length: the compiler takes several values at a time */
};

/* Of a block: sums of comparisons, which the compiler makes of several at once. */
static size_t count_beyond(const double *values, double sign, double bound)
{
    int64_t n = 0;

    for (size_t i = 0; i < BLOCK; i++)
        n += sign * values[i] > bound;
    return (size_t)n;
}

static bool block_stays(const double *values, double sign, const double *above, const double *upto)
{
    return (!upto || count_beyond(values, sign, *upto) == 0) &&
           (!above || count_beyond(values, sign, *above) == BLOCK);
}

size_t passing_stay(
    const double *values, size_t n, double sign, const double *above, const double *upto)
{
    size_t i = 0;

    while (n - i >= BLOCK && block_stays(values + i, sign, above, upto))
        i += BLOCK;
    for (; i < n; i++) {
        double turned = sign * values[i];
        if ((upto && turned > *upto) || (above && !(turned > *above)))
            break;
    }
    return i;
}
