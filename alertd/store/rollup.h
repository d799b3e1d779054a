#pragma once

/*
 * Samples in buckets, over any time: what a graph of a year is drawn from.
 *
 *     days compacted, cold     their roll-ups ──────────────┐
 *                                                           ├─> steps, series by series
 *     all others               samples ──> buckets (same) ──┘
 *
 * For people who look, never for rules: those are told what every sample says. So there is no
 * way here through promql/source.h, which is all that the evaluator of rules knows, and
 * tools/check_layers.py lets neither promql/, rule/ nor eval/ include this folder.
 *
 * Invariant: the answer is to the bit what all samples would give. A day's roll-ups are read
 * only while the day is cold, which means that nothing of it is in the journal or in memory,
 * and marked rolled, which sealing anything takes away; else its samples are.
 */

#include "alertd/store/buckets.h"
#include "alertd/store/store.h"
#include "lib/base/arena.h"

enum {
    STORE_E_TIMEOUT = 21, /* beside SOURCE_E_LIMIT */
};

struct store_rollup_query {
    const struct matcher *matchers;
    size_t n_matchers;
    /* Steps that begin before to_ms and end after from_ms: whole ones, at multiples of step_ms
     * since 1970. Within the years 1 to 9999. */
    int64_t from_ms, to_ms;
    int64_t step_ms; /* a multiple of BUCKETS_FINE_MS */
    size_t bytes_max;
    int64_t (*now_fn)(void); /* NULL: no deadline */
    int64_t deadline_ms;
};

struct store_rollup_series {
    const struct labels *labels;
    struct buckets steps; /* 1 at least */
};

struct store_rollup {
    struct store_rollup_series *series; /* by their labels */
    size_t n, capacity;
    const char **warnings;
    size_t n_warnings, warnings_capacity;
    struct arena arena; /* labels and warnings */
};

/* The resolution that a step is made of: an hour where it can be. */
int64_t store_rollup_resolution(int64_t step_ms);
/* 0, SOURCE_E_LIMIT, STORE_E_TIMEOUT or negative errno. In any case done() is due. */
int store_rollup(struct store *store,
                 const struct store_rollup_query *query,
                 struct store_rollup *ret_rollup,
                 struct err *reterr);
void store_rollup_done(struct store_rollup *rollup);
