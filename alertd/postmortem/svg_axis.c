/*
 * Numbers and times along the edge of a graph. See svg_axis.h.
 */

#include "alertd/postmortem/svg_axis.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

/* From `from` upwards values are shown in `scale` with `suffix`. */
struct unit_step {
    double from, scale;
    const char *suffix;
};

#define KIB 1024.0
#define MIB (1024.0 * KIB)
#define GIB (1024.0 * MIB)
#define TIB (1024.0 * GIB)

static const struct unit_step plain[] = {
    {1e12, 1e12, " T"}, {1e9, 1e9, " G"}, {1e6, 1e6, " M"}, {1e4, 1e3, " k"}, {0, 1, ""},
};
static const struct unit_step per_second[] = {
    {1e9, 1e9, " G/s"},
    {1e6, 1e6, " M/s"},
    {1e4, 1e3, " k/s"},
    {0, 1, " /s"},
};
static const struct unit_step seconds[] = {
    {2 * 86400.0, 86400, " d"}, {2 * 3600.0, 3600, " h"}, {180, 60, " min"}, {1, 1, " s"},
    {1e-3, 1e-3, " ms"},        {0, 1e-6, " \xc2\xb5s"},
};
static const struct unit_step bytes[] = {
    {TIB, TIB, " TiB"}, {GIB, GIB, " GiB"}, {MIB, MIB, " MiB"}, {KIB, KIB, " KiB"}, {0, 1, " B"},
};
static const struct unit_step bytes_per_second[] = {
    {GIB, GIB, " GiB/s"},
    {MIB, MIB, " MiB/s"},
    {KIB, KIB, " KiB/s"},
    {0, 1, " B/s"},
};
static const struct unit_step ratio[] = {{0, 0.01, "%"}};

static const struct unit_step *steps_of(enum svg_unit unit)
{
    switch (unit) {
    case SVG_UNIT_NONE: return plain;
    case SVG_UNIT_SECONDS: return seconds;
    case SVG_UNIT_BYTES: return bytes;
    case SVG_UNIT_RATIO: return ratio;
    case SVG_UNIT_PER_SECOND: return per_second;
    case SVG_UNIT_BYTES_PER_SECOND: return bytes_per_second;
    }
    return plain;
}

/* --- what unit? --- */

static bool ends_with(const char *word, size_t len, const char *end)
{
    size_t n = strlen(end);

    return len > n && memcmp(word + len - n, end, n) == 0;
}

struct names {
    const char *metric; /* the last word with a suffix we know */
    size_t len;
    unsigned n_metrics;
    bool rated;
};

static bool is_rate(const char *word, size_t len)
{
    static const char *const rates[] = {"rate", "irate", "deriv"};

    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++)
        if (strlen(rates[i]) == len && memcmp(word, rates[i], len) == 0)
            return true;
    return false;
}

static void take_word(struct names *names, const char *word, size_t len)
{
    static const char *const ends[] = {"_seconds", "_bytes", "_ratio", "_total"};

    names->rated |= is_rate(word, len);
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (ends_with(word, len, ends[i])) {
            bool again = names->len == len && memcmp(names->metric, word, len) == 0;

            names->n_metrics += !again;
            names->metric = word;
            names->len = len;
            return;
        }
}

