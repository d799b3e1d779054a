/*
 * One layer at one instant. See turn.h.
 *
 * An instant belongs to the newest turn that has begun. Turns begin where zone_utc() puts
 * their local time, and it never goes back, so the guess made from the wall clock is off by
 * no more than the clock was ever set back or forward.
 */

#include "alertd/oncall/turn.h"

#include "lib/base/clock.h"

enum {
    DAY_S = 86400,
    HOUR_S = 3600,
    MONTHS = 12,
    WEEKDAYS = 7,
    DAYS_BEHIND = 2, /* a window that began then may still last: a zone may leave a day out */
    DAYS_AHEAD = 9,  /* every weekday comes, and one more */
};

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static int days_of_month(int64_t year, int month)
{
    int64_t next = month == MONTHS ? clock_days_from_civil(year + 1, 1, 1)
                                   : clock_days_from_civil(year, month + 1, 1);

    return (int)(next - clock_days_from_civil(year, month, 1));
}

static int64_t wall_s(const struct zone_local *local)
{
    return clock_days_from_civil(local->year, local->month, local->day) * DAY_S +
           local->hour * HOUR_S + local->minute * 60 + local->second;
}

/* Local midnight of days since 1970, and seconds behind it. */
static int64_t day_time_ms(const struct zone *zone, int64_t day, int64_t second)
{
    struct zone_local local = {.year = 1970, .month = 1};

    day += floor_div(second, DAY_S);
    local.second = (int)(second - floor_div(second, DAY_S) * DAY_S);
    struct clock_utc date = clock_split_utc(day * DAY_S * 1000);
    local.year = date.year;
    local.month = date.month;
    local.day = date.day;
    return zone_utc(zone, &local);
}

static int64_t turn_length_s(const struct rotation *rotation)
{
    int64_t unit_s = rotation->unit == ROTATION_HOURS  ? HOUR_S
                     : rotation->unit == ROTATION_DAYS ? DAY_S
                                                       : WEEKDAYS * DAY_S;

    return unit_s * rotation->every;
}

int64_t rotation_start(const struct rotation *rotation, const struct zone *zone, int64_t turn)
{
    struct zone_local local = rotation->anchor;

    if (rotation->unit != ROTATION_MONTHS) {
        int64_t start_s = wall_s(&local) + turn * turn_length_s(rotation);
        int64_t day = floor_div(start_s, DAY_S);

        return day_time_ms(zone, day, start_s - day * DAY_S);
    }
    int64_t month = local.year * (int64_t)MONTHS + local.month - 1 + turn * rotation->every;

    local.year = (int)floor_div(month, MONTHS);
    local.month = (int)(month - (int64_t)local.year * MONTHS) + 1;
    if (local.day > days_of_month(local.year, local.month))
        local.day = days_of_month(local.year, local.month);
    return zone_utc(zone, &local);
}

int64_t rotation_turn(const struct rotation *rotation, const struct zone *zone, int64_t at_ms)
{
    struct zone_local now = zone_local(zone, at_ms);
    const struct zone_local *anchor = &rotation->anchor;
    int64_t turn = 0;

    if (rotation->unit == ROTATION_MONTHS) {
        int64_t months = (now.year - (int64_t)anchor->year) * MONTHS + now.month - anchor->month;
        turn = floor_div(months, rotation->every);
    } else {
        turn = floor_div(wall_s(&now) - wall_s(anchor), turn_length_s(rotation));
    }
    while (rotation_start(rotation, zone, turn) > at_ms)
        turn--;
    while (rotation_start(rotation, zone, turn + 1) <= at_ms)
        turn++;
    return turn;
}

/* Behind turns without a length (in a gap) the next one that begins later. */
static int64_t turn_end(const struct rotation *rotation,
                        const struct zone *zone,
                        int64_t turn,
                        int64_t at_ms)
{
    int64_t end_ms = rotation_start(rotation, zone, turn + 1);

    while (end_ms <= at_ms)
        end_ms = rotation_start(rotation, zone, ++turn + 1);
    return end_ms;
}

static struct turn rotation_at(const struct rotation *rotation,
                               const struct zone *zone,
                               int64_t at_ms)
{
    int64_t n = (int64_t)rotation->n_people;

    if (rotation->every == 0)
        return (struct turn){rotation->people[0], ROSTER_FOREVER};
    int64_t turn = rotation_turn(rotation, zone, at_ms);

    return (struct turn){
        .person = rotation->people[turn - floor_div(turn, n) * n],
        .until_ms = turn_end(rotation, zone, turn, at_ms),
    };
}

static struct turn shift_at(const struct layer *layer, int64_t at_ms)
{
    size_t low = 0, high = layer->n_shifts; /* the first that ends after at_ms */

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (layer->shifts[mid].to_ms <= at_ms)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == layer->n_shifts)
        return (struct turn){NULL, ROSTER_FOREVER};
    const struct shift *shift = &layer->shifts[low];

    if (shift->from_ms > at_ms)
        return (struct turn){NULL, shift->from_ms};
    return (struct turn){shift->person, shift->to_ms};
}

/* Whether any window is open, and when the next one opens or closes. */
static bool window_at(const struct layer *layer,
                      const struct zone *zone,
                      int64_t at_ms,
                      int64_t *ret_until_ms)
{
    struct zone_local now = zone_local(zone, at_ms);
    int64_t today = clock_days_from_civil(now.year, now.month, now.day);
    int64_t until_ms = ROSTER_FOREVER;
    bool is_open = false;

    for (int64_t day = today - DAYS_BEHIND; day <= today + DAYS_AHEAD; day++) {
        int64_t weekday = day + 4 - floor_div(day + 4, WEEKDAYS) * WEEKDAYS;

        for (size_t i = 0; i < layer->n_windows; i++) {
            const struct window *window = &layer->windows[i];
            int64_t to_s = window->to_s + (window->to_s <= window->from_s ? DAY_S : 0);

            if (!(window->weekdays & 1U << weekday))
                continue;
            int64_t from_ms = day_time_ms(zone, day, window->from_s);
            int64_t to_ms = day_time_ms(zone, day, to_s);

            is_open |= from_ms <= at_ms && at_ms < to_ms;
            if (from_ms > at_ms && from_ms < until_ms)
                until_ms = from_ms;
            if (to_ms > at_ms && to_ms < until_ms)
                until_ms = to_ms;
        }
        if (until_ms != ROSTER_FOREVER && day > today)
            break; /* days further on lie behind it */
    }
    *ret_until_ms = until_ms;
    return is_open;
}

struct turn layer_turn(const struct layer *layer, const struct zone *zone, int64_t at_ms)
{
    int64_t window_until_ms = 0;
    struct turn turn = {NULL, ROSTER_FOREVER};

    if (at_ms >= layer->until_ms || at_ms >= ROSTER_TIME_MAX_MS)
        return turn;
    if (at_ms < layer->from_ms || at_ms < ROSTER_TIME_MIN_MS)
        return (struct turn){NULL, layer->from_ms > ROSTER_TIME_MIN_MS ? layer->from_ms
                                                                       : ROSTER_TIME_MIN_MS};
    turn = layer->rotation.n_people ? rotation_at(&layer->rotation, zone, at_ms)
                                    : shift_at(layer, at_ms);
    if (layer->n_windows) {
        if (!window_at(layer, zone, at_ms, &window_until_ms))
            turn = (struct turn){NULL, window_until_ms};
        else if (window_until_ms < turn.until_ms)
            turn.until_ms = window_until_ms;
    }
    if (layer->until_ms < turn.until_ms)
        turn.until_ms = layer->until_ms;
    return turn;
}
