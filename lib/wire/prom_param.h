#pragma once

/*
 * Parameters of the Prometheus query API: times, durations, limits. Words of errors are
 * Prometheus', for people compare.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
    PROM_PARAM_E_BAD = 1 /* words say what cannot be read */
};

/* "1729728900", "1729728900.5", "2024-10-24T00:15:00Z". */
int prom_param_time(const char *text, int64_t *ret_ms, struct err *reterr);
/* "30", "0.5" (seconds) or "5m". Negative seconds are read; callers refuse them. */
int prom_param_duration(const char *text, int64_t *ret_ms, struct err *reterr);
/* A count; 0 means no limit. */
int prom_param_limit(const char *text, size_t *ret_limit, struct err *reterr);

enum {
    PROM_TIME_TEXT_MAX = 25
};

/* Each into text, without a NUL behind it; returns its length. FLOAT_TEXT_MAX and
 * PROM_TIME_TEXT_MAX bytes are enough. */
/* As Prometheus writes a sample's value: plain digits, an exponent below 1e-6 and from
 * 1e21. Without quotes. */
size_t prom_float_text(double value, char *text);
/* Milliseconds as seconds: 1729728900 or 1729728900.500. */
size_t prom_time_text(int64_t t_ms, char *text);
void prom_add_time(struct str *out, int64_t t_ms);

/* A label's name as it stands in a path: `U__a_2e_b` is `a.b`. */
void prom_unescape_name(const char *text, struct str *out);
