/*
 * Days that are over become small: each series' chunks are put together into long ones, and
 * its roll-ups are written beside them, and its row becomes brief (series_rows.h).
 *
 *     packed | packed | packed | ...   ──a few series a transaction──>   long (pack.h) + roll-ups
 *
 * Each slice is a thread's, beside the store's own: appends go on, but to the very day, and
 * selects read what was there when they began. The store's thread takes what a slice has done, and
 * waits for it before the day is appended to or goes. A
 * crash leaves some series done and some not, which is no harm: nobody reads a day's roll-ups
 * before its last series is done, and the start begins again. A series with a damaged chunk
 * stays as it is, without roll-ups, so that what is sound of it can still be told from what is
 * not.
 *
 * A sample that comes to such a day later makes it warm: then its roll-ups are not read
 * (rollup.c), nor after it was sealed, which unmarks them in the same transaction, until all
 * this was done again. A day that an older program made long gets its roll-ups only: the newest
 * first, for those are looked at, and one day each time that compact_begin_due() is called.
 */

#include <pthread.h>
#include <stdlib.h>

#include "alertd/store/chunk_rows.h"
#include "alertd/store/pack.h"
#include "alertd/store/private.h"
#include "alertd/store/rollup_rows.h"
#include "alertd/store/series_rows.h"
#include "lib/base/mem.h"

enum {
    SLICE_SERIES = 32,            /* at most, and this many at least: so long the writer of */
    SLICE_SERIES_MIN = 12,        /* this day is busy. In between it ends where a pack is full */
    SERIES_SAMPLES_MAX = 1 << 20, /* more of a day are left as they are: they are large chunks */
    RETRY_MS = 3600 * 1000,
};

static bool is_due(const struct partition *partition, int64_t now_ms)
{
    return partition->has_chunks && !partition->is_warm && !partition->is_damaged &&
           !(partition->is_compact && partition->is_rolled) && partition_is_over(partition, now_ms);
}

/* What can become small first. */
static struct partition *find_due(const struct store *store, int64_t now_ms)
{
    for (size_t i = 0; i < store->n_partitions; i++)
        if (is_due(store->partitions[i], now_ms) && !store->partitions[i]->is_compact)
            return store->partitions[i];
    for (size_t i = store->n_partitions; i-- > 0;)
        if (is_due(store->partitions[i], now_ms))
            return store->partitions[i];
    return NULL;
}

void compact_begin_due(struct store *store, int64_t now_ms)
{
    struct compaction *compaction = &store->compaction;

    if (compaction->partition || now_ms < compaction->not_before_ms)
        return;
    struct partition *partition = find_due(store, now_ms);
    if (partition)
        *compaction = (struct compaction){.partition = partition};
}

/* A slice, as a job. */
struct slice {
    struct store *store;
    const struct partition *partition;
    uint32_t from_id, next_id;
    bool is_last;
    bool is_shrinking, has_more; /* room is given back; there is more of it */
    pthread_t thread;
    bool has_thread;
    bool has_ended; /* under the queue's lock */
    int r;
    struct err err;
};

/* How many chunks and samples a series has. */
static int count_chunks(struct db_conn *conn,
                        uint32_t id,
                        int64_t *ret_chunks,
                        int64_t *ret_samples,
                        struct err *reterr)
{
    struct pack_reader packs = {.conn = conn};
    struct chunk_rows rows;
    struct chunk_row row;

    chunk_rows_begin(&rows, &packs, id, INT64_MIN, INT64_MAX);
    while (chunk_rows_next(&rows, &row, reterr)) {
        ++*ret_chunks;
        *ret_samples += (int64_t)row.n;
    }
    return chunk_rows_done(&rows, reterr);
}

static int compact_series(struct db_conn *conn,
                          uint32_t id,
                          bool is_long, /* its chunks are already */
                          struct columns *columns,
                          struct pack *pack,
                          struct err *reterr)
{
    int64_t n_chunks = 0;
    int64_t n_samples = 0;
    size_t n_damaged = 0;

    int r = rollup_rows_put(conn, id, NULL, reterr);
    if (r == 0)
        r = count_chunks(conn, id, &n_chunks, &n_samples, reterr);
    if (r != 0 || n_chunks == 0 || n_samples > SERIES_SAMPLES_MAX)
        return r;
    columns->n = 0;
    r = partition_read_chunks(conn, id, INT64_MIN, INT64_MAX, columns, &n_damaged, reterr);
    if (r != 0 || n_damaged > 0 || columns->n == 0)
        return r;
    columns_settle(columns);
    r = rollup_rows_put(conn, id, columns, reterr);
    if (r != 0 || is_long)
        return r;
    r = chunk_rows_drop(conn, id, reterr);
    return r == 0 ? partition_put_chunks(conn, id, columns, pack, reterr) : r;
}

/* All is long and rolled up now: say so in place of what was sealed. */
static int note_compact(struct db_conn *conn, const struct partition *partition, struct err *reterr)
{
    int r = db_run(db_prepare(conn, "DELETE FROM sealed"), reterr);

    return r == 0 ? partition_put_sealed(conn, partition->chunk_min_ms, partition->chunk_max_ms,
                                         true, reterr)
                  : r;
}

