/*
 * The only place that reads a clock. See clock.h.
 *
 * Civil dates: the era arithmetic of Howard Hinnant's "chrono-compatible
 * low-level date algorithms" (days_from_civil, civil_from_days).
 */

#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t read_us(clockid_t which)
{
    struct timespec now;

    (void)clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

int64_t clock_cpu_us(void)
{
    return read_us(CLOCK_PROCESS_CPUTIME_ID);
}

void clock_sleep_ms(int64_t duration_ms)
{
    if (duration_ms <= 0)
        return;

    struct timespec left = {duration_ms / 1000, duration_ms % 1000 * 1000000};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t clock_days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;

    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

struct clock_utc clock_split_utc(int64_t at_ms)
{
    int64_t days = floor_div(at_ms, 86400000);
    int64_t ms_of_day = at_ms - days * 86400000;
    int64_t shifted = days + 719468;
    int64_t era = floor_div(shifted, 146097);
    int64_t doe = shifted - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    int64_t year = yoe + era * 400 + (month <= 2);

    return (struct clock_utc){
        .year = (int)year,
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(ms_of_day / 3600000),
        .minute = (int)(ms_of_day / 60000 % 60),
        .second = (int)(ms_of_day / 1000 % 60),
        .millisecond = (int)(ms_of_day % 1000),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
        .yearday = (int)(days - clock_days_from_civil(year, 1, 1) + 1),
    };
}

char *clock_rfc3339(int64_t at_ms, char *text)
{
    struct clock_utc utc = clock_split_utc(at_ms);

    (void)snprintf(text, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.year, utc.month,
                   utc.day, utc.hour, utc.minute, utc.second, utc.millisecond);
    return text;
}

/* ".123456" -> 123 and the number of characters taken. */
static int parse_fraction(const char *text, int *ret_ms)
{
    int scale = 100;
    int taken = 0;

    *ret_ms = 0;
    if (text[0] != '.')
        return 0;
    for (taken = 1; text[taken] >= '0' && text[taken] <= '9'; taken++) {
        *ret_ms += (text[taken] - '0') * scale;
        scale /= 10;
    }
    return taken;
}

static int parse_zone(const char *text, int *ret_offset_minutes)
{
    int hours = 0;
    int minutes = 0;
    int used = 0;

    *ret_offset_minutes = 0;
    if ((text[0] == 'Z' || text[0] == 'z') && !text[1])
        return 0;
    if (text[0] != '+' && text[0] != '-')
        return -EINVAL;
    if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || text[1 + used])
        return -EINVAL;
    *ret_offset_minutes = (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
    return 0;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_at_ms)
{
    int year, month, day, hour, minute, second;
    int used = 0;
    int ms = 0;
    int offset = 0;
    char divider = 0;

    if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &year, &month, &day, &divider, &hour, &minute,
               &second, &used) != 7 ||
        !used)
        return -EINVAL;
    if ((divider != 'T' && divider != 't' && divider != ' ') || month < 1 || month > 12 ||
        day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60)
        return -EINVAL;
    used += parse_fraction(text + used, &ms);
    if (parse_zone(text + used, &offset) < 0)
        return -EINVAL;
    *ret_at_ms = ((clock_days_from_civil(year, month, day) * 24 + hour) * 60 + minute - offset) *
                     60000 +
                 second * 1000 + ms;
    return 0;
}
