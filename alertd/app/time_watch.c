/*
 * Whether the wall clock was set. See time_watch.h.
 */

#include "alertd/app/time_watch.h"

#include <math.h>
#include <stdlib.h>

enum {
    LOOKS_TO_LEARN = 3,
    UNEVEN_MS = 50, /* of the monotonic clock, between the looks at both */
};

static int64_t judge(int64_t jump_ms, int64_t slack_ms)
{
    return llabs(jump_ms) >= TIME_JUMP_MIN_MS + slack_ms ? jump_ms : 0;
}

/* Only a virtual clock goes at twice the pace, and it does so evenly: twice the same. Until that
 * is known, the first is held back. */
static int64_t learn(struct time_watch *watch, int64_t wall_went_ms, int64_t mono_went_ms)
{
    double pace = (double)wall_went_ms / (double)mono_went_ms;
    int64_t gained_ms = wall_went_ms - mono_went_ms;

    if (watch->n_looks == 2) {
        watch->pace = pace > 2 ? pace : 1;
        watch->held_ms = pace > 2 ? gained_ms : 0;
        return pace > 2 ? 0 : judge(gained_ms, 0);
    }
    if (watch->pace > 2 && fabs(pace - watch->pace) < pace / 10)
        return 0;
    watch->pace = 1;
    return judge(watch->held_ms + gained_ms, 0);
}

int64_t time_watch_look(struct time_watch *watch, int64_t wall_ms, int64_t mono_ms)
{
    int64_t wall_went_ms = wall_ms - watch->wall_ms;
    int64_t mono_went_ms = mono_ms - watch->mono_ms;
    bool is_first = watch->n_looks == 0;
    bool learns = watch->n_looks < LOOKS_TO_LEARN;

    watch->wall_ms = wall_ms;
    watch->mono_ms = mono_ms;
    watch->n_looks += learns;
    if (is_first || (learns && mono_went_ms <= 0))
        return 0; /* but later the clock may be set between two looks of one millisecond */
    if (learns)
        return learn(watch, wall_went_ms, mono_went_ms);

    int64_t expected_ms = (int64_t)(watch->pace * (double)mono_went_ms);

    int64_t slack_ms = watch->pace > 1 ? expected_ms / 10 + (int64_t)(watch->pace * UNEVEN_MS) : 0;

    return judge(wall_went_ms - expected_ms, slack_ms);
}

int64_t time_away_look(struct time_away *away, int64_t wall_ms, int64_t mono_ms)
{
    int64_t wall_went_ms = wall_ms - away->wall_ms;
    int64_t mono_went_ms = mono_ms - away->mono_ms;

    if (away->has_looked && away->watch.n_looks < LOOKS_TO_LEARN && mono_went_ms < TIME_LEARN_MS)
        return away->total_ms;

    int64_t jump_ms = time_watch_look(&away->watch, wall_ms, mono_ms);

    if (away->has_looked)
        away->total_ms += mono_went_ms >= TIME_STANDSTILL_MIN_MS ? wall_went_ms : jump_ms;
    away->has_looked = true;
    away->wall_ms = wall_ms;
    away->mono_ms = mono_ms;
    return away->total_ms;
}

bool time_away_is_sure(const struct time_away *away)
{
    return away->watch.n_looks == LOOKS_TO_LEARN;
}
