#pragma once

/*
 * What kind of numbers a metric family holds: the words of the text format, and
 * the numbers remote write uses for them (prompb MetricMetadata.MetricType).
 */

enum metric_type {
    METRIC_UNKNOWN = 0, /* "untyped" in the text format 0.0.4 */
    METRIC_COUNTER = 1,
    METRIC_GAUGE = 2,
    METRIC_HISTOGRAM = 3,
    METRIC_GAUGE_HISTOGRAM = 4,
    METRIC_SUMMARY = 5,
    METRIC_INFO = 6,
    METRIC_STATESET = 7,
};

/* As the API's metadata answers it: "unknown", "counter", ... */
static inline const char *metric_type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_UNKNOWN: return "unknown";
    case METRIC_COUNTER: return "counter";
    case METRIC_GAUGE: return "gauge";
    case METRIC_HISTOGRAM: return "histogram";
    case METRIC_GAUGE_HISTOGRAM: return "gaugehistogram";
    case METRIC_SUMMARY: return "summary";
    case METRIC_INFO: return "info";
    case METRIC_STATESET: return "stateset";
    }
    return "unknown";
}
