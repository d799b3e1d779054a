#pragma once

/*
 * What alerts were like for the people they reached, and what each incident would have seen.
 *
 *     incident        |==================|
 *     value passes        ##################
 *     `for`               ......
 *     fires                     ############
 *                     <--><----><--------><->
 *              until it passes  for        reset
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/backtest.h"

struct figures_span {
    uint32_t first_step, n_steps; /* the counted time */
    int64_t step_ms;
    const bool *is_night; /* by step; NULL: no night */
};

struct figures {
    size_t n;
    size_t n_nights;          /* fired at night */
    size_t n_short;           /* over within 5 minutes */
    size_t n_again;           /* fired within an hour of when the same one ended */
    size_t most_in_shift;     /* fired within 12 hours, at most */
    int64_t longest_ms;       /* held */
    int64_t median_ms;        /* held */
    int64_t longest_quiet_ms; /* nothing fired */
};
/* episodes by when they fired. */
struct figures figures_of(const struct episode *episodes,
                          size_t n,
                          const struct figures_span *span);

/* One incident's. */
struct figures_found {
    bool is_found;
    int64_t delay_ms;   /* from its begin to the first alert of it; the sum of the next three */
    int64_t phase_ms;   /* from its begin to the next evaluation */
    int64_t passing_ms; /* until what is compared passed: data that comes late, windows that fill */
    int64_t for_ms;
    int64_t reset_ms; /* from its end until the last alert of it was over; 0: before */
    bool is_still;    /* one of them fires at the end of the time: reset_ms is at least that */
};
/* begin_ms, start_ms: of the incident and of step 0. */
struct figures_found figures_found(const struct episode *episodes,
                                   size_t n,
                                   const struct backtest_incident *incident,
                                   const struct figures_span *span,
                                   int64_t begin_ms,
                                   int64_t start_ms);
