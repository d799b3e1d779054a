/*
 * RRULE: on which days something happens again. See calendar_private.h.
 *
 * A rule has periods (a day, a week from its first weekday, a month, a year), of which every
 * interval-th counts, and each day of those is looked at: whether the rule's parts have it.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/oncall/calendar_private.h"
#include "lib/base/clock.h"

enum {
    INTERVAL_MAX = 1000,
    COUNT_MAX = 100 * 1000,
    DAYS_OF_WEEK = 7,
};

static const char *const weekdays[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

static int weekday_of(const char *text)
{
    for (int day = 0; day < DAYS_OF_WEEK; day++)
        if (strncasecmp(text, weekdays[day], 2) == 0)
            return day;
    return -1;
}

static bool read_int(const char **text, int max, int *ret)
{
    char *end = NULL;
    long value = strtol(*text, &end, 10);

    if (end == *text || value < -max || value > max)
        return false;
    *text = end;
    *ret = (int)value;
    return true;
}

/* 15,-1: days of the month, or (signed false) months. */
static bool read_numbers(const char *text, int max, uint64_t *ret_up, uint64_t *ret_down)
{
    for (;;) {
        int value = 0;

        if (!read_int(&text, max, &value) || value == 0 || (value < 0 && !ret_down))
            return false;
        if (value > 0)
            *ret_up |= UINT64_C(1) << value;
        else
            *ret_down |= UINT64_C(1) << -value;
        if (*text != ',')
            return !*text;
        text++;
    }
}

/* MO,-1FR,2TU */
static bool read_weekdays(const char *text, struct repeat *repeat)
{
    for (;;) {
        int nth = 0;

        if (isdigit((unsigned char)*text) || *text == '-' || *text == '+')
            if (!read_int(&text, 5, &nth) || nth == 0)
                return false;
        int weekday = weekday_of(text);

        if (weekday < 0 || repeat->n_weekdays == REPEAT_BYDAY_MAX)
            return false;
        repeat->weekdays[repeat->n_weekdays].nth = nth;
        repeat->weekdays[repeat->n_weekdays++].weekday = weekday;
        text += 2;
        if (*text != ',')
            return !*text;
        text++;
    }
}

static bool read_unit(const char *value, struct repeat *repeat)
{
    static const char *const units[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};

    for (int i = 0; i < 4; i++)
        if (strcasecmp(value, units[i]) == 0) {
            repeat->unit = (enum repeat_unit)(REPEAT_DAILY + i);
            return true;
        }
    return false;
}

static bool read_part(const char *key, const char *value, struct repeat *repeat)
{
    uint64_t months = 0;
    bool ok = false;

    if (strcasecmp(key, "FREQ") == 0)
        return read_unit(value, repeat);
    if (strcasecmp(key, "INTERVAL") == 0)
        return read_int(&value, INTERVAL_MAX, &repeat->interval) && !*value && repeat->interval > 0;
    if (strcasecmp(key, "COUNT") == 0)
        return read_int(&value, COUNT_MAX, &repeat->count) && !*value && repeat->count > 0;
    if (strcasecmp(key, "UNTIL") == 0) {
        repeat->has_until = true;
        return written_parse(value, strlen(value), &repeat->until);
    }
    if (strcasecmp(key, "WKST") == 0) {
        repeat->week_start = weekday_of(value);
        return repeat->week_start >= 0 && strlen(value) == 2;
    }
    if (strcasecmp(key, "BYDAY") == 0)
        return read_weekdays(value, repeat);
    if (strcasecmp(key, "BYMONTHDAY") == 0)
        return read_numbers(value, 31, &repeat->days, &repeat->last_days);
    if (strcasecmp(key, "BYMONTH") == 0)
        ok = read_numbers(value, 12, &months, NULL);
    repeat->months = (unsigned)months;
    return ok;
}

/* What the parts mean together, where we do not know. */
static const char *odd(const struct repeat *repeat)
{
    bool has_nth = false;

    for (size_t i = 0; i < repeat->n_weekdays; i++)
        has_nth |= repeat->weekdays[i].nth != 0;
    if (repeat->unit == REPEAT_NEVER)
        return "RRULE without FREQ";
    if (has_nth && repeat->unit != REPEAT_MONTHLY &&
        (repeat->unit != REPEAT_YEARLY || !repeat->months))
        return "RRULE: numbered weekdays are understood in months only";
    if (repeat->count && repeat->has_until)
        return "RRULE has both COUNT and UNTIL";
    return NULL;
}

