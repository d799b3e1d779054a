#pragma once

/*
 * Alerts that alertd raises about itself, without a rule: a config file that was rejected, agents
 * that vanished at once. They are alerts of source "alertd": routed, silenced, shown and
 * told as any.
 *
 *     trouble --own_alert_tell()--> fires; renewed while it lasts, or it ends by itself
 *     over    --own_alert_tell()--> ends
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/api/api.h"
#include "alertd/ingest/blackout.h"
#include "lib/base/err.h"

enum {
    OWN_ALERT_MS = 15 * 60 * 1000,      /* it fires so long without being renewed */
    OWN_ALERT_RENEW_MS = 5 * 60 * 1000, /* so it is renewed as often */
};

struct own_alert {
    const char *name, *severity;
    const char *summary, *description;
    bool is_firing;
};

/* From any thread but a database's. An end of what does not fire does nothing. */
int own_alert_tell(const struct api *api,
                   const struct own_alert *alert,
                   int64_t now_ms,
                   struct err *reterr);

/* --- loop_blackout.c: agents that vanish at once --- */

struct loop_blackout {
    struct blackout blackout;
    int64_t renewed_ms;
    int64_t settles_ms; /* over, and at this monotonic time its silences end; 0: they have */
    char (*silenced)[AGENT_ID_MAX + 1]; /* whose alerts are not told one by one */
    size_t n_silenced, silenced_capacity;
    char (*silences)[37]; /* by which silences */
    size_t n_silences, silences_capacity;
};

/* One that went on when alertd ended goes on; before the first step. */
int loop_blackout_load(struct loop_blackout *loop,
                       const struct api *api,
                       const struct agent *agents,
                       size_t n,
                       const struct agents_now *now,
                       struct err *reterr);
/* To be called with all agents before what they lack is written: `up` of 0 would page. */
void loop_blackout_step(struct loop_blackout *loop,
                        const struct api *api,
                        const struct agent *agents,
                        size_t n,
                        const struct agents_now *now);
void loop_blackout_done(struct loop_blackout *loop);
