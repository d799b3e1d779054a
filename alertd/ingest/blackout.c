/*
 * Many agents gone at once. See blackout.h.
 */

#include "alertd/ingest/blackout.h"

/* Since when it is lost; in the grace after a start nobody is. */
static int64_t lost_since(const struct agent *agent, int64_t started_ms)
{
    int64_t silent_ms = agent->last_push_ms + agent_patience_ms(agent);
    int64_t grace_ms = started_ms + 2 * agent->interval_ms;

    return agent->last_push_ms < started_ms && grace_ms > silent_ms ? grace_ms : silent_ms;
}

bool blackout_has(const struct blackout *blackout,
                  const struct agent *agent,
                  int64_t started_ms,
                  int64_t now_ms)
{
    int64_t from_ms = blackout->is_on ? blackout->since_ms : now_ms;

    return agent_state_at(agent, started_ms, now_ms) == AGENT_LOST &&
           lost_since(agent, started_ms) >= from_ms - BLACKOUT_WINDOW_MS;
}

static bool is_most(size_t n, size_t of)
{
    return n * 100 > of * BLACKOUT_PERCENT && n >= BLACKOUT_AGENTS_MIN;
}

void blackout_step(struct blackout *blackout,
                   const struct agent *agents,
                   size_t n,
                   int64_t started_ms,
                   int64_t now_ms)
{
    size_t n_lost = 0;
    size_t n_late = 0;
    size_t n_there = 0;

    for (size_t i = 0; i < n; i++) {
        enum agent_state state = agent_state_at(&agents[i], started_ms, now_ms);

        n_lost += blackout_has(blackout, &agents[i], started_ms, now_ms);
        n_late += state == AGENT_LATE && agents[i].last_push_ms >= started_ms;
        n_there += state != AGENT_LOST;
    }
    blackout->n_gone = n_lost;
    blackout->n_known = n_lost + n_there;
    if (!is_most(n_lost + n_late, blackout->n_known))
        blackout->was_long = false;
    if (!blackout->is_on && !blackout->was_long && n_lost > 0 &&
        is_most(n_lost + n_late, blackout->n_known)) {
        blackout->is_on = true;
        blackout->since_ms = now_ms;
    } else if (blackout->is_on && (!is_most(n_lost + n_late, blackout->n_known) ||
                                   now_ms - blackout->since_ms >= BLACKOUT_MAX_MS)) {
        blackout->was_long = now_ms - blackout->since_ms >= BLACKOUT_MAX_MS;
        blackout->is_on = false;
    }
}
