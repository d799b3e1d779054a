#pragma once

/*
 * What runs above thresholds add up to, in every cell of a grid: surface.h finds the runs.
 *
 *     threshold  3 |      .
 *                2 |  #####   a run of the levels [0, 2) that holds two of the fors: a few additions
 *                1 |  #####
 *                  +------------ for
 *
 * Counters are differences: a run that is in the levels [low, high) and holds the first n_held
 * of the fors is +1 at (low, n_held) and -1 at (high, n_held). tally_finish() sums over levels
 * upwards and over n_held downwards.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/surface.h"

enum {
    TALLY_FEW_STEPS = 256, /* a run shorter than that is one of the few */
};

/* What there is to see of a run that lies where all steps are of one kind. */
enum tally_kind {
    TALLY_MIXED, /* more than its length */
    TALLY_PLAIN, /* counted time without incidents or marks, each step as dear as the other */
    TALLY_MARKED,
    TALLY_KINDS,
};

/* Steps [begin, end) of one kind, as many as lie together; and where short runs count that lie in them, of
 * which there are most: by their length alone. */
struct tally_stretch {
    uint32_t begin, end;
    enum tally_kind kind;
    int64_t *few; /* TALLY_FEW_STEPS x n_rows; NULL: mixed */
};

struct tally;

/* Within surface.h's limits. Copies grid and incidents. */
struct tally *tally_new(const struct surface_grid *grid,
                        const struct surface_incident *incidents,
                        size_t n_incidents);
void tally_free(struct tally *tally); /* NULL is fine */

/* The one a step lies in. */
struct tally_stretch tally_stretch_of(const struct tally *tally, uint32_t step);

/* A run [begin, end] that was open in the levels [low, high) and no higher. concerns: as in
 * surface_feed(). */
struct tally_run {
    uint32_t low, high;
    uint32_t begin, end;
};
/* stretch: the one it ends in, or a later one. */
void tally_add(struct tally *tally,
               const struct tally_stretch *stretch,
               struct tally_run run,
               const bool *concerns);

/* A run that ends in the stretch; n_rows: the tally's. False: it is none of the few. */
static inline bool tally_add_few(const struct tally_stretch *stretch,
                                 size_t n_rows,
                                 struct tally_run run)
{
    uint32_t n_steps = run.end - run.begin + 1;

    if (!stretch->few || run.begin < stretch->begin || n_steps >= TALLY_FEW_STEPS)
        return false;
    int64_t *row = stretch->few + n_steps * n_rows;
    row[run.low]++;
    row[run.high]--;
    return true;
}

/* What another one of the same grid and incidents has, too. Neither is finished. */
void tally_merge(struct tally *into, const struct tally *from);
/* Now it can be read. */
void tally_finish(struct tally *tally);

struct surface_cell tally_cell(const struct tally *tally, size_t threshold, size_t for_index);
/* As surface_delay(). */
uint32_t tally_delay(const struct tally *tally,
                     size_t incident,
                     size_t threshold,
                     size_t for_index);

uint32_t tally_longest_incident(const struct tally *tally); /* steps; 0 without one */

/* For tables of differences: into[i] += from[i]. */
void tally_add_all(int64_t *into, const int64_t *from, size_t n);
