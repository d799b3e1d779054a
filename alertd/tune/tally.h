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

struct tally;

/* Within surface.h's limits. Copies grid and incidents. */
struct tally *tally_new(const struct surface_grid *grid,
                        const struct surface_incident *incidents,
                        size_t n_incidents);
void tally_free(struct tally *tally); /* NULL is fine */

/* A run [begin, end] that was open in the levels [low, high) and no higher. concerns: as in
 * surface_feed(). */
struct tally_run {
    uint32_t low, high;
    uint32_t begin, end;
};
void tally_add(struct tally *tally, struct tally_run run, const bool *concerns);

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

/* For tables of differences: into[i] += from[i], and each row the sum of all up to it. */
void tally_add_all(int64_t *into, const int64_t *from, size_t n);
void tally_sum_rows(int64_t *counters, size_t n_rows, size_t n);
