/*
 * Methods of times and durations, and Go's layouts of a time.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/clock.h"

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

static int method_format(struct tmpl_run *run,
                         const struct value *receiver,
                         const struct value *layout,
                         struct value *ret_value)
{
    struct str out = STR_INIT(TMPL_OUTPUT_MAX);
    struct clock_utc utc = clock_split_utc(receiver->number / 1000000);
    const char *at;
    int r = tmpl_need_text(run, layout, &at);

    if (r)
        return r;
    while (*at) {
        size_t used = add_layout_part(at, &utc, &out);

        if (used == 0)
            str_addc(&out, *at);
        at += used ? used : 1;
    }
    return tmpl_give_text(run, &out, ret_value);
}

static int method_add(struct tmpl_run *run,
                      const struct value *receiver,
                      const struct value *duration,
                      struct value *ret_value)
{
    *ret_value = *receiver;
    if (duration->kind != VALUE_DURATION ||
        __builtin_add_overflow(receiver->number, duration->number, &ret_value->number))
        return tmpl_fail(run, "Add: expected a duration, got %s", value_type_name(duration));
    return 0;
}

static int method_of_duration(struct tmpl_run *run,
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

static int method_of_time(struct tmpl_run *run,
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

int tmpl_method(struct tmpl_run *run,
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
        return tmpl_give_text(run, &text, ret_value);
    }
    return is_time ? method_of_time(run, receiver, name, ret_value)
                   : method_of_duration(run, receiver, name, ret_value);
}
