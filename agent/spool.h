#pragma once

/*
 * Batches that wait for the server: a bounded queue in a folder. It knows bytes, not
 * metrics.
 *
 *     append --> [ oldest ............ newest ] --> read --> accepted
 *                   |  over size or age: dropped, counted
 *
 * Invariants
 *  (1) A batch is in the spool before it is sent for the first time, and leaves it when
 *      the server has accepted or refused it, or when a limit drops it: nothing else.
 *  (2) The folder never holds more than max_bytes; the oldest file goes first.
 *  (3) After kill -9 at any instant every record that was whole is still there, and what
 *      was half written is cut off. (After a power cut, records of the last half minute
 *      may be missing, unless the server was away: then each append is synced.)
 *  (4) (epoch, sequence) names a batch for ever: the epoch is new with every open, and
 *      batches of earlier epochs keep theirs. So a replay is recognised, and a sequence
 *      number that was used before a power cut is never used for other bytes.
 *  (5) When the disk takes nothing, the newest batch is held in memory, and only it.
 *
 * One process at a time per folder (lock file). Not thread-safe: the caller has a lock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct spool;

struct spool_limits {
    uint64_t max_bytes;
    int64_t max_age_ms;
};

struct spool_id {
    uint64_t epoch;
    uint64_t sequence;
};

struct spool_stats {
    uint64_t bytes;     /* on disk now */
    uint64_t n_records; /* that wait now */
    int64_t oldest_ms;  /* when the oldest of them was made; 0: none waits */
    uint64_t n_dropped_size, n_dropped_age, n_dropped_disk; /* since open */
    uint64_t n_corrupt;                                     /* damaged records skipped */
    uint64_t n_torn;                                        /* files whose tail was cut at open */
    uint64_t n_write_errors;
};

/* Opens or makes the folder. epoch must be larger than at any open before (Unix time in
 * ms is). 0, -EBUSY when another process has it, negative errno. */
int spool_open(const char *folder,
               const struct spool_limits *limits,
               uint64_t epoch,
               struct spool **ret_spool,
               struct err *reterr);
void spool_close(struct spool *spool);

/* 0, or negative errno: then the batch is in memory only (invariant 5). */
int spool_append(
    struct spool *spool, const void *bytes, size_t len, int64_t now_ms, struct err *reterr);

/* The newest batch, when it was appended since the open: what is live. */
bool spool_live(const struct spool *spool, struct spool_id *ret_id);
/* The oldest batch that is not the live one. */
bool spool_backlog(const struct spool *spool, struct spool_id *ret_id);

/* The bytes of a batch: a loan until the next call. -ENOENT when a limit dropped it
 * meanwhile, -EBADMSG when it is damaged (it is forgotten and counted then). */
int spool_read(struct spool *spool,
               const struct spool_id *id,
               const char **ret_bytes,
               size_t *ret_len);

/* The server has decided about it: forget it. */
void spool_forget(struct spool *spool, const struct spool_id *id);

/* Drops what is too old; append does it too. */
void spool_expire(struct spool *spool, int64_t now_ms);

void spool_get_stats(const struct spool *spool, struct spool_stats *ret_stats);
