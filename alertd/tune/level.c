/*
 * See level.h.
 */

#include "alertd/tune/level.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/tune/passing.h"
#include "lib/base/lanes.h"
#include "lib/base/mem.h"

/* Never less for a greater distance, so that a threshold in a slot before a value's is below it; NaN is in
 * the first. */
static inline int32_t slot_at(double distance)
{
    double slot = distance > 0 ? distance : 0;

    return (int32_t)(slot < LEVEL_SLOTS - 1 ? slot : LEVEL_SLOTS - 1);
}

void levels_init(struct levels *levels, enum surface_op op, const double *thresholds, size_t n)
{
    *levels = (struct levels){
        .sign = passing_of(op, 0).sign, .bounds = mem_alloc((n + 1) * sizeof(double)), .n = n};
    for (size_t i = 0; i < n; i++)
        levels->bounds[i] = passing_of(op, thresholds[i]).bound;
    levels->bounds[n] = INFINITY; /* nothing is beyond */
    double of_one = (LEVEL_SLOTS - 1) / (levels->bounds[n - 1] - levels->bounds[0]);
    levels->slot_of_one = isnormal(of_one) ? of_one : 0;
    for (size_t i = 0; i < n; i++) {
        double distance = (levels->bounds[i] - levels->bounds[0]) * levels->slot_of_one;
        for (int32_t slot = slot_at(distance) + 1; slot < LEVEL_SLOTS; slot++)
            levels->below[slot]++;
    }
    for (size_t slot = 0; slot < LEVEL_SLOTS; slot++) {
        int32_t next = slot + 1 < LEVEL_SLOTS ? levels->below[slot + 1] : (int32_t)n;
        levels->edges[slot] = levels->bounds[levels->below[slot]];
        levels->is_crowded |= next > levels->below[slot] + 1;
    }
}

void levels_done(struct levels *levels)
{
    free(levels->bounds);
}

enum {
    AT_ONCE =
        256, /* values whose slots are found before any is looked into: several in one instruction */
};

static void find_slots(const struct levels *levels, const double *values, size_t n, int32_t *ret)
{
    const double sign = levels->sign;
    const double first = levels->bounds[0];
    const double of_one = levels->slot_of_one;

    for (size_t i = 0; i < n; i++)
        ret[i] = slot_at((sign * values[i] - first) * of_one);
}

static inline uint32_t level_in(const struct levels *levels, int32_t slot, double value)
{
    double turned = levels->sign * value;
    uint32_t level = (uint32_t)levels->below[slot];

    level += turned > levels->bounds[level]; /* there is seldom more than one in a slot */
    while (turned > levels->bounds[level])
        level++;
    return level;
}

void levels_find(const struct levels *levels, const double *values, size_t n, uint16_t *ret_levels)
{
    MEM_UNSET int32_t slots[AT_ONCE];

    for (size_t at = 0; at < n; at += AT_ONCE) {
        size_t n_now = n - at < AT_ONCE ? n - at : AT_ONCE;
        find_slots(levels, values + at, n_now, slots);
        for (size_t i = 0; i < n_now; i++)
            ret_levels[at + i] = (uint16_t)level_in(levels, slots[i], values[at + i]);
    }
}

static inline uint32_t level_alone(const struct levels *levels, int32_t slot, double value)
{
    return (uint32_t)levels->below[slot] + (levels->sign * value > levels->edges[slot]);
}

#ifdef LANES_WIDE
/* Of four values. */
LANES_WIDE static inline __m128i four_levels(const struct levels *levels, const double *values)
{
    const __m256d last = _mm256_set1_pd(LEVEL_SLOTS - 1);
    const __m256i halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 0, 0, 0);
    __m256d turned = _mm256_mul_pd(_mm256_loadu_pd(values), _mm256_set1_pd(levels->sign));
    __m256d distance = _mm256_mul_pd(_mm256_sub_pd(turned, _mm256_set1_pd(levels->bounds[0])),
                                     _mm256_set1_pd(levels->slot_of_one));
    /* of a NaN the second one: slot_at() */
    __m256d slot = _mm256_min_pd(_mm256_max_pd(distance, _mm256_setzero_pd()), last);
    __m128i slots = _mm256_cvttpd_epi32(slot);
    __m256d edges = _mm256_i32gather_pd(levels->edges, slots, sizeof(double));
    __m128i below = _mm_i32gather_epi32(levels->below, slots, sizeof(int32_t));
    __m256i passes = _mm256_castpd_si256(_mm256_cmp_pd(turned, edges, _CMP_GT_OQ));
    __m256i passes_32 = _mm256_permutevar8x32_epi32(passes, halves);
    return _mm_sub_epi32(below, _mm256_castsi256_si128(passes_32)); /* true is -1 */
}

