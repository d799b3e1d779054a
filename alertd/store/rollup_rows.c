/*
 * A day's roll-ups in its file. See rollup_rows.h.
 */

#include "alertd/store/rollup_rows.h"

#include "lib/base/mem.h"

/* The place of a series' first row of a resolution. */
static int64_t first_row(uint32_t local_id, int64_t resolution_ms)
{
    return ((int64_t)local_id * 2 + (resolution_ms == BUCKETS_COARSE_MS)) * BUCKETS_COLUMNS;
}

static int put_column(
    struct db_conn *conn, int64_t id, const unsigned char *bytes, size_t len, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO rollup (id, body) VALUES (?, ?)");

    db_bind_int(stmt, 1, id);
    db_bind_blob(stmt, 2, bytes, len);
    return db_run(stmt, reterr);
}

static int put_resolution(struct db_conn *conn,
                          uint32_t local_id,
                          int64_t resolution_ms,
                          const struct columns *columns,
                          struct err *reterr)
{
    struct buckets buckets = {0};
    int r = 0;

    buckets_add_samples(&buckets, resolution_ms, columns->t_ms, columns->values, columns->n);
    MEM_AUTO unsigned char *bytes = mem_alloc(buckets_room(buckets.n + 1));
    for (int column = 0; column < BUCKETS_COLUMNS && buckets.n > 0 && r == 0; column++) {
        size_t len = buckets_pack(buckets.at, buckets.n, (enum buckets_column)column, bytes);

        if (len > 0)
            r = put_column(conn, first_row(local_id, resolution_ms) + column, bytes, len, reterr);
    }
    buckets_done(&buckets);
    return r;
}

int rollup_rows_put(struct db_conn *conn,
                    uint32_t local_id,
                    const struct columns *columns,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "DELETE FROM rollup WHERE id >= ? AND id < ?");

    db_bind_int(stmt, 1, first_row(local_id, BUCKETS_FINE_MS));
    db_bind_int(stmt, 2, first_row(local_id + 1, BUCKETS_FINE_MS));
    int r = db_run(stmt, reterr);
    if (r == 0 && columns)
        r = put_resolution(conn, local_id, BUCKETS_FINE_MS, columns, reterr);
    if (r == 0 && columns)
        r = put_resolution(conn, local_id, BUCKETS_COARSE_MS, columns, reterr);
    return r;
}

int rollup_rows_read(struct db_conn *conn,
                     uint32_t local_id,
                     int64_t resolution_ms,
                     struct buckets *buckets,
                     struct err *reterr)
{
    int64_t first = first_row(local_id, resolution_ms);
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, body FROM rollup WHERE id >= ? AND id < ? ORDER BY id");
    struct buckets_reading reading;
    bool good = true;
    size_t n = 0;

    reading.n = 0;
    for (int column = 0; column < BUCKETS_COLUMNS; column++)
        reading.has[column] = false;
    db_bind_int(stmt, 1, first);
    db_bind_int(stmt, 2, first + BUCKETS_COLUMNS);
    for (; good && db_step(stmt); n++) {
        size_t len;
        const void *body = db_blob(stmt, 1, &len);

        good = buckets_read_column(&reading, (enum buckets_column)(db_int(stmt, 0) - first), body,
                                   len);
    }
    int r = db_done(stmt, good ? reterr : NULL);
    if (r != 0 && good)
        return r;
    if (n == 0)
        return 0;
    if (good && buckets_read_end(&reading, resolution_ms, buckets))
        return 0;
    return err_set(reterr, ROLLUP_ROWS_DAMAGED, "a roll-up is damaged");
}
