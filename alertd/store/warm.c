/*
 * Warming a partition: its series and its journal into memory, so that samples can be appended.
 *
 *     series rows  ->  a segment each, by local id: a series keeps its number
 *     journal rows ->  a few MB of them  ->  every processor reads them all, and appends the
 *                      samples of the series that are its own: a range of local ids
 *
 * What was being sealed when a process was killed is in the journal and in chunks. It is the same
 * samples, so selects take them for one, and whoever seals it drops it (seal.c).
 *
 * Reading a row costs little beside appending what is in it, which waits for the memory of
 * each series in turn; and a range in order is what the processor foresees.
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/store/private.h"
#include "alertd/store/series_rows.h"
#include "lib/base/mem.h"
#include "lib/base/parallel.h"

enum {
    SLICE_BYTES = 4 << 20, /* of journal rows, read before they are appended */
    PARTS_MAX = 16,        /* of the series */
    READ_SAMPLES = 512,
    AHEAD = 8,
};

/* --- series --- */

static int load_series(struct store *store,
                       struct partition *partition,
                       struct db_conn *conn,
                       struct err *reterr)
{
    struct db_stmt *stmt = series_rows_all(conn);
    SERIES_READER_AUTO struct series_reader reader;
    struct arena arena;
    bool corrupt = false;

    series_reader_init(&reader, conn);
    arena_init(&arena, 1 << 24);
    while (!corrupt && db_step(stmt)) {
        const struct labels *labels = series_reader_labels(&reader, stmt, &arena, &corrupt);

        if (labels)
            (void)store_segment(store, partition, index_find(&store->index, labels), labels, true,
                                series_row_id(stmt));
        arena_reset(&arena);
    }
    int r = db_done(stmt, reterr);
    if (r == 0 && corrupt)
        r = err_set(reterr, DB_E_CORRUPT, "%s: a series row is not labels", partition->path);
    return r;
}

/* --- the journal, a slice at a time --- */

struct row {
    int64_t id;
    size_t start, len; /* its body, in the slice's bytes */
    atomic_bool is_damaged;
};

struct slice {
    struct segment **by_id; /* local id -> segment */
    uint32_t n_ids;
    unsigned n_parts;
    unsigned char *bytes;
    size_t n_bytes, bytes_capacity;
    struct row *rows;
    size_t n_rows, rows_capacity;
    uint64_t n_appended[PARTS_MAX]; /* since the start */
    size_t n_damaged;
};

struct read_sample {
    struct segment *segment;
    struct sample sample;
};

/* One processor's share of a slice. */
struct part {
    const struct slice *slice;
    uint32_t from_id, to_id;
    uint64_t n_appended;
    struct read_sample read[READ_SAMPLES]; /* and not yet appended */
    size_t n_read;
};

static void slice_init(struct slice *slice, const struct partition *partition)
{
    unsigned workers = parallel_workers(0);

    *slice = (struct slice){.n_ids = partition->next_local_id,
                            .n_parts = workers < PARTS_MAX ? workers : PARTS_MAX};
    slice->by_id = mem_zalloc(slice->n_ids * sizeof(*slice->by_id));
    for (size_t i = 0; i < partition->n_segments; i++) {
        struct segment *segment = partition_segment(partition, i);

        slice->by_id[segment->local_id] = segment;
    }
}

static void slice_done(struct slice *slice)
{
    free(slice->by_id);
    free(slice->bytes);
    free(slice->rows);
}

static void slice_add(struct slice *slice, int64_t id, const void *body, size_t len)
{
    slice->bytes = mem_grow(slice->bytes, &slice->bytes_capacity, slice->n_bytes + len, 1);
    slice->rows = mem_grow(slice->rows, &slice->rows_capacity, slice->n_rows + 1,
                           sizeof(*slice->rows));
    if (len)
        memcpy(slice->bytes + slice->n_bytes, body, len);
    slice->rows[slice->n_rows++] = (struct row){.id = id, .start = slice->n_bytes, .len = len};
    slice->n_bytes += len;
}

