#pragma once

/*
 * What takes the space: which names, values and days. For people who look for it.
 *
 * It costs a look at each pair of label name and value with the lock held to read; at each
 * segment, some at a time; and without the lock at each chunk row of the days whose file has
 * changed since.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/store/store.h"
#include "lib/base/arena.h"

enum {
    SPACE_TOP_MAX = 1000,
};

struct space_row {
    const char *name;
    const char *value; /* NULL: of the name alone */
    uint64_t n;
};

struct space_top { /* the largest first */
    struct space_row *rows;
    size_t n;
};

struct space_day {
    const char *day;
    uint64_t file_bytes, wal_bytes;
    uint64_t journal_bytes;                        /* of the file: acknowledged, not yet sealed */
    uint64_t n_series;                             /* in memory */
    uint64_t n_chunks, chunk_bytes, chunk_samples; /* of the file: sealed */
    uint64_t packed_bytes;                         /* of chunk_bytes: long ones, end to end */
    uint64_t rollup_bytes;                         /* of the file: for graphs */
    uint64_t n_unsealed;                           /* samples in memory */
    bool is_compact;                               /* the chunks are long ones */
};

/* Bytes of heap by what they are for. */
struct space_memory {
    uint64_t index_bytes;   /* series, labels and who has them */
    uint64_t segment_bytes; /* a series' day each */
    uint64_t open_bytes;    /* samples not yet sealed */
    uint64_t recent_bytes;  /* copies of what was sealed last */
    uint64_t n_chunks;
};

struct space {
    struct space_memory memory;
    uint64_t n_series, n_pairs;
    int64_t oldest_ms, newest_ms; /* the first and the last day; 0, 0: none */
    struct space_top series_by_metric, values_by_name, bytes_by_name, series_by_pair;
    struct space_day *days;
    size_t n_days;
    const char **set_aside; /* words about damaged files */
    size_t n_set_aside;
};

/* The top rows of each, at most SPACE_TOP_MAX; all in the arena. -ENOMEM past its limit. */
int store_space(struct store *store, size_t top, struct arena *arena, struct space *ret_space);
