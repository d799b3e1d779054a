/*
 * What was acknowledged, for whoever passes it on. See outbound.h.
 *
 *     any thread      reads rows, says what it holds
 *     store's thread  keeps rows before sealing drops them, trims what nobody wants
 */

#include "alertd/store/outbound.h"

#include <errno.h>
#include <stdlib.h>

#include "alertd/store/private.h"
#include "alertd/store/series_rows.h"
#include "lib/base/mem.h"

enum {
    KEEP_BYTES = 4 << 20,        /* in one transaction, between which pushes go on */
    TRIM_ROWS = 1000,            /* likewise */
    SERIES_BYTES_MAX = 16 << 20, /* of one series' labels */
};

/* --- any thread --- */

struct store_outbound_day *store_outbound_days(struct store *store, size_t *ret_n)
{
    (void)pthread_rwlock_rdlock(&store->lock);
    struct store_outbound_day *days = mem_alloc((store->n_partitions + 1) * sizeof(*days));
    for (size_t i = 0; i < store->n_partitions; i++)
        days[i] = (struct store_outbound_day){store->partitions[i]->day_ms,
                                              store->partitions[i]->journal_last_id};
    *ret_n = store->n_partitions;
    (void)pthread_rwlock_unlock(&store->lock);
    return days;
}

void store_outbound_hold(struct store *store, const struct store_outbound_day *held)
{
    (void)pthread_rwlock_rdlock(&store->lock);
    struct partition *partition = store_partition(store, held->day_ms);
    if (partition && store->options.keeps_outbound)
        atomic_store(&partition->held, held->last_row);
    (void)pthread_rwlock_unlock(&store->lock);
}

static struct partition *hold(struct store *store, int64_t day_ms)
{
    (void)pthread_rwlock_rdlock(&store->lock);
    struct partition *partition = store_partition(store, day_ms);
    if (partition)
        atomic_fetch_add(&partition->n_uses, 1);
    (void)pthread_rwlock_unlock(&store->lock);
    return partition;
}

struct reading {
    struct db_conn *conn;
    const struct store_outbound_query *query;
    struct series_reader series;
    struct arena arena;
    const struct labels *labels; /* of local_id; NULL: there is none */
    uint32_t local_id;
    bool is_first;
    struct store_outbound_row *row;
};

static const struct labels *find_labels(struct reading *reading, uint32_t local_id)
{
    struct db_stmt *stmt = series_row_of(reading->conn, local_id);
    const struct labels *labels = NULL;
    bool corrupt;

    arena_reset(&reading->arena);
    if (db_step(stmt))
        labels = series_reader_labels(&reading->series, stmt, &reading->arena, &corrupt);
    (void)db_done(stmt, NULL);
    return labels;
}

static void read_sample(void *arg, uint32_t local_id, struct sample sample)
{
    struct reading *reading = arg;
    const struct store_outbound_query *query = reading->query;
    size_t i = reading->row->n_samples++;

    if (i < query->first || i - query->first >= query->most)
        return;
    if (reading->is_first || local_id != reading->local_id)
        reading->labels = find_labels(reading, local_id);
    reading->is_first = false;
    reading->local_id = local_id;
    if (reading->labels)
        query->each(query->arg, reading->labels, sample);
    else
        reading->row->is_damaged = true;
}

/* Rows sealed or not, whichever comes first; the empty one is only a number. */
static int read_row(struct reading *reading, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        reading->conn, "SELECT id, body FROM outbound WHERE id > ?1 AND length(body) > 0"
                       " UNION ALL SELECT id, body FROM journal WHERE id > ?1"
                       " ORDER BY id LIMIT 1");
    struct store_outbound_row *row = reading->row;
    bool found;

    db_bind_int(stmt, 1, reading->query->after.last_row);
    found = db_step(stmt);
    if (found) {
        const void *body = db_blob(stmt, 1, &row->bytes);

        row->number = db_int(stmt, 0);
        row->is_history = journal_is_history(body, row->bytes);
        if (journal_read(body, row->bytes, read_sample, reading, NULL) != 0)
            row->is_damaged = true;
    }
    int r = db_done(stmt, reterr);
    if (r != 0)
        return r < 0 ? r : -EIO;
    return found ? 0 : -ENOENT;
}

