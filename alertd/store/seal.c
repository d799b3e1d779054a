/*
 * From the journal to chunks, and out at the end.
 *
 *     journal rows + memory ──slice by slice──> chunk rows      then the journal rows go
 *     those still to be passed on: first ──────> outbound rows   (outbound.c)
 *
 * A partition is sealed when its journal is long, old, or its day is over. A slice is one
 * transaction of a few thousand series; appends go on between slices. A crash in between
 * leaves samples in a chunk and in the journal: the start drops the second copy
 * (partitions.c). What was sealed in the last hour stays in memory as well, so that
 * rules need no disk.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/store/private.h"

enum {
    SLICE_SEGMENTS = 2000,
    FORGET_SEGMENTS = 50,         /* with the lock held: each packs what it keeps */
    JOURNAL_BYTES_MIN = 16 << 20, /* read back at start in a fraction of a second */
    JOURNAL_BYTES_A_SERIES = 1024,
    JOURNAL_AGE_MS = 2 * 3600 * 1000,
    DAY_OVER_MS = 3600 * 1000, /* stragglers */
    IDLE_MS = 600 * 1000,  /* behind the end of a day: until then each series has two in memory */
    KEEP_MS = 3900 * 1000, /* an hour is the longest window many rules have */
    RETRY_MS = 60 * 1000,
    OLDEST_MS = 86400 * 1000, /* appends may come so late: stage.c */
    DEAD_MIN = 1000,
};

static bool is_due(const struct partition *partition, int64_t now_ms)
{
    uint64_t limit = (uint64_t)partition->n_segments * JOURNAL_BYTES_A_SERIES;

    if (partition->journal_since_ms == 0 || now_ms < partition->seal_not_before_ms)
        return false;
    if (limit < JOURNAL_BYTES_MIN)
        limit = JOURNAL_BYTES_MIN;
    return partition->journal_bytes >= limit ||
           now_ms - partition->journal_since_ms >= JOURNAL_AGE_MS ||
           (now_ms >= partition->day_ms + PARTITION_MS + IDLE_MS &&
            now_ms - partition->journal_since_ms >= IDLE_MS);
}

static void begin(struct store *store, struct partition *partition, int64_t now_ms)
{
    struct sealing *sealing = &store->sealing;
    bool day_over = now_ms >= partition->day_ms + PARTITION_MS + IDLE_MS;

    *sealing = (struct sealing){.partition = partition,
                                .n_segments = partition->n_segments,
                                .journal_to = partition->journal_last_id,
                                .journal_bytes = partition->journal_bytes,
                                .keep_after_ms = now_ms - KEEP_MS,
                                .now_ms = now_ms,
                                .shrink = day_over};
    /* From now on selects ask the files for what memory is about to forget. */
    (void)pthread_rwlock_wrlock(&store->lock);
    if (partition->memory_from_ms <= sealing->keep_after_ms)
        partition->memory_from_ms = sealing->keep_after_ms + 1;
    (void)pthread_rwlock_unlock(&store->lock);
}

void seal_begin_due(struct store *store, int64_t now_ms)
{
    for (size_t i = 0; i < store->n_partitions && !store->sealing.partition; i++)
        if (is_due(store->partitions[i], now_ms))
            begin(store, store->partitions[i], now_ms);
}

/* One slice, as a job. */
struct slice {
    struct partition *partition;
    struct segment **segments;
    size_t n;
    size_t n_samples;
    int64_t min_ms, max_ms;
    bool is_last;
    const struct sealing *sealing;
};

static int seal_slice(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct slice *slice = arg;
    struct columns columns = {0};
    int r = 0;

    for (size_t i = 0; i < slice->n && r == 0; i++) {
        columns.n = 0;
        segment_read(slice->segments[i], INT64_MIN, INT64_MAX, false, &columns);
        if (columns.n == 0)
            continue;
        columns_settle(&columns);
        if (slice->n_samples == 0 || columns.t_ms[0] < slice->min_ms)
            slice->min_ms = columns.t_ms[0];
        if (slice->n_samples == 0 || columns.t_ms[columns.n - 1] > slice->max_ms)
            slice->max_ms = columns.t_ms[columns.n - 1];
        slice->n_samples += columns.n;
        r = partition_put_chunks(conn, slice->segments[i]->local_id, &columns, NULL, reterr);
    }
    columns_done(&columns);
    if (r == 0 && slice->n_samples > 0)
        r = partition_put_sealed(conn, slice->min_ms, slice->max_ms, false, reterr);
    if (r == 0 && slice->is_last)
        r = partition_drop_journal(conn, slice->sealing->journal_to, slice->sealing->shrink,
                                   reterr);
    return r;
}

