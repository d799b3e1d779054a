#pragma once

/*
 * From the spool to the server: one thread that sends what push_plan.h says, and
 * whom main hands finished batches.
 *
 *   main: push_append() --> spool --> thread: POST --> 2xx --> forgotten
 *                             ^                    \-> later: stays
 *
 * Headers of each batch are remote write 1.0's and those of lib/wire/push.h.
 */

#include <stdint.h>

#include "agent/config.h"
#include "agent/spool.h"
#include "lib/base/log.h"

struct push;

struct push_stats {
    struct spool_stats spool;
    uint64_t n_accepted, n_rejected, n_failed; /* requests by outcome */
    uint64_t n_backlog;                        /* of the accepted: batches that had waited */
    uint64_t n_bytes;                          /* of bodies accepted */
    int64_t last_success_ms;                   /* Unix time; 0: never */
    int64_t last_duration_us;
    unsigned n_failures_in_a_row;
};

/* Takes the spool over and a reference of the config; token_file is read when needed.
 * NULL when there is no thread to be had (logged). */
struct push *push_new(struct spool *spool,
                      struct agent_config *config,
                      uint64_t seed,
                      const struct log *log);

/* The body of a batch: it is in the spool when this returns 0. Negative errno: in memory
 * only, with words. */
int push_append(
    struct push *push, const void *body, size_t len, int64_t now_ms, struct err *reterr);

/* Another address, token or interval from now on. Takes a reference. */
void push_configure(struct push *push, struct agent_config *config);

void push_get_stats(struct push *push, struct push_stats *ret_stats);

/* One last attempt for the newest batch when the server was well, then the end; waits
 * at most wait_ms. When the thread does not end in time (a request hangs) everything is
 * left to the exit of the process. */
void push_stop(struct push *push, int64_t wait_ms);
