#pragma once

/*
 * One alert's life.
 *
 *              true                  held `for`
 *   INACTIVE ---------> PENDING -------------------> FIRING
 *      ^                   |  ^                        |
 *      |       false       |  +--- `for` grew longer --+
 *      +-------------------+       than it was held    |
 *      +-----------------------------------------------+
 *                     false for keep_firing_for
 *
 * alert_step() is the only function that performs a transition.
 *
 * Invariants
 *  (1) Pure: no clock, no I/O, no allocation. The caller brings `now_ms`, so that
 *      live evaluation, backtests and drills run this same code.
 *  (2) now_ms may go back (a clock was set): what would lie ahead then counts from now;
 *      what fires goes on, for it has waited.
 *  (3) active_at_ms is the first evaluation of this run of true; with for = 0 the
 *      step from INACTIVE reaches FIRING at once.
 *  (4) fired_at_ms is set while FIRING and stays when it resolves; resolved_at_ms is
 *      set only on an INACTIVE alert that had fired.
 *  (5) keep_firing_since_ms is the first false evaluation of a FIRING alert, unset by
 *      the next true one.
 *  (6) "No data" is not "false": without data nothing starts, fires or resolves, until
 *      no_data_hold_ms have passed. Prometheus knows no such state; a hold of 0 gives
 *      its behaviour.
 *
 * The timing rules are Prometheus' (rules/alerting.go).
 */

#include <stdbool.h>
#include <stdint.h>

#define ALERT_NEVER INT64_MIN

enum {
    ALERT_RESOLVED_KEPT_MS = 15 * 60 * 1000, /* a resolved alert is remembered this long */
};

enum alert_state {
    ALERT_INACTIVE,
    ALERT_PENDING,
    ALERT_FIRING,
};

/* What an evaluation says about one alert. */
enum alert_seen {
    ALERT_SEEN_FALSE,
    ALERT_SEEN_TRUE,
    ALERT_SEEN_NO_DATA, /* not in the result, and nothing it could have come from either */
};

struct alert_timing {
    int64_t for_ms;
    int64_t keep_firing_for_ms;
    int64_t no_data_hold_ms; /* 0: no data is false */
};

struct alert {
    enum alert_state state;
    int64_t active_at_ms; /* each ALERT_NEVER when it does not apply */
    int64_t fired_at_ms;
    int64_t keep_firing_since_ms;
    int64_t no_data_since_ms;
    int64_t resolved_at_ms;
};

#define ALERT_INIT                                       \
    ((struct alert){.state = ALERT_INACTIVE,             \
                    .active_at_ms = ALERT_NEVER,         \
                    .fired_at_ms = ALERT_NEVER,          \
                    .keep_firing_since_ms = ALERT_NEVER, \
                    .no_data_since_ms = ALERT_NEVER,     \
                    .resolved_at_ms = ALERT_NEVER})

/* Advances *alert by one evaluation; returns true when the state changed. */
bool alert_step(struct alert *alert,
                const struct alert_timing *timing,
                enum alert_seen seen,
                int64_t now_ms);

/* Nothing of it needs remembering: it never fired, or resolved long ago. */
bool alert_is_forgotten(const struct alert *alert, int64_t now_ms);

/* Nobody evaluated for gap_ms (a restart), or the clock was set by it, also back: that time
 * does not count toward `for`. */
void alert_skip(struct alert *alert, int64_t gap_ms);

/* "inactive", "pending", "firing" */
const char *alert_state_name(enum alert_state state);
