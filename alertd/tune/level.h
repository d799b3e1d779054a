#pragma once

/*
 * How many of some thresholds each value passes: its level. Values of a month are many, and neighbours jump, so
 * that a level is not looked for from the one before it but from where the value lies:
 *
 *     slots       0    1    2    3    4    5        equally wide between the easiest and the hardest
 *     thresholds  |       | |              |
 *     below       0    1    1    3    3    3        how many lie in slots before
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/surface.h"

enum {
    LEVEL_SLOTS = 1024,
};

struct levels {
    double sign, *bounds; /* of the thresholds (passing.h), ascending; and one behind them */
    size_t n;
    double slot_of_one; /* slots for a distance of 1; 0: all values are in the first */
    uint16_t below[LEVEL_SLOTS];
};

/* Thresholds from the easiest to pass to the hardest; n is 1 at least. */
void levels_init(struct levels *levels, enum surface_op op, const double *thresholds, size_t n);
void levels_done(struct levels *levels);
/* The level of each value. */
void levels_find(const struct levels *levels, const double *values, size_t n, uint16_t *ret_levels);

/* Of n values at the steps from first on, those that have another level than the one before, the first than
 * `level`. ret has room for n; returns how many there are. */
size_t levels_cross(const struct levels *levels,
                    uint32_t level,
                    uint32_t first,
                    const double *values,
                    size_t n,
                    struct surface_crossing *ret);
