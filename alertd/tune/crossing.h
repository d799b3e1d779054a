#pragma once

/*
 * Where a series came to pass another number of thresholds, kept small: of noisy values there are as many
 * as steps.
 *
 *     levels   0 0 2 2 3 0        crossings (2, 2) (4, 3) (5, 0)
 *     bytes                       2 2  2 3  1 0          steps since the last one, and the level,
 *                                                        each in sevens of bits, the low ones first
 *
 * They lie in blocks, so that nothing is moved when there come more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a threshold alone the level is 1 or 0. */
struct surface_crossing {
    uint32_t step, level;
};

struct crossing_block;

struct surface_crossings {
    struct crossing_block *first, *last;
    uint32_t step; /* of the last one */
    size_t *left;  /* bytes that may still be noted, of all series; at 0 nothing is any more */
};
/* Steps ascend. */
void crossings_add(struct surface_crossings *crossings,
                   const struct surface_crossing *at,
                   size_t n);
void crossings_done(struct surface_crossings *crossings);

struct crossing_walk {
    const struct crossing_block *block;
    size_t at;
    uint32_t step;
};
struct crossing_walk crossings_walk(const struct surface_crossings *crossings);
/* False: there are no more. */
bool crossing_next(struct crossing_walk *walk, struct surface_crossing *ret);
/* The step of the next one to a level above `above`, or, not `passes`, to one that is not. False: there is none. */
bool crossing_find(struct crossing_walk *walk, uint32_t above, bool passes, uint32_t *ret_step);
