/*
 * When recurring times begin and end. See window.h.
 *
 *   at --minutes on the wall until a time of day, midnight, or clocks are changed--> next look
 *
 * Between two changes of clocks the wall moves with the instant, so every edge is a whole
 * number of minutes ahead; the change itself is looked at too. That is exact also in the night
 * in which 02:30 comes twice, or not at all.
 */

#include "alertd/route/window.h"

enum {
    STEPS_MAX = 20000, /* fifty years of days that have no times */
    MINUTE_MS = 60000,
    DAY_MINUTES = 24 * 60,
};

static int64_t minute_of(int64_t at_ms)
{
    return at_ms - ((at_ms % MINUTE_MS) + MINUTE_MS) % MINUTE_MS;
}

static int minute_of_day(const struct route_span *span, int64_t minute_ms)
{
    int64_t day_ms = (int64_t)DAY_MINUTES * MINUTE_MS;

    if (span->zone) {
        struct zone_local local = zone_local(span->zone, minute_ms);

        return local.hour * 60 + local.minute;
    }
    return (int)((minute_ms % day_ms + day_ms) % day_ms / MINUTE_MS);
}

/* The next instant at which the span may hold or not. */
static int64_t next_look(const struct route_span *span, int64_t at_ms)
{
    int64_t from_ms = minute_of(at_ms);
    int minute = minute_of_day(span, from_ms);
    int soonest = DAY_MINUTES - minute;

    for (size_t i = 0; i < span->times.n; i++) {
        int first = span->times.at[i].first - minute;
        int last = span->times.at[i].last - minute;

        if (first > 0 && first < soonest)
            soonest = first;
        if (last > 0 && last < soonest)
            soonest = last;
    }

    int64_t next_ms = from_ms + (int64_t)soonest * MINUTE_MS;
    int64_t change_ms = span->zone ? zone_next_change(span->zone, at_ms) : ZONE_NEVER;

    return change_ms < next_ms ? change_ms : next_ms;
}

int64_t route_interval_edge(const struct route_interval *interval, int64_t at_ms, int64_t until_ms)
{
    bool holds = route_interval_holds(interval, at_ms);

    for (int step = 0; interval->n > 0 && step < STEPS_MAX; step++) {
        int64_t next_ms = INT64_MAX;

        for (size_t i = 0; i < interval->n; i++) {
            int64_t look_ms = next_look(&interval->spans[i], at_ms);

            next_ms = look_ms < next_ms ? look_ms : next_ms;
        }
        if (next_ms > until_ms)
            break;
        if (route_interval_holds(interval, next_ms) != holds)
            return next_ms;
        at_ms = next_ms;
    }
    return INT64_MAX;
}

size_t route_interval_ahead(const struct route_interval *interval,
                            int64_t at_ms,
                            int64_t until_ms,
                            struct route_stretch *ret_stretches,
                            size_t max)
{
    size_t n = 0;

    if (route_interval_holds(interval, at_ms))
        at_ms = route_interval_edge(interval, at_ms, until_ms);
    while (n < max && at_ms < until_ms) {
        int64_t from_ms = route_interval_edge(interval, at_ms, until_ms);

        if (from_ms >= until_ms)
            break;
        at_ms = route_interval_edge(interval, from_ms, until_ms);
        ret_stretches[n++] = (struct route_stretch){from_ms, at_ms < until_ms ? at_ms : until_ms};
    }
    return n;
}
