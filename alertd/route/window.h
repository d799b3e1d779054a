#pragma once

/*
 * The window of a silence: Alertmanager's time intervals, written in one line or as JSON.
 *
 *     sat,sun 02:00-04:00 Europe/Berlin          [{"weekdays":["saturday","sunday"],
 *     days=1:7 months=january 22:00-02:00         "times":[{"start_time":"02:00", ...}],
 *     mon-fri 12:00-13:00; sat 09:00-11:00        "location":"Europe/Berlin"}]
 *
 * A line is one or more times with `;` between; each is words in any order: weekdays (three
 * letters or more of their names), times of day, days= of the month, months=, years=, and a
 * time zone (UTC when none is named). Pure.
 *
 * Invariants
 *  (1) what is printed reads as what it was printed from.
 *  (2) 22:00-02:00 belongs to the day it begins on: the line is read as two times.
 *  (3) a window says at least one thing: one without any field would be no window.
 */

#include "alertd/route/interval.h"
#include "lib/base/str.h"

enum {
    ROUTE_WINDOW_SPANS_MAX = 20,
    ROUTE_WINDOW_BYTES_MAX = 32 * 1024, /* as JSON */
    ROUTE_WINDOW_LINE_MAX = 2000,
};

/* A line. Memory is the arena's, zones are zones'. 0 or ROUTE_E_CONFIG, words say what is
 * wrong with which word. */
int route_window_parse(const char *line,
                       struct arena *arena,
                       struct zones *zones,
                       struct route_interval *ret_window,
                       struct err *reterr);
/* JSON: a list of objects, or one. 0 or ROUTE_E_CONFIG, words begin with the field. */
int route_window_read(const char *json,
                      struct arena *arena,
                      struct zones *zones,
                      struct route_interval *ret_window,
                      struct err *reterr);

void route_window_print(const struct route_interval *window, struct str *out);
void route_window_json(const struct route_interval *window, struct str *out);

/* --- when it comes --- */

struct route_stretch {
    int64_t from_ms, to_ms;
};

/* The first instant after at_ms, and not after until_ms, at which it begins or ceases to hold;
 * INT64_MAX: none (or none within some twenty thousand steps of a day or less). */
int64_t route_interval_edge(const struct route_interval *interval, int64_t at_ms, int64_t until_ms);
/* The stretches that begin after at_ms and before until_ms, the last one cut there; max at
 * most, returns how many. */
size_t route_interval_ahead(const struct route_interval *interval,
                            int64_t at_ms,
                            int64_t until_ms,
                            struct route_stretch *ret_stretches,
                            size_t max);
