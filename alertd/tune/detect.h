#pragma once

/*
 * The smallest outage a rule catches, without knowing any: faults are put into its past at many
 * places, and alert_step() says whether it would have fired.
 *
 *     what is compared   ~~~~~~~~~~~~~~~~~~~~~~       real history, at a random offset
 *     a fault in it            ____                   more by the magnitude, for the duration
 *     alert                      ##                   caught, so much later
 *
 *     magnitude  | .3  .9  1.         P(caught) over the offsets, and how late
 *                | 0.  .1  .8
 *                +------------ duration
 *
 * Invariants
 *  (1) the offsets are the seed's alone.
 *  (2) an offset at which the alert fires already, or has no value, or would fire without the
 *      fault, is not counted.
 *  (3) faults in the samples of a plain selector are faults in what is compared: both ways are
 *      one where samples come as often as evaluations.
 *  (4) what is true at a step is of what came until then: a fault that goes on for longer fires
 *      as a shorter one does, while that lasts.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/fault.h"
#include "alertd/tune/reading.h"
#include "lib/base/err.h"

enum {
    DETECT_MAGNITUDES_MAX = 16,
    DETECT_DURATIONS_MAX = 16,
    DETECT_OFFSETS_MAX = 1000,
};

struct detect_ask {
    const char *expression; /* what is compared: a choice's expr */
    enum surface_op op;
    double threshold;
    uint32_t for_steps;
    struct tune_span span; /* where offsets lie */
    enum fault_kind kind;
    /* Any value of the expression is true, of whatever series (a rule without a threshold to look
     * at). Faults are in samples then, of all that is selected. */
    bool is_presence;
    /* Faults in copies of the samples of `source` that these matchers select, everything
     * evaluated over them: windows fill and rates rise as they would. Of one series of what is
     * compared: in the samples whose labels are like its, as far as those are what it is made of. NULL: in what is compared itself. */
    const struct source *source;
    size_t query_bytes;
    int64_t lookback_ms; /* 0: five minutes */
    const struct matcher *matchers;
    size_t n_matchers;
    bool is_counter;     /* the magnitude is more a second */
    uint32_t tail_steps; /* behind the fault an alert still counts as caught: what ranges hold */
    const double *magnitudes;
    size_t n_magnitudes;
    const uint32_t *durations; /* steps, ascending, not 0 */
    size_t n_durations;
    size_t n_offsets;
    uint64_t seed;
    /* Looked at now and then: true ends it with what was tried so far. NULL: never. */
    bool (*is_enough_fn)(const void *arg);
    const void *enough_arg;
};

struct detect_cell {
    size_t n, n_caught;
    uint32_t median_delay, p90_delay; /* steps, of those caught */
};

struct detect_map {
    struct detect_cell cells[DETECT_MAGNITUDES_MAX][DETECT_DURATIONS_MAX];
    size_t n_offsets; /* at which a series had values */
};

/* The middle of what is compared, of at most some thousand values; NaN without any. */
int detect_usual(const struct tune_reader *reader,
                 const char *expression,
                 const struct tune_span *span,
                 double *ret_usual,
                 struct err *reterr);

/* Reads a window around each offset and puts the faults into the values of one of its series,
 * chosen by the seed. 0, or a failure in words. */
int detect(const struct tune_reader *reader,
           const struct detect_ask *ask,
           struct detect_map *ret_map,
           struct err *reterr);

/* How far a fault of this magnitude, for as long as the longest, moves what is compared: the
 * middle of a few places. NaN: no place has a value. */
int detect_moves(const struct tune_reader *reader,
                 const struct detect_ask *ask,
                 double magnitude,
                 double *ret_moves,
                 struct err *reterr);

/* --- the smallest outage --- */

/* For each duration the least magnitude that is caught nine times of ten; false: none is. */
bool detect_least(const struct detect_map *map,
                  const struct detect_ask *ask,
                  size_t duration,
                  size_t *ret_magnitude);

/* Magnitudes worth a look: shares and multiples of what lies between a usual value and the
 * threshold, said shortly, from the least to the greatest; at most n_max. Returns how many. */
size_t detect_magnitudes(double usual, double threshold, double *ret_magnitudes, size_t n_max);
