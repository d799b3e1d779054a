#pragma once

/*
 * A remote write 1.0 body, read in place: snappy's block format, then protobuf walked
 * by hand, one series at a time.
 *
 *     WriteRequest { repeated TimeSeries = 1; repeated MetricMetadata = 3 }
 *     TimeSeries   { repeated Label = 1 {string name = 1, value = 2};
 *                    repeated Sample = 2 {double value = 1, int64 t_ms = 2};
 *                    Exemplar = 3; Histogram = 4 }
 *
 *     body ──uncompress(limit)──> bytes ──decode──> each series: where its labels lie, its samples
 *                                                   each metadata: family, type, help, unit
 *
 * Labels are not decoded by the walk: who pushes every ten seconds sends the same label
 * bytes every ten seconds, so the receiver looks the bytes up first and calls
 * remote_write_labels() only for those it has never seen.
 *
 * Invariants
 *  (1) Nothing is believed: every length is checked against what is left, varints end
 *      within ten bytes, groups (wire types 3 and 4) are refused.
 *  (2) Memory is bounded by the limits given, never by what the body claims.
 *  (3) Unknown fields are skipped, as protobuf asks; exemplars and native histograms are
 *      counted and skipped, so that the caller can say what was not stored.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"
#include "lib/model/sample.h"

enum {
    REMOTE_WRITE_E_MALFORMED = 1, /* not snappy, or not protobuf: words name the byte */
    REMOTE_WRITE_E_TOO_LARGE = 2, /* claims more than the limit; refused before allocating */
    REMOTE_WRITE_E_LABELS = 3,    /* the frame is fine, this series' labels are not */
    REMOTE_WRITE_E_LIMIT = 4,     /* more samples than one body may have, or the arena spent */
};

enum {
    REMOTE_WRITE_LABELS_MAX = 256 /* a decoder's bound; who stores has a lower one */
};

/* Undoes snappy's block format into heap memory (free()). limit: most bytes of protobuf.
 * 0, REMOTE_WRITE_E_MALFORMED or REMOTE_WRITE_E_TOO_LARGE. */
int remote_write_uncompress(const void *block,
                            size_t len,
                            size_t limit,
                            char **ret_bytes,
                            size_t *ret_len,
                            struct err *reterr);

struct remote_write_series {
    const char *raw; /* the label fields, as they came; a loan from the body */
    size_t raw_len;
    bool raw_is_labels_only; /* nothing else lies between them: raw names the series */
    const struct sample *samples;
    size_t n;
    size_t n_histograms;
    size_t n_exemplars;
};

struct remote_write_metadata {
    unsigned type; /* MetricMetadata.MetricType: 0 unknown, 1 counter, 2 gauge ... */
    const char *family, *help, *unit; /* not NUL-terminated, not checked */
    size_t family_len, help_len, unit_len;
};

/* What the walk finds, in order. A callback's non-zero result ends the walk and is
 * returned. What it is given lives until it returns. */
struct remote_write_visitor {
    int (*series)(void *arg, const struct remote_write_series *series, struct err *reterr);
    /* NULL: skipped */
    int (*metadata)(void *arg, const struct remote_write_metadata *metadata, struct err *reterr);
    void *arg;
    size_t max_samples; /* in the whole body */
};

/* 0, REMOTE_WRITE_E_MALFORMED, REMOTE_WRITE_E_LIMIT, or a callback's. */
int remote_write_decode(const char *bytes,
                        size_t len,
                        const struct remote_write_visitor *visitor,
                        struct err *reterr);

/* The labels of one series, sorted by name, in the arena. REMOTE_WRITE_E_LABELS: a name
 * that is empty or twice there, an empty value, text that is not UTF-8 or has a NUL, too
 * many; REMOTE_WRITE_E_MALFORMED; REMOTE_WRITE_E_LIMIT when the arena is spent.
 * Labels out of order are accepted: senders older than the specification exist. */
int remote_write_labels(const struct remote_write_series *series,
                        struct arena *arena,
                        struct label **ret_labels,
                        size_t *ret_n,
                        struct err *reterr);
