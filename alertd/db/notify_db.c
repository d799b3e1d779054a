/*
 * Groups and what was told of them, as rows. See notify_db.h.
 */

#include "alertd/db/notify_db.h"

#include <string.h>

#include "alertd/db/rows.h"

enum {
    ROW_BYTES_MAX = 2 * 1024 * 1024
};

int notify_db_put_group(struct db_conn *conn,
                        const struct dispatch_group_row *row,
                        struct err *reterr)
{
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO notify_group VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
              " next_flush_ms = ?4, has_flushed = ?5");

    rows_labels_text(row->group, &labels);
    db_bind_int(stmt, 1, row->id);
    db_bind_text(stmt, 2, row->route_id);
    db_bind_text(stmt, 3, str_text(&labels));
    db_bind_int(stmt, 4, row->next_flush_ms);
    db_bind_int(stmt, 5, row->has_flushed);
    return db_run(stmt, reterr);
}

int notify_db_drop_group(struct db_conn *conn, int64_t group_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "DELETE FROM notify_group WHERE id = ?1");

    db_bind_int(stmt, 1, group_id);
    return db_run(stmt, reterr);
}

int notify_db_put_told(struct db_conn *conn, const struct dispatch_log_row *row, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO notify_told VALUES (?9, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO"
              " UPDATE SET firing = ?5, resolved = ?6, told_ms = ?7, expires_ms = ?8");

    db_bind_text(stmt, 1, row->group_key);
    db_bind_text(stmt, 2, row->receiver);
    db_bind_text(stmt, 3, row->kind);
    db_bind_int(stmt, 4, row->slot);
    db_bind_blob(stmt, 5, row->firing, row->n_firing * sizeof(*row->firing));
    db_bind_blob(stmt, 6, row->resolved, row->n_resolved * sizeof(*row->resolved));
    db_bind_int(stmt, 7, row->told_at_ms);
    db_bind_int(stmt, 8, row->expires_at_ms);
    db_bind_int(stmt, 9, row->id);
    return db_run(stmt, reterr);
}

int notify_db_forget(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    static const int64_t kept_ms = INT64_C(5) * 24 * 3600 * 1000;
    struct db_stmt *stmt = db_prepare(conn, "DELETE FROM notify_told WHERE expires_ms < ?1"
                                            " AND (length(firing) = 0 OR expires_ms < ?2)");

    db_bind_int(stmt, 1, now_ms);
    db_bind_int(stmt, 2, now_ms - kept_ms);
    return db_run(stmt, reterr);
}

int notify_db_drop_groups(struct db_conn *conn, struct err *reterr)
{
    return db_run(db_prepare(conn, "DELETE FROM notify_group"), reterr);
}

int notify_db_groups(struct db_conn *conn,
                     void (*each)(void *arg, const struct dispatch_group_row *row),
                     void *arg,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT route, labels, next_flush_ms, has_flushed FROM notify_group");
    ARENA_AUTO struct arena arena;

    arena_init(&arena, ROW_BYTES_MAX);
    while (db_step(stmt)) {
        const struct dispatch_group_row row = {.route_id = db_text(stmt, 0),
                                               .group = rows_labels(&arena, db_text(stmt, 1)),
                                               .next_flush_ms = db_int(stmt, 2),
                                               .has_flushed = db_int(stmt, 3) != 0};

        if (row.group)
            each(arg, &row);
        arena_reset(&arena);
    }
    return db_done(stmt, reterr);
}

/* A column's fingerprints, aligned; NULL past the arena's limit. */
static const uint64_t *read_prints(struct db_stmt *stmt,
                                   int column,
                                   struct arena *arena,
                                   size_t *ret_n)
{
    size_t len;
    const void *bytes = db_blob(stmt, column, &len);
    uint64_t *prints = arena_alloc(arena, len + sizeof(*prints));

    if (prints && len > 0)
        memcpy(prints, bytes, len);
    *ret_n = len / sizeof(*prints);
    return prints;
}

int notify_db_told(struct db_conn *conn,
                   void (*each)(void *arg, const struct dispatch_log_row *row),
                   void *arg,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT group_key, receiver, kind, slot, firing, resolved, told_ms, expires_ms,"
              " id FROM notify_told ORDER BY id");
    ARENA_AUTO struct arena arena;

    arena_init(&arena, ROW_BYTES_MAX);
    while (db_step(stmt)) {
        struct dispatch_log_row row = {.group_key = rows_text(&arena, stmt, 0),
                                       .receiver = rows_text(&arena, stmt, 1),
                                       .kind = rows_text(&arena, stmt, 2),
                                       .slot = (unsigned)db_int(stmt, 3),
                                       .id = db_int(stmt, 8),
                                       .told_at_ms = db_int(stmt, 6),
                                       .expires_at_ms = db_int(stmt, 7)};

        row.firing = read_prints(stmt, 4, &arena, &row.n_firing);
        row.resolved = read_prints(stmt, 5, &arena, &row.n_resolved);
        if (row.group_key && row.receiver && row.kind && row.firing && row.resolved)
            each(arg, &row);
        arena_reset(&arena);
    }
    return db_done(stmt, reterr);
}
