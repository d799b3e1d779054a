#pragma once

/*
 * Practice over time: what the clocks of a drill said each time it was played.
 *
 *     rows {session, player, clock, value} --practice_runs()--> a run each, oldest first
 *     runs --practice_median()--> what half of them were quicker than
 *
 * No grade and no ranking: a person sees their own runs and one number of all.
 */

#include "alertd/drill/score.h"
#include "lib/base/arena.h"

#define PRACTICE_UNKNOWN INT64_MIN

/* A clock of a session, as it was stored when it ended. */
struct practice_row {
    int64_t session, ended_ms;
    const char *player;
    const char *clock; /* a name that is no clock is left out */
    int64_t value_ms;  /* DRILL_NEVER */
};

struct practice_run {
    int64_t session, ended_ms;
    const char *player;
    int64_t clocks[DRILL_N_CLOCKS]; /* DRILL_NEVER, PRACTICE_UNKNOWN */
};

/* Rows of a session stand together. In the arena; false past its limit. */
bool practice_runs(struct arena *arena,
                   const struct practice_row *rows,
                   size_t n_rows,
                   struct practice_run **ret_runs,
                   size_t *ret_n);
/* Of each player's newest run, so that who practises most does not decide: the lower one of two in
 * the middle. DRILL_NEVER when most never did; PRACTICE_UNKNOWN without runs. */
int64_t practice_median(const struct practice_run *runs, size_t n, enum drill_clock clock);
/* The player's newest run but for `session` itself; NULL: this was the first. */
const struct practice_run *practice_last(const struct practice_run *runs,
                                         size_t n,
                                         const char *player,
                                         int64_t session);
