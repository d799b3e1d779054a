#pragma once

/*
 * Runs of a few steps, found in a whole block of levels at once. Of noisy values they are most of all runs, and whoever
 * goes through such values step by step guesses at each whether it rises or falls. Here nothing is guessed:
 *
 *     levels      0 2 1 5 5 1 3 1
 *     1 step        ^         ^          higher than what is on both sides: [1, 2) and [1, 3)
 *     2 steps           ^ ^              both are higher than what is on both sides: [1, 5)
 *     the rest    0 1 1 1 1 1 1 1        each run of more steps is still there, as long as it was
 *
 * A run of n steps is one where the least of them is more than the greatest of its two neighbours; least and
 * greatest of n come from those of n - 1, for all steps in a few instructions. What is at the ends of the block
 * counts as no neighbour: runs that may go on beyond them stay.
 *
 * That the rest is each run of more steps is a fact of greyscale openings (Matheron, "Random Sets and Integral Geometry",
 * 1975).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/surface.h"
#include "alertd/tune/tally.h"

enum {
    BRIEF_STEPS = 256,      /* in a block */
    BRIEF_LEVELS_MAX = 254, /* thresholds: a byte has one more number, which is no level */
    BRIEF_RUN = 7,          /* the longest of the few steps; one less than a power of two */
    BRIEF_WORDS = BRIEF_STEPS / 64,
    BRIEF_EDGE = 16, /* steps in front of a block and behind it */
    BRIEF_ROOM = BRIEF_EDGE + BRIEF_STEPS + 2 * BRIEF_EDGE,
};

struct brief {
    size_t n;                                /* steps, BRIEF_STEPS at most */
    uint8_t levels[BRIEF_ROOM];              /* from BRIEF_EDGE on */
    uint8_t most[BRIEF_RUN + 1][BRIEF_ROOM]; /* [k]: the greatest of k + 1 from there on */
    uint64_t changes[BRIEF_WORDS];           /* steps of another level than the one before */
};

static inline uint8_t *brief_levels(struct brief *brief)
{
    return brief->levels + BRIEF_EDGE;
}

/* To be called when n levels are written; `before` is the level in front of them. How many change. */
size_t brief_begin(struct brief *brief, size_t n, uint32_t before);
/* All of them; the block's first step is `first`. ret has room for n. How many. */
size_t brief_crossings(const struct brief *brief, uint32_t first, struct surface_crossing *ret);
/* Those of one threshold, as levels 0 and 1. was: `before` passed it. */
size_t brief_watch(const struct brief *brief,
                   uint32_t threshold,
                   bool was,
                   uint32_t first,
                   struct surface_crossing *ret);

/* Counts the runs of a few steps, and leaves the rest in the levels. All steps lie in the stretch, which is not
 * mixed; peaks: n_rows x n_rows, by the run's highest level and its level. */
void brief_count(struct brief *brief,
                 const struct tally_stretch *stretch,
                 int64_t *peaks,
                 size_t n_rows);

/* From `step` on. */
struct brief_rest {
    uint32_t step, level;
    uint32_t peak; /* the highest level there was until the next one's step */
};
/* The first one is always there, even if `before` was the same. ret has room for n. How many. */
size_t brief_rest(const struct brief *brief, uint32_t first, struct brief_rest *ret);
