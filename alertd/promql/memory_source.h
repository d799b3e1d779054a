#pragma once

/*
 * Samples in memory: what unit tests of rules and replays evaluate over.
 *
 *   series by hash of labels -> columns t_ms[], values[], in time order, grown by appending
 *   names  by hash of __name__ -> its series: a selector that says its metric
 *                                 looks at no others, and rules over hundreds of metrics
 *                                 that a test does not have cost next to nothing
 *
 * Appended samples are seen by the next select. Not for threads.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/source.h"

struct memory_series;
struct memory_name;

struct memory_source {
    struct memory_series *series;
    size_t n, capacity;
    size_t *buckets; /* index + 1 into series; open addressing */
    size_t n_buckets;
    struct memory_name *names; /* open addressing too; as many as n_buckets */
    size_t n_names;
};

/* Appends a sample; takes a reference to labels (a counted set). The same time as the
 * newest replaces it; an older one is left out: first write wins. */
void memory_source_add(struct memory_source *memory,
                       const struct labels *labels,
                       int64_t t_ms,
                       double value);
/* What is selected points into the columns: good until the next add. */
struct source memory_source_of(struct memory_source *memory);
void memory_source_done(struct memory_source *memory);
