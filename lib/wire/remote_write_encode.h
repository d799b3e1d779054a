#pragma once

/*
 * A remote write 1.0 body under construction: protobuf by hand, then snappy's
 * block format.
 *
 *     WriteRequest   { repeated TimeSeries = 1; repeated MetricMetadata = 3 }
 *     TimeSeries     { repeated Label = 1 {name = 1, value = 2};
 *                      repeated Sample = 2 {double value = 1, int64 t_ms = 2} }
 *     MetricMetadata { type = 1, family = 2, help = 4 }
 *
 * One writer serves batch after batch: its memory is kept, so a process that
 * pushes every few seconds allocates nothing after the first time.
 *
 * Invariant: the body never holds half a series. A piece that does not fit below
 * the limit is refused whole, and `full` stays set until the next clear.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/labels.h"
#include "lib/model/metric.h"
#include "lib/model/sample.h"

#define REMOTE_WRITE_CONTENT_TYPE "application/x-protobuf"
#define REMOTE_WRITE_ENCODING     "snappy"
#define REMOTE_WRITE_VERSION      "0.1.0" /* X-Prometheus-Remote-Write-Version */

struct remote_write {
    struct str body; /* protobuf so far */
    size_t n_samples;
    bool full;
    char *block; /* what the last seal made */
    size_t block_capacity;
};

/* limit: most bytes of protobuf, before compression. */
void remote_write_init(struct remote_write *writer, size_t limit);
void remote_write_done(struct remote_write *writer);
void remote_write_clear(struct remote_write *writer);

/* One series with one sample. Labels in strcmp order of their names with __name__
 * among them, values not empty, valid UTF-8: as in labels.h. False when full. */
bool remote_write_add(struct remote_write *writer,
                      const struct label *labels,
                      size_t n,
                      struct sample sample);

/* The same with any number of samples, in order of time. */
bool remote_write_add_series(struct remote_write *writer,
                             const struct label *labels,
                             size_t n,
                             const struct sample *samples,
                             size_t n_samples);

/* What a family is; receivers show it in metadata and editors. False when full. */
bool remote_write_add_metadata(struct remote_write *writer,
                               const char *family,
                               enum metric_type type,
                               const char *help);

/* The body, compressed: a loan until the next call on this writer. */
void remote_write_seal(struct remote_write *writer, const char **ret_block, size_t *ret_len);
