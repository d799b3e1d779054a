/*
 * Many agents gone at once. See blackout.h.
 */

#include "alertd/ingest/blackout.h"

/* Since when it is lost, by the monotonic clock; in the grace after a start nobody is. */
static int64_t lost_since(const struct agent *agent, const struct agents_now *now)
{
    int64_t lost_ms = now->mono_ms - agent_silence_ms(agent, now) + agent_patience_ms(agent);
    int64_t grace_ms = now->awake_mono_ms + 2 * agent->interval_ms;

    return agent->pushed_mono_ms < now->awake_mono_ms && grace_ms > lost_ms ? grace_ms : lost_ms;
}

void blackout_resume(struct blackout *blackout, bool was_on, int64_t lasted_ms, int64_t mono_ms)
{
    if (lasted_ms < 0) /* the wall clock was set back */
        lasted_ms = 0;
    blackout->is_on = was_on;
    blackout->was_long = !was_on && lasted_ms >= BLACKOUT_MAX_MS;
    blackout->since_ms = mono_ms - lasted_ms;
}

bool blackout_has(const struct blackout *blackout,
                  const struct agent *agent,
                  const struct agents_now *now)
{
    int64_t from_ms = blackout->is_on ? blackout->since_ms : now->mono_ms;

    return agent_state_at(agent, now) == AGENT_LOST &&
           lost_since(agent, now) >= from_ms - BLACKOUT_WINDOW_MS;
}

/* In the grace after a start nobody knows who is there: it begins no blackout, and ends none. */
static bool is_still_gone(const struct blackout *blackout,
                          const struct agent *agent,
                          const struct agents_now *now)
{
    return (blackout->is_on || blackout->was_long) && agent->pushed_mono_ms < now->awake_mono_ms &&
           agent_state_at(agent, now) == AGENT_LATE;
}

static bool is_most(size_t n, size_t of)
{
    return n * 100 > of * BLACKOUT_PERCENT && n >= BLACKOUT_AGENTS_MIN;
}

void blackout_step(struct blackout *blackout,
                   const struct agent *agents,
                   size_t n,
                   const struct agents_now *now)
{
    size_t n_lost = 0;
    size_t n_late = 0;
    size_t n_there = 0;

    for (size_t i = 0; i < n; i++) {
        enum agent_state state = agent_state_at(&agents[i], now);

        bool still_gone = is_still_gone(blackout, &agents[i], now);

        n_lost += blackout_has(blackout, &agents[i], now) || still_gone;
        n_late += state == AGENT_LATE && agents[i].pushed_mono_ms >= now->awake_mono_ms;
        n_there += state != AGENT_LOST && !still_gone;
    }
    blackout->n_gone = n_lost;
    blackout->n_known = n_lost + n_there;
    if (!is_most(n_lost + n_late, blackout->n_known))
        blackout->was_long = false;
    if (!blackout->is_on && !blackout->was_long && n_lost > 0 &&
        is_most(n_lost + n_late, blackout->n_known)) {
        blackout->is_on = true;
        blackout->since_ms = now->mono_ms;
    } else if (blackout->is_on && (!is_most(n_lost + n_late, blackout->n_known) ||
                                   now->mono_ms - blackout->since_ms >= BLACKOUT_MAX_MS)) {
        blackout->was_long = now->mono_ms - blackout->since_ms >= BLACKOUT_MAX_MS;
        blackout->is_on = false;
    }
}
