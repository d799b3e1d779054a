#pragma once

/*
 * Drains the outbox: one thread per integration, so that a receiver that hangs delays
 * nobody else, and one that flushes groups when their time comes and gives up on what is a day
 * old.
 *
 *   rules' transaction --> outbox rows --wake--> worker of the integration:
 *       claim (commit) -> render -> send (10 s at most) -> mark (commit) -> SSE `incident`
 *
 * Ended by SIGKILL anywhere, the row is found again at the next start and sent again
 * under the same idempotency key: at least once, in order per incident.
 */

#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/http/http.h"
#include "alertd/pager/pager.h"
#include "alertd/route/config.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

struct loop_notify;

struct loop_notify_options {
    struct db *state;
    struct pager *pager;
    const struct route_config *config; /* referenced */
    struct http_hub *hub;              /* NULL: nobody watches */
    const struct log *log;
    const char *external_url;     /* for links in pages; copied */
    const char *storage_path;     /* holds ack.key */
    int64_t (*now_wall_ms)(void); /* the clock, injected */
    const char *canary_url;       /* where the canary's receiver listens; copied. NULL: nowhere */
};

int loop_notify_start(const struct loop_notify_options *options,
                      struct loop_notify **ret_loop,
                      struct err *reterr);
/* Waits for sends under way, 10 s at most each and all at once. NULL is fine. */
void loop_notify_stop(struct loop_notify *loop);

/* Another config (referenced): sends under way end first, then the new receivers work.
 * From any thread, never blocks. */
void loop_notify_configure(struct loop_notify *loop, const struct route_config *config);

/* Something is due, was superseded, or a group waits for its time. From any thread, never blocks. */
void loop_notify_wake(struct loop_notify *loop);
/* The pager took alerts in: wakes whom that concerns. From any thread. */
void loop_notify_told(struct loop_notify *loop, const struct pager_outcome *outcome);

/* How long somebody who is told hangs by now, beyond the time limit of an attempt, and whom it is
 * about (*ret_receiver of at least so many bytes); 0: nobody. */
int64_t loop_notify_busy_ms(struct loop_notify *loop, char *ret_receiver, size_t size);

/* How long whoever tells that integration, or people, has not looked for what is due, beyond the
 * time limit of an attempt; -1: nobody tells it (any more). */
int64_t loop_notify_idle_ms(struct loop_notify *loop,
                            const char *receiver,
                            const char *kind,
                            unsigned slot);

/* `# HELP`, `# TYPE` and the loop's self-metrics in text exposition. */
void loop_notify_metrics(struct loop_notify *loop, struct str *out);
/* The same counts under Alertmanager's names, which its dashboards and rules read. */
void loop_notify_alertmanager(struct loop_notify *loop, struct str *out);
