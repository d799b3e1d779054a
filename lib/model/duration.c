/*
 * Durations as Prometheus writes them. See duration.h.
 */

#include "lib/model/duration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"y", INT64_C(365) * 86400000},
    {"w", INT64_C(7) * 86400000},
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};

enum {
    N_UNITS = sizeof(units) / sizeof(units[0])
};

static int find_unit(const char *text, size_t len, int from)
{
    for (int i = from; i < N_UNITS; i++)
        if (strlen(units[i].name) == len && memcmp(units[i].name, text, len) == 0)
            return i;
    return -1;
}

int duration_parse(const char *text, size_t len, int64_t *ret_ms)
{
    const char *end = text + len;
    int64_t total = 0;
    int next = 0;

    if (len == 1 && text[0] == '0') {
        *ret_ms = 0;
        return 0;
    }
    if (len == 0)
        return -EINVAL;
    while (text < end) {
        const char *digits = text;
        int64_t count = 0;
        int64_t part;

        for (; text < end && *text >= '0' && *text <= '9'; text++)
            if (__builtin_mul_overflow(count, 10, &count) ||
                __builtin_add_overflow(count, *text - '0', &count))
                return -ERANGE;
        const char *unit = text;
        while (text < end && *text >= 'a' && *text <= 'z')
            text++;
        int found = find_unit(unit, (size_t)(text - unit), next);
        if (digits == unit || found < 0)
            return -EINVAL;
        next = found + 1;
        if (__builtin_mul_overflow(count, units[found].ms, &part) ||
            __builtin_add_overflow(total, part, &total))
            return -ERANGE;
    }
    *ret_ms = total;
    return 0;
}

char *duration_print(int64_t duration_ms, char *text)
{
    char *at = text;

    if (duration_ms == 0)
        return memcpy(text, "0s", 3);
    if (duration_ms < 0) {
        *at++ = '-';
        duration_ms = -duration_ms;
    }
    for (int i = 0; i < N_UNITS; i++) {
        /* years and weeks only when nothing is left over, as Prometheus does */
        if (i < 2 && duration_ms % units[i].ms != 0)
            continue;
        if (duration_ms < units[i].ms)
            continue;
        at += snprintf(at, DURATION_TEXT_MAX - (size_t)(at - text), "%lld%s",
                       (long long)(duration_ms / units[i].ms), units[i].name);
        duration_ms %= units[i].ms;
    }
    return text;
}

char *duration_human(int64_t duration_ms, char *text)
{
    static const char *const words[] = {"d", "h", "min", "s", "ms"};
    const char *sign = duration_ms < 0 ? "-" : "";
    int64_t left = duration_ms < 0 ? -duration_ms : duration_ms;
    int first = 2; /* units[2] is the day */

    while (first < N_UNITS - 1 && left < units[first].ms)
        first++;
    int64_t rest = left % units[first].ms;
    int n = snprintf(text, DURATION_TEXT_MAX, "%s%lld %s", sign,
                     (long long)(left / units[first].ms), words[first - 2]);
    if (first + 1 < N_UNITS - 1 && rest >= units[first + 1].ms)
        (void)snprintf(text + n, DURATION_TEXT_MAX - (size_t)n, " %lld %s",
                       (long long)(rest / units[first + 1].ms), words[first - 1]);
    return text;
}
