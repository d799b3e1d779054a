/*
 * One alert's life. The diagram and the invariants are in state.h.
 */

#include "alertd/alert/state.h"

#include <assert.h>

#include "lib/base/bug.h"

/* A clock that was set back must not leave a wait that ends in hours. */
static void not_after(int64_t *at_ms, int64_t now_ms)
{
    if (*at_ms > now_ms)
        *at_ms = now_ms;
}

/* A clock that was set back behind the moment it fired: it had waited its time, and has still. */
static void stays_held(struct alert *alert, int64_t now_ms)
{
    if (alert->state == ALERT_FIRING && alert->fired_at_ms > now_ms)
        alert->active_at_ms -= alert->fired_at_ms - now_ms;
}

static bool held_without_data(struct alert *alert,
                              const struct alert_timing *timing,
                              enum alert_seen seen,
                              int64_t now_ms)
{
    if (seen != ALERT_SEEN_NO_DATA || timing->no_data_hold_ms == 0) {
        alert->no_data_since_ms = ALERT_NEVER;
        return false;
    }
    if (alert->no_data_since_ms == ALERT_NEVER)
        alert->no_data_since_ms = now_ms;
    return now_ms - alert->no_data_since_ms < timing->no_data_hold_ms;
}

static bool held(const struct alert *alert, const struct alert_timing *timing, int64_t now_ms)
{
    return now_ms - alert->active_at_ms >= timing->for_ms;
}

static enum alert_state step_pending(struct alert *alert,
                                     const struct alert_timing *timing,
                                     int64_t now_ms)
{
    if (!held(alert, timing, now_ms))
        return ALERT_PENDING;
    alert->fired_at_ms = now_ms;
    return ALERT_FIRING;
}

static enum alert_state step_true(struct alert *alert,
                                  const struct alert_timing *timing,
                                  int64_t now_ms)
{
    alert->keep_firing_since_ms = ALERT_NEVER;
    switch (alert->state) {
    case ALERT_INACTIVE:
        *alert = ALERT_INIT;
        alert->active_at_ms = now_ms;
        return step_pending(alert, timing, now_ms);
    case ALERT_PENDING: return step_pending(alert, timing, now_ms);
    case ALERT_FIRING:
        if (held(alert, timing, now_ms))
            return ALERT_FIRING;
        alert->fired_at_ms = ALERT_NEVER; /* the rule was given a longer `for` */
        return ALERT_PENDING;
    }
    UNREACHABLE("alert_state out of range");
}

static enum alert_state step_false(struct alert *alert,
                                   const struct alert_timing *timing,
                                   int64_t now_ms)
{
    if (alert->state != ALERT_FIRING)
        return ALERT_INACTIVE;
    if (alert->keep_firing_since_ms == ALERT_NEVER)
        alert->keep_firing_since_ms = now_ms;
    if (now_ms - alert->keep_firing_since_ms < timing->keep_firing_for_ms)
        return ALERT_FIRING;
    alert->resolved_at_ms = now_ms;
    return ALERT_INACTIVE;
}

bool alert_step(struct alert *alert,
                const struct alert_timing *timing,
                enum alert_seen seen,
                int64_t now_ms)
{
    enum alert_state before = alert->state;

    assert(before == ALERT_INACTIVE || alert->active_at_ms != ALERT_NEVER);

    stays_held(alert, now_ms);
    not_after(&alert->active_at_ms, now_ms);
    not_after(&alert->fired_at_ms, now_ms);
    not_after(&alert->keep_firing_since_ms, now_ms);
    not_after(&alert->no_data_since_ms, now_ms);
    not_after(&alert->resolved_at_ms, now_ms);
    if (before != ALERT_INACTIVE && held_without_data(alert, timing, seen, now_ms))
        return false;
    alert->state = seen == ALERT_SEEN_TRUE ? step_true(alert, timing, now_ms)
                                           : step_false(alert, timing, now_ms);
    return alert->state != before;
}

bool alert_is_forgotten(const struct alert *alert, int64_t now_ms)
{
    if (alert->state != ALERT_INACTIVE)
        return false;
    return alert->resolved_at_ms == ALERT_NEVER ||
           now_ms - alert->resolved_at_ms > ALERT_RESOLVED_KEPT_MS;
}

void alert_skip(struct alert *alert, int64_t gap_ms)
{
    if (alert->state == ALERT_PENDING)
        alert->active_at_ms += gap_ms;
    if (alert->state == ALERT_FIRING && alert->keep_firing_since_ms != ALERT_NEVER)
        alert->keep_firing_since_ms += gap_ms;
    if (alert->no_data_since_ms != ALERT_NEVER)
        alert->no_data_since_ms += gap_ms;
}

const char *alert_state_name(enum alert_state state)
{
    switch (state) {
    case ALERT_INACTIVE: return "inactive";
    case ALERT_PENDING: return "pending";
    case ALERT_FIRING: return "firing";
    }
    UNREACHABLE("alert_state out of range");
}
