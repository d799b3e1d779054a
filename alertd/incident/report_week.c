/*
 * Weeks and days of a report, in a zone. See report.h.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/incident/report.h"
#include "lib/base/clock.h"

enum {
    DAYS_IN_WEEK = 7,
};

/* 0: Monday ... 6: Sunday, of days since 1970-01-01 (a Thursday). */
static int weekday_of(int64_t days)
{
    return (int)(((days + 3) % DAYS_IN_WEEK + DAYS_IN_WEEK) % DAYS_IN_WEEK);
}

/* The Monday of a year's first week: the one 4 January is in. */
static int64_t first_monday(int64_t year)
{
    int64_t days = clock_days_from_civil(year, 1, 4);

    return days - weekday_of(days);
}

/* Local midnight of a day. */
static int64_t midnight(const struct zone *zone, int64_t days)
{
    struct zone_local local = {.year = 1970, .month = 1, .day = (int)(1 + days)};

    return zone_utc(zone, &local);
}

static int64_t day_of(const struct zone *zone, int64_t at_ms)
{
    struct zone_local local = zone_local(zone, at_ms);

    return clock_days_from_civil(local.year, local.month, local.day);
}

int report_week_span(const char *week,
                     const struct zone *zone,
                     int64_t *ret_from_ms,
                     int64_t *ret_to_ms)
{
    static const char form[] = "0000-W00";
    int year;
    int number;

    if (strlen(week) != sizeof(form) - 1)
        return -EINVAL;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == '0' ? week[i] < '0' || week[i] > '9' : week[i] != form[i])
            return -EINVAL;
    year = (int)strtol(week, NULL, 10);
    number = (int)strtol(week + 6, NULL, 10);

    int64_t monday = first_monday(year) + (int64_t)(number - 1) * DAYS_IN_WEEK;

    if (year < 1970 || number < 1 || monday >= first_monday(year + 1))
        return -EINVAL;
    *ret_from_ms = midnight(zone, monday);
    *ret_to_ms = midnight(zone, monday + DAYS_IN_WEEK);
    return 0;
}

void report_week_of(const struct zone *zone, int64_t at_ms, char *ret_week)
{
    struct zone_local local = zone_local(zone, at_ms);
    int64_t days = clock_days_from_civil(local.year, local.month, local.day);
    int64_t year = local.year;

    if (days < first_monday(year))
        year--;
    else if (days >= first_monday(year + 1))
        year++;
    (void)snprintf(ret_week, REPORT_WEEK_MAX, "%04d-W%02d", (int)year,
                   (int)((days - first_monday(year)) / DAYS_IN_WEEK) + 1);
}

size_t report_days(const struct zone *zone,
                   int64_t from_ms,
                   int64_t to_ms,
                   struct report_shift *ret_shifts)
{
    int64_t day = day_of(zone, from_ms);
    size_t n = 0;

    while (from_ms < to_ms && n < REPORT_DAYS_MAX) {
        int64_t end_ms = midnight(zone, ++day);

        if (end_ms > to_ms)
            end_ms = to_ms;
        if (end_ms > from_ms) /* a zone may leave a day out altogether */
            ret_shifts[n++] = (struct report_shift){NULL, from_ms, end_ms};
        from_ms = end_ms;
    }
    return n;
}

int64_t report_weekly_due(const struct zone *zone, int weekday, int hour, int64_t now_ms)
{
    struct zone_local local = zone_local(zone, now_ms);
    int back = (local.weekday - weekday + DAYS_IN_WEEK) % DAYS_IN_WEEK;
    struct zone_local due = {
        .year = local.year, .month = local.month, .day = local.day - back, .hour = hour};
    int64_t due_ms = zone_utc(zone, &due);

    if (due_ms <= now_ms)
        return due_ms;
    due.day -= DAYS_IN_WEEK;
    return zone_utc(zone, &due);
}
