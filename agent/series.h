#pragma once

/*
 * Samples made into series: their own labels and those that the config gives to all
 * series of a probe, merged in the order that remote write wants.
 */

#include <stdint.h>

#include "agent/probe/samples.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"
#include "lib/wire/remote_write_encode.h"

enum {
    SERIES_LABELS_MAX = 128
};

/* The labels of one row with __name__ and base among them, sorted; a label of the
 * sample's own wins over one of base. Returns how many went into out. */
size_t series_labels(const struct samples *samples,
                     size_t row,
                     const struct labels *base,
                     struct label out[SERIES_LABELS_MAX]);

/* All rows into the body, at one instant; false when some did not fit. */
bool series_write(const struct samples *samples,
                  const struct labels *base,
                  int64_t t_ms,
                  struct remote_write *body);

/* What the families of the samples are, each once. */
bool series_write_metadata(const struct samples *samples, struct remote_write *body);

/* Several probes' samples as text, each family once with all its series. */
struct series_source {
    const struct samples *samples;
    const struct labels *base;
};
void series_print(const struct series_source *sources, size_t n, struct str *out);
