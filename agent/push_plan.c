/*
 * When to send what. See push_plan.h.
 */

#include "agent/push_plan.h"

#include "lib/net/retry.h"

enum push_outcome push_outcome_of(int status)
{
    if (status / 100 == 2)
        return PUSH_ACCEPTED;
    if (retry_is_vain(status))
        return PUSH_REJECTED;
    return PUSH_FAILED;
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

enum push_action push_plan_next(const struct push_plan *plan,
                                bool has_live,
                                bool has_backlog,
                                int64_t now_ms,
                                int64_t *ret_wake_ms)
{
    if (has_live) {
        if (plan->retry_ms <= now_ms)
            return PUSH_SEND_LIVE;
        *ret_wake_ms = plan->retry_ms;
        return PUSH_WAIT;
    }
    if (has_backlog) {
        int64_t from_ms = later(plan->retry_ms, plan->backlog_ms);

        if (from_ms <= now_ms)
            return PUSH_SEND_BACKLOG;
        *ret_wake_ms = from_ms;
        return PUSH_WAIT;
    }
    *ret_wake_ms = INT64_MAX;
    return PUSH_WAIT;
}

/* A pause before the next old batch: a step of the interval, shaken by half of itself. */
static int64_t backlog_pause_ms(const struct push_plan *plan, struct rng *rng)
{
    int64_t step_ms = plan->interval_ms / PUSH_BACKLOG_RATE;

    return step_ms + (int64_t)rng_below(rng, (uint64_t)(step_ms / 2));
}

void push_plan_ended(struct push_plan *plan,
                     enum push_action action,
                     enum push_outcome outcome,
                     int64_t retry_after_ms,
                     struct rng *rng,
                     int64_t now_ms)
{
    static const struct retry_bounds bounds = {PUSH_BACKOFF_MIN_MS, PUSH_BACKOFF_MAX_MS};

    if (action == PUSH_SEND_BACKLOG)
        plan->backlog_ms = now_ms + backlog_pause_ms(plan, rng);
    if (outcome != PUSH_FAILED) {
        plan->n_failures = 0;
        plan->retry_ms = now_ms;
        return;
    }
    if (plan->n_failures < 1000)
        plan->n_failures++;
    plan->retry_ms = now_ms + retry_pause_ms(&bounds, plan->n_failures, retry_after_ms, rng);
}
