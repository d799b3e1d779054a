/*
 * Times and durations: taken apart, printed, and their methods.
 */

#include "alertd/template/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#define NS_PER_SECOND INT64_C(1000000000)
/* Go's zero time, 1 January of year 1 */
#define ZERO_SECONDS INT64_C(-62135596800)

const char *const tmpl_month_names[12] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
const char *const tmpl_day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

/* Negative times round down. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct tmpl_time tmpl_time_of(const struct value *time)
{
    bool is_zero = time->number == VALUE_TIME_ZERO;
    int64_t seconds = is_zero ? ZERO_SECONDS : floor_div(time->number, NS_PER_SECOND);
    struct tmpl_time split = {.unix_s = seconds};

    split.ns = is_zero ? 0 : (int)(time->number - seconds * NS_PER_SECOND);
    if (time->zone) {
        split.local = zone_local(time->zone, seconds * 1000);
    } else {
        struct clock_utc utc = clock_split_utc(seconds * 1000);

        split.local = (struct zone_local){
            .year = utc.year,
            .month = utc.month,
            .day = utc.day,
            .hour = utc.hour,
            .minute = utc.minute,
            .second = utc.second,
            .weekday = utc.weekday,
            .abbreviation = "UTC",
        };
    }
    split.year_day = (int)(clock_days_from_civil(split.local.year, split.local.month,
                                                 split.local.day) -
                           clock_days_from_civil(split.local.year, 1, 1)) +
                     1;
    return split;
}

void tmpl_print_time(const struct value *time, struct str *out)
{
    tmpl_format_time(time, "2006-01-02 15:04:05.999999999 -0700 MST", out);
}

static int method_format(struct tmpl_run *run,
                         const struct value *receiver,
                         const struct value *layout,
                         struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    const char *text;
    int r = tmpl_need_text(run, layout, &text);

    if (r)
        return r;
    tmpl_format_time(receiver, text, &out);
    return tmpl_give_text(run, &out, ret_value);
}

/* A duration, or a number of nanoseconds: 28800e9. */
static bool nanoseconds_of(const struct value *value, int64_t *ret_ns)
{
    if (value->kind == VALUE_FLOAT && value->real > -9e18 && value->real < 9e18 &&
        value->real == (double)(int64_t)value->real) {
        *ret_ns = (int64_t)value->real;
        return true;
    }
    *ret_ns = value->number;
    return value->kind == VALUE_DURATION || value->kind == VALUE_INT;
}

static int method_add(struct tmpl_run *run,
                      const struct value *receiver,
                      const struct value *duration,
                      struct value *ret_value)
{
    int64_t ns = 0;

    *ret_value = *receiver;
    if (receiver->number == VALUE_TIME_ZERO)
        return 0; /* there is none */
    if (!nanoseconds_of(duration, &ns) ||
        __builtin_add_overflow(receiver->number, ns, &ret_value->number))
        return tmpl_fail(run, "Add: expected a duration, got %s", value_type_name(duration));
    return 0;
}

/* What a time is asked about another one. */
static int method_of_two(struct tmpl_run *run,
                         const struct value *a,
                         const char *name,
                         const struct value *b,
                         struct value *ret_value)
{
    if (strcmp(name, "Sub") != 0 && strcmp(name, "Before") != 0 && strcmp(name, "After") != 0 &&
        strcmp(name, "Equal") != 0)
        return -ENOENT;
    if (b->kind != VALUE_TIME)
        return tmpl_fail(run, "%s: expected a time, got %s", name, value_type_name(b));
    if (name[0] == 'B' || name[0] == 'A') {
        *ret_value = value_bool(name[0] == 'B' ? a->number < b->number : a->number > b->number);
    } else if (name[0] == 'E') {
        *ret_value = value_bool(a->number == b->number);
    } else {
        *ret_value = (struct value){.kind = VALUE_DURATION};
        if (__builtin_sub_overflow(a->number, b->number, &ret_value->number))
            ret_value->number = a->number < b->number ? INT64_MIN : INT64_MAX; /* as Go */
    }
    return 0;
}

static int method_of_duration(const struct value *receiver,
                              const char *name,
                              struct value *ret_value)
{
    double ns = (double)receiver->number;

    if (strcmp(name, "Seconds") == 0)
        *ret_value = value_float(ns / 1e9);
    else if (strcmp(name, "Minutes") == 0)
        *ret_value = value_float(ns / 60e9);
    else if (strcmp(name, "Hours") == 0)
        *ret_value = value_float(ns / 3600e9);
    else if (strcmp(name, "Milliseconds") == 0)
        *ret_value = value_int(receiver->number / 1000000);
    else
        return -ENOENT;
    return 0;
}

/* Its parts as numbers. */
static int method_part(const struct tmpl_time *time, const char *name, struct value *ret_value)
{
    const struct {
        const char *name;
        int64_t number;
    } parts[] = {
        {"Unix", time->unix_s},         {"UnixMilli", time->unix_s * 1000 + time->ns / 1000000},
        {"Year", time->local.year},     {"Day", time->local.day},
        {"Hour", time->local.hour},     {"Minute", time->local.minute},
        {"Second", time->local.second}, {"Nanosecond", time->ns},
        {"YearDay", time->year_day},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (strcmp(parts[i].name, name) == 0) {
            *ret_value = value_int(parts[i].number);
            return 0;
        }
    return -ENOENT;
}

static int method_of_time(const struct value *receiver, const char *name, struct value *ret_value)
{
    struct tmpl_time time = tmpl_time_of(receiver);

    if (strcmp(name, "UTC") == 0 || strcmp(name, "Local") == 0) {
        *ret_value = *receiver; /* nobody's zone is ours: local is UTC */
        ret_value->zone = NULL;
    } else if (strcmp(name, "IsZero") == 0) {
        *ret_value = value_bool(receiver->number == VALUE_TIME_ZERO);
    } else if (strcmp(name, "Month") == 0) {
        *ret_value = value_text(tmpl_month_names[time.local.month - 1]);
    } else if (strcmp(name, "Weekday") == 0) {
        *ret_value = value_text(tmpl_day_names[time.local.weekday]);
    } else {
        return method_part(&time, name, ret_value);
    }
    return 0;
}

int tmpl_time_method(struct tmpl_run *run,
                     const struct value *receiver,
                     const char *name,
                     const struct value *args,
                     size_t n,
                     struct value *ret_value)
{
    bool is_time = receiver->kind == VALUE_TIME;

    if (!is_time && receiver->kind != VALUE_DURATION)
        return -ENOENT;
    if (n == 1 && is_time && strcmp(name, "Format") == 0)
        return method_format(run, receiver, &args[0], ret_value);
    if (n == 1 && is_time && strcmp(name, "Add") == 0)
        return method_add(run, receiver, &args[0], ret_value);
    if (n == 1 && is_time)
        return method_of_two(run, receiver, name, &args[0], ret_value);
    if (n != 0)
        return -ENOENT;
    if (strcmp(name, "String") == 0) {
        struct str text = STR_INIT(100);

        value_print(receiver, &text);
        return tmpl_give_text(run, &text, ret_value);
    }
    return is_time ? method_of_time(receiver, name, ret_value)
                   : method_of_duration(receiver, name, ret_value);
}
