#pragma once

/*
 * A drill played by one of its own scripts, without anybody waiting: what tests do.
 *
 *     script --acts at their times--> world --moments, score--> what was expected and is not so
 *
 * Pure; several players of one case may be played at once.
 */

#include "alertd/drill/score.h"

enum {
    DRILL_FAILURES_BYTES_MAX = 256 * 1024
};

struct drill_played {
    struct drill_world *world; /* at its end */
    struct drill_score score;
    uint64_t hash;
    size_t n_checks, n_failed;
    struct str failures; /* a line each: "31: by 40m no page to ana for HostDiskFull ..." */
};

/* player NULL: nobody plays, only the drill's own expectations count. drill_played_done(). */
void drill_play(const struct drill_case *drill_case,
                const struct drill_player *player,
                uint64_t seed,
                struct drill_played *ret_played);
/* The same for somebody whose patience may end. 0; -ECANCELED: it did, there is no score and nothing was
 * checked; drill_played_done() all the same. */
int drill_play_for(const struct drill_case *drill_case,
                   const struct drill_player *player,
                   uint64_t seed,
                   const struct drill_patience *patience,
                   struct drill_played *ret_played);
void drill_played_done(struct drill_played *played);
