#pragma once

/*
 * When to send what: the pure half of push.c.
 *
 *            accepted                 failed (or told to wait)
 *   READY ----------------> READY --------------------------> WAITING until retry_ms
 *     ^                                                            |
 *     +------------------------------------------------------------+
 *
 * (1) Live first: the newest batch goes before any older one, so that alerting is up
 *     to date within one interval of healing.
 * (2) The backlog follows oldest first, at most PUSH_BACKLOG_RATE batches for each one
 *     that time itself makes: fifty agents that come back together must not bury the
 *     server they just got back.
 * (3) After failures the next attempt waits as lib/net/retry.h has it, between the bounds
 *     below.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/rng.h"

enum {
    PUSH_BACKLOG_RATE = 4,
    PUSH_BACKOFF_MIN_MS = 1000,
    PUSH_BACKOFF_MAX_MS = 60000,
};

enum push_action {
    PUSH_SEND_LIVE,
    PUSH_SEND_BACKLOG,
    PUSH_WAIT,
};

/* What became of a batch. */
enum push_outcome {
    PUSH_ACCEPTED,
    PUSH_REJECTED, /* the server will never take this batch: forget it */
    PUSH_FAILED,   /* later perhaps */
};

struct push_plan {
    int64_t interval_ms; /* between live batches */
    int64_t retry_ms;    /* no attempt before this */
    int64_t backlog_ms;  /* no old batch before this */
    unsigned n_failures; /* in a row */
};

/* What the status of an answer means: 2xx is accepted, retry_is_vain() rejected. */
enum push_outcome push_outcome_of(int status);

/* What to do now. With PUSH_WAIT *ret_wake_ms says until when (INT64_MAX: until a batch
 * is there). */
enum push_action push_plan_next(const struct push_plan *plan,
                                bool has_live,
                                bool has_backlog,
                                int64_t now_ms,
                                int64_t *ret_wake_ms);

/* An attempt has ended; retry_after_ms is the server's wish, -1 none. */
void push_plan_ended(struct push_plan *plan,
                     enum push_action action,
                     enum push_outcome outcome,
                     int64_t retry_after_ms,
                     struct rng *rng,
                     int64_t now_ms);
