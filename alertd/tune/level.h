#pragma once

/*
 * How many of some thresholds each value passes: its level. Values of a month are many, and neighbours jump, so
 * that a level is not looked for from the one before it but from where the value lies:
 *
 *     slots       0    1    2    3    4    5        equally wide between the easiest and the hardest
 *     thresholds  |       | |              |
 *     below       0    1    1    3    3    3        how many lie in slots before
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/surface.h"

enum {
    LEVEL_SLOTS = 1024,
    LEVEL_CALM_PART = 32, /* when fewer than one in so many changed the next ones may not either */
};

struct levels {
    double sign, *bounds; /* of the thresholds (passing.h), ascending; and one behind them */
    size_t n;
    double slot_of_one; /* slots for a distance of 1; 0: all values are in the first */
    int32_t below[LEVEL_SLOTS];
    double edges[LEVEL_SLOTS]; /* the first bound that is not below */
    bool is_crowded;           /* there are several bounds in a slot */
};

/* Thresholds from the easiest to pass to the hardest; n is 1 at least. */
void levels_init(struct levels *levels, enum surface_op op, const double *thresholds, size_t n);
void levels_done(struct levels *levels);
/* The level of each value. */
void levels_find(const struct levels *levels, const double *values, size_t n, uint16_t *ret_levels);
/* The same of at most 255 thresholds. */
void levels_bytes(const struct levels *levels, const double *values, size_t n, uint8_t *ret_levels);

/* How many values at the front are of this level. */
size_t levels_stay(const struct levels *levels, uint32_t level, const double *values, size_t n);
/* Of n values at the steps from first on, those that have another level than the one before, the first than
 * `level`. ret has room for n; returns how many there are. */
size_t levels_cross(const struct levels *levels,
                    uint32_t level,
                    uint32_t first,
                    const double *values,
                    size_t n,
                    struct surface_crossing *ret);
