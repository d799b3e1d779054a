#pragma once

/*
 * Housekeeping: one thread, a round every five seconds.
 *
 *     each agent:  up{job="agent",instance=<id>} 1, or 0 once it is lost
 *                  lost just now: its series get staleness markers, the dashboard hears of it
 *     every third: alertd's own metrics stored as job="alertd"
 *     dirty agents to state.db, the store's maintenance
 *     the wall clock was set, or this thread (the machine) stood still: told to every open incident
 *
 * `up` is written for an agent that pushes, since nobody scrapes it: so rules imported from
 * Prometheus that say `up == 0` page when an agent dies. For two of its intervals after
 * alertd's own start, or after it stood still, a silent agent is neither up nor down: no sample is
 * written.
 */

#include "alertd/api/api.h"
#include "lib/base/err.h"

struct loop_keep;

/* api must have state, store, ingest, hub, log, started_ms and render_metrics, and outlive
 * the loop. Reads the agents known from state.db first. */
int loop_keep_start(struct api *api, struct loop_keep **ret_loop, struct err *reterr);
/* Writes what is left. NULL is fine. */
void loop_keep_stop(struct loop_keep *loop);

/* Agents by state, now: for the overview and /metrics. */
struct keep_counts {
    size_t fresh, late, lost;
};
struct keep_counts loop_keep_counts(const struct api *api, int64_t now_ms);

/* Agents and pushed bodies as text exposition. */
void loop_keep_metrics(const struct api *api, struct str *out);