const char *repeat_parse(const char *text, struct repeat *ret)
{
    struct repeat repeat = {.interval = 1, .week_start = 1};

    while (*text) {
        char key[16] = "", value[256] = "";
        size_t n_key = strcspn(text, "=;");
        size_t n_value = text[n_key] == '=' ? strcspn(text + n_key + 1, ";") : 0;

        if (n_key >= sizeof(key) || n_value == 0 || n_value >= sizeof(value))
            return "RRULE holds something that is not NAME=VALUE";
        memcpy(key, text, n_key);
        memcpy(value, text + n_key + 1, n_value);
        if (!read_part(key, value, &repeat))
            return "RRULE has a part or a value that is not understood";
        text += n_key + 1 + n_value;
        text += *text == ';';
    }
    *ret = repeat;
    return odd(&repeat);
}

static struct clock_utc date_of(int64_t day)
{
    return clock_split_utc(day * 86400000);
}

static int64_t month_start(int64_t months)
{
    int64_t year = months / 12 - (months % 12 < 0);

    return clock_days_from_civil(year, (int)(months - year * 12) + 1, 1);
}

static int64_t months_of(int64_t day)
{
    struct clock_utc date = date_of(day);

    return date.year * (int64_t)12 + date.month - 1;
}

static int64_t weekday_at(int64_t day)
{
    return ((day + 4) % DAYS_OF_WEEK + DAYS_OF_WEEK) % DAYS_OF_WEEK;
}

static bool has_weekday(const struct repeat *repeat, const struct clock_utc *date, int n_days)
{
    for (size_t i = 0; i < repeat->n_weekdays; i++) {
        int nth = repeat->weekdays[i].nth;

        if (repeat->weekdays[i].weekday != date->weekday)
            continue;
        if (nth == 0 || (date->day - 1) / DAYS_OF_WEEK + 1 == nth ||
            (n_days - date->day) / DAYS_OF_WEEK + 1 == -nth)
            return true;
    }
    return false;
}

bool repeat_has(const struct repeat *repeat, int64_t first_day, int64_t day)
{
    struct clock_utc date = date_of(day);
    struct clock_utc first = date_of(first_day);
    int64_t months = months_of(day);
    int n_days = (int)(month_start(months + 1) - month_start(months));
    bool by_day = repeat->n_weekdays > 0;
    bool by_monthday = repeat->days || repeat->last_days;

    if (repeat->months && !(repeat->months >> date.month & 1))
        return false;
    if (by_day && !has_weekday(repeat, &date, n_days))
        return false;
    if (by_monthday && !(repeat->days >> date.day & 1) &&
        !(repeat->last_days >> (n_days - date.day + 1) & 1))
        return false;
    if (by_day || by_monthday || repeat->unit == REPEAT_DAILY)
        return true;
    if (repeat->unit == REPEAT_WEEKLY)
        return date.weekday == first.weekday;
    return date.day == first.day &&
           (repeat->unit == REPEAT_MONTHLY || repeat->months || date.month == first.month);
}

void repeat_period(const struct repeat *repeat,
                   int64_t first_day,
                   int64_t index,
                   int64_t *ret_from,
                   int64_t *ret_to)
{
    int64_t step = index * repeat->interval;

    switch (repeat->unit) {
    case REPEAT_NEVER:
    case REPEAT_DAILY:
        *ret_from = first_day + step;
        *ret_to = *ret_from + 1;
        break;
    case REPEAT_WEEKLY:
        *ret_from = first_day -
                    (weekday_at(first_day) - repeat->week_start + DAYS_OF_WEEK) % DAYS_OF_WEEK +
                    step * DAYS_OF_WEEK;
        *ret_to = *ret_from + DAYS_OF_WEEK;
        break;
    case REPEAT_MONTHLY:
        *ret_from = month_start(months_of(first_day) + step);
        *ret_to = month_start(months_of(first_day) + step + 1);
        break;
    case REPEAT_YEARLY:
        *ret_from = month_start((date_of(first_day).year + step) * 12);
        *ret_to = month_start((date_of(first_day).year + step + 1) * 12);
        break;
    }
}

int64_t repeat_skip(const struct repeat *repeat, int64_t first_day, int64_t day)
{
    static const int64_t longest[] = {1, 1, DAYS_OF_WEEK, 31, 366};
    int64_t n = (day - first_day) / (longest[repeat->unit] * repeat->interval) - 2;

    return n > 0 ? n : 0;
}
