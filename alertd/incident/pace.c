/*
 * Two buckets. See pace.h.
 */

#include "alertd/incident/pace.h"

static double fill(double level, int64_t limit, double per_ms, int64_t passed_ms)
{
    level += per_ms * (double)passed_ms;
    return level < (double)limit ? level : (double)limit;
}

static void fill_both(struct pace *pace, const struct pace_limits *limits, int64_t now_ms)
{
    int64_t passed_ms = now_ms > pace->at_ms ? now_ms - pace->at_ms : 0;

    if (!pace->at_ms) {
        pace->second = (double)limits->per_second;
        pace->minute = (double)limits->per_minute;
    }
    pace->second = fill(pace->second, limits->per_second, (double)limits->per_second / 1000,
                        passed_ms);
    pace->minute = fill(pace->minute, limits->per_minute, (double)limits->per_minute / 60000,
                        passed_ms);
    if (!pace->at_ms || passed_ms > 0)
        pace->at_ms = now_ms;
}

/* Until the bucket holds one: rounded up, so that it does then. */
static int64_t until_one(double level, double per_ms)
{
    return level >= 1 ? 0 : (int64_t)((1 - level) / per_ms) + 1;
}

struct pace_room pace_look(struct pace *pace, const struct pace_limits *limits, int64_t now_ms)
{
    struct pace_room room = {.singly = SIZE_MAX};

    fill_both(pace, limits, now_ms);
    if (limits->per_second > 0)
        room.wait_ms = until_one(pace->second, (double)limits->per_second / 1000);
    if (limits->per_minute > 0) {
        int64_t wait_ms = until_one(pace->minute, (double)limits->per_minute / 60000);

        room.singly = pace->minute < 1 ? 0 : (size_t)pace->minute;
        if (wait_ms > room.wait_ms)
            room.wait_ms = wait_ms;
    }
    return room;
}

void pace_take(struct pace *pace, const struct pace_limits *limits, int64_t now_ms)
{
    fill_both(pace, limits, now_ms);
    pace->second -= 1;
    pace->minute -= 1;
}
