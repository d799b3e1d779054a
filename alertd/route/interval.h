#pragma once

/*
 * Recurring times: `weekdays: ['monday:friday'], times: [{start_time: 09:00, ...}]`.
 *
 * A named interval is a list of spans; it holds at an instant when one of them does. A span
 * holds when each of its fields does (one that is not given always does), on the wall clock
 * of its location. Ends are inclusive, the end of a time of day is not. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/zone.h"
#include "lib/yaml/yaml.h"

enum {
    ROUTE_SPANS_MAX = 100,
    ROUTE_RANGES_MAX = 100, /* of one field of a span */
};

struct route_range {
    int first, last;
};

struct route_ranges {
    struct route_range *at;
    size_t n; /* 0: the field is not given */
};

struct route_span {
    struct route_ranges times;         /* minutes since midnight, the last one excluded */
    struct route_ranges weekdays;      /* 0 = Sunday */
    struct route_ranges days_of_month; /* 1 .. 31; -1 is the month's last */
    struct route_ranges months;        /* 1 .. 12 */
    struct route_ranges years;
    const struct zone *zone; /* NULL: UTC */
};

struct route_interval {
    const char *name;
    struct route_span *spans;
    size_t n;
    unsigned line, column;
};

/* The list of spans of an interval. Memory is the arena's, zones are zones'. 0 or
 * ROUTE_E_CONFIG. */
int route_interval_read(struct arena *arena,
                        struct zones *zones,
                        const struct yaml_node *list,
                        struct route_interval *interval,
                        struct err *reterr);

bool route_span_holds(const struct route_span *span, int64_t at_ms);
bool route_interval_holds(const struct route_interval *interval, int64_t at_ms);
