#pragma once

/*
 * The text format out (version 0.0.4): what /metrics answers and what
 * `alert-agent --once` prints.
 *
 *     # HELP node_load1 1m load average.
 *     # TYPE node_load1 gauge
 *     node_load1{instance="web-1"} 0.25
 *
 * Help escapes \ and line feed, label values also ". Numbers are the shortest that
 * read back as the same double, as Go prints them.
 */

#include <stddef.h>

#include "lib/base/str.h"
#include "lib/model/labels.h"
#include "lib/model/metric.h"
#include "lib/model/sample.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The two comment lines of a family; help NULL or "": no HELP line. */
void exposition_family(struct str *out, const char *name, enum metric_type type, const char *help);

/* One line. Labels in any order, __name__ among them. */
void exposition_sample(struct str *out, const struct label *labels, size_t n, double value);

/* One line of OpenMetrics with its time, names in quotes where they must be:
 * `up{job="a"} 1 1700000000.123`, `{"a name","b-c"="d"} NaN 1700000000.000`. */
void openmetrics_sample(struct str *out,
                        const struct label *labels,
                        size_t n,
                        struct sample sample);
