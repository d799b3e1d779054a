#pragma once

/*
 * A line graph of an incident, drawn once on the server and kept: what everyone sees is
 * what the samples were, also after retention has deleted them.
 *
 *      A   B-C                    D      <- letters of the timeline table
 *   1 -|---:-:--____--------------:--
 *      |   : :/      \  threshold :  - - <- dashed
 *   0 -|___:/:________\___________:__
 *      [pending][firing          ]       <- bands
 *       12:00     12:10     12:20
 *      -- instance a   - - instance b    <- colour and dash
 *
 *  (1) Lines are the envelope per pixel (first, least, greatest, last sample), never a
 *      mean: spikes survive. No line crosses a gap of more than 2.5 steps.
 *  (2) NaN, infinities and staleness markers are not drawn.
 *  (3) Presentation attributes only, no style=, no script, nothing loaded: it can stand
 *      inline under a strict Content-Security-Policy. Neutral lines and words use
 *      currentColor over a grey that reads on white and on black.
 *  (4) Text from outside is escaped.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/postmortem/svg_axis.h"
#include "lib/base/str.h"

enum {
    SVG_SERIES_MAX = 24, /* drawn; the legend says how many more there are */
    SVG_LEGEND_MAX = 8,
    SVG_TEXT_MAX = 2 * 1024 * 1024, /* a good limit for the caller's struct str */
};

struct svg_series {
    const char *name;
    size_t n;
    const int64_t *t_ms; /* increasing */
    const double *values;
};

enum svg_band_kind {
    SVG_BAND_PENDING,
    SVG_BAND_FIRING,
};

struct svg_band {
    enum svg_band_kind kind;
    int64_t from_ms, to_ms;
};

struct svg_mark {
    int64_t at_ms;
    char letter;
    const char *text;
};

struct svg_graph {
    const char *title;
    const char *description;
    enum svg_unit unit;
    int64_t start_ms, end_ms, step_ms;
    const struct svg_series *series;
    size_t n_series;
    bool has_threshold;
    double threshold;
    const struct svg_band *bands;
    size_t n_bands;
    const struct svg_mark *marks; /* in time order */
    size_t n_marks;
};

/* Appends <svg>...</svg>. */
void svg_draw(const struct svg_graph *graph, struct str *out);
