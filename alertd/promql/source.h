#pragma once

/*
 * Where samples come from: the seam between PromQL and storage. The live store, a
 * frozen incident, a drill and a unit test each implement it; the evaluator knows
 * no other way to a sample.
 *
 *     select   which series match: their labels, and where their samples lie
 *     read     the samples of one of them, as two columns in time order
 *
 * A reader goes through the series one by one with the same columns, so that a query over a
 * million samples holds the room of one series, and works on it while it is in the cache.
 * The staleness marker is a sample like any other (sample.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"
#include "lib/model/sample.h"

enum {
    SOURCE_E_LIMIT = 20, /* more samples than allowed, or the arena is spent */
};

struct source_query {
    /* that one of them refuses the empty string is NOT required here; PromQL checks it */
    const struct matcher *matchers;
    size_t n_matchers;
    int64_t from_ms, to_ms; /* both within */
    /* A hint: of each series only the newest sample in that time counts, the others may be
     * left out. */
    bool newest_only;
    /* Times that are regular may be left out: source_columns.step_ms. */
    bool regular;
    /* A hint: only the series of part number `part` of n_parts count, the others may be left out. 0: all
     * count. */
    uint32_t part, n_parts;
    /* A hint: so many threads may look at once; 0: the caller's is enough. */
    uint32_t n_at_once;
};

/* The same part for the same labels, always. */
static inline bool source_query_counts(const struct source_query *query, uint64_t labels_hash)
{
    return query->n_parts == 0 || (labels_hash >> 32) % query->n_parts == query->part;
}

struct source_match {
    const struct labels *labels; /* in the arena, or alive as long as it */
    const void *of;              /* the source's own */
};

struct source_selection {
    struct source_match *matches; /* no two alike; order not defined; some may have no sample */
    size_t n;
    const char **warnings; /* in the arena: "partition 2026-11-20 is quarantined: ..." */
    size_t n_warnings;
};

/* One series' samples: good until the next read into the same columns. */
struct source_columns {
    enum sample_kind kind; /* SAMPLE_FLOAT, unless the source says so */
    size_t n;
    const int64_t *t_ms; /* strictly increasing */
    const double *values;
    /* Of a query that allows it, not 0: t_ms is not there, a sample is so long behind the one before and
     * the first one at first_ms. The reader sets it to 0 before each read. */
    int64_t step_ms, first_ms;
    /* room in the reader's arena, kept from read to read; begins as zeros */
    int64_t *t_room;
    double *value_room;
    size_t capacity;
    void *own; /* the source's, kept likewise and let go with the arena */
};

struct source {
    /* The query's matchers are needed until the last read. 0, SOURCE_E_LIMIT or negative
     * errno, both of them. */
    int (*select)(void *self,
                  const struct source_query *query,
                  struct arena *arena,
                  struct source_selection *ret_selection,
                  struct err *reterr);
    int (*read)(void *self,
                const struct source_query *query,
                const struct source_match *match,
                struct arena *arena,
                struct source_columns *columns,
                struct err *reterr);
    void *self;
};

/* Room for n samples in columns->t_room and value_room; what was there is lost. False past
 * the arena's limit. For sources. */
bool source_columns_reserve(struct source_columns *columns, struct arena *arena, size_t n);

/* --- everything at once, for those who need several series side by side --- */

struct source_series {
    const struct labels *labels;
    size_t n; /* 1 at least */
    const int64_t *t_ms;
    const double *values;
};

struct source_result {
    struct source_series *series;
    size_t n;
    size_t n_samples;
    const char **warnings;
    size_t n_warnings;
};

/* All series with their samples, in the arena. SOURCE_E_LIMIT past max_samples. */
int source_read_all(const struct source *source,
                    const struct source_query *query,
                    size_t max_samples,
                    struct arena *arena,
                    struct source_result *ret_result,
                    struct err *reterr);
