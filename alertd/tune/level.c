/*
 * See level.h.
 */

#include "alertd/tune/level.h"

#include <math.h>
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

size_t levels_stay(const struct levels *levels, uint32_t level, const double *values, size_t n)
{
    return passing_stay(values, n, levels->sign, level > 0 ? &levels->bounds[level - 1] : NULL,
                        level < levels->n ? &levels->bounds[level] : NULL);
}