static int compact_slice(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct slice *slice = arg;
    struct columns columns = {0};
    struct pack pack = {0};
    uint32_t ids[SLICE_SERIES];
    size_t n = 0;
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT id FROM series WHERE id >= ?1 UNION ALL"
                                      " SELECT id FROM brief WHERE id >= ?1 ORDER BY id LIMIT ?2");

    db_bind_int(stmt, 1, slice->from_id);
    db_bind_int(stmt, 2, SLICE_SERIES);
    while (n < SLICE_SERIES && db_step(stmt))
        ids[n++] = (uint32_t)db_int(stmt, 0);
    int r = db_done(stmt, reterr);
    slice->is_last = n < SLICE_SERIES;
    for (size_t i = 0; i < n && r == 0; i++) {
        r = compact_series(conn, ids[i], slice->partition->is_compact, &columns, &pack, reterr);
        if (r == 0)
            r = series_make_brief(conn, ids[i], reterr);
        if (i + 1 >= SLICE_SERIES_MIN && i + 1 < n && pack_is_full(&pack)) {
            n = i + 1;
            slice->is_last = false;
        }
    }
    if (r == 0)
        r = pack_finish(&pack, conn, reterr);
    if (r == 0 && n > 0)
        r = pack_sweep(conn, ids[0] > PACK_SPAN ? ids[0] - PACK_SPAN : 0, ids[n - 1], reterr);
    pack_done(&pack);
    columns_done(&columns);
    slice->next_id = n > 0 ? ids[n - 1] + 1 : slice->from_id;
    return r == 0 && slice->is_last ? note_compact(conn, slice->partition, reterr) : r;
}

/* Gives back some of the room the packed chunks had. */
static int shrink_slice(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct slice *slice = arg;

    int r = partition_shrink(conn, &slice->has_more, reterr);
    if (r == 0 && !slice->has_more)
        db_shorten_log(conn); /* it was written for the last time */
    return r;
}

/* --- slices beside the store's thread --- */

static void *run_slice(void *arg)
{
    struct slice *slice = arg;
    struct store *store = slice->store;
    db_job *job = slice->is_shrinking ? shrink_slice : compact_slice;

    if (slice->has_thread)
        (void)pthread_setname_np(pthread_self(), "compaction");
    slice->r = db_write(slice->partition->db, job, slice, &slice->err);
    (void)pthread_mutex_lock(&store->queue_lock);
    slice->has_ended = true;
    (void)pthread_cond_signal(&store->wake);
    (void)pthread_mutex_unlock(&store->queue_lock);
    return NULL;
}

static void begin_slice(struct store *store)
{
    struct compaction *compaction = &store->compaction;
    struct slice *slice = mem_zalloc(sizeof(*slice));

    slice->store = store;
    slice->partition = compaction->partition;
    slice->from_id = compaction->next_id;
    slice->is_shrinking = compaction->is_shrinking;
    slice->has_thread = true;
    compaction->slice = slice;
    if (pthread_create(&slice->thread, NULL, run_slice, slice) != 0) {
        slice->has_thread = false;
        (void)run_slice(slice);
    }
}

static void take_result(struct store *store, const struct slice *slice)
{
    struct compaction *compaction = &store->compaction;
    struct partition *partition = compaction->partition;

    if (slice->r != 0) {
        log_error(store->options.log, "store", "compaction failed and is tried again",
                  "file=%s reason=\"%s\"", partition->path, slice->err.text);
        *compaction = (struct compaction){.not_before_ms = store->options.now_wall_ms() + RETRY_MS};
        return;
    }
    if (slice->is_shrinking) {
        if (!slice->has_more)
            compaction->partition = NULL;
        return;
    }
    compaction->next_id = slice->next_id;
    if (!slice->is_last)
        return;
    (void)pthread_rwlock_wrlock(&store->lock);
    partition->is_compact = true;
    partition->is_rolled = true;
    (void)pthread_rwlock_unlock(&store->lock);
    compaction->is_shrinking = true;
}

bool compact_has_ended(const struct store *store)
{
    return store->compaction.slice && store->compaction.slice->has_ended;
}

void compact_wait(struct store *store)
{
    struct slice *slice = store->compaction.slice;

    if (!slice)
        return;
    if (slice->has_thread)
        (void)pthread_join(slice->thread, NULL);
    store->compaction.slice = NULL;
    take_result(store, slice);
    free(slice);
}

void compact_step(struct store *store)
{
    struct compaction *compaction = &store->compaction;

    (void)pthread_mutex_lock(&store->queue_lock);
    bool has_ended = compact_has_ended(store);
    (void)pthread_mutex_unlock(&store->queue_lock);
    if (has_ended)
        compact_wait(store);
    if (compaction->slice || !compaction->partition)
        return;
    if (compaction->partition->is_warm || compaction->partition->is_damaged)
        compaction->partition = NULL; /* samples of any age are taken: later */
    else
        begin_slice(store);
}
