#pragma once

/*
 * Series as text: the notation of unit tests of rules and of PromQL scripts.
 *
 *     errors_total{job="a"}  0+10x5 _ stale 3
 *
 * one value per step. `VxN` is V and N more of it, `V+DxN` goes on in steps of D, `_` is a
 * gap, `_xN` N gaps, `stale` the staleness marker. Native histograms ({{...}}) are refused.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/model/labels.h"

/* The name and labels at the start of a line; *ret_rest is what follows. A new reference,
 * NULL when it is not a series. */
const struct labels *series_text_labels(const char *line, const char **ret_rest, struct err *err);

/* Values of a line, one position at a time. */
enum {
    SERIES_TEXT_MAX = 200000 /* positions of one line */
};
struct series_position {
    bool gap;
    double value;
};
/* malloc'ed positions; false with words. */
bool series_text_values(const char *text,
                        struct series_position **ret_positions,
                        size_t *ret_n,
                        struct err *err);
