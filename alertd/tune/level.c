/*
 * See level.h.
 */

#include "alertd/tune/level.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/tune/passing.h"
#include "lib/base/mem.h"

/* Never less for a greater value, so that a threshold in a slot before a value's is below it; NaN is in
 * the first. */
static size_t slot_of(const struct levels *levels, double value)
{
    double slot = (value - levels->bounds[0]) * levels->slot_of_one;

    if (!(slot > 0))
        return 0;
    return slot < LEVEL_SLOTS - 1 ? (size_t)slot : LEVEL_SLOTS - 1;
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
    for (size_t i = 0; i < n; i++)
        for (size_t slot = slot_of(levels, levels->bounds[i]) + 1; slot < LEVEL_SLOTS; slot++)
            levels->below[slot]++;
}

void levels_done(struct levels *levels)
{
    free(levels->bounds);
}

void levels_find(const struct levels *levels, const double *values, size_t n, uint16_t *ret_levels)
{
    for (size_t i = 0; i < n; i++) {
        double value = levels->sign * values[i];
        size_t level = levels->below[slot_of(levels, value)];

        level += value > levels->bounds[level]; /* there is seldom more than one in a slot */
        while (value > levels->bounds[level])
            level++;
        ret_levels[i] = (uint16_t)level;
    }
}

/* --- where they change --- */

enum {
    AT_ONCE = 256,  /* values whose levels are found before any is looked at */
    CALM_PART = 32, /* when fewer than one in so many changed the next ones may not either */
};

/* How many values at the front are of this level. */
static size_t stay(const struct levels *levels, uint32_t level, const double *values, size_t n)
{
    return passing_stay(values, n, levels->sign, level > 0 ? &levels->bounds[level - 1] : NULL,
                        level < levels->n ? &levels->bounds[level] : NULL);
}

/* Of some levels those that are not the one before. */
static size_t pick(
    uint32_t level, uint32_t first, const uint16_t *levels, size_t n, struct surface_crossing *ret)
{
    size_t n_picked = 0;

    for (size_t i = 0; i < n; i++) {
        ret[n_picked] = (struct surface_crossing){first + (uint32_t)i, levels[i]};
        n_picked += levels[i] != level;
        level = levels[i];
    }
    return n_picked;
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
    MEM_UNSET uint16_t found[AT_ONCE];
    bool is_calm = true;
    size_t n_found = 0;

    if (levels->n == 1)
        return cross_one(levels, level, first, values, n, ret);
    for (size_t at = 0; at < n;) {
        at += is_calm ? stay(levels, level, values + at, n - at) : 0;
        size_t n_now = n - at < AT_ONCE ? n - at : AT_ONCE;
        levels_find(levels, values + at, n_now, found);
        size_t n_new = pick(level, first + (uint32_t)at, found, n_now, ret + n_found);
        is_calm = n_new < n_now / CALM_PART;
        n_found += n_new;
        level = n_found > 0 ? ret[n_found - 1].level : level;
        at += n_now;
    }
    return n_found;
}
