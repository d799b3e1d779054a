/*
 * Numbers for people, and times: humanize and its relatives as Prometheus has them.
 * Four significant digits everywhere; zero, NaN and infinities print without a unit.
 */

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "alertd/rule/template_private.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

static void add_digits(struct str *out, double value)
{
    if (isnan(value))
        str_add(out, "NaN");
    else if (isinf(value))
        str_add(out, value > 0 ? "+Inf" : "-Inf");
    else
        str_addf(out, "%.4g", value);
}

/* Divides (or, below one, multiplies) by 1000 until it fits, and names the unit. */
static void add_scaled(struct str *out, double value)
{
    static const char *const large[] = {"", "k", "M", "G", "T", "P", "E", "Z", "Y"};
    static const char *const small[] = {"", "m", "u", "n", "p", "f", "a", "z", "y"};
    size_t unit = 0;

    if (fabs(value) >= 1) {
        for (; fabs(value) >= 1000 && unit < 8; unit++)
            value /= 1000;
        add_digits(out, value);
        str_add(out, large[unit]);
    } else {
        for (; fabs(value) < 1 && unit < 8; unit++)
            value *= 1000;
        add_digits(out, value);
        str_add(out, small[unit]);
    }
}

static bool has_no_unit(double value)
{
    return value == 0 || !isfinite(value);
}

static int fn_humanize(struct rule_template_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    struct str text = STR_INIT(100);
    double value;
    int r = rule_template_need_float(run, &args[0], &value);

    if (r)
        return r;
    if (has_no_unit(value))
        add_digits(&text, value);
    else
        add_scaled(&text, value);
    return rule_template_give_text(run, &text, ret_value);
}

