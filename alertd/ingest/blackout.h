#pragma once

/*
 * Many agents gone at once: more likely than that many dead hosts is that alertd is cut off from
 * them. Then it is one page, not one for each.
 *
 *     gone at once:   2 of 50   9 of 50   16 of 50          50   12 of 50, or an hour later
 *     blackout        no        no        yes               yes  no
 *
 * Gone is lost within BLACKOUT_WINDOW_MS; an agent that is only late counts beside the first that
 * is lost: their intervals differ, and the rest would come one by one. A restart forgets none of
 * it (blackout_resume()). Pure.
 */

#include "alertd/ingest/agents.h"

enum {
    BLACKOUT_PERCENT = 30,   /* of those that were there, more than this */
    BLACKOUT_AGENTS_MIN = 3, /* fewer are hosts, not a network */
    BLACKOUT_WINDOW_MS = 120000,
    BLACKOUT_MAX_MS = 3600000, /* then they are dead hosts after all, and told of one by one */
};

struct blackout {
    bool is_on;
    bool was_long;    /* it ended by time: not again before most of them were back */
    int64_t since_ms; /* when it began, by the monotonic clock */
    size_t n_gone, n_known;
};

/* Moves it on by one look. */
void blackout_step(struct blackout *blackout,
                   const struct agent *agents,
                   size_t n,
                   const struct agents_now *now);
/* After a start: it is on, or was the last time, and lasted so long. */
void blackout_resume(struct blackout *blackout, bool was_on, int64_t lasted_ms, int64_t mono_ms);
/* Is this agent one of the gone, at that look? */
bool blackout_has(const struct blackout *blackout,
                  const struct agent *agent,
                  const struct agents_now *now);
