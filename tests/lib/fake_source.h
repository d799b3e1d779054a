#pragma once

/*
 * A source in memory, for tests of whatever reads samples: series written as text,
 *
 *     errors_total{job="a"}  0+10x5 _ stale 3
 *
 * one value per step from t = 0. `VxN` is V and N more of it, `V+DxN` goes on in steps
 * of D, `_` is a gap, `_xN` N gaps, `stale` the staleness marker.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/series_text.h"
#include "alertd/promql/source.h"
#include "lib/model/sample.h"

struct fake_series {
    const struct labels *labels;
    struct sample *samples; /* in time order */
    size_t n, capacity;
};

struct fake_source {
    struct fake_series *series;
    size_t n, capacity;
    int fail_with;         /* not 0: select() answers this */
    enum sample_kind kind; /* what read() says its samples are */
};

void fake_source_done(struct fake_source *fake);
struct source fake_source_of(struct fake_source *fake);

/* A sample, put where its time belongs; the same time again replaces. */
void fake_source_put(struct fake_source *fake,
                     const struct labels *labels,
                     int64_t t_ms,
                     double value);

/* A line as above; false with words when it cannot be read. */
bool fake_source_load(struct fake_source *fake, int64_t step_ms, const char *line, struct err *err);
