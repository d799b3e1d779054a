#pragma once

/*
 * Numbers and times along the edge of a graph: round steps, few of them, in a unit that
 * reads well.
 *
 * Steps are 1, 2, 2.5 or 5 times a power of ten in the unit shown (Heckbert, "Nice
 * numbers for graph labels", Graphics Gems 1990), so 1.5 GiB never becomes 1610612736.
 */

#include <stdbool.h>
#include <stdint.h>

enum svg_unit {
    SVG_UNIT_NONE,
    SVG_UNIT_SECONDS,
    SVG_UNIT_BYTES,
    SVG_UNIT_RATIO,
    SVG_UNIT_PER_SECOND,
    SVG_UNIT_BYTES_PER_SECOND,
};

enum {
    SVG_LABEL_MAX = 48
};

struct svg_axis {
    double low, high; /* what is shown, round, in the data's own unit */
    double step;
    double scale;       /* the data's unit in one shown unit: 1024 for KiB */
    const char *suffix; /* " KiB", "%" */
    int digits;
};

/* The unit that a PromQL expression's metric name promises: `_seconds`, `_bytes`,
 * `_ratio`, `_total` under rate(). A quotient or several metrics promise none. */
enum svg_unit svg_unit_of(const char *query);

/* An axis of at most seven steps that covers [low, high]; whole: none smaller than 1. */
struct svg_axis svg_axis_fit(double low, double high, enum svg_unit unit, bool whole);
/* "1.5 GiB" into text (SVG_LABEL_MAX); returns text. */
char *svg_axis_label(const struct svg_axis *axis, double value, char *text);

/* The distance of time labels for a window, eight at most. */
int64_t svg_time_step(int64_t window_ms);
/* "22:27", "22:27:30" for steps below a minute, "11-23" at midnight. */
char *svg_time_label(int64_t at_ms, int64_t step_ms, char *text);
