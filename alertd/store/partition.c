/*
 * A day's file. See partition.h.
 */

#include "alertd/store/partition.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alertd/store/chunk_rows.h"
#include "alertd/store/pack.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static const struct db_migration migrations[] = {
    {1, "samples",
     /* name: the metric's, so that a select reads the rows of its metric only. */
     "CREATE TABLE series ("
     " id INTEGER PRIMARY KEY, name TEXT NOT NULL, labels BLOB NOT NULL) STRICT;"
     "CREATE INDEX series_name ON series (name);"
     "CREATE TABLE journal (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"
     "CREATE TABLE chunk ("
     " series INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, n INTEGER NOT NULL,"
     " body BLOB NOT NULL, PRIMARY KEY (series, t0)) STRICT, WITHOUT ROWID;"
     /* the spans sealed, so that a start need not read the chunks */
     "CREATE TABLE sealed (id INTEGER PRIMARY KEY, t_min INTEGER NOT NULL,"
     " t_max INTEGER NOT NULL) STRICT;"
     "CREATE TABLE batch ("
     " agent TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,"
     " body_hash INTEGER NOT NULL, received_ms INTEGER NOT NULL, stored INTEGER NOT NULL,"
     " duplicate INTEGER NOT NULL, too_old INTEGER NOT NULL, too_new INTEGER NOT NULL,"
     " series_limit INTEGER NOT NULL, invalid INTEGER NOT NULL, words TEXT NOT NULL,"
     " PRIMARY KEY (agent, epoch, sequence)) STRICT, WITHOUT ROWID;"},
    /* is_long: compacted since */
    {2, "long chunks", "ALTER TABLE sealed ADD COLUMN is_long INTEGER NOT NULL DEFAULT 0;"},
    /* is_rolled: the roll-ups are of all samples; a table with row ids, whose rows of up to a page
     * have no page of their own */
    {3, "roll-ups",
     "CREATE TABLE rollup (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"
     "ALTER TABLE sealed ADD COLUMN is_rolled INTEGER NOT NULL DEFAULT 0;"},
    {4, "outbound", "CREATE TABLE outbound (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"},
    /* pack: where a long chunk's bytes lie; 0: in its own row */
    {5, "packs",
     "CREATE TABLE pack (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"
     "ALTER TABLE chunk ADD COLUMN pack INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE chunk ADD COLUMN pack_at INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE chunk ADD COLUMN pack_len INTEGER NOT NULL DEFAULT 0;"},
    {6, "brief series",
     "CREATE TABLE label (id INTEGER PRIMARY KEY, pair BLOB NOT NULL UNIQUE) STRICT;"
     "CREATE TABLE brief ("
     " id INTEGER PRIMARY KEY, metric INTEGER NOT NULL, labels BLOB NOT NULL) STRICT;"
     "CREATE INDEX brief_metric ON brief (metric);"},
    /* in place of a row of chunk for each that lies in the pack */
    {7, "places", "CREATE TABLE place (pack INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"},
};

enum {
    APPLICATION_ID = 0x57425350, /* "WBSP" */
    PAGE_BYTES = 4096,
    SHRINK_PAGES = 256,
};

int64_t partition_day_of(int64_t t_ms)
{
    int64_t within = t_ms % PARTITION_MS;

    if (t_ms < INT64_MIN + PARTITION_MS) /* its midnight is no int64; its year no year of ours */
        return INT64_MIN;
    return t_ms - (within < 0 ? within + PARTITION_MS : within);
}

bool partition_has_day(int64_t t_ms)
{
    const int64_t year_1_ms = INT64_C(-62135596800000);
    const int64_t year_10000_ms = INT64_C(253402300800000);

    return t_ms >= year_1_ms && t_ms < year_10000_ms;
}

