#pragma once

/*
 * What a player did, by several clocks and no single grade.
 *
 *     moments --drill_score()--> when each thing was first done, how often others
 *
 * Clocks run from the first page to the player. Where nobody is paged they run from the
 * drill's onset: what is missing then is the alert, and the wait for it counts.
 */

#include "alertd/drill/world.h"

#define DRILL_NEVER INT64_MAX

enum drill_standing {
    DRILL_NO_LIMIT,
    DRILL_MET,
    DRILL_MISSED,
    DRILL_OPEN, /* not done, and its time is not over */
};

struct drill_score {
    bool paged;                     /* false: clocks run from the onset */
    int64_t base_ms;                /* since the drill's start */
    int64_t until_ms;               /* how far it was played */
    int64_t clocks[DRILL_N_CLOCKS]; /* behind base_ms; less than 0: before; DRILL_NEVER */
    int64_t counts[DRILL_N_COUNTS];
};

void drill_score(const struct drill_world *world, struct drill_score *ret_score);

enum drill_standing drill_clock_standing(const struct drill *drill,
                                         const struct drill_score *score,
                                         enum drill_clock clock);
enum drill_standing drill_count_standing(const struct drill *drill,
                                         const struct drill_score *score,
                                         enum drill_count count);
