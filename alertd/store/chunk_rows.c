/*
 * A series' chunks in a day's file. See chunk_rows.h.
 */

#include "alertd/store/chunk_rows.h"

#include "lib/base/mem.h"

/* The packs a series may lie in. */
#define FIRST_PACK "(?1 - 31) * 64"
#define END_PACK   "(?1 + 1) * 64"

_Static_assert(PACK_SPAN == 32 && PACK_IDS == 64, "as the statements have it");

void chunk_rows_begin(struct chunk_rows *rows,
                      struct pack_reader *packs,
                      uint32_t series,
                      int64_t from_ms,
                      int64_t to_ms)
{
    *rows = (struct chunk_rows){
        .packs = packs, .series = series, .from_ms = from_ms, .to_ms = to_ms};
    rows->rows = db_prepare(packs->conn, "SELECT n, pack, pack_at, pack_len, body FROM chunk"
                                         " WHERE series = ? AND t0 <= ? AND t1 >= ?");
    db_bind_int(rows->rows, 1, series);
    db_bind_int(rows->rows, 2, to_ms);
    db_bind_int(rows->rows, 3, from_ms);
}

static void take_row(struct db_stmt *stmt, struct chunk_row *row)
{
    *row = (struct chunk_row){
        .n = (size_t)db_int(stmt, 0),
        .place = {db_int(stmt, 1), db_int(stmt, 2), db_int(stmt, 3)},
    };
}

/* The next row of places; false: there is none. */
static bool step_shelf(struct chunk_rows *rows)
{
    size_t len = 0;

    if (!db_step(rows->shelf))
        return false;
    rows->pack = db_int(rows->shelf, 0);
    const void *bytes = db_blob(rows->shelf, 1, &len);
    places_read(&rows->places, (uint32_t)(rows->pack / PACK_IDS), bytes, len);
    return true;
}

static bool next_place(struct chunk_rows *rows, struct chunk_row *row)
{
    struct place place;

    while (places_next(&rows->places, &place) && place.series <= rows->series) {
        const struct chunk_info *info = &place.head.info;

        if (place.series != rows->series || place.is_nobodys || info->t0_ms > rows->to_ms ||
            info->t1_ms < rows->from_ms)
            continue;
        *row = (struct chunk_row){
            .is_lean = true,
            .n = info->n,
            .place = {rows->pack, (int64_t)place.at, (int64_t)place.len},
            .head = place.head,
        };
        return true;
    }
    *row = (struct chunk_row){.is_damaged = rows->places.is_damaged};
    rows->places.at = rows->places.end;
    rows->places.is_damaged = false;
    return row->is_damaged;
}

bool chunk_rows_next(struct chunk_rows *rows, struct chunk_row *ret_row, struct err *reterr)
{
    if (rows->rows) {
        if (db_step(rows->rows)) {
            take_row(rows->rows, ret_row);
            return true;
        }
        rows->r = db_done(rows->rows, reterr);
        rows->rows = NULL;
        if (rows->r != 0)
            return false;
        rows->shelf = db_prepare(rows->packs->conn,
                                 "SELECT pack, body FROM place WHERE pack >= " FIRST_PACK
                                 " AND pack < " END_PACK);
        db_bind_int(rows->shelf, 1, rows->series);
    }
    if (!rows->shelf)
        return false;
    do {
        if (next_place(rows, ret_row))
            return true;
    } while (step_shelf(rows));
    return false;
}

int chunk_rows_done(struct chunk_rows *rows, struct err *reterr)
{
    struct db_stmt *stmt = rows->rows ? rows->rows : rows->shelf;
    int r = stmt ? db_done(stmt, rows->r == 0 ? reterr : NULL) : 0;

    rows->rows = rows->shelf = NULL;
    return rows->r != 0 ? rows->r : r;
}

int chunk_row_bytes(struct chunk_rows *rows,
                    const struct chunk_row *row,
                    const void **ret_bytes,
                    size_t *ret_len,
                    struct err *reterr)
{
    *ret_bytes = NULL;
    *ret_len = 0;
    if (row->is_damaged)
        return 0;
    if (!row->is_lean && row->place.pack == 0) {
        *ret_bytes = db_blob(rows->rows, 4, ret_len);
        return 0;
    }
    int r = pack_read(rows->packs, &row->place, ret_bytes, reterr);
    *ret_len = (size_t)row->place.len;
    if (row->is_lean && *ret_bytes) {
        *ret_bytes = pack_reader_whole(rows->packs, &row->head, *ret_bytes, *ret_len);
        *ret_len += LEAN_LEFT_OUT;
    }
    return r;
}