bool partition_day_text(int64_t day_ms, char *text)
{
    if (!partition_has_day(day_ms))
        return false;
    struct clock_utc utc = clock_split_utc(day_ms);
    (void)snprintf(text, PARTITION_DAY_TEXT_MAX, "%04d-%02d-%02d", utc.year, utc.month, utc.day);
    return true;
}

bool partition_day_parse(const char *name, int64_t *ret_day_ms)
{
    char day[PARTITION_DAY_TEXT_MAX];
    char again[PARTITION_DAY_TEXT_MAX + 4];
    int year = 0;
    int month = 0;
    int date = 0;
    int end = 0;

    // NOLINTNEXTLINE(cert-err34-c): the text made of the numbers must be the name
    if (sscanf(name, "%4d-%2d-%2d.db%n", &year, &month, &date, &end) != 3 || name[end])
        return false;
    int64_t day_ms = clock_days_from_civil(year, month, date) * PARTITION_MS;
    if (!partition_day_text(day_ms, day))
        return false;
    (void)snprintf(again, sizeof(again), "%s.db", day);
    if (strcmp(again, name) != 0)
        return false;
    *ret_day_ms = day_ms;
    return true;
}

/* --- opening --- */

static int read_state(struct partition *partition, struct db_conn *conn, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT count(*), min(t_min), max(t_max), min(is_long), min(is_rolled) FROM sealed");

    if (db_step(stmt) && db_int(stmt, 0) > 0) {
        partition->has_chunks = true;
        partition->chunk_min_ms = db_int(stmt, 1);
        partition->chunk_max_ms = db_int(stmt, 2);
        partition->is_compact = db_int(stmt, 3) == 1;
        partition->is_rolled = db_int(stmt, 4) == 1;
    }
    int r = db_done(stmt, reterr);
    if (r != 0)
        return r;
    stmt = db_prepare(conn, "SELECT max((SELECT coalesce(max(id), 0) FROM series),"
                            " (SELECT coalesce(max(id), 0) FROM brief))");
    if (db_step(stmt))
        partition->next_local_id = (uint32_t)db_int(stmt, 0) + 1;
    r = db_done(stmt, reterr);
    if (r != 0)
        return r;
    stmt = db_prepare(conn,
                      "SELECT coalesce(max(id), 0), coalesce(sum(length(body)), 0) FROM journal");
    if (db_step(stmt)) {
        partition->journal_last_id = db_int(stmt, 0);
        partition->journal_bytes = (uint64_t)db_int(stmt, 1);
    }
    r = db_done(stmt, reterr);
    if (r != 0)
        return r;
    stmt = db_prepare(conn, "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM outbound");
    if (db_step(stmt)) {
        partition->outbound_first = db_int(stmt, 0) < db_int(stmt, 1) ? db_int(stmt, 0) : 0;
        if (db_int(stmt, 1) > partition->journal_last_id)
            partition->journal_last_id = db_int(stmt, 1);
    }
    return db_done(stmt, reterr);
}

/* SQLite takes a file that is empty, or shorter than a page, for a new one. So a mark lies beside
 * a file from before it is made until its first commit: without the mark it was cut. */
static int check_length(const char *path, const char *mark, struct err *reterr)
{
    struct stat info;

    if (lstat(path, &info) != 0)
        return 0;
    if (!S_ISREG(info.st_mode))
        return err_set(reterr, DB_E_CORRUPT, "%s is not a file", path);
    if (info.st_size < PAGE_BYTES && access(mark, F_OK) != 0)
        return err_set(reterr, DB_E_CORRUPT, "%s was cut to %lld bytes", path,
                       (long long)info.st_size);
    return 0;
}

static int make_mark(const char *path, const char *mark, struct err *reterr)
{
    if (access(path, F_OK) == 0)
        return 0;
    int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(reterr, errno == ENOSPC ? DB_E_FULL : -errno, "cannot make %s: %s", mark,
                       strerrordesc_np(errno));
    (void)close(fd);
    return 0;
}