/* First that the file has them, then memory forgets: in between a select sees them twice. */
static void show_sealed(struct store *store, const struct slice *slice)
{
    struct partition *partition = slice->partition;

    (void)pthread_rwlock_wrlock(&store->lock);
    if (slice->n_samples > 0) {
        if (!partition->has_chunks || slice->min_ms < partition->chunk_min_ms)
            partition->chunk_min_ms = slice->min_ms;
        if (!partition->has_chunks || slice->max_ms > partition->chunk_max_ms)
            partition->chunk_max_ms = slice->max_ms;
        partition->has_chunks = true;
        partition->is_compact = false;
        partition->is_rolled = false; /* this is not in its roll-ups */
    }
    store->stats.samples_in_head -= slice->n_samples;
    (void)pthread_rwlock_unlock(&store->lock);
    for (size_t end = 0; end < slice->n;) {
        size_t i = end;

        end = slice->n - i < FORGET_SEGMENTS ? slice->n : i + FORGET_SEGMENTS;
        (void)pthread_rwlock_wrlock(&store->lock);
        for (; i < end; i++)
            if (segment_has_unsealed(slice->segments[i]))
                segment_sealed(slice->segments[i], slice->sealing->keep_after_ms);
        (void)pthread_rwlock_unlock(&store->lock);
    }
}

static void finish(struct store *store)
{
    struct sealing *sealing = &store->sealing;
    struct partition *partition = sealing->partition;

    partition->journal_bytes -= sealing->journal_bytes;
    partition->journal_since_ms = partition->journal_bytes ? sealing->now_ms : 0;
    sealing->partition = NULL;
}

bool seal_step(struct store *store)
{
    struct sealing *sealing = &store->sealing;
    struct partition *partition = sealing->partition;
    struct err err = {0};

    if (!partition)
        return false;
    bool more;
    int r = outbound_keep(store, &more, &err);
    if (r == 0 && more)
        return true;
    size_t left = sealing->n_segments - sealing->cursor;
    struct slice slice = {.partition = partition,
                          .segments = partition->segments + sealing->cursor,
                          .n = left < SLICE_SEGMENTS ? left : SLICE_SEGMENTS,
                          .is_last = left <= SLICE_SEGMENTS,
                          .sealing = sealing};
    if (r == 0)
        r = db_write(partition->db, seal_slice, &slice, &err);
    if (r != 0) {
        log_error(store->options.log, "store", "sealing failed and is tried again",
                  "file=%s reason=\"%s\"", partition->path, err.text);
        partition->seal_not_before_ms = sealing->now_ms + RETRY_MS;
        sealing->partition = NULL;
        return false;
    }
    show_sealed(store, &slice);
    sealing->cursor += slice.n;
    if (slice.is_last)
        finish(store);
    return true;
}

/* --- the end --- */

bool partition_is_over(const struct partition *partition, int64_t now_ms)
{
    return now_ms > partition->day_ms + PARTITION_MS + OLDEST_MS + DAY_OVER_MS;
}

static uint64_t bytes_of(const struct partition *partition)
{
    struct db_stats stats = {0};

    db_stats(partition->db, &stats);
    return stats.file_bytes + stats.wal_bytes;
}

/* The oldest days, until the others have room. What is in use goes the next time. */
static void apply_size(struct store *store)
{
    uint64_t total = 0;

    for (size_t i = 0; i < store->n_partitions; i++)
        total += bytes_of(store->partitions[i]);
    for (size_t i = 0; total > store->options.retention_bytes && i + 1 < store->n_partitions;) {
        struct partition *partition = store->partitions[i];
        uint64_t bytes = bytes_of(partition);
        size_t n = store->n_partitions;

        log_info(store->options.log, "store", "a day goes to make room", "day=%s bytes=%llu",
                 partition->day, (unsigned long long)bytes);
        if (partition != store->sealing.partition)
            store_drop_partition(store, i, true);
        total -= bytes;
        i += store->n_partitions == n;
    }
}

static void apply_age(struct store *store, int64_t now_ms)
{
    int64_t retention_ms = store->options.retention_ms;

    for (size_t i = store->n_partitions; i-- > 0;) {
        struct partition *partition = store->partitions[i];

        if (partition == store->sealing.partition)
            continue;
        if (retention_ms > 0 && partition->day_ms + PARTITION_MS <= now_ms - retention_ms) {
            log_info(store->options.log, "store", "a day is over its retention", "day=%s",
                     partition->day);
            store_drop_partition(store, i, true);
        } else if (partition->is_warm && partition->journal_since_ms == 0 &&
                   partition_is_over(partition, now_ms)) {
            (void)store_cool(store, partition);
        }
    }
}

void retention_apply(struct store *store, int64_t now_ms)
{
    outbound_trim(store, now_ms);
    apply_age(store, now_ms);
    if (store->options.retention_bytes > 0)
        apply_size(store);
    if (store->n_dead > DEAD_MIN && store->n_dead > store->index.n / 4) {
        (void)pthread_rwlock_wrlock(&store->lock);
        index_sweep(&store->index);
        store->n_dead = 0;
        (void)pthread_rwlock_unlock(&store->lock);
    }
}
