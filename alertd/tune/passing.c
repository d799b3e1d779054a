/*
 * See passing.h.
 */

#include "alertd/tune/passing.h"

#include "lib/base/lanes.h"

enum {
    BLOCK = 32,
};

/* Of a block: is any, or (all) is not one of them, beyond the bound? */
static inline bool any_beyond(const double *values, double sign, double bound, bool all)
{
    lanes_word any = {0};

    for (size_t i = 0; i < BLOCK; i += LANES) {
        lanes_word beyond = (lanes_word)(lanes_load(values + i) * sign > bound);
        any |= all ? ~beyond : beyond;
    }
    return (any[0] | any[1]) != 0;
}

static bool block_stays(const double *values, double sign, const double *above, const double *upto)
{
    return !(upto && any_beyond(values, sign, *upto, false)) &&
           !(above && any_beyond(values, sign, *above, true));
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

#ifdef LANES_WIDE
LANES_WIDE static uint64_t whole_word(struct passing passing, const double *values)
{
    const __m256d sign = _mm256_set1_pd(passing.sign);
    const __m256d bound = _mm256_set1_pd(passing.bound);
    uint64_t word = 0;

    for (size_t i = 0; i < PASSING_WORD; i += 4) {
        __m256d turned = _mm256_mul_pd(_mm256_loadu_pd(values + i), sign);
        int some = _mm256_movemask_pd(_mm256_cmp_pd(turned, bound, _CMP_GT_OQ));
        word |= (uint64_t)(unsigned)some << i;
    }
    return word;
}
#endif

uint64_t passing_word(struct passing passing, const double *values, size_t n)
{
    lanes_word word = {0};
    lanes_word bits = {1, 2};
    size_t i = 0;

#ifdef LANES_WIDE
    if (n == PASSING_WORD && lanes_are_wide())
        return whole_word(passing, values);
#endif
    for (; i + LANES <= n; i += LANES) {
        word |= (lanes_word)(lanes_load(values + i) * passing.sign > passing.bound) & bits;
        bits <<= LANES;
    }
    if (i < n && passing_passes(passing, values[i]))
        word |= bits & (lanes_word){UINT64_MAX, 0};
    return word[0] | word[1];
}