int store_outbound_read(struct store *store,
                        const struct store_outbound_query *query,
                        struct store_outbound_row *ret_row,
                        struct err *reterr)
{
    struct store_outbound_row row = {0};
    struct reading reading = {.query = query, .is_first = true, .row = &row};
    struct partition *partition = hold(store, query->after.day_ms);

    if (!partition)
        return -ENOENT;
    arena_init(&reading.arena, SERIES_BYTES_MAX);
    int r = db_read_begin(partition->db, &reading.conn, reterr);
    if (r == 0) {
        series_reader_init(&reading.series, reading.conn);
        r = read_row(&reading, reterr);
        series_reader_done(&reading.series);
        db_read_end(partition->db, reading.conn);
    }
    arena_reset(&reading.arena);
    atomic_fetch_sub(&partition->n_uses, 1);
    if (r == 0)
        *ret_row = row;
    return r > 0 ? -EIO : r;
}

/* --- the store's thread --- */

struct keeping {
    int64_t from, to; /* rows behind from, up to and including to */
};

static int keep_slice(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct keeping *keeping = arg;
    int64_t to = keeping->from;
    int64_t bytes = 0;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, length(body) FROM journal WHERE id > ? AND id <= ? ORDER BY id");

    db_bind_int(stmt, 1, keeping->from);
    db_bind_int(stmt, 2, keeping->to);
    while (bytes < KEEP_BYTES && db_step(stmt)) {
        to = db_int(stmt, 0);
        bytes += db_int(stmt, 1);
    }
    int r = db_done(stmt, reterr);
    if (r != 0)
        return r;
    if (bytes < KEEP_BYTES)
        to = keeping->to;
    stmt = db_prepare(conn, "INSERT OR IGNORE INTO outbound (id, body)"
                            " SELECT id, body FROM journal WHERE id > ? AND id <= ?");
    db_bind_int(stmt, 1, keeping->from);
    db_bind_int(stmt, 2, to);
    keeping->to = to;
    return db_run(stmt, reterr);
}

int outbound_keep(struct store *store, bool *ret_more, struct err *reterr)
{
    struct sealing *sealing = &store->sealing;
    struct partition *partition = sealing->partition;
    int64_t held = atomic_load(&partition->held);
    struct keeping keeping = {held > sealing->kept_to ? held : sealing->kept_to,
                              sealing->journal_to};

    *ret_more = keeping.from < keeping.to;
    if (!*ret_more)
        return 0;
    int r = db_write(partition->db, keep_slice, &keeping, reterr);
    if (r == 0) {
        sealing->kept_to = keeping.to;
        if (partition->outbound_first == 0)
            partition->outbound_first = keeping.from + 1;
    }
    return r;
}

struct trimming {
    int64_t held;
    int64_t first; /* what is left begins here */
    bool shrink;
};

/* The last row stays: its number must not come again. */
static int trim_slice(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct trimming *trimming = arg;
    struct db_stmt *stmt = db_prepare(
        conn, "DELETE FROM outbound WHERE id IN (SELECT id FROM outbound WHERE id <= ?1 AND"
              " id < (SELECT max(id) FROM outbound) ORDER BY id LIMIT ?2)");

    db_bind_int(stmt, 1, trimming->held);
    db_bind_int(stmt, 2, TRIM_ROWS);
    int r = db_run(stmt, reterr);
    if (r != 0)
        return r;
    stmt = db_prepare(conn, "SELECT min(id), max(id) FROM outbound");
    if (db_step(stmt))
        trimming->first = db_int(stmt, 0) == db_int(stmt, 1) ? 0 : db_int(stmt, 0);
    r = db_done(stmt, reterr);
    if (r == 0 && trimming->shrink)
        r = db_run(db_prepare(conn, "PRAGMA incremental_vacuum(4096)"), reterr);
    return r;
}

void outbound_trim(struct store *store, int64_t now_ms)
{
    for (size_t i = 0; i < store->n_partitions; i++) {
        struct partition *partition = store->partitions[i];
        struct err err = {0};
        struct trimming trimming = {.held = atomic_load(&partition->held),
                                    .shrink = partition->day_ms + PARTITION_MS < now_ms};

        if (partition->outbound_first == 0 || partition->outbound_first > trimming.held)
            continue;
        if (db_write(partition->db, trim_slice, &trimming, &err) == 0)
            partition->outbound_first = trimming.first;
        else
            log_error(store->options.log, "store", "what was forwarded could not be dropped",
                      "file=%s reason=\"%s\"", partition->path, err.text);
    }
}
