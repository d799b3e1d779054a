#pragma once

/*
 * One day of samples in one file, samples/YYYY-MM-DD.db, complete in itself:
 *
 *     series   id, metric name, labels            who: series_rows.h
 *     brief    id, metric, labels (numbers)       who, once the day is over
 *     label    id, pair                           what these numbers say
 *     journal  id, body                           acknowledged samples, as they came
 *     chunk    series, t0, t1, n, body            sealed samples, compressed: chunk_rows.h
 *     pack     id, body                           long chunks of some series, end to end: pack.h
 *     place    pack, body                         who lies where in it: places.h
 *     rollup   id, body                           5 minutes and hours of them: rollup_rows.h
 *     batch    agent, epoch, sequence, counts     what was answered to whom, for replays
 *     outbound id, body                           sealed journal rows still to be passed on
 *
 * A sample is in the journal or in a chunk, never in neither: sealing moves it in one
 * transaction. Layout of the bodies: docs/formats/partition.md.
 *
 * The file functions below are for db_jobs and readers; the fields are guarded by the
 * store's lock unless said otherwise.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/store/segment.h"
#include "lib/base/arena.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"

enum {
    PARTITION_DAY_TEXT_MAX = 24,
    PARTITION_MS = 86400000,
    PARTITION_SLAB = 512,
};

struct pack;

struct partition_sums {
    uint64_t file_bytes, wal_bytes, n_jobs;
    uint64_t n_chunks, chunk_bytes, chunk_samples;
    uint64_t packed_bytes, rollup_bytes; /* of chunk_bytes; beside them */
};

struct partition {
    char day[PARTITION_DAY_TEXT_MAX]; /* "2026-11-23" */
    int64_t day_ms;                   /* its midnight, UTC */
    char *path;
    struct db *db;      /* open as long as the partition is known */
    size_t n_lost;      /* commits behind a damage in the log that was found at opening */
    atomic_uint n_uses; /* selects and backups at work: not unlinked meanwhile */

    /* sealed: */
    int64_t chunk_min_ms, chunk_max_ms;
    bool has_chunks;
    bool is_compact; /* all chunks are long ones, since its day is over */
    bool is_rolled;  /* and its roll-ups are of all of them */
    /* Everything of this day from here on is in memory as well. */
    int64_t memory_from_ms;

    /* appended to: */
    struct segment **slabs; /* of PARTITION_SLAB segments each: partition_segment() */
    size_t n_segments, slabs_capacity;
    uint32_t next_local_id;
    uint64_t journal_bytes;
    int64_t journal_last_id;
    bool is_warm;     /* every series of the file has its segment in memory */
    bool has_doubles; /* memory may hold what is in chunks: of a start, until it is sealed */
    int64_t journal_since_ms;   /* wall clock of the first unsealed append; 0: nothing unsealed */
    int64_t seal_not_before_ms; /* after a failure */
    int64_t outbound_first;     /* the first row kept for outbound.h, or before it; 0: none */
    _Atomic int64_t held;       /* rows above it are wanted: outbound.h */
    bool is_damaged;            /* found while writing: set aside before the next group */

    struct partition_sums sums; /* space.c's; as of so many jobs and bytes */
};

static inline struct segment *partition_segment(const struct partition *partition, size_t i)
{
    return &partition->slabs[i / PARTITION_SLAB][i % PARTITION_SLAB];
}
/* A place for one more, behind the others. */
struct segment *partition_add_segment(struct partition *partition);
/* All are segment_done(). */
void partition_free_segments(struct partition *partition);

int64_t partition_day_of(int64_t t_ms); /* its midnight */
/* Within the years 1 to 9999: others have no file. */
bool partition_has_day(int64_t t_ms);
/* "2026-11-23"; false when it has none. */
bool partition_day_text(int64_t day_ms, char *text);
/* Of a file name "2026-11-23.db"; false for other names. */
bool partition_day_parse(const char *name, int64_t *ret_day_ms);

/* Opens or makes the file and reads what is said above about it. 0, DB_E_*, -errno. */
int partition_open(const char *folder,
                   int64_t day_ms,
                   bool sync_normal,
                   struct partition **ret_partition,
                   struct err *reterr);
/* Closes; its segments must have been freed. */
void partition_close(struct partition *partition);

/* --- rows, in a db_job --- */

int partition_put_journal(
    struct db_conn *conn, int64_t id, const void *body, size_t len, struct err *reterr);
/* Settled columns as chunks: long ones into a pack, or (NULL) each in its own row. */
int partition_put_chunks(struct db_conn *conn,
                         uint32_t local_id,
                         const struct columns *columns,
                         struct pack *pack,
                         struct err *reterr);
/* Rows up to and including id are sealed: about so many bytes of them go, and with the last of them the
 * number is remembered. */
int partition_drop_journal(
    struct db_conn *conn, int64_t id, size_t most_bytes, bool *ret_more, struct err *reterr);
/* Gives some free pages back to the file system. */
int partition_shrink(struct db_conn *conn, bool *ret_more, struct err *reterr);
/* Chunks within this span were added; is_over: long ones and their roll-ups, all of the day. */
int partition_put_sealed(
    struct db_conn *conn, int64_t min_ms, int64_t max_ms, bool is_over, struct err *reterr);

/* --- rows, read --- */

/* Appends the samples of one series' chunks within [from, to]; a damaged chunk is counted
 * and skipped. */
int partition_read_chunks(struct db_conn *conn,
                          uint32_t local_id,
                          int64_t from_ms,
                          int64_t to_ms,
                          struct columns *columns,
                          size_t *n_damaged,
                          struct err *reterr);

/* --- the journal's body --- */

/* One group of samples under construction. Samples of one series follow each other. */
struct journal {
    unsigned char *bytes;
    size_t n, capacity;
    uint32_t local_id; /* of the run at hand */
    size_t n_samples;
    int64_t last_ms;
    bool is_history; /* of an import, said before the first sample */
};
void journal_add(struct journal *journal, uint32_t local_id, struct sample sample);
/* Puts the checksum behind it. */
void journal_finish(struct journal *journal);
void journal_done(struct journal *journal);
bool journal_is_history(const void *bytes, size_t len);
/* Calls each(sample) until the end; 0 or CHUNK_E_CORRUPT. */
int journal_read(const void *bytes,
                 size_t len,
                 void (*each)(void *arg, uint32_t local_id, struct sample sample),
                 void *arg,
                 struct err *reterr);
