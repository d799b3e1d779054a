#pragma once

/*
 * What waits for one target. Nothing of it is copied: it is the store's rows behind the cursor.
 *
 *     day 1   [ ####### | . . . ]                   # the target has it
 *     day 2   [ ## | * * | . . . . . . ]            * the batch at hand
 *                ^ cursor  ^ next                   . waits, counted
 *
 * Invariants
 *  (1) The oldest day's rows go first, rows in their order, samples in theirs; so each series'
 *      samples keep the order in which they were acknowledged.
 *  (2) The cursor moves only when the batch is settled: taken, refused for good or dropped.
 *  (3) When more than queue_bytes wait, the oldest rows are passed over and counted.
 *
 * Not thread-safe: the target's thread has it alone.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/forward/config.h"
#include "alertd/forward/cursor.h"
#include "alertd/store/outbound.h"

struct queue_sample {
    const struct labels *labels; /* a loan from the batch */
    struct sample sample;
};

/* How much of a day is counted. */
struct queue_day {
    int64_t day_ms;
    int64_t last_row;    /* known to be there */
    int64_t counted_row; /* of which those up to here are in bytes and samples */
    uint64_t bytes, samples;
};

struct queue_stats {
    uint64_t bytes, samples; /* that wait, the batch at hand with them */
    uint64_t filtered;       /* by write_relabel_configs */
    uint64_t dropped_full, dropped_retention, dropped_damaged;
};

struct queue {
    struct store *store;
    const struct forward_config *config;
    const atomic_bool *stopping; /* long counting ends early */
    struct cursor cursor, next;
    struct queue_day *days; /* ascending */
    size_t n_days, days_capacity;
    struct queue_sample *batch;
    size_t n, capacity;
    const struct labels **owned; /* of the batch */
    size_t n_owned, owned_capacity;
    uint64_t leaving_bytes, leaving_samples; /* what waits no more when the batch is settled */
    struct queue_stats stats;
};

void queue_done(struct queue *queue);
/* Begins behind everything there is: for a target that was never told anything. */
void queue_begin_now(struct queue *queue);
/* Looks what came, counts it, and drops the oldest when it is too much. 0 or negative errno. */
int queue_refresh(struct queue *queue, struct err *reterr);
/* The next batch, when none is at hand; still none after it when nothing waits. */
int queue_fill(struct queue *queue, struct err *reterr);
/* The batch is settled; the cursor is behind it. */
void queue_settle(struct queue *queue);
