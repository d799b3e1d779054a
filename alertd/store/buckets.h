#pragma once

/*
 * Samples as a row of buckets: the least, the greatest, the sum and the count of each five
 * minutes or hour. Pure arithmetic, and the bytes of it.
 *
 *     samples ──> buckets of a resolution ──> steps (several buckets each)
 *                     │  ^
 *                     v  │
 *          one chunk (chunk.h) for each of min, max, sum, count
 *
 * Invariants
 *  (1) A bucket begins at a multiple of its resolution since 1970 and lies within one UTC day.
 *  (2) NaN is no number, be it the staleness marker or another: left out of all four. Infinity
 *      is one. A bucket without a number is not there.
 *  (3) The same samples give the same bits, whichever way they come: samples are added in the
 *      order of time, with what rounding loses (promql/number.h), and steps add whole buckets.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/number.h"

enum {
    BUCKETS_FINE_MS = 5 * 60 * 1000,
    BUCKETS_COARSE_MS = 60 * 60 * 1000,
    BUCKETS_A_DAY_MAX = 86400000 / BUCKETS_FINE_MS,
};

struct bucket {
    int64_t t_ms; /* its beginning */
    double min, max, sum;
    uint64_t count; /* 1 at least */
};

/* Zeros: none. */
struct buckets {
    struct bucket *at;
    size_t n, capacity;
    struct sum sum; /* of the last one */
};
void buckets_done(struct buckets *buckets);

/* The last multiple of step_ms at or before t_ms, which is within the years 1 to 9999. */
int64_t buckets_floor(int64_t t_ms, int64_t step_ms);

/* Samples in the order of time, none before the last bucket. */
void buckets_add_samples(struct buckets *buckets,
                         int64_t resolution_ms,
                         const int64_t *t_ms,
                         const double *values,
                         size_t n);
/* A bucket not before the last one: put into the step it lies in. */
void buckets_add_step(struct buckets *buckets, int64_t step_ms, const struct bucket *bucket);

/* --- the bytes of one day's buckets: docs/formats/partition.md --- */

enum buckets_column {
    BUCKETS_MIN,
    BUCKETS_MAX,
    BUCKETS_SUM,
    BUCKETS_COUNT,
    BUCKETS_COLUMNS,
};

/* Each column as a chunk in room of buckets_room() bytes; 0: it follows from the others. n is 1
 * to BUCKETS_A_DAY_MAX. */
size_t buckets_room(size_t n);
size_t buckets_pack(const struct bucket *buckets,
                    size_t n,
                    enum buckets_column column,
                    unsigned char *out);

/* A day's columns being read. Zeros: none was. */
struct buckets_reading {
    size_t n;
    bool has[BUCKETS_COLUMNS];
    int64_t t_ms[BUCKETS_A_DAY_MAX];
    double values[BUCKETS_COLUMNS][BUCKETS_A_DAY_MAX];
};
/* The bytes are not believed. False: they are none, or do not fit the columns before. */
bool buckets_read_column(struct buckets_reading *reading,
                         enum buckets_column column,
                         const void *bytes,
                         size_t len);
/* Appends what the columns say together. False: they are no buckets of that resolution. */
bool buckets_read_end(struct buckets_reading *reading,
                      int64_t resolution_ms,
                      struct buckets *buckets);
