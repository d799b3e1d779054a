/*
 * Numbers for people: four significant digits; zero, NaN and infinities print without a unit.
 */

#include <math.h>
#include <stdint.h>

#include "alertd/template/engine.h"

void tmpl_add_digits(struct str *out, double value)
{
    if (isnan(value))
        str_add(out, "NaN");
    else if (isinf(value))
        str_add(out, value > 0 ? "+Inf" : "-Inf");
    else
        str_addf(out, "%.4g", value);
}

/* Divides (or, below one, multiplies) by 1000 until it fits, and names the unit. */
void tmpl_add_scaled(struct str *out, double value)
{
    static const char *const large[] = {"", "k", "M", "G", "T", "P", "E", "Z", "Y"};
    static const char *const small[] = {"", "m", "u", "n", "p", "f", "a", "z", "y"};
    size_t unit = 0;

    if (fabs(value) >= 1) {
        for (; fabs(value) >= 1000 && unit < 8; unit++)
            value /= 1000;
        tmpl_add_digits(out, value);
        str_add(out, large[unit]);
    } else {
        for (; fabs(value) < 1 && unit < 8; unit++)
            value *= 1000;
        tmpl_add_digits(out, value);
        str_add(out, small[unit]);
    }
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

static int fn_humanize_duration(struct tmpl_run *run,
                                const struct value *args,
                                size_t n,
                                struct value *ret_value)
{
    struct str text = STR_INIT(100);
    double value;
    int r = tmpl_need_float(run, &args[0], &value);

    if (r)
        return r;
    if (!isfinite(value)) {
        tmpl_add_digits(&text, value);
    } else if (value == 0 || fabs(value) >= 1) {
        add_long_duration(&text, value);
    } else {
        tmpl_add_scaled(&text, value);
        str_addc(&text, 's');
    }
    return tmpl_give_text(run, &text, ret_value);
}

const struct tmpl_fn tmpl_human_fns[] = {
    {"humanizeDuration", 1, 1, fn_humanize_duration, false},
    {0},
};