/* As many as there are whole sixteens; returns how many. */
LANES_WIDE static size_t wide_bytes(const struct levels *levels,
                                    const double *values,
                                    size_t n,
                                    uint8_t *ret_levels)
{
    size_t at = 0;

    for (; n - at >= LANES_BYTES; at += LANES_BYTES) {
        const double *first = values + at;
        __m128i low = _mm_packs_epi32(four_levels(levels, first), four_levels(levels, first + 4));
        __m128i high = _mm_packs_epi32(four_levels(levels, first + 8),
                                       four_levels(levels, first + 12));
        __m128i bytes = _mm_packus_epi16(low, high);
        memcpy(ret_levels + at, &bytes, sizeof(bytes));
    }
    return at;
}
#endif

void levels_bytes(const struct levels *levels, const double *values, size_t n, uint8_t *ret_levels)
{
    MEM_UNSET int32_t slots[AT_ONCE];
    size_t begin = 0;

#ifdef LANES_WIDE
    if (!levels->is_crowded && lanes_are_wide())
        begin = wide_bytes(levels, values, n, ret_levels);
#endif
    for (size_t at = begin; at < n; at += AT_ONCE) {
        size_t n_now = n - at < AT_ONCE ? n - at : AT_ONCE;
        find_slots(levels, values + at, n_now, slots);
        if (levels->is_crowded)
            for (size_t i = 0; i < n_now; i++)
                ret_levels[at + i] = (uint8_t)level_in(levels, slots[i], values[at + i]);
        else
            for (size_t i = 0; i < n_now; i++)
                ret_levels[at + i] = (uint8_t)level_alone(levels, slots[i], values[at + i]);
    }
}

/* --- where they change --- */

size_t levels_stay(const struct levels *levels, uint32_t level, const double *values, size_t n)
{
    return passing_stay(values, n, levels->sign, level > 0 ? &levels->bounds[level - 1] : NULL,
                        level < levels->n ? &levels->bounds[level] : NULL);
}

/* Of n values, AT_ONCE at most, those that have another level than the one before. */
static size_t cross_some(const struct levels *levels,
                         uint32_t level,
                         uint32_t first,
                         const double *values,
                         size_t n,
                         struct surface_crossing *ret)
{
    MEM_UNSET int32_t slots[AT_ONCE];
    size_t n_found = 0;

    find_slots(levels, values, n, slots);
    for (size_t i = 0; i < n; i++) {
        uint32_t found = level_in(levels, slots[i], values[i]);
        ret[n_found] = (struct surface_crossing){first + (uint32_t)i, found};
        n_found += found != level;
        level = found;
    }
    return n_found;
}

/* Of one threshold: a word of bits at a time. */
static size_t cross_one(const struct levels *levels,
                        uint32_t level,
                        uint32_t first,
                        const double *values,
                        size_t n,
                        struct surface_crossing *ret)
{
    const struct passing passing = {levels->sign, levels->bounds[0]};
    size_t n_found = 0;

    for (size_t at = 0; at < n; at += PASSING_WORD) {
        size_t n_bits = n - at < PASSING_WORD ? n - at : PASSING_WORD;
        uint64_t word = passing_word(passing, values + at, n_bits);
        uint64_t changes = (word ^ (word << 1 | level)) & (UINT64_MAX >> (PASSING_WORD - n_bits));

        for (; changes != 0; changes &= changes - 1) {
            level = !level;
            ret[n_found++] = (struct surface_crossing){
                first + (uint32_t)at + (uint32_t)__builtin_ctzll(changes), level};
        }
    }
    return n_found;
}

size_t levels_cross(const struct levels *levels,
                    uint32_t level,
                    uint32_t first,
                    const double *values,
                    size_t n,
                    struct surface_crossing *ret)
{
    bool is_calm = true;
    size_t n_found = 0;

    if (levels->n == 1)
        return cross_one(levels, level, first, values, n, ret);
    for (size_t at = 0; at < n;) {
        at += is_calm ? levels_stay(levels, level, values + at, n - at) : 0;
        size_t n_now = n - at < AT_ONCE ? n - at : AT_ONCE;
        size_t n_new = cross_some(levels, level, first + (uint32_t)at, values + at, n_now,
                                  ret + n_found);
        is_calm = n_new < n_now / LEVEL_CALM_PART;
        n_found += n_new;
        level = n_found > 0 ? ret[n_found - 1].level : level;
        at += n_now;
    }
    return n_found;
}