/* Skips what braces and quotes enclose: label names are not metrics. */
static const char *skip_enclosed(const char *at)
{
    char close = *at == '{' ? '}' : *at;

    for (at++; *at && *at != close; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

static bool read_names(const char *query, struct names *names)
{
    for (const char *at = query; *at;) {
        if (strchr("{\"'`", *at)) {
            at = skip_enclosed(at);
        } else if (*at == '/' || *at == '*') {
            return false;
        } else if (isalpha((unsigned char)*at) || *at == '_') {
            size_t len = 0;

            while (isalnum((unsigned char)at[len]) || at[len] == '_' || at[len] == ':')
                len++;
            take_word(names, at, len);
            at += len;
        } else {
            at++;
        }
    }
    return names->n_metrics == 1;
}

enum svg_unit svg_unit_of(const char *query)
{
    struct names names = {.metric = ""};

    if (!read_names(query, &names))
        return SVG_UNIT_NONE;
    if (ends_with(names.metric, names.len, "_seconds_total"))
        return names.rated ? SVG_UNIT_RATIO : SVG_UNIT_SECONDS;
    if (ends_with(names.metric, names.len, "_bytes_total"))
        return names.rated ? SVG_UNIT_BYTES_PER_SECOND : SVG_UNIT_BYTES;
    if (ends_with(names.metric, names.len, "_seconds"))
        return SVG_UNIT_SECONDS;
    if (ends_with(names.metric, names.len, "_bytes"))
        return SVG_UNIT_BYTES;
    if (ends_with(names.metric, names.len, "_ratio"))
        return SVG_UNIT_RATIO;
    return names.rated ? SVG_UNIT_PER_SECOND : SVG_UNIT_NONE;
}

/* --- values --- */

static double nice_step(double span)
{
    static const double parts[] = {1, 2, 2.5, 5, 10};
    double rough = span / 5;
    double power = pow(10, floor(log10(rough)));

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (rough <= parts[i] * power * 1.0001)
            return parts[i] * power;
    return 10 * power;
}

static int digits_of(double step)
{
    int digits = 0;

    while (digits < 9 && fabs(step - round(step)) > 1e-6 * step) {
        step *= 10;
        digits++;
    }
    return digits;
}

struct svg_axis svg_axis_fit(double low, double high, enum svg_unit unit, bool whole)
{
    const struct unit_step *shown = steps_of(unit);

    if (high - low <= fabs(high) * 1e-9 || high - low < 1e-300) {
        double room = fabs(high) / 2;

        low = high >= 0 ? 0 : high - room;
        high = high == 0 ? 1 : high + room;
    }
    double largest = fmax(fabs(low), fabs(high));

    while (shown->from > 0 && largest < shown->from)
        shown++;
    double step = nice_step((high - low) / shown->scale) * shown->scale;

    if (whole && step < 1)
        step = 1;

    return (struct svg_axis){
        .low = floor(low / step + 1e-6) * step,
        .high = ceil(high / step - 1e-6) * step,
        .step = step,
        .scale = shown->scale,
        .suffix = shown->suffix,
        .digits = digits_of(step / shown->scale),
    };
}

char *svg_axis_label(const struct svg_axis *axis, double value, char *text)
{
    double shown = value / axis->scale;
    bool is_zero = fabs(value) < axis->step / 1e6;

    (void)snprintf(text, SVG_LABEL_MAX, "%.*f%s", axis->digits, is_zero ? 0.0 : shown,
                   is_zero ? "" : axis->suffix);
    if (is_zero)
        (void)snprintf(text, SVG_LABEL_MAX, "0");
    return text;
}

/* --- times --- */

int64_t svg_time_step(int64_t window_ms)
{
    static const int64_t steps_s[] = {1,     2,     5,     10,    15,     30,    60,
                                      120,   300,   600,   900,   1800,   3600,  7200,
                                      10800, 21600, 43200, 86400, 172800, 604800};
    size_t n = sizeof(steps_s) / sizeof(*steps_s);

    for (size_t i = 0; i < n; i++)
        if (window_ms / (steps_s[i] * 1000) <= 8)
            return steps_s[i] * 1000;
    return (window_ms / 8 / 604800000 + 1) * 604800000;
}

char *svg_time_label(int64_t at_ms, int64_t step_ms, char *text)
{
    struct clock_utc at = clock_split_utc(at_ms);

    if (at.hour == 0 && at.minute == 0 && at.second == 0 && step_ms >= 3600000)
        (void)snprintf(text, SVG_LABEL_MAX, "%02d-%02d", at.month, at.day);
    else if (step_ms < 60000)
        (void)snprintf(text, SVG_LABEL_MAX, "%02d:%02d:%02d", at.hour, at.minute, at.second);
    else
        (void)snprintf(text, SVG_LABEL_MAX, "%02d:%02d", at.hour, at.minute);
    return text;
}
