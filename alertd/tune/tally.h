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
    TALLY_FEW_STEPS = 256,
    TALLY_STRETCH_STEPS = 32,
};

/* What there is to see of a run that lies where all steps are of one kind. */
enum tally_kind {
    TALLY_MIXED, /* more than its length */
    TALLY_PLAIN, /* counted time without incidents or marks, each step as dear as the other */
    TALLY_MARKED,
    TALLY_KINDS = 4,
};

/* Short runs, of which there are most, by their length alone. A loop has a copy of it: all of it is in
 * registers then. */
struct tally_few {
    int64_t *counts; /* TALLY_KINDS x TALLY_FEW_STEPS x n_rows */
    size_t n_rows;
    /* Stretches of TALLY_STRETCH_STEPS have the same place when they and all between are of one kind: its
     * number x TALLY_KINDS + the kind; all behind are mixed. */
    uint32_t *places;
    uint32_t n_stretches;
};

struct counts;

struct tally {
    struct surface_grid grid;
    uint32_t *for_steps;
    struct surface_incident *incidents;
    size_t n_incidents;
    size_t n_rows;    /* n_thresholds + 1 */
    size_t n_columns; /* n_fors + 1: a run holds 0 to n_fors of them */
    bool is_finished;
    struct counts *counts;         /* n_rows x n_columns */
    uint32_t *delays;              /* n_incidents x n_thresholds x n_fors */
    uint8_t *weights;              /* by step; or NULL */
    uint8_t held[TALLY_FEW_STEPS]; /* fors held by so many steps */
    struct tally_few few;          /* in counts when it is finished */
    uint8_t weight_of[TALLY_KINDS];
};

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

static inline uint32_t tally_place(const struct tally_few *few, uint32_t step)
{
    uint32_t stretch = step / TALLY_STRETCH_STEPS;

    return stretch < few->n_stretches ? few->places[stretch] : TALLY_MIXED;
}

/* Whether all steps from begin to where it is `place` are of one kind, and not mixed. */
static inline bool tally_is_alike(const struct tally_few *few, uint32_t begin, uint32_t place)
{
    return place % TALLY_KINDS != TALLY_MIXED && tally_place(few, begin) == place;
}

/* place: of the run's end. False: it is none of the few. */
static inline bool tally_add_few(const struct tally_few *few, struct tally_run run, uint32_t place)
{
    uint32_t n_steps = run.end - run.begin + 1;

    if (n_steps >= TALLY_FEW_STEPS || !tally_is_alike(few, run.begin, place))
        return false;
    int64_t *row = few->counts +
                   ((size_t)place % TALLY_KINDS * TALLY_FEW_STEPS + n_steps) * few->n_rows;
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

/* For tables of differences: into[i] += from[i]. */
void tally_add_all(int64_t *into, const int64_t *from, size_t n);
