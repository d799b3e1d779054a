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

static bool has_no_unit(double value)
{
    return value == 0 || !isfinite(value);
}

static int fn_humanize(struct tmpl_run *run,
                       const struct value *args,
                       size_t n,
                       struct value *ret_value)
{
    struct str text = STR_INIT(100);
    double value;
    int r = tmpl_need_float(run, &args[0], &value);

    if (r)
        return r;
    if (has_no_unit(value))
        tmpl_add_digits(&text, value);
    else
        tmpl_add_scaled(&text, value);
    return tmpl_give_text(run, &text, ret_value);
}

static int fn_humanize1024(struct tmpl_run *run,
                           const struct value *args,
                           size_t n,
                           struct value *ret_value)
{
    static const char *const units[] = {"", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
    struct str text = STR_INIT(100);
    size_t unit = 0;
    double value;
    int r = tmpl_need_float(run, &args[0], &value);

    if (r)
        return r;
    for (; isfinite(value) && fabs(value) >= 1024 && unit < 8; unit++)
        value /= 1024;
    tmpl_add_digits(&text, value);
    str_add(&text, units[unit]);
    return tmpl_give_text(run, &text, ret_value);
}

static int fn_humanize_percentage(struct tmpl_run *run,
                                  const struct value *args,
                                  size_t n,
                                  struct value *ret_value)
{
    struct str text = STR_INIT(100);
    double value;
    int r = tmpl_need_float(run, &args[0], &value);

    if (r)
        return r;
    tmpl_add_digits(&text, value * 100);
    str_addc(&text, '%');
    return tmpl_give_text(run, &text, ret_value);
}

/* Seconds to nanoseconds, at the milliseconds Prometheus keeps. */
static int to_ns(struct tmpl_run *run, double seconds, int64_t *ret_ns)
{
    double ns = seconds * 1e9;

    if (!(ns > -9223372036854775808.0 && ns < 9223372036854775808.0))
        return tmpl_fail(run, "%g seconds is no time: before 1677 or after 2262", seconds);
    *ret_ns = (int64_t)ns / 1000000 * 1000000;
    return 0;
}

static int fn_humanize_timestamp(struct tmpl_run *run,
                                 const struct value *args,
                                 size_t n,
                                 struct value *ret_value)
{
    struct str text = STR_INIT(100);
    int64_t at_ns = 0;
    double value;
    int r = tmpl_need_float(run, &args[0], &value);

    if (r)
        return r;
    if (!isfinite(value)) {
        tmpl_add_digits(&text, value);
    } else {
        r = to_ns(run, value, &at_ns);
        if (r)
            return r;
        tmpl_print_time(&(struct value){.kind = VALUE_TIME, .number = at_ns}, &text);
    }
    return tmpl_give_text(run, &text, ret_value);
}

static int fn_to_time(struct tmpl_run *run,
                      const struct value *args,
                      size_t n,
                      struct value *ret_value)
{
    double value;
    int r = tmpl_need_float(run, &args[0], &value);

    *ret_value = (struct value){.kind = VALUE_TIME};
    return r ? r : to_ns(run, value, &ret_value->number);
}

static int fn_to_duration(struct tmpl_run *run,
                          const struct value *args,
                          size_t n,
                          struct value *ret_value)
{
    double value;
    int r = tmpl_need_float(run, &args[0], &value);

    *ret_value = (struct value){.kind = VALUE_DURATION};
    return r ? r : to_ns(run, value, &ret_value->number);
}

static int fn_now(struct tmpl_run *run, const struct value *args, size_t n, struct value *ret_value)
{
    *ret_value = value_float((double)run->now_ms / 1000);
    return 0;
}

/* Prometheus' spelling, or Go's ("-30m", "1.5h"); seconds as a number. */
static int fn_parse_duration(struct tmpl_run *run,
                             const struct value *args,
                             size_t n,
                             struct value *ret_value)
{
    const char *text;
    int64_t duration_ms;
    int r = tmpl_need_text(run, &args[0], &text);

    if (r)
        return r;
    bool minus = text[0] == '-';
    size_t skip = minus || text[0] == '+';
    if (duration_parse(text + skip, strlen(text + skip), &duration_ms) != 0)
        return tmpl_fail(run, "\"%.60s\" is not a duration", text);
    *ret_value = value_float((double)(minus ? -duration_ms : duration_ms) / 1000);
    return 0;
}

const struct tmpl_fn rule_template_human_fns[] = {
    {"humanize", 1, 1, fn_humanize, false},
    {"humanize1024", 1, 1, fn_humanize1024, false},
    {"humanizePercentage", 1, 1, fn_humanize_percentage, false},
    {"humanizeTimestamp", 1, 1, fn_humanize_timestamp, false},
    {"toTime", 1, 1, fn_to_time, false},
    {"toDuration", 1, 1, fn_to_duration, false},
    {"now", 0, 0, fn_now, false},
    {"parseDuration", 1, 1, fn_parse_duration, false},
    {0},
};
