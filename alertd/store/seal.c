/*
 * From the journal to chunks, and out at the end.
 *
 *     journal rows + memory ──slice by slice──> chunk rows      then the journal rows go
 *     those still to be passed on: first ──────> outbound rows   (outbound.c)
 *
 * A partition is sealed when its journal is long, old, or its day is over. A slice is one
 * transaction of so many samples, or bytes of journal that go; appends go on between slices. A
 * crash in between leaves samples in a chunk and in the journal: who seals them after the next
 * start drops the second copy. What was sealed in the last hour stays in memory as well, so that rules need no
 * disk.
 */

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/store/private.h"

enum {
    SLICE_SEGMENTS = 2000, /* at most, and of so many samples about: a push waits for it */
    SLICE_SAMPLES = 1 << 16,
    DROP_BYTES = 4 << 20,         /* of the journal, in one transaction */
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
    size_t first, n; /* of its segments */
    size_t n_samples;
    int64_t min_ms, max_ms;
    const struct sealing *sealing;
    enum sealing_phase next_phase;
};

static struct segment *slice_segment(const struct slice *slice, size_t i)
{
    return partition_segment(slice->partition, slice->first + i);
}

static void slice_begin(struct slice *slice, const struct sealing *sealing)
{
    struct partition *partition = sealing->partition;
    size_t left = sealing->n_segments - sealing->cursor;
    size_t n_samples = 0;

    *slice = (struct slice){.partition = partition, .first = sealing->cursor, .sealing = sealing};
    while (slice->n < left && slice->n < SLICE_SEGMENTS && n_samples < SLICE_SAMPLES)
        n_samples += segment_n_unsealed(slice_segment(slice, slice->n++));
}

/* Those that are in chunks already go: what was sealed in slices before a crash. */
static int drop_doubles(struct db_conn *conn,
                        const struct segment *segment,
                        struct columns *columns,
                        struct err *reterr)
{
    struct columns disk = {0};
    size_t n_damaged = 0;
    size_t n = 0;

    int r = partition_read_chunks(conn, segment->local_id, columns->t_ms[0],
                                  columns->t_ms[columns->n - 1], &disk, &n_damaged, reterr);
    columns_settle(&disk);
    for (size_t i = 0, k = 0; r == 0 && i < columns->n; i++) {
        while (k < disk.n && disk.t_ms[k] < columns->t_ms[i])
            k++;
        if (k < disk.n && disk.t_ms[k] == columns->t_ms[i])
            continue;
        columns->t_ms[n] = columns->t_ms[i];
        columns->values[n++] = columns->values[i];
    }
    columns->n = n;
    columns_done(&disk);
    return r;
}

static int put_chunks(struct db_conn *conn, struct slice *slice, struct err *reterr)
{
    struct columns columns = {0};
    int r = 0;

    for (size_t i = 0; i < slice->n && r == 0; i++) {
        const struct segment *segment = slice_segment(slice, i);

        columns.n = 0;
        segment_read(segment, INT64_MIN, INT64_MAX, false, &columns);
        if (columns.n == 0)
            continue;
        columns_settle(&columns);
        if (slice->n_samples == 0 || columns.t_ms[0] < slice->min_ms)
            slice->min_ms = columns.t_ms[0];
        if (slice->n_samples == 0 || columns.t_ms[columns.n - 1] > slice->max_ms)
            slice->max_ms = columns.t_ms[columns.n - 1];
        slice->n_samples += columns.n;
        if (slice->partition->has_doubles && columns.t_ms[0] <= segment->sealed_to_ms)
            r = drop_doubles(conn, segment, &columns, reterr);
        if (r == 0)
            r = partition_put_chunks(conn, segment->local_id, &columns, NULL, reterr);
    }
    columns_done(&columns);
    if (r == 0 && slice->n_samples > 0)
        r = partition_put_sealed(conn, slice->min_ms, slice->max_ms, false, reterr);
    return r;
}

/* Some of one phase, and of the next if that is through. */
static int seal_slice(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct slice *slice = arg;
    const struct sealing *sealing = slice->sealing;
    enum sealing_phase phase = sealing->phase;
    bool more = false;
    int r = 0;

    if (phase == SEALING_CHUNKS) {
        r = put_chunks(conn, slice, reterr);
        if (sealing->cursor + slice->n == sealing->n_segments)
            phase = SEALING_DROP;
    }
    if (r == 0 && phase == SEALING_DROP) {
        r = partition_drop_journal(conn, sealing->journal_to, DROP_BYTES, &more, reterr);
        if (!more)
            phase = sealing->shrink ? SEALING_SHRINK : SEALING_DONE;
    }
    if (r == 0 && phase == SEALING_SHRINK) {
        r = partition_shrink(conn, &more, reterr);
        if (!more)
            phase = SEALING_DONE;
    }
    slice->next_phase = phase;
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
        for (; i < end; i++) {
            struct segment *segment = slice_segment(slice, i);

            if (segment_has_unsealed(segment))
                segment_sealed(segment, slice->sealing->keep_after_ms);
        }
        (void)pthread_rwlock_unlock(&store->lock);
    }
}

/* Nothing of what there was when it began is in the journal any more. */
static void note_sealed(struct store *store)
{
    const struct sealing *sealing = &store->sealing;
    struct partition *partition = sealing->partition;

    (void)pthread_rwlock_wrlock(&store->lock);
    partition->has_doubles = false;
    partition->journal_bytes -= sealing->journal_bytes;
    partition->journal_since_ms = partition->journal_bytes ? sealing->now_ms : 0;
    (void)pthread_rwlock_unlock(&store->lock);
}

static void take_result(struct store *store, const struct slice *slice)
{
    struct sealing *sealing = &store->sealing;

    if (sealing->phase == SEALING_CHUNKS)
        show_sealed(store, slice);
    sealing->cursor += slice->n;
    if (sealing->phase <= SEALING_DROP && slice->next_phase > SEALING_DROP)
        note_sealed(store);
    sealing->phase = slice->next_phase;
    if (sealing->phase == SEALING_DONE) {
        sealing->partition = NULL;
        (void)malloc_trim(0); /* what memory forgot lies in between what is kept */
    }
}

bool seal_step(struct store *store)
{
    struct sealing *sealing = &store->sealing;
    struct partition *partition = sealing->partition;
    struct slice slice;
    struct err err = {0};

    if (!partition)
        return false;
    bool more;
    int r = outbound_keep(store, &more, &err);
    if (r == 0 && more)
        return true;
    slice_begin(&slice, sealing);
    if (r == 0)
        r = db_write(partition->db, seal_slice, &slice, &err);
    if (r != 0) {
        log_error(store->options.log, "store", "sealing failed and is tried again",
                  "file=%s reason=\"%s\"", partition->path, err.text);
        partition->seal_not_before_ms = sealing->now_ms + RETRY_MS;
        sealing->partition = NULL;
        return false;
    }
    take_result(store, &slice);
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
