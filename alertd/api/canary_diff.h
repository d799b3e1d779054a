#pragma once

/*
 * What a candidate would have changed since it runs beside its rule: the alerts of both sides, as
 * they fired live, through the same world of routing and people, and their pages joined.
 */

#include "alertd/api/pages_world.h"
#include "alertd/db/trial_db.h"
#include "alertd/pages/diff.h"

struct canary_diff {
    struct arena arena;
    struct pages_world world;
    bool has_world;
    struct pages_alert *alerts[2]; /* current, candidate: counted labels */
    size_t n_alerts[2];
    struct pages pages[2];
    struct diff_side sides[2];
    struct diff diff;
};

/* Of [from_ms, to_ms], as far as it ran then. 0, or a failure in words; canary_diff_done() in any
 * case. */
int canary_diff_make(struct db *state,
                     const struct route_config *config,
                     const struct trial_row *trial,
                     int64_t from_ms,
                     int64_t to_ms,
                     struct canary_diff *ret,
                     struct err *reterr);
void canary_diff_done(struct canary_diff *canary);

/* A line for each candidate that ran within the span, for the weekly report: nothing when none did. */
int canary_diff_weekly(struct db *state,
                       const struct route_config *config,
                       int64_t from_ms,
                       int64_t to_ms,
                       struct str *out,
                       struct err *reterr);
