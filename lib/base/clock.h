#pragma once

/*
 * The only place that reads a clock. Everyone else is told `now_ms`, so that
 * live alerting, backtests and drills are the same code told a different time.
 * tools/check_layers.py refuses time(), clock_gettime(), sleep() elsewhere.
 */

#include <stdint.h>

int64_t clock_wall_ms(void); /* Unix time; may jump */
int64_t clock_mono_ms(void); /* never goes back; for durations and deadlines */
int64_t clock_mono_us(void);
int64_t clock_mono_ns(void);
int64_t clock_cpu_us(void); /* CPU time of this process */
void clock_sleep_ms(int64_t duration_ms);

enum {
    CLOCK_TEXT_MAX = 32
};

/* "2026-11-23T22:27:00.123Z" into text (CLOCK_TEXT_MAX bytes); returns text. */
char *clock_rfc3339(int64_t at_ms, char *text);
/* For people: "14:02:11 UTC", with the date when it is another day than now_ms is in; into text
 * (CLOCK_TEXT_MAX bytes); returns text. */
char *clock_human(int64_t at_ms, int64_t now_ms, char *text);
/* Reads RFC 3339 ("2026-11-23T22:27:00[.123](Z|+01:00)"); 0 or -EINVAL. */
int clock_parse_rfc3339(const char *text, int64_t *ret_at_ms);

/* Calendar fields of a UTC instant, proleptic Gregorian, any int64 ms. */
struct clock_utc {
    int year, month, day, hour, minute, second, millisecond;
    int weekday; /* 0 = Sunday */
    int yearday; /* 1..366 */
};
struct clock_utc clock_split_utc(int64_t at_ms);
/* Midnight-based inverse: days since 1970-01-01 of a civil date. */
int64_t clock_days_from_civil(int64_t year, int month, int day);
