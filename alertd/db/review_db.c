/*
 * Reviews of rules as rows. See review_db.h.
 */

#include "alertd/db/review_db.h"

#include "alertd/db/rows.h"

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct review_row *row = ret_item;

    *row = (struct review_row){
        .rule_id = db_int(stmt, 0),
        .version = db_int(stmt, 1),
        .at_ms = db_int(stmt, 2),
        .kind = rows_text(arena, stmt, 3),
        .alerts = db_int(stmt, 4),
        .words = rows_text(arena, stmt, 5),
        .setting = rows_text(arena, stmt, 6),
    };
    return row->kind && row->words && row->setting;
}

int review_db_list(struct db_conn *conn,
                   struct arena *arena,
                   struct review_row **ret_rows,
                   size_t *ret_n,
                   struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct review_row), read_row, REVIEW_DB_E_LIMIT,
                                          "too many rules to review at once"};

    return rows_read(db_prepare(conn, "SELECT v.rule_id, v.version, v.at_ms, v.kind, v.alerts,"
                                      " v.words, v.setting FROM rule_review v"
                                      " JOIN rule r ON r.id = v.rule_id AND r.is_live"
                                      " ORDER BY v.rule_id"),
                     arena, &kind, ret_rows, ret_n, reterr);
}

int review_db_put(struct db_conn *conn, const struct review_row *row, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO rule_review VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
              " ON CONFLICT DO UPDATE SET version = ?2, at_ms = ?3, kind = ?4, alerts = ?5,"
              " words = ?6, setting = ?7");

    db_bind_int(stmt, 1, row->rule_id);
    db_bind_int(stmt, 2, row->version);
    db_bind_int(stmt, 3, row->at_ms);
    db_bind_text(stmt, 4, row->kind);
    db_bind_int(stmt, 5, row->alerts);
    db_bind_text(stmt, 6, row->words);
    db_bind_text(stmt, 7, row->setting);
    return db_run(stmt, reterr);
}