/* --- in a db_job --- */

/* The same places, but none of the series. False: it has none there. */
static bool leave(
    struct places *out, uint32_t series, uint32_t first, struct db_stmt *stmt, bool *ret_is_empty)
{
    struct places_reader reader;
    struct place place;
    bool has_left = false;
    size_t len;
    const void *bytes = db_blob(stmt, 1, &len);

    *ret_is_empty = true;
    places_begin(out, first);
    places_read(&reader, first, bytes, len);
    while (places_next(&reader, &place)) {
        has_left |= place.series == series && !place.is_nobodys;
        place.is_nobodys |= place.series == series;
        *ret_is_empty = *ret_is_empty && place.is_nobodys;
        places_add(out, &place);
    }
    places_finish(out);
    return has_left && !reader.is_damaged; /* who says what cannot be told keeps it */
}

static int put_places(struct db_conn *conn,
                      int64_t pack,
                      const struct places *places,
                      bool is_empty,
                      struct err *reterr)
{
    struct db_stmt *stmt = is_empty
                               ? db_prepare(conn, "DELETE FROM place WHERE pack = ?1")
                               : db_prepare(conn, "UPDATE place SET body = ?2 WHERE pack = ?1");

    db_bind_int(stmt, 1, pack);
    if (!is_empty)
        db_bind_blob(stmt, 2, places->bytes, places->n);
    return db_run(stmt, reterr);
}

/* A row at a time: what is being read is not written to. */
static int drop_places(struct db_conn *conn, uint32_t series, struct err *reterr)
{
    struct places places = {0};
    int64_t pack = INT64_MIN;
    bool has_more = true;
    int r = 0;

    while (r == 0 && has_more) {
        bool has_left = false;
        bool is_empty = false;
        struct db_stmt *stmt = db_prepare(
            conn, "SELECT pack, body FROM place WHERE pack >= max(?2, " FIRST_PACK
                  ") AND pack < " END_PACK " ORDER BY pack LIMIT 1");

        db_bind_int(stmt, 1, series);
        db_bind_int(stmt, 2, pack);
        has_more = db_step(stmt);
        if (has_more) {
            pack = db_int(stmt, 0);
            has_left = leave(&places, series, (uint32_t)(pack / PACK_IDS), stmt, &is_empty);
        }
        r = db_done(stmt, reterr);
        if (r == 0 && has_left)
            r = put_places(conn, pack, &places, is_empty, reterr);
        pack++;
    }
    places_done(&places);
    return r;
}

int chunk_rows_drop(struct db_conn *conn, uint32_t series, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "DELETE FROM chunk WHERE series = ?");

    db_bind_int(stmt, 1, series);
    int r = db_run(stmt, reterr);
    return r == 0 ? drop_places(conn, series, reterr) : r;
}

/* --- sums --- */

static void add_places(struct chunk_sums *sums, struct db_stmt *stmt)
{
    struct places_reader reader;
    struct place place;
    size_t len;
    const void *bytes = db_blob(stmt, 1, &len);

    places_read(&reader, (uint32_t)(db_int(stmt, 0) / PACK_IDS), bytes, len);
    while (places_next(&reader, &place)) {
        if (place.is_nobodys)
            continue;
        sums->n_chunks++;
        sums->samples += place.head.info.n;
        sums->bytes += place.is_again ? 0 : place.len;
        sums->packed_bytes += place.is_again ? 0 : place.len;
    }
}

int chunk_rows_sum(struct db_conn *conn, struct chunk_sums *ret_sums, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT count(*), coalesce(sum(length(body) + pack_len), 0), coalesce(sum(n), 0),"
              " coalesce(sum(pack_len), 0) FROM chunk");

    *ret_sums = (struct chunk_sums){0};
    if (db_step(stmt))
        *ret_sums = (struct chunk_sums){(uint64_t)db_int(stmt, 0), (uint64_t)db_int(stmt, 1),
                                        (uint64_t)db_int(stmt, 2), (uint64_t)db_int(stmt, 3)};
    int r = db_done(stmt, reterr);
    if (r != 0)
        return r;
    stmt = db_prepare(conn, "SELECT pack, body FROM place");
    while (db_step(stmt))
        add_places(ret_sums, stmt);
    return db_done(stmt, reterr);
}