/* Each sample waits for the memory of its series, so that is asked for some samples ahead. */
static void append_read(struct part *part)
{
    const struct read_sample *read = part->read;
    size_t n = part->n_read;

    for (size_t i = 0; i < n + 3 * AHEAD; i++) {
        if (i < n)
            segment_prefetch(read[i].segment);
        if (i >= AHEAD && i - AHEAD < n)
            segment_prefetch_runs(read[i - AHEAD].segment);
        if (i >= 2 * AHEAD && i - 2 * AHEAD < n)
            segment_prefetch_end(read[i - 2 * AHEAD].segment);
        if (i < 3 * AHEAD)
            continue;
        const struct read_sample *next = &read[i - 3 * AHEAD];

        /* Twice only if the file was doctored: the checksum has matched. */
        if (!segment_has(next->segment, next->sample.t_ms)) {
            segment_append(next->segment, next->sample);
            part->n_appended++;
        }
    }
    part->n_read = 0;
}

static void take_sample(void *arg, uint32_t local_id, struct sample sample)
{
    struct part *part = arg;

    if (local_id < part->from_id || local_id >= part->to_id)
        return;
    struct segment *segment = part->slice->by_id[local_id];
    if (!segment)
        return;
    part->read[part->n_read++] = (struct read_sample){segment, sample};
    if (part->n_read == READ_SAMPLES)
        append_read(part);
}

static void append_part(void *context, size_t i)
{
    struct slice *slice = context;
    MEM_UNSET struct part part;

    part.slice = slice;
    part.from_id = (uint32_t)((uint64_t)slice->n_ids * i / slice->n_parts);
    part.to_id = (uint32_t)((uint64_t)slice->n_ids * (i + 1) / slice->n_parts);
    part.n_appended = part.n_read = 0;

    for (size_t k = 0; k < slice->n_rows; k++) {
        struct row *row = &slice->rows[k];

        if (journal_read(slice->bytes + row->start, row->len, take_sample, &part, NULL))
            atomic_store(&row->is_damaged, true);
    }
    append_read(&part);
    slice->n_appended[i] += part.n_appended;
}

static void slice_append(struct slice *slice,
                         const struct store *store,
                         const struct partition *partition)
{
    parallel_each(slice->n_parts, slice->n_parts, append_part, slice);
    for (size_t i = 0; i < slice->n_rows; i++)
        if (atomic_load(&slice->rows[i].is_damaged)) {
            log_error(store->options.log, "store", "a journal row is damaged: its samples are lost",
                      "file=%s row=%lld", partition->path, (long long)slice->rows[i].id);
            slice->n_damaged++;
        }
    slice->n_rows = slice->n_bytes = 0;
}

static int read_journal(const struct store *store,
                        const struct partition *partition,
                        struct db_conn *conn,
                        struct slice *slice,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id, body FROM journal ORDER BY id");

    while (db_step(stmt)) {
        size_t len;
        const void *body = db_blob(stmt, 1, &len);

        slice_add(slice, db_int(stmt, 0), body, len);
        if (slice->n_bytes >= SLICE_BYTES)
            slice_append(slice, store, partition);
    }
    slice_append(slice, store, partition);
    return db_done(stmt, reterr);
}

static int load_journal(struct store *store,
                        struct partition *partition,
                        struct db_conn *conn,
                        struct err *reterr)
{
    struct slice slice;

    slice_init(&slice, partition);
    (void)pthread_rwlock_wrlock(&store->lock);
    int r = read_journal(store, partition, conn, &slice, reterr);
    partition->has_doubles = partition->has_chunks;
    for (size_t i = 0; i < slice.n_parts; i++)
        store->stats.samples_in_head += slice.n_appended[i];
    (void)pthread_rwlock_unlock(&store->lock);
    if (slice.n_damaged > 0)
        store_lost_rows(store, partition, slice.n_damaged);
    slice_done(&slice);
    return r;
}

int store_warm_up(struct store *store, struct partition *partition, struct err *reterr)
{
    struct db_conn *conn;

    int r = db_read_begin(partition->db, &conn, reterr);
    if (r != 0)
        return r;
    r = load_series(store, partition, conn, reterr);
    if (r == 0)
        r = load_journal(store, partition, conn, reterr);
    db_read_end(partition->db, conn);
    (void)pthread_rwlock_wrlock(&store->lock);
    partition->is_warm = r == 0;
    (void)pthread_rwlock_unlock(&store->lock);
    if (r != 0)
        (void)store_cool(store, partition);
    if (r == 0 && partition->journal_bytes > 0)
        partition->journal_since_ms = store->options.now_wall_ms();
    return r;
}
