#pragma once

/*
 * From a pushed body to stored samples.
 *
 *     bytes ─> uncompress ─> walk ─> each series: known label bytes? ─> series ─> store_append
 *                                      │ no: decode, check ─> labels ────────────┘       │
 *                                      v                                                 v
 *                                    cache (series_cache.h) <── which series it is ── answer
 *
 * A body that is broken as a whole stores nothing (INGEST_E_MALFORMED). A body whose frame
 * is right stores what is right in it and says how much was not and why: `partial` words.
 *
 * Who pushes is noted beside: agents.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/ingest/agents.h"
#include "alertd/ingest/families.h"
#include "alertd/ingest/offenders.h"
#include "alertd/store/store.h"
#include "lib/base/err.h"

enum {
    INGEST_E_MALFORMED = 40, /* 400: not what its content type says */
    INGEST_E_TOO_LARGE = 41, /* 413 */
    INGEST_E_CONFLICT = 42,  /* 409: this batch was stored with other content */
    INGEST_E_FULL = 43,      /* 503: the disk is nearly full */
    INGEST_E_LIMIT = 44,     /* 429: no more series, or no more new ones for now */
    INGEST_E_FORBIDDEN = 45, /* 403: the token may not push as this agent */
};

enum {
    INGEST_LABELS_MAX = 256, /* a series, whatever the limit says */
};

/* 0: what stands beside it. */
struct ingest_limits {
    size_t labels;      /* of a series, with __name__: 64 */
    size_t name_bytes;  /* of a label's name: 256 */
    size_t value_bytes; /* of its value: 1024 */
    size_t samples;     /* in a body: 100,000 */
    size_t body_bytes;  /* after decompression: 32 MiB */
};

/* Why samples are refused before the store sees them. */
enum ingest_refusal {
    INGEST_TOO_MANY_LABELS,
    INGEST_LONG_NAME,
    INGEST_LONG_VALUE,
    INGEST_WRONG_LABELS, /* no name, not UTF-8, names that are alertd's own, ... */
    INGEST_N_REFUSALS,
};
/* "label_value_limit": in the counter and of offenders. */
const char *ingest_refusal_name(enum ingest_refusal refusal);

enum ingest_format {
    INGEST_REMOTE_WRITE,
    INGEST_REMOTE_WRITE_2,
    INGEST_TEXT,
    INGEST_OPENMETRICS,
};

struct ingest_body {
    enum ingest_format format;
    const char *bytes;
    size_t len;
    int64_t now_ms;
    int64_t default_t_ms; /* of text samples without a time stamp */
    /* Identity of the batch; agent "" or NULL: none. */
    const char *agent;
    /* Who pushes when no agent is named: a token's name; NULL: nobody knows. */
    const char *source;
    uint64_t epoch, sequence;
    int64_t interval_ms; /* 0: not said */
    /* The agent the token is bound to, "" when it is not: then no other may be named, and the
     * names that alertd itself writes (up, ALERTS, alertname) are refused. */
    const char *bound_agent;
    /* Labels for series that lack them, and no age limit: alertd's own metrics. */
    const struct label *own_labels;
    size_t n_own_labels;
    /* An import of history: as old as the retention keeps, and nobody to watch. */
    bool is_history;
};

struct ingest_answer {
    struct store_outcome outcome;
    size_t n_refused;     /* samples, by all reasons together */
    size_t n_unsupported; /* native histograms, skipped */
    char
        partial[640]; /* "12 of 500 samples refused: 12 too old; first: ..."; "" when all is well */
};

struct ingest;
/* limits: NULL, or copied. */
struct ingest *ingest_new(struct store *store, const struct ingest_limits *limits);
/* As they are in force. */
const struct ingest_limits *ingest_limits(const struct ingest *ingest);
void ingest_free(struct ingest *ingest);

/* Blocks until stored and synced. From any thread. 0 (look at n_refused), INGEST_E_*, or a
 * negative errno: nothing is known to be stored, send it again. */
int ingest_push(struct ingest *ingest,
                const struct ingest_body *body,
                struct ingest_answer *ret_answer,
                struct err *reterr);

/* Who was refused what lately. */
struct offenders *ingest_offenders(struct ingest *ingest);
struct agents *ingest_agents(struct ingest *ingest);
struct families *ingest_families(struct ingest *ingest);

/* Staleness markers at at_ms for every series this agent was the last to push within the
 * last hour: it has fallen silent, its values are no longer true. */
int ingest_mark_stale(struct ingest *ingest, const char *agent, int64_t at_ms, struct err *reterr);
/* Series whose last pusher this agent is. */
size_t ingest_count_series(struct ingest *ingest, const char *agent);

struct ingest_stats {
    uint64_t bodies, bodies_refused, bytes, cached_series, cache_bytes;
    uint64_t samples_refused[INGEST_N_REFUSALS];
};
void ingest_stats(struct ingest *ingest, struct ingest_stats *ret_stats);
