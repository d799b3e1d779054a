#pragma once

/*
 * Where samples come from: the seam between PromQL and storage. The live store, a
 * frozen incident, a drill and a unit test each implement it; the evaluator knows
 * no other way to a sample.
 *
 * Shape: columns. A select answers, for each matching series, all its samples in
 * [from_ms, to_ms] as two arrays in time order, decoded once, in the arena of the
 * query. The staleness marker is a sample like any other (sample.h).
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"

enum {
    SOURCE_E_LIMIT = 20, /* more than max_samples, or the arena is spent */
};

struct source_series {
    const struct labels *labels; /* in the arena, or alive as long as it */
    size_t n;
    const int64_t *t_ms; /* strictly increasing */
    const double *values;
};

struct source_result {
    struct source_series *series; /* no two alike; order not defined */
    size_t n;
    size_t n_samples;
    const char **warnings; /* in the arena: "partition 2026-11-20 is quarantined: ..." */
    size_t n_warnings;
};

struct source {
    /* matchers: at least one that does not match the empty string is NOT required
     * here; PromQL checks that. 0, SOURCE_E_LIMIT, or negative errno. */
    int (*select)(void *self,
                  const struct matcher *matchers,
                  size_t n_matchers,
                  int64_t from_ms,
                  int64_t to_ms,
                  size_t max_samples,
                  struct arena *arena,
                  struct source_result *ret_result,
                  struct err *reterr);
    void *self;
};
