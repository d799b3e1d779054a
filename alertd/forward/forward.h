#pragma once

/*
 * What was received goes on to other servers, by remote write, so that alertd can sit beside
 * what people already have.
 *
 *     push ──> store: journal row + sync ──> 2xx          nothing of forwarding is on this path
 *                      │
 *                      │ rows behind the cursor: outbound.h (the journal, and what sealing kept)
 *                      v
 *     a thread a target:  queue.h ──batch──> send.h ──2xx──> cursor forward ──> synced file
 *                           ^ over queue_bytes: the oldest     │ once a second      │
 *                             rows are passed over, counted    │                    v
 *                                                              └── store_outbound_hold(least of all)
 *
 * Invariants
 *  (1) What was acknowledged with a 2xx while a target was configured is sent to it at least once,
 *      over kill -9, power cuts and the target's absence, or counted as dropped with the reason.
 *      It needs no sync of its own: the row is part of the push's commit, and the cursor's file
 *      is only ever behind.
 *  (2) A push waits for no target. What piles up is bounded by queue_bytes.
 *  (3) The store lets a row go only when every target's cursor file is past it.
 *  (4) One request at a time and target: each series' samples go in the order of their commits.
 *
 * What rules make, ALERTS, up and our own metrics are samples like all others. Imports of history
 * go out only when asked for.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/forward/config.h"
#include "alertd/store/store.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

struct forward;

struct forward_options {
    struct store *store; /* opened with keeps_outbound */
    const char *folder;  /* for the cursors; made */
    const struct log *log;
};

/* Takes the configs over, also when it fails. A target that was never told anything is told
 * what comes from now on: so before the first push. */
int forward_start(const struct forward_options *options,
                  struct forward_configs *configs,
                  struct forward **ret_forward,
                  struct err *reterr);
/* Within a few seconds, whatever the targets do. Before the store is closed. NULL is fine. */
void forward_stop(struct forward *forward);

/* NULL: nothing is forwarded, and nothing is written. */
void forward_metrics(struct forward *forward, struct str *out);
/* What everybody should know about the i-th target: false and "" when it is well. */
bool forward_trouble(struct forward *forward, size_t i, struct str *out);
size_t forward_n_targets(const struct forward *forward);
