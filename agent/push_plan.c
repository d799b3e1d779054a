/*
 * When to send what. See push_plan.h.
 */

#include "agent/push_plan.h"

enum push_outcome push_outcome_of(int status)
{
    if (status / 100 == 2)
        return PUSH_ACCEPTED;
    if (status == 400 || status == 409 || status == 413 || status == 415 || status == 422)
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

static int64_t backoff_ms(unsigned n_failures, struct rng *rng)
{
    int64_t ceiling_ms = PUSH_BACKOFF_MAX_MS;

    if (n_failures < 6)
        ceiling_ms = (int64_t)PUSH_BACKOFF_MIN_MS << n_failures;
    if (ceiling_ms > PUSH_BACKOFF_MAX_MS)
        ceiling_ms = PUSH_BACKOFF_MAX_MS;
    return (int64_t)rng_below(rng, (uint64_t)ceiling_ms);
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
    if (action == PUSH_SEND_BACKLOG)
        plan->backlog_ms = now_ms + backlog_pause_ms(plan, rng);
    if (outcome != PUSH_FAILED) {
        plan->n_failures = 0;
        plan->retry_ms = now_ms;
        return;
    }
    if (plan->n_failures < 1000)
        plan->n_failures++;
    if (retry_after_ms >= 0) {
        int64_t wait_ms = retry_after_ms < PUSH_RETRY_AFTER_MAX_MS ? retry_after_ms
                                                                   : PUSH_RETRY_AFTER_MAX_MS;

        plan->retry_ms = now_ms + wait_ms + (int64_t)rng_below(rng, (uint64_t)(wait_ms / 10 + 1));
    } else {
        plan->retry_ms = now_ms + backoff_ms(plan->n_failures, rng);
    }
}
