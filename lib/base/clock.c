/*
 * The only place that reads a clock. See clock.h.
 *
 * Civil dates: the era arithmetic of Howard Hinnant's "chrono-compatible
 * low-level date algorithms" (days_from_civil, civil_from_days).
 */

#include "lib/base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

int64_t clock_mono_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
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
    int64_t ms_of_day = (at_ms % 86400000 + 86400000) % 86400000; /* days * 86400000 may not fit */
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

/* n digits, and what stands behind them. */
static char *put_digits(char *at, int n, int number, char behind)
{
    for (int i = n; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    at[n] = behind;
    return at + n + 1;
}

/* There are thousands of them in an answer. */
char *clock_rfc3339(int64_t at_ms, char *text)
{
    struct clock_utc utc = clock_split_utc(at_ms);

    if (utc.year >= 0 && utc.year <= 9999) {
        char *at = put_digits(text, 4, utc.year, '-');
        at = put_digits(at, 2, utc.month, '-');
        at = put_digits(at, 2, utc.day, 'T');
        at = put_digits(at, 2, utc.hour, ':');
        at = put_digits(at, 2, utc.minute, ':');
        at = put_digits(at, 2, utc.second, '.');
        *put_digits(at, 3, utc.millisecond, 'Z') = '\0';
        return text;
    }
    (void)snprintf(text, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.year, utc.month,
                   utc.day, utc.hour, utc.minute, utc.second, utc.millisecond);
    return text;
}

/* Exactly n digits at *text, which moves behind them; -1 when they are not digits. */
static int take_digits(const char **text, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        char c = (*text)[i];

        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
    }
    *text += n;
    return value;
}

/* The same behind one of the characters of `marks`. */
static int take_part(const char **text, const char *marks, int n)
{
    if (!**text || !strchr(marks, **text))
        return -1;
    ++*text;
    return take_digits(text, n);
}

/* ".123456789" -> 123; nothing -> 0. */
static int take_fraction_ms(const char **text)
{
    int ms = 0;

    if (**text != '.')
        return 0;
    ++*text;
    for (int scale = 100; **text >= '0' && **text <= '9'; ++*text, scale /= 10)
        ms += (**text - '0') * scale;
    return ms;
}

/* "Z" or "+01:00", and then the end. */
static int take_zone_minutes(const char *text, int *ret_minutes)
{
    int sign = *text == '-' ? -1 : 1;

    if ((*text == 'Z' || *text == 'z') && !text[1]) {
        *ret_minutes = 0;
        return 0;
    }
    int hours = take_part(&text, "+-", 2);
    int minutes = hours < 0 ? -1 : take_part(&text, ":", 2);
    if (minutes < 0 || minutes > 59 || hours > 23 || *text)
        return -EINVAL;
    *ret_minutes = sign * (hours * 60 + minutes);
    return 0;
}

static int in_range(int value, int low, int high)
{
    return value >= low && value <= high;
}

static int days_in(int year, int month)
{
    int next_year = year + (month == 12);

    return (int)(clock_days_from_civil(next_year, month % 12 + 1, 1) -
                 clock_days_from_civil(year, month, 1));
}

char *clock_human(int64_t at_ms, int64_t now_ms, char *text)
{
    struct clock_utc at = clock_split_utc(at_ms);
    struct clock_utc now = clock_split_utc(now_ms);
    bool is_today = at.year == now.year && at.yearday == now.yearday;
    int len = is_today
                  ? 0
                  : snprintf(text, CLOCK_TEXT_MAX, "%04d-%02d-%02d ", at.year, at.month, at.day);

    (void)snprintf(text + len, CLOCK_TEXT_MAX - (size_t)len, "%02d:%02d:%02d UTC", at.hour,
                   at.minute, at.second);
    return text;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_at_ms)
{
    int year = take_digits(&text, 4);
    int month = year < 0 ? -1 : take_part(&text, "-", 2);
    int day = month < 0 ? -1 : take_part(&text, "-", 2);
    int hour = day < 0 ? -1 : take_part(&text, "Tt ", 2);
    int minute = hour < 0 ? -1 : take_part(&text, ":", 2);
    int second = minute < 0 ? -1 : take_part(&text, ":", 2);
    int ms = second < 0 ? -1 : take_fraction_ms(&text);
    int zone_minutes;

    if (ms < 0 || !in_range(month, 1, 12) || !in_range(day, 1, days_in(year, month)) ||
        !in_range(hour, 0, 23) || !in_range(minute, 0, 59) || !in_range(second, 0, 60) ||
        take_zone_minutes(text, &zone_minutes) < 0)
        return -EINVAL;
    *ret_at_ms = ((clock_days_from_civil(year, month, day) * 24 + hour) * 60 + minute -
                  zone_minutes) *
                     60000 +
                 second * INT64_C(1000) + ms;
    return 0;
}
