/*
 * The footer of a TZif file: POSIX' TZ text with the extensions of RFC 8536, a rule that
 * holds for every year to come. See zone.h.
 *
 *     CET-1CEST,M3.5.0,M10.5.0/3       std offset dst [offset] , start [/time] , end [/time]
 *
 * Offsets are written west of Greenwich. dst may lie behind standard time (Europe/Dublin).
 */

#include <ctype.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/model/zone_private.h"

enum {
    HOURS_MAX = 167,  /* RFC 8536, 3.3.1 */
    YEARS_AROUND = 3, /* a change's time of day may reach into the year beside */
    CHANGES = 2 * YEARS_AROUND,
};

static bool read_number(const char **text, int max, int *ret_value)
{
    int value = 0;

    if (!isdigit((unsigned char)**text))
        return false;
    for (; isdigit((unsigned char)**text); (*text)++) {
        value = value * 10 + (**text - '0');
        if (value > max)
            return false;
    }
    *ret_value = value;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(const char **text, int hours_max, int *ret_s)
{
    int sign = **text == '-' ? -1 : 1;
    int hours = 0, minutes = 0, seconds = 0;

    if (**text == '-' || **text == '+')
        (*text)++;
    if (!read_number(text, hours_max, &hours))
        return false;
    if (**text == ':') {
        (*text)++;
        if (!read_number(text, 59, &minutes))
            return false;
        if (**text == ':') {
            (*text)++;
            if (!read_number(text, 59, &seconds))
                return false;
        }
    }
    *ret_s = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

/* CET or <+03> */
static bool read_abbreviation(const char **text, char *ret_name)
{
    bool quoted = **text == '<';
    size_t n = 0;

    if (quoted)
        (*text)++;
    for (; isalpha((unsigned char)**text) ||
           (quoted && (isdigit((unsigned char)**text) || **text == '+' || **text == '-'));
         (*text)++) {
        if (n + 1 == ZONE_ABBREVIATION_MAX)
            return false;
        ret_name[n++] = **text;
    }
    ret_name[n] = '\0';
    if (quoted && *(*text)++ != '>')
        return false;
    return n >= 3;
}

static bool read_type(const char **text, struct zone_type *type)
{
    return read_abbreviation(text, type->abbreviation);
}

static bool read_month_week(const char **text, struct zone_yearly *yearly)
{
    if (!read_number(text, 12, &yearly->month) || *(*text)++ != '.' ||
        !read_number(text, 5, &yearly->week) || *(*text)++ != '.' ||
        !read_number(text, 6, &yearly->weekday))
        return false;
    return yearly->month > 0 && yearly->week > 0;
}

static bool read_yearly(const char **text, struct zone_yearly *yearly)
{
    bool ok = false;

    yearly->time_s = 2 * 3600;
    if (*(*text)++ != ',')
        return false;
    if (**text == 'M') {
        (*text)++;
        yearly->kind = ZONE_YEARLY_MONTH;
        ok = read_month_week(text, yearly);
    } else if (**text == 'J') {
        (*text)++;
        yearly->kind = ZONE_YEARLY_JULIAN;
        ok = read_number(text, 365, &yearly->day) && yearly->day > 0;
    } else {
        yearly->kind = ZONE_YEARLY_DAY;
        ok = read_number(text, 365, &yearly->day);
    }
    if (ok && **text == '/') {
        (*text)++;
        ok = read_time(text, HOURS_MAX, &yearly->time_s);
    }
    return ok;
}

static bool read_rule(const char *text, struct zone_rule *rule)
{
    int west_s = 0;

    if (!read_type(&text, &rule->standard) || !read_time(&text, 24, &west_s))
        return false;
    rule->standard.offset_s = -west_s;
    if (!*text)
        return true;
    rule->has_dst = true;
    rule->dst.is_dst = true;
    if (!read_type(&text, &rule->dst))
        return false;
    west_s -= 3600;
    if (*text && *text != ',' && !read_time(&text, 24, &west_s))
        return false;
    rule->dst.offset_s = -west_s;
    return read_yearly(&text, &rule->start) && read_yearly(&text, &rule->end) && !*text;
}

int zone_rule_parse(const char *text, struct zone_rule *ret_rule, struct err *reterr)
{
    struct zone_rule rule = {.is_set = true};

    if (!read_rule(text, &rule))
        return err_set(reterr, ZONE_E_DATA, "the footer '%.80s' is no rule of POSIX' TZ", text);
    *ret_rule = rule;
    return 0;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since 1970-01-01 of this year's change. */
static int64_t change_day(const struct zone_yearly *yearly, int64_t year)
{
    int64_t first = clock_days_from_civil(year, 1, 1);

    switch (yearly->kind) {
    case ZONE_YEARLY_DAY: return first + yearly->day;
    case ZONE_YEARLY_JULIAN:
        return first + yearly->day - 1 + (is_leap(year) && yearly->day > 31 + 28);
    case ZONE_YEARLY_MONTH: break;
    }
    int64_t month = clock_days_from_civil(year, yearly->month, 1);
    int64_t behind = yearly->month == 12 ? clock_days_from_civil(year + 1, 1, 1)
                                         : clock_days_from_civil(year, yearly->month + 1, 1);
    int64_t weekday = ((month + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    int64_t day = month + (yearly->weekday - weekday + 7) % 7 + (yearly->week - 1) * 7;

    return day < behind ? day : day - 7;
}

struct change {
    int64_t at_s;
    const struct zone_type *into;
};

/* The changes of the years around an instant, in the order in which they are meant. */
static void changes_around(const struct zone_rule *rule, int64_t at_s, struct change *ret_changes)
{
    int64_t year = clock_split_utc(at_s < INT64_MIN / 1000 ? INT64_MIN : at_s * 1000).year;
    size_t n = 0;

    for (int64_t y = year - 1; y <= year + 1; y++) {
        struct change start = {change_day(&rule->start, y) * ZONE_DAY_S + rule->start.time_s -
                                   rule->standard.offset_s,
                               &rule->dst};
        struct change end = {change_day(&rule->end, y) * ZONE_DAY_S + rule->end.time_s -
                                 rule->dst.offset_s,
                             &rule->standard};
        bool north = start.at_s <= end.at_s;

        ret_changes[n++] = north ? start : end;
        ret_changes[n++] = north ? end : start;
    }
}

const struct zone_type *zone_rule_type(const struct zone_rule *rule, int64_t at_s)
{
    struct change changes[CHANGES];
    const struct zone_type *type = &rule->standard;
    int64_t newest_s = INT64_MIN;

    if (!rule->has_dst)
        return type;
    changes_around(rule, at_s, changes);
    for (size_t i = 0; i < CHANGES; i++)
        if (changes[i].at_s <= at_s && changes[i].at_s >= newest_s) {
            newest_s = changes[i].at_s;
            type = changes[i].into;
        }
    return type;
}

int64_t zone_rule_next_s(const struct zone_rule *rule, int64_t at_s)
{
    struct change changes[CHANGES] = {0};
    int64_t next_s = ZONE_NEVER;

    if (!rule->has_dst)
        return next_s;
    changes_around(rule, at_s, changes);
    for (size_t i = 0; i < CHANGES; i++)
        if (changes[i].at_s > at_s && changes[i].at_s < next_s)
            next_s = changes[i].at_s;
    return next_s;
}
