/*
 * The checklist's rows. See readiness_db.h.
 */

#include "alertd/db/readiness_db.h"

#include <string.h>

#include "alertd/db/rows.h"

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct readiness_row *row = ret_item;

    *row = (struct readiness_row){
        .person = rows_text(arena, stmt, 0),
        .area = rows_text(arena, stmt, 1),
        .item = rows_text(arena, stmt, 2),
        .evidence = rows_text(arena, stmt, 3),
        .question = rows_text(arena, stmt, 4),
        .answer = rows_text(arena, stmt, 5),
        .done_ms = db_int(stmt, 6),
        .done_by = rows_text(arena, stmt, 7),
        .signed_ms = db_int(stmt, 9),
    };
    return row->person && row->area && row->item && row->evidence && row->question && row->answer &&
           row->done_by && rows_text_or_null(arena, stmt, 8, &row->signed_by);
}

int readiness_db_list(struct db_conn *conn,
                      const char *person,
                      struct arena *arena,
                      struct readiness_row **ret_rows,
                      size_t *ret_n,
                      struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct readiness_row), read_row,
                                          READINESS_DB_E_LIMIT, "too much to read at once"};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT person, area, item, evidence, question, answer, done_ms, done_by,"
              " signed_by, signed_ms FROM readiness_item WHERE ?1 IS NULL OR person = ?1"
              " ORDER BY person, item");

    db_bind_text(stmt, 1, person);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

int readiness_db_put(struct db_conn *conn, const struct readiness_row *row, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO readiness_item (person, area, item, evidence, question, answer,"
              " done_ms, done_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
              " ON CONFLICT (person, item) DO UPDATE SET area = ?2, evidence = ?4, question = ?5,"
              " answer = ?6, done_ms = ?7, done_by = ?8, signed_by = NULL, signed_ms = NULL"
              " WHERE evidence <> ?4 OR answer <> ?6");

    db_bind_text(stmt, 1, row->person);
    db_bind_text(stmt, 2, row->area);
    db_bind_text(stmt, 3, row->item);
    db_bind_text(stmt, 4, row->evidence);
    db_bind_text(stmt, 5, row->question);
    db_bind_text(stmt, 6, row->answer);
    db_bind_int(stmt, 7, row->done_ms);
    db_bind_text(stmt, 8, row->done_by);
    return db_run(stmt, reterr);
}

int readiness_db_sign(struct db_conn *conn,
                      const char *person,
                      const char *item,
                      const char *by,
                      int64_t now_ms,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT 1 FROM readiness_item WHERE person = ?1 AND item = ?2");
    bool is_self = by && strcmp(by, person) == 0;
    bool found = false;

    db_bind_text(stmt, 1, person);
    db_bind_text(stmt, 2, item);
    found = db_step(stmt);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (is_self)
        return err_set(reterr, READINESS_DB_E_SELF,
                       "nobody signs for themselves: somebody else has to look at it");
    if (!found)
        return err_set(reterr, READINESS_DB_E_NOT_DONE,
                       "%s has not said yet that this is done: there is nothing to sign", person);
    stmt = by ? db_prepare(conn, "UPDATE readiness_item SET signed_by = coalesce(signed_by, ?3),"
                                 " signed_ms = coalesce(signed_ms, ?4)"
                                 " WHERE person = ?1 AND item = ?2")
              : db_prepare(conn, "UPDATE readiness_item SET signed_by = NULL, signed_ms = NULL"
                                 " WHERE person = ?1 AND item = ?2 AND ?3 IS NULL AND ?4");
    db_bind_text(stmt, 1, person);
    db_bind_text(stmt, 2, item);
    db_bind_text(stmt, 3, by);
    db_bind_int(stmt, 4, now_ms);
    return db_run(stmt, reterr);
}
