#pragma once

/*
 * Which graph an incident needs, and how its samples become one.
 *
 *   alerts of a rule --graph_plan()--> expression, window, step --(PromQL over the store)-->
 *   series --graph_draw()--> SVG and its data, both to be kept
 *
 * The expression is the left side of the alert's comparison, with the right side as a
 * dashed line; the whole expression when there is no comparison with a number. Of its
 * series only those are drawn whose labels the alerts carry: the fleet is not the story.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/incident/incident.h"
#include "alertd/postmortem/facts.h"
#include "alertd/postmortem/svg.h"
#include "alertd/promql/promql.h"
#include "lib/base/arena.h"
#include "lib/base/str.h"

enum {
    GRAPH_E_LIMIT = 1, /* the arena, or the drawing, is too small */
    GRAPH_STEPS = 600,
    GRAPH_MARGIN_MS = 30 * 60 * 1000, /* before and after, at least */
};

struct graph_plan {
    const struct promql_expr *expr; /* what to evaluate */
    const char *title;
    const char *query; /* expr, as text */
    bool has_threshold;
    double threshold;
    int64_t start_ms, end_ms, step_ms;
};

/* For the alerts of one rule (n > 0, all with the same expr). resolved_at_ms is the
 * incident's, 0 while it is open. Fails as promql_parse() does. */
int graph_plan(struct arena *arena,
               const struct incident_alert *alerts,
               size_t n,
               int64_t resolved_at_ms,
               int64_t now_ms,
               struct graph_plan *ret_plan,
               struct err *reterr);

struct graph_drawing {
    struct str svg;
    struct str series; /* JSON: [{"name":"…","t_ms":[…],"values":[…]}] */
    int64_t n_points;
};

/* What is drawn around the lines. */
struct graph_story {
    const struct incident_alert *alerts; /* of the plan's rule */
    size_t n_alerts;
    const struct timeline_row *rows; /* postmortem_timeline() */
    size_t n_rows;
};

struct graph_lines {
    const struct svg_series *series;
    size_t n;
};

/* The drawing alone, of lines that are known already. */
int graph_draw_lines(struct arena *arena,
                     const struct graph_plan *plan,
                     const struct graph_lines *lines,
                     const struct graph_story *story,
                     struct str *out,
                     struct err *reterr);

/* From a drawing's JSON back to its lines, so that it can be drawn again with other letters. */
int graph_lines_read(struct arena *arena,
                     const char *json,
                     struct graph_lines *ret_lines,
                     struct err *reterr);

/* A table of the lines for those who read numbers: a row per step, thinned to max_rows. HTML. */
void graph_lines_table(const struct graph_lines *lines, size_t max_rows, struct str *out);

/* Appends to *ret_drawing, whose texts the caller gives limits to and frees. value is a
 * matrix of the plan's expression over its window. */
int graph_draw(struct arena *arena,
               const struct graph_plan *plan,
               const struct promql_value *value,
               const struct graph_story *story,
               struct graph_drawing *ret_drawing,
               struct err *reterr);
