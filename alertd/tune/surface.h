#pragma once

/*
 * What a rule would have done at every threshold and every `for`, from one pass over its values.
 *
 *     value   ____/~~~~\___                 levels passed   0 0 2 3 3 2 0 0
 *                                           a run above threshold 1: from step 2 to 5
 *     Each longest run above a threshold is one rectangle of cells:
 *
 *     threshold  3 |      .
 *                2 |  #####   <- the same steps pass thresholds 1 and 2 ...
 *                1 |  #####   <- ... and hold every `for` shorter than the run
 *                  +------------ for
 *
 * so that adding it to all its cells is a few additions, and sums over the grid at the end make
 * cells of them. A stack keeps the runs that are open, the hardest threshold on top.
 *
 * Invariants
 *  (1) each cell is what alert_step() makes of the same steps, to the last alert.
 *  (2) time is in steps of the group's grid; a `for` is the steps behind the first true one.
 *  (3) series are added in any order; two surfaces of the same grid can be added (merged).
 *  (4) alerts that fire before the first counted step belong to the time before; what they
 *      fire of the counted time counts as time, and finds incidents.
 *
 * The idea of maximal rectangles under a histogram is old (Backhouse, "Program Construction and
 * Verification", 1986); that it answers a grid of thresholds and durations is ours.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/crossing.h"

enum surface_op { /* value OP threshold */
    SURFACE_ABOVE,
    SURFACE_AT_LEAST,
    SURFACE_BELOW,
    SURFACE_AT_MOST,
};

enum {
    SURFACE_THRESHOLDS_MAX = 256,
    SURFACE_FORS_MAX = 64,
    SURFACE_INCIDENTS_MAX = 256,
    SURFACE_STEPS_MAX = 1 << 26,
};
#define SURFACE_MISSED UINT32_MAX

struct surface_grid {
    enum surface_op op;
    const double *thresholds; /* finite, from the easiest to pass to the hardest, none twice */
    size_t n_thresholds;
    const uint32_t *for_steps; /* ascending */
    size_t n_fors;
    uint32_t first_step; /* before it: what there was to warm up on */
    uint32_t n_steps;    /* that are laid out: of weights, and of marks at least */
    /* What an alert that fires at a step costs (a night's more); NULL, and behind n_steps: 1 */
    const uint8_t *weights;
    /* By step, whether alerts that begin then are counted apart (at night); as long as the surface is
     * fed. NULL: none are. */
    const bool *marked;
};

/* When it was bad: steps, both inclusive, begin <= end. */
struct surface_incident {
    uint32_t begin, end;
};

struct surface_cell {
    uint64_t alerts;        /* that began to fire, one series one */
    uint64_t true_alerts;   /* of them, those that fired during an incident of theirs */
    uint64_t firing_steps;  /* of all series together */
    uint64_t weight;        /* of the alerts */
    uint64_t needless;      /* of those that are not true */
    uint64_t marked_alerts; /* that began at a marked step */
};

struct surface;
struct surface_run;

/* Copies grid and incidents. NULL: beyond a limit above. */
struct surface *surface_new(const struct surface_grid *grid,
                            const struct surface_incident *incidents,
                            size_t n_incidents);
void surface_free(struct surface *surface); /* NULL is fine */

/* A series on its way through: as many steps at a time as are at hand. How it is cut changes
 * nothing. Zeroed at first. */
struct surface_series {
    struct surface_run *open, *top; /* the hardest threshold on top */
    uint32_t step;
    size_t watched;                      /* a threshold */
    struct surface_crossings *crossings; /* a loan; NULL: not noted */
};

/* Its value at the next steps, NaN where there is none. concerns[i]: incident i is about it; NULL:
 * all are. The same each time. ret has room for n_steps: where it came to pass the threshold
 * that is watched, or not to any more (1, 0); returns how many. */
size_t surface_feed(struct surface *surface,
                    struct surface_series *series,
                    const double *values,
                    size_t n_steps,
                    const bool *concerns,
                    struct surface_crossing *ret);
/* Steps at which it was not there at all. */
void surface_skip(struct surface *surface,
                  struct surface_series *series,
                  uint32_t to_step,
                  const bool *concerns);
/* From what was noted of a series: from to_step on it passes `level` thresholds. */
void surface_cross(struct surface *surface,
                   struct surface_series *series,
                   struct surface_crossing to,
                   const bool *concerns);
/* Ends what is open and frees what it held; not after surface_finish(). */
void surface_end(struct surface *surface, struct surface_series *series, const bool *concerns);
/* --- a threshold alone, where each has values of its own: they say nothing of another one's ---
 * Such a surface has no hysteresis. */
struct surface_row {
    uint32_t step, start;
    bool is_open;
    struct surface_crossings *crossings; /* as above */
};
/* Its next steps: NaN where it does not fire, anything else where it does. */
void surface_feed_row(struct surface *surface,
                      struct surface_row *row,
                      size_t threshold,
                      const double *values,
                      size_t n_steps,
                      const bool *concerns);
void surface_skip_row(struct surface *surface,
                      struct surface_row *row,
                      size_t threshold,
                      uint32_t to_step,
                      const bool *concerns);
void surface_cross_row(struct surface *surface,
                       struct surface_row *row,
                       size_t threshold,
                       struct surface_crossing to,
                       const bool *concerns);
/* The row's last step was the one before. */
void surface_end_row(struct surface *surface,
                     struct surface_row *row,
                     size_t threshold,
                     const bool *concerns);

/* What another one of the same grid and incidents has seen, too. Neither is finished. */
void surface_merge(struct surface *into, const struct surface *from);
/* From now on cells can be read and nothing is added. */
void surface_finish(struct surface *surface);

size_t surface_thresholds(const struct surface *surface);
struct surface_cell surface_cell(const struct surface *surface, size_t threshold, size_t for_index);
/* Steps from the incident's begin to the first alert of it, 0 when one fired already;
 * SURFACE_MISSED: none. */
uint32_t surface_delay(const struct surface *surface,
                       size_t incident,
                       size_t threshold,
                       size_t for_index);
uint32_t surface_longest_incident(const struct surface *surface); /* steps; 0 without one */
/* How many alerts there are that fire (for 0) when `on` is passed and end when `off` is not
 * any more; off <= on. Those before the first counted step are among them. */
uint64_t surface_hysteresis(const struct surface *surface, size_t off, size_t on);
