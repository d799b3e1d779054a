/*
 * Recurring times: read from the file, asked at an instant. See interval.h.
 */

#include "alertd/route/interval.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/route/config.h"

static int bad(const struct yaml_node *node, struct err *reterr, const char *words)
{
    return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column, "%s: \"%s\"", words,
                  node->text ? node->text : "");
}

static bool clock_minutes(const char *text, int *ret_minutes)
{
    int hour, minute;

    for (int i = 0; i < 5; i++)
        if (i == 2 ? text[i] != ':' : !isdigit((unsigned char)text[i]))
            return false;
    if (text[5])
        return false;
    hour = (text[0] - '0') * 10 + text[1] - '0';
    minute = (text[3] - '0') * 10 + text[4] - '0';
    *ret_minutes = hour * 60 + minute;
    return minute < 60 && *ret_minutes <= 24 * 60;
}

static int read_clock(const struct yaml_node *map,
                      const char *key,
                      int *ret_minutes,
                      struct err *reterr)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = "";

    if (!node)
        return err_at(reterr, ROUTE_E_CONFIG, map->line, map->column,
                      "a time range needs start_time and end_time");
    if (yaml_string(node, &text, reterr))
        return ROUTE_E_CONFIG;
    if (!clock_minutes(text, ret_minutes))
        return bad(node, reterr, "expected a time from 00:00 to 24:00");
    return 0;
}

static int read_time(const struct yaml_node *node, struct route_range *range, struct err *reterr)
{
    static const char *const known[] = {"start_time", "end_time", NULL};

    if (yaml_expect(node, YAML_MAP, "a map with start_time and end_time", reterr) ||
        yaml_only(node, known, reterr) || read_clock(node, "start_time", &range->first, reterr) ||
        read_clock(node, "end_time", &range->last, reterr))
        return ROUTE_E_CONFIG;
    if (range->first >= range->last)
        return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column,
                      "start_time must be before end_time; write two ranges for one over midnight");
    return 0;
}

/* What the ends of a range are. */
struct unit {
    const char *what;
    const char *const *names; /* NULL: numbers only */
    int base;                 /* what names[0] is */
    bool numbers;             /* besides names */
    int lowest, highest;
};

static const char *const weekday_names[] = {"sunday",   "monday", "tuesday",  "wednesday",
                                            "thursday", "friday", "saturday", NULL};
static const char *const month_names[] = {"january",  "february", "march",  "april",     "may",
                                          "june",     "july",     "august", "september", "october",
                                          "november", "december", NULL};

static const struct unit weekday_unit = {"weekday", weekday_names, 0, false, 0, 6};
static const struct unit day_unit = {
    "day of the month, 1 to 31 or -1 to -31", NULL, 0, true, -31, 31};
static const struct unit month_unit = {"month", month_names, 1, true, 1, 12};
static const struct unit year_unit = {"year", NULL, 0, true, 0, 9999};

static bool read_end(const struct unit *unit, const char *text, size_t len, int *ret_value)
{
    char copy[16];
    char *end = NULL;

    if (len == 0 || len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    for (size_t i = 0; unit->names && unit->names[i]; i++)
        if (strcasecmp(unit->names[i], copy) == 0) {
            *ret_value = unit->base + (int)i;
            return true;
        }
    if (!unit->numbers || isspace((unsigned char)copy[0]))
        return false;

    long value = strtol(copy, &end, 10);

    *ret_value = (int)value;
    return *end == '\0' && value >= unit->lowest && value <= unit->highest &&
           (unit->lowest >= 0 || value != 0);
}

static int read_range(const struct unit *unit,
                      const struct yaml_node *node,
                      struct route_range *range,
                      struct err *reterr)
{
    const char *text = "";
    const char *colon;
    int last;

    if (yaml_string(node, &text, reterr))
        return ROUTE_E_CONFIG;
    colon = strchr(text, ':');
    if (!read_end(unit, text, colon ? (size_t)(colon - text) : strlen(text), &range->first) ||
        (colon && !read_end(unit, colon + 1, strlen(colon + 1), &range->last)))
        return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column,
                      "\"%s\" is no %s, nor two of them with a colon between", text, unit->what);
    if (!colon)
        range->last = range->first;
    if (range->first < 0 && range->last > 0)
        return bad(node, reterr, "a range from a negative day must end with a negative one");
    /* the longest month tells whether it can ever hold */
    last = range->first > 0 && range->last < 0 ? range->last + 32 : range->last;
    if (last < range->first)
        return bad(node, reterr, "the range ends before it begins");
    return 0;
}

static int read_ranges(struct arena *arena,
                       const struct yaml_node *list,
                       const struct unit *unit, /* NULL: times of day */
                       struct route_ranges *ranges,
                       struct err *reterr)
{
    if (!list)
        return 0;
    if (yaml_expect(list, YAML_LIST, "a list of ranges", reterr))
        return ROUTE_E_CONFIG;
    if (list->n > ROUTE_RANGES_MAX)
        return bad(list, reterr, "there may be at most 100 ranges");
    ranges->at = arena_array(arena, list->n + 1, sizeof(*ranges->at));
    if (!ranges->at)
        return bad(list, reterr, "the config is too large to hold in memory");
    for (; ranges->n < list->n; ranges->n++) {
        struct route_range *at = &ranges->at[ranges->n];
        const struct yaml_node *node = list->items[ranges->n];

        if (unit ? read_range(unit, node, at, reterr) : read_time(node, at, reterr))
            return ROUTE_E_CONFIG;
    }
    return 0;
}