static int open_file(struct partition *partition,
                     const struct db_options *options,
                     struct err *reterr)
{
    STR_AUTO struct str mark = STR_INIT(4096);

    str_addf(&mark, "%s-new", partition->path);
    int r = check_length(partition->path, str_text(&mark), reterr);
    if (r == 0)
        r = make_mark(partition->path, str_text(&mark), reterr);
    partition->n_lost = db_log_lost(partition->path, PAGE_BYTES);
    if (r == 0)
        r = db_open(options, &partition->db, reterr);
    if (r == 0)
        (void)unlink(str_text(&mark));
    return r;
}

int partition_open(const char *folder,
                   int64_t day_ms,
                   bool sync_normal,
                   struct partition **ret_partition,
                   struct err *reterr)
{
    struct partition *partition = mem_zalloc(sizeof(*partition));
    struct str path = STR_INIT(4096);
    struct db_conn *conn;

    partition->day_ms = day_ms;
    (void)partition_day_text(day_ms, partition->day);
    str_addf(&path, "%s/%s.db", folder, partition->day);
    partition->path = str_take(&path);
    const struct db_options options = {.path = partition->path,
                                       .sync_normal = sync_normal,
                                       .application_id = APPLICATION_ID,
                                       .migrations = migrations,
                                       .n_migrations = sizeof(migrations) / sizeof(*migrations),
                                       .bulk = true};
    int r = open_file(partition, &options, reterr);
    if (r == 0)
        r = db_read_begin(partition->db, &conn, reterr);
    if (r == 0) {
        r = read_state(partition, conn, reterr);
        db_read_end(partition->db, conn);
    }
    if (r != 0) {
        partition_close(partition);
        return r;
    }
    /* Memory holds what the journal holds: nothing of the chunks yet. */
    partition->memory_from_ms = partition->has_chunks ? partition->chunk_max_ms + 1 : INT64_MIN;
    *ret_partition = partition;
    return 0;
}

void partition_close(struct partition *partition)
{
    if (!partition)
        return;
    db_close(partition->db);
    partition_free_segments(partition);
    free(partition->path);
    free(partition);
}

/* --- segments --- */

struct segment *partition_add_segment(struct partition *partition)
{
    size_t slab = partition->n_segments / PARTITION_SLAB;

    if (partition->n_segments % PARTITION_SLAB == 0) {
        partition->slabs = mem_grow(partition->slabs, &partition->slabs_capacity, slab + 1,
                                    sizeof(*partition->slabs));
        partition->slabs[slab] = mem_alloc(PARTITION_SLAB * sizeof(struct segment));
    }
    return partition_segment(partition, partition->n_segments++);
}

void partition_free_segments(struct partition *partition)
{
    for (size_t i = 0; i < partition->n_segments; i += PARTITION_SLAB)
        free(partition->slabs[i / PARTITION_SLAB]);
    free(partition->slabs);
    partition->slabs = NULL;
    partition->n_segments = partition->slabs_capacity = 0;
}

/* --- rows --- */

int partition_put_journal(
    struct db_conn *conn, int64_t id, const void *body, size_t len, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO journal (id, body) VALUES (?, ?)");

    db_bind_int(stmt, 1, id);
    db_bind_blob(stmt, 2, body, len);
    return db_run(stmt, reterr);
}

static int put_chunk(struct db_conn *conn,
                     uint32_t local_id,
                     const struct columns *columns,
                     size_t first,
                     struct pack *pack,
                     struct err *reterr)
{
    size_t most = pack ? CHUNK_LONG_SAMPLES_MAX : CHUNK_SAMPLES_MAX;
    size_t n = columns->n - first < most ? columns->n - first : most;
    const int64_t *t_ms = columns->t_ms + first;
    const double *values = columns->values + first;
    MEM_AUTO unsigned char *bytes = mem_alloc(pack ? chunk_long_room(n) : chunk_room(n));
    size_t len = pack ? chunk_pack_long(t_ms, values, n, bytes)
                      : chunk_pack(t_ms, values, n, bytes);