static int fn_humanize1024(struct rule_template_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    static const char *const units[] = {"", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
    struct str text = STR_INIT(100);
    size_t unit = 0;
    double value;
    int r = rule_template_need_float(run, &args[0], &value);

    if (r)
        return r;
    for (; isfinite(value) && fabs(value) >= 1024 && unit < 8; unit++)
        value /= 1024;
    add_digits(&text, value);
    str_add(&text, units[unit]);
    return rule_template_give_text(run, &text, ret_value);
}

/* 1 s and more: whole days, hours, minutes, seconds; below a minute four digits. */
static void add_long_duration(struct str *out, double value)
{
    double size = fabs(value);
    const char *sign = value < 0 ? "-" : "";
    int64_t seconds = size < 9e18 ? (int64_t)size : INT64_MAX;
    long long days = seconds / 86400, hours = seconds / 3600 % 24;
    long long minutes = seconds / 60 % 60, rest = seconds % 60;

    if (days)
        str_addf(out, "%s%lldd %lldh %lldm %llds", sign, days, hours, minutes, rest);
    else if (hours)
        str_addf(out, "%s%lldh %lldm %llds", sign, hours, minutes, rest);
    else if (minutes)
        str_addf(out, "%s%lldm %llds", sign, minutes, rest);
    else
        str_addf(out, "%s%.4gs", sign, size);
}

static int fn_humanize_duration(struct rule_template_run *run,
                                const struct value *args,
                                size_t n,
                                struct value *ret_value)
{
    struct str text = STR_INIT(100);
    double value;
    int r = rule_template_need_float(run, &args[0], &value);

    if (r)
        return r;
    if (!isfinite(value)) {
        add_digits(&text, value);
    } else if (value == 0 || fabs(value) >= 1) {
        add_long_duration(&text, value);
    } else {
        add_scaled(&text, value);
        str_addc(&text, 's');
    }
    return rule_template_give_text(run, &text, ret_value);
}

static int fn_humanize_percentage(struct rule_template_run *run,
                                  const struct value *args,
                                  size_t n,
                                  struct value *ret_value)
{
    struct str text = STR_INIT(100);
    double value;
    int r = rule_template_need_float(run, &args[0], &value);

    if (r)
        return r;
    add_digits(&text, value * 100);
    str_addc(&text, '%');
    return rule_template_give_text(run, &text, ret_value);
}

/* Seconds to nanoseconds, at the milliseconds Prometheus keeps. */
static int to_ns(struct rule_template_run *run, double seconds, int64_t *ret_ns)
{
    double ns = seconds * 1e9;

    if (!(ns > -9223372036854775808.0 && ns < 9223372036854775808.0))
        return rule_template_fail(run, "%g seconds is no time: before 1677 or after 2262", seconds);
    *ret_ns = (int64_t)ns / 1000000 * 1000000;
    return 0;
}

static int fn_humanize_timestamp(struct rule_template_run *run,
                                 const struct value *args,
                                 size_t n,
                                 struct value *ret_value)
{
    struct str text = STR_INIT(100);
    int64_t at_ns = 0;
    double value;
    int r = rule_template_need_float(run, &args[0], &value);

    if (r)
        return r;
    if (!isfinite(value)) {
        add_digits(&text, value);
    } else {
        r = to_ns(run, value, &at_ns);
        if (r)
            return r;
        rule_template_print_time(at_ns, &text);
    }
    return rule_template_give_text(run, &text, ret_value);
}

static int fn_to_time(struct rule_template_run *run,
                      const struct value *args,
                      size_t n,
                      struct value *ret_value)
{
    double value;
    int r = rule_template_need_float(run, &args[0], &value);

    *ret_value = (struct value){.kind = VALUE_TIME};
    return r ? r : to_ns(run, value, &ret_value->number);
}

static int fn_to_duration(struct rule_template_run *run,
                          const struct value *args,
                          size_t n,
                          struct value *ret_value)
{
    double value;
    int r = rule_template_need_float(run, &args[0], &value);

    *ret_value = (struct value){.kind = VALUE_DURATION};
    return r ? r : to_ns(run, value, &ret_value->number);
}

static int fn_now(struct rule_template_run *run,
                  const struct value *args,
                  size_t n,
                  struct value *ret_value)
{
    *ret_value = value_float((double)run->data->now_ms / 1000);
    return 0;
}

/* Prometheus' spelling, or Go's ("-30m", "1.5h"); seconds as a number. */
static int fn_parse_duration(struct rule_template_run *run,
                             const struct value *args,
                             size_t n,
                             struct value *ret_value)
{
    const char *text;
    int64_t duration_ms;
    int r = rule_template_need_text(run, &args[0], &text);

    if (r)
        return r;
    bool minus = text[0] == '-';
    size_t skip = minus || text[0] == '+';
    if (duration_parse(text + skip, strlen(text + skip), &duration_ms) != 0)
        return rule_template_fail(run, "\"%.60s\" is not a duration", text);
    *ret_value = value_float((double)(minus ? -duration_ms : duration_ms) / 1000);
    return 0;
}

/* --- Methods ----------------------------------------------------------------------------- */

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
static const char *const day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

/* Go spells a layout by an example: Mon Jan 2 15:04:05 2006. Returns the letters used, 0
 * when what stands at `layout` is not a part of it. Longer spellings come first. */
static size_t add_layout_part(const char *layout, const struct clock_utc *utc, struct str *out)
{
    int hour12 = utc->hour % 12 ? utc->hour % 12 : 12;
    const struct {
        const char *example;
        const char *text; /* NULL: number */
        int width, number;
        int cut;
    } parts[] = {
        {"January", month_names[utc->month - 1], 0, 0, 100},
        {"Jan", month_names[utc->month - 1], 0, 0, 3},
        {"Monday", day_names[utc->weekday], 0, 0, 100},
        {"Mon", day_names[utc->weekday], 0, 0, 3},
        {"MST", "UTC", 0, 0, 100},
        {"_2", NULL, -2, utc->day, 0},
        {"2006", NULL, 4, utc->year, 0},
        {"15", NULL, 2, utc->hour, 0},
        {"01", NULL, 2, utc->month, 0},
        {"02", NULL, 2, utc->day, 0},
        {"03", NULL, 2, hour12, 0},
        {"04", NULL, 2, utc->minute, 0},
        {"05", NULL, 2, utc->second, 0},
        {"06", NULL, 2, utc->year % 100, 0},
        {".000", NULL, 1000, utc->millisecond, 0},
        {"PM", utc->hour < 12 ? "AM" : "PM", 0, 0, 100},
        {"pm", utc->hour < 12 ? "am" : "pm", 0, 0, 100},
        {"-07:00", "+00:00", 0, 0, 100},
        {"-0700", "+0000", 0, 0, 100},
        {"Z07:00", "Z", 0, 0, 100},
        {"1", NULL, 1, utc->month, 0},
        {"2", NULL, 1, utc->day, 0},
        {"3", NULL, 1, hour12, 0},
        {"4", NULL, 1, utc->minute, 0},
        {"5", NULL, 1, utc->second, 0},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        size_t len = strlen(parts[i].example);

        if (strncmp(layout, parts[i].example, len) != 0)
            continue;
        if (parts[i].text)
            str_addf(out, "%.*s", parts[i].cut, parts[i].text);
        else if (parts[i].width == 1000)
            str_addf(out, ".%03d", parts[i].number);
        else if (parts[i].width < 0) /* blanks in front */
            str_addf(out, "%*d", -parts[i].width, parts[i].number);
        else
            str_addf(out, "%0*d", parts[i].width, parts[i].number);
        return len;
    }
    return 0;
}

static int method_format(struct rule_template_run *run,
                         const struct value *receiver,
                         const struct value *layout,
                         struct value *ret_value)
{
    struct str out = STR_INIT(RULE_TEMPLATE_OUTPUT_MAX);
    struct clock_utc utc = clock_split_utc(receiver->number / 1000000);
    const char *at;
    int r = rule_template_need_text(run, layout, &at);

    if (r)
        return r;
    while (*at) {
        size_t used = add_layout_part(at, &utc, &out);

        if (used == 0)
            str_addc(&out, *at);
        at += used ? used : 1;
    }
    return rule_template_give_text(run, &out, ret_value);
}

static int method_add(struct rule_template_run *run,
                      const struct value *receiver,
                      const struct value *duration,
                      struct value *ret_value)
{
    *ret_value = *receiver;
    if (duration->kind != VALUE_DURATION ||
        __builtin_add_overflow(receiver->number, duration->number, &ret_value->number))
        return rule_template_fail(run, "Add: expected a duration, got %s",
                                  value_type_name(duration));
    return 0;
}

static int method_of_duration(struct rule_template_run *run,
                              const struct value *receiver,
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

static int method_of_time(struct rule_template_run *run,
                          const struct value *receiver,
                          const char *name,
                          struct value *ret_value)
{
    struct clock_utc utc = clock_split_utc(receiver->number / 1000000);

    if (strcmp(name, "Unix") == 0)
        *ret_value = value_int(receiver->number / 1000000000);
    else if (strcmp(name, "UnixMilli") == 0)
        *ret_value = value_int(receiver->number / 1000000);
    else if (strcmp(name, "UTC") == 0)
        *ret_value = *receiver;
    else if (strcmp(name, "Year") == 0)
        *ret_value = value_int(utc.year);
    else if (strcmp(name, "Day") == 0)
        *ret_value = value_int(utc.day);
    else if (strcmp(name, "Hour") == 0)
        *ret_value = value_int(utc.hour);
    else if (strcmp(name, "Minute") == 0)
        *ret_value = value_int(utc.minute);
    else if (strcmp(name, "Second") == 0)
        *ret_value = value_int(utc.second);
    else if (strcmp(name, "YearDay") == 0)
        *ret_value = value_int(utc.yearday);
    else if (strcmp(name, "Month") == 0)
        *ret_value = value_text(month_names[utc.month - 1]);
    else if (strcmp(name, "Weekday") == 0)
        *ret_value = value_text(day_names[utc.weekday]);
    else
        return -ENOENT;
    return 0;
}

int rule_template_method(struct rule_template_run *run,
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
    if (n != 0)
        return -ENOENT;
    if (strcmp(name, "String") == 0) {
        struct str text = STR_INIT(100);

        value_print(receiver, &text);
        return rule_template_give_text(run, &text, ret_value);
    }
    return is_time ? method_of_time(run, receiver, name, ret_value)
                   : method_of_duration(run, receiver, name, ret_value);
}

const struct rule_template_fn rule_template_human_fns[] = {
    {"humanize", 1, 1, fn_humanize, false},
    {"humanize1024", 1, 1, fn_humanize1024, false},
    {"humanizeDuration", 1, 1, fn_humanize_duration, false},
    {"humanizePercentage", 1, 1, fn_humanize_percentage, false},
    {"humanizeTimestamp", 1, 1, fn_humanize_timestamp, false},
    {"toTime", 1, 1, fn_to_time, false},
    {"toDuration", 1, 1, fn_to_duration, false},
    {"now", 0, 0, fn_now, false},
    {"parseDuration", 1, 1, fn_parse_duration, false},
    {0},
};