static int read_location(struct zones *zones,
                         const struct yaml_node *node,
                         const struct zone **ret_zone,
                         struct err *reterr)
{
    const char *name = "";

    if (!node)
        return 0;
    if (yaml_string(node, &name, reterr))
        return ROUTE_E_CONFIG;
    if (strcmp(name, "Local") == 0)
        return bad(node, reterr, "name the time zone itself, such as Europe/Berlin");
    if (zones_get(zones, name, ret_zone, reterr))
        return err_at(reterr, ROUTE_E_CONFIG, node->line, node->column,
                      "no time zone is named \"%s\"", name);
    return 0;
}

static int read_span(struct arena *arena,
                     struct zones *zones,
                     const struct yaml_node *node,
                     struct route_span *span,
                     struct err *reterr)
{
    static const char *const known[] = {"times",    "weekdays", "days_of_month", "months", "years",
                                        "location", NULL};

    if (yaml_expect(node, YAML_MAP, "a map of times, weekdays ...", reterr) ||
        yaml_only(node, known, reterr) ||
        read_ranges(arena, yaml_get(node, "times"), NULL, &span->times, reterr) ||
        read_ranges(arena, yaml_get(node, "weekdays"), &weekday_unit, &span->weekdays, reterr) ||
        read_ranges(arena, yaml_get(node, "days_of_month"), &day_unit, &span->days_of_month,
                    reterr) ||
        read_ranges(arena, yaml_get(node, "months"), &month_unit, &span->months, reterr) ||
        read_ranges(arena, yaml_get(node, "years"), &year_unit, &span->years, reterr))
        return ROUTE_E_CONFIG;
    return read_location(zones, yaml_get(node, "location"), &span->zone, reterr);
}

int route_interval_read(struct arena *arena,
                        struct zones *zones,
                        const struct yaml_node *list,
                        struct route_interval *interval,
                        struct err *reterr)
{
    if (!list)
        return 0;
    if (yaml_expect(list, YAML_LIST, "a list of times", reterr))
        return ROUTE_E_CONFIG;
    if (list->n > ROUTE_SPANS_MAX)
        return bad(list, reterr, "there may be at most 100 times in an interval");
    interval->spans = arena_array(arena, list->n + 1, sizeof(*interval->spans));
    if (!interval->spans)
        return bad(list, reterr, "the config is too large to hold in memory");
    for (; interval->n < list->n; interval->n++)
        if (read_span(arena, zones, list->items[interval->n], &interval->spans[interval->n],
                      reterr))
            return ROUTE_E_CONFIG;
    return 0;
}

static bool within(const struct route_ranges *ranges, int value)
{
    for (size_t i = 0; i < ranges->n; i++)
        if (value >= ranges->at[i].first && value <= ranges->at[i].last)
            return true;
    return ranges->n == 0;
}

static bool time_within(const struct route_ranges *times, int minutes)
{
    for (size_t i = 0; i < times->n; i++)
        if (minutes >= times->at[i].first && minutes < times->at[i].last)
            return true;
    return times->n == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool day_within(const struct route_ranges *days, const struct zone_local *local)
{
    int in_month = days_in_month(local->year, local->month);

    for (size_t i = 0; i < days->n; i++) {
        int first = days->at[i].first;
        int last = days->at[i].last;

        first = first < 0 ? in_month + first + 1 : first;
        last = last < 0 ? in_month + last + 1 : last;
        if (first <= in_month && local->day >= first && local->day <= last)
            return true;
    }
    return days->n == 0;
}

/* The calendar of UTC needs no zone file. */
static struct zone_local utc_local(int64_t at_ms)
{
    int64_t second = (at_ms - ((at_ms % 1000) + 1000) % 1000) / 1000;
    int64_t day = (second - ((second % 86400) + 86400) % 86400) / 86400;
    int64_t of_day = second - day * 86400;
    int64_t z = day + 719468; /* days since 1 March of the year 0 */
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    return (struct zone_local){
        .year = (int)(year + era * 400 + (month >= 10)),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
        .hour = (int)(of_day / 3600),
        .minute = (int)(of_day / 60 % 60),
        .weekday = (int)(((day + 4) % 7 + 7) % 7),
    };
}

bool route_span_holds(const struct route_span *span, int64_t at_ms)
{
    struct zone_local local = span->zone ? zone_local(span->zone, at_ms) : utc_local(at_ms);

    return time_within(&span->times, local.hour * 60 + local.minute) &&
           day_within(&span->days_of_month, &local) && within(&span->months, local.month) &&
           within(&span->weekdays, local.weekday) && within(&span->years, local.year);
}

bool route_interval_holds(const struct route_interval *interval, int64_t at_ms)
{
    for (size_t i = 0; i < interval->n; i++)
        if (route_span_holds(&interval->spans[i], at_ms))
            return true;
    return false;
}
