#pragma once

/*
 * Samples, kept: in memory for rules and recent queries, in day partitions on disk.
 *
 *   store_append(batch) --> group commit into samples/YYYY-MM-DD.db (journal rows, fsync)
 *                       --> visible in the head --> 0 to the caller
 *   full or old head columns --> sealed chunks in the same partition; their journal rows go
 *   start: partitions' journals are read back into the head
 *   retention: a partition older than the limit is unlinked
 *
 * A partition holds its own series table, so a copied file can be queried alone.
 * First write wins for a (series, timestamp); a replayed batch stores nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/source.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/model/labels.h"
#include "lib/model/sample.h"

enum {
    STORE_E_CONFLICT = 1, /* same batch identity, other content: 409 */
    STORE_E_FULL = 2,     /* disk below low water: 503, Retry-After */
    STORE_E_LIMIT = 3,    /* nothing of it could be stored: series limit (429) */
    STORE_E_UNKNOWN = 10, /* nothing was stored: a series is told by a number that is no more */
};

struct store;

struct store_options {
    const char *folder;       /* <storage.path>/samples */
    int64_t retention_ms;     /* 0: keep everything, accept any age */
    uint64_t retention_bytes; /* beyond which the oldest day goes, but the newest; 0: no limit */
    bool sync_normal;
    bool keeps_outbound;                    /* what is sealed stays to be passed on: outbound.h */
    size_t max_series;                      /* 0: 1 million */
    size_t max_new_series_an_hour;          /* by pushes, in total; 0: 200,000 */
    size_t max_new_series_an_hour_a_pusher; /* 0: 100,000 */
    /* Free bytes below which nothing is taken (STORE_E_FULL). 0: 5 % of the file system, and
     * at least 256 MiB of one that has more than 1 GiB. */
    unsigned long long low_water_bytes;
    int64_t (*now_wall_ms)(void); /* the clock, injected */
    const struct log *log;
};

int store_open(const struct store_options *options, struct store **ret_store, struct err *reterr);
void store_close(struct store *store); /* drains; NULL is fine */

/* A series in short: good until the store forgets the series, which it does when nothing of
 * it has come for days. Zeros: none. */
struct store_series {
    uint32_t number;
    uint32_t place; /* a hint */
};

/* One series' samples in a batch. */
struct store_entry {
    const struct labels *labels; /* NULL: `series` says which */
    const struct sample *samples;
    size_t n;
    struct store_series series;
};

struct store_batch {
    const struct store_entry *entries;
    size_t n;
    /* identity, or agent == NULL: no replay protection beyond first-write-wins */
    const char *agent;
    uint64_t epoch, sequence;
    uint64_t body_hash;
    /* Our own series (up, ALERTS, rule results): no age limit on them, and numbers that are
     * no more are left out. */
    bool internal;
    /* Who pushes, for the limit of new series by pusher; NULL: nobody in particular. */
    const char *pusher;
    bool history; /* an import: as old as the retention keeps, not only of the last day */
    /* Where to say the series of each entry in short; those of refused ones are left as they
     * are. NULL: nobody asks. */
    struct store_series *ret_series;
};

enum store_reason {
    STORE_TOO_OLD,
    STORE_TOO_NEW,
    STORE_SERIES_LIMIT,
    STORE_NEW_SERIES_LIMIT,
    STORE_INVALID,
    STORE_N_REASONS,
};

struct store_outcome {
    size_t stored, duplicate;
    size_t rejected_too_old, rejected_too_new, rejected_series_limit, rejected_invalid;
    size_t rejected_new_series_limit; /* a replay has them among those of the series limit */
    bool replayed;             /* the batch was stored before; the counts are those of then */
    char first_rejection[320]; /* words for the reply, "" when none */
    char examples[STORE_N_REASONS][120]; /* a series refused for each reason, "" when none */
};

/* Blocks until committed and synced. From any thread. */
int store_append(struct store *store,
                 const struct store_batch *batch,
                 struct store_outcome *ret_outcome,
                 struct err *reterr);

/* The seam for PromQL; thread-safe, a consistent view of what was acknowledged. */
struct source store_source(struct store *store);

/* For /series, /labels, /label/N/values: calls each(series labels) for series with
 * samples in [from, to] that match; stops when each() returns false. */
int store_series(struct store *store,
                 const struct matcher *matchers,
                 size_t n_matchers,
                 int64_t from_ms,
                 int64_t to_ms,
                 bool (*each)(void *arg, const struct labels *),
                 void *arg,
                 struct err *reterr);

struct store_stats {
    uint64_t series, samples_in_head, samples_stored_total, samples_duplicate_total;
    uint64_t rejected_too_old, rejected_too_new, rejected_series_limit, rejected_invalid;
    uint64_t rejected_new_series_limit, new_series_last_hour;
    uint64_t max_series, max_new_series_an_hour; /* the limits, as they are in force */
    uint64_t max_new_series_an_hour_a_pusher, new_series_of_busiest;
    char busiest_pusher[72];
    uint64_t commits, commit_us_total, partitions, disk_bytes, quarantined;
    int64_t oldest_ms, newest_ms;
    bool broken; /* a sync failed: only a restart helps, see db.h */
};
void store_stats(struct store *store, struct store_stats *ret_stats);

/* Seal and retention, called now and then by app's housekeeping. */
int store_maintain(struct store *store, int64_t now_ms, struct err *reterr);
/* A consistent copy of all partitions into an existing folder, while running. */
int store_backup(struct store *store, const char *folder, struct err *reterr);