    if (pack)
        return pack_put(pack, conn, local_id, bytes, len, reterr);
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO chunk (series, t0, t1, n, body) VALUES (?, ?, ?, ?, ?)");
    db_bind_int(stmt, 1, local_id);
    db_bind_int(stmt, 2, t_ms[0]);
    db_bind_int(stmt, 3, t_ms[n - 1]);
    db_bind_int(stmt, 4, (int64_t)n);
    db_bind_blob(stmt, 5, bytes, len);
    return db_run(stmt, reterr);
}

int partition_put_chunks(struct db_conn *conn,
                         uint32_t local_id,
                         const struct columns *columns,
                         struct pack *pack,
                         struct err *reterr)
{
    size_t most = pack ? CHUNK_LONG_SAMPLES_MAX : CHUNK_SAMPLES_MAX;
    int r = 0;

    for (size_t first = 0; first < columns->n && r == 0; first += most)
        r = put_chunk(conn, local_id, columns, first, pack, reterr);
    return r;
}

int partition_drop_journal(
    struct db_conn *conn, int64_t id, size_t most_bytes, bool *ret_more, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, length(body) FROM journal WHERE id <= ? ORDER BY id");
    int64_t to = id;
    size_t bytes = 0;

    db_bind_int(stmt, 1, id);
    while (bytes < most_bytes && db_step(stmt)) {
        to = db_int(stmt, 0);
        bytes += (size_t)db_int(stmt, 1);
    }
    int r = db_done(stmt, reterr);
    if (r != 0)
        return r;
    *ret_more = bytes >= most_bytes && to < id;
    if (!*ret_more)
        to = id;
    stmt = db_prepare(conn, "DELETE FROM journal WHERE id <= ?");
    db_bind_int(stmt, 1, to);
    r = db_run(stmt, reterr);
    if (r != 0 || *ret_more)
        return r;
    stmt = db_prepare(conn, "INSERT OR IGNORE INTO outbound (id, body) VALUES (?, x'')");
    db_bind_int(stmt, 1, id);
    return db_run(stmt, reterr);
}

int partition_shrink(struct db_conn *conn, bool *ret_more, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "PRAGMA freelist_count");

    *ret_more = db_step(stmt) && db_int(stmt, 0) > SHRINK_PAGES;
    int r = db_done(stmt, reterr);
    return r == 0 ? db_run(db_prepare(conn, "PRAGMA incremental_vacuum(256)"), reterr) : r;
}

int partition_put_sealed(
    struct db_conn *conn, int64_t min_ms, int64_t max_ms, bool is_over, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO sealed (t_min, t_max, is_long, is_rolled) VALUES (?1, ?2, ?3, ?3)");

    db_bind_int(stmt, 1, min_ms);
    db_bind_int(stmt, 2, max_ms);
    db_bind_int(stmt, 3, is_over);
    return db_run(stmt, reterr);
}

int partition_read_chunks(struct db_conn *conn,
                          uint32_t local_id,
                          int64_t from_ms,
                          int64_t to_ms,
                          struct columns *columns,
                          size_t *n_damaged,
                          struct err *reterr)
{
    struct pack_reader packs = {.conn = conn};
    struct chunk_rows rows;
    struct chunk_row row;
    int r = 0;

    chunk_rows_begin(&rows, &packs, local_id, from_ms, to_ms);
    while (r == 0 && chunk_rows_next(&rows, &row, reterr)) {
        const void *body = NULL;
        size_t len = 0;

        r = chunk_row_bytes(&rows, &row, &body, &len, reterr);
        if (r == 0 && (!body || columns_add_chunk(columns, body, len, from_ms, to_ms, NULL) != 0))
            ++*n_damaged;
    }
    pack_reader_done(&packs);
    int end = chunk_rows_done(&rows, r == 0 ? reterr : NULL);
    return r ? r : end;
}
