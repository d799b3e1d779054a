#pragma once

/*
 * Durations as Prometheus writes them: "5m", "1h30m", "1d", "250ms", "0".
 * Units y (365d) w d h m s ms, each at most once, largest first.
 */

#include <stddef.h>
#include <stdint.h>

enum {
    DURATION_TEXT_MAX = 64
};

/* 0, or -EINVAL (not a duration), -ERANGE (does not fit int64 milliseconds). */
int duration_parse(const char *text, size_t len, int64_t *ret_ms);

/* The shortest Prometheus spelling, "0s" for zero; returns text. */
char *duration_print(int64_t duration_ms, char *text);

/* For people: "3 s", "5 min", "1 h 30 min", "2 d 4 h": two parts at most. */
char *duration_human(int64_t duration_ms, char *text);
