/*
 * Asking a zone: which offset holds when, and what a local time means. See zone.h.
 *
 * zone_utc() walks from before the local time by any offset there is, stretch after stretch
 * of one offset, to the first instant that shows it or more: two stretches as a rule.
 */

#include "lib/model/zone.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/model/zone_private.h"

enum {
    YEAR_MAX = 1000 * 1000
};

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* How many changes happened until at_s. */
static size_t n_until(const struct zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->n_changes;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (zone->changes_s[mid] <= at_s)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const struct zone_type *type_at(const struct zone *zone, int64_t at_s)
{
    size_t n = n_until(zone, at_s);

    if (n == zone->n_changes && zone->rule.is_set)
        return zone_rule_type(&zone->rule, at_s);
    return n == 0 ? &zone->types[0] : &zone->types[zone->change_types[n - 1]];
}

static int64_t next_change_s(const struct zone *zone, int64_t at_s)
{
    size_t n = n_until(zone, at_s);

    if (n < zone->n_changes)
        return zone->changes_s[n];
    return zone->rule.is_set ? zone_rule_next_s(&zone->rule, at_s) : ZONE_NEVER;
}

const char *zone_name(const struct zone *zone)
{
    return zone->name;
}

int zone_offset_s(const struct zone *zone, int64_t at_ms)
{
    return type_at(zone, floor_div(at_ms, 1000))->offset_s;
}

int64_t zone_next_change(const struct zone *zone, int64_t at_ms)
{
    int64_t next_s = next_change_s(zone, floor_div(at_ms, 1000));

    return next_s > INT64_MAX / 1000 ? ZONE_NEVER : next_s * 1000;
}

struct zone_local zone_local(const struct zone *zone, int64_t at_ms)
{
    const struct zone_type *type = type_at(zone, floor_div(at_ms, 1000));
    int64_t shift_ms = type->offset_s * (int64_t)1000;
    int64_t wall_ms = 0;

    if (__builtin_add_overflow(at_ms, shift_ms, &wall_ms))
        wall_ms = at_ms;
    struct clock_utc utc = clock_split_utc(wall_ms);
    struct zone_local local = {
        .year = utc.year,
        .month = utc.month,
        .day = utc.day,
        .hour = utc.hour,
        .minute = utc.minute,
        .second = utc.second,
        .millisecond = utc.millisecond,
        .weekday = utc.weekday,
        .offset_s = type->offset_s,
        .is_dst = type->is_dst,
    };
    memcpy(local.abbreviation, type->abbreviation, sizeof(local.abbreviation));
    return local;
}

int64_t zone_utc(const struct zone *zone, const struct zone_local *local)
{
    int64_t year = local->year < -YEAR_MAX ? -YEAR_MAX
                                           : (local->year > YEAR_MAX ? YEAR_MAX : local->year);
    int64_t months = year * 12 + local->month - 1;
    int64_t days = clock_days_from_civil(floor_div(months, 12),
                                         (int)(months - floor_div(months, 12) * 12) + 1, 1) +
                   local->day - 1;
    int64_t wall_ms = days * ZONE_DAY_S * 1000 + local->hour * (int64_t)3600000 +
                      local->minute * (int64_t)60000 + local->second * (int64_t)1000 +
                      local->millisecond;
    int64_t wall_s = floor_div(wall_ms, 1000);
    int64_t from_s = wall_s - ZONE_OFFSET_MAX_S;

    for (;;) {
        int64_t until_s = next_change_s(zone, from_s);
        int64_t shows_s = wall_s - type_at(zone, from_s)->offset_s;

        if (shows_s < from_s) /* a gap lies there */
            return from_s * 1000;
        if (shows_s < until_s)
            return shows_s * 1000 + (wall_ms - wall_s * 1000);
        from_s = until_s;
    }
}

int zones_get(struct zones *zones,
              const char *name,
              const struct zone **ret_zone,
              struct err *reterr)
{
    struct zone *zone = NULL;

    for (size_t i = 0; i < zones->n; i++)
        if (strcmp(zones->at[i]->name, name) == 0) {
            *ret_zone = zones->at[i];
            return 0;
        }
    int rc = zone_open_in(zones->folder ? zones->folder : ZONE_FOLDER, name, &zone, reterr);
    if (rc)
        return rc;
    zones->at = mem_grow(zones->at, &zones->capacity, zones->n + 1, sizeof(struct zone *));
    zones->at[zones->n++] = zone;
    *ret_zone = zone;
    return 0;
}

void zones_done(struct zones *zones)
{
    for (size_t i = 0; i < zones->n; i++)
        zone_free(zones->at[i]);
    free(zones->at);
    *zones = (struct zones){.folder = zones->folder};
}
