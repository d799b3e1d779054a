/*
 * What was looked up of an incident. See learnt_db.h.
 */

#include "alertd/db/learnt_db.h"

#include "alertd/db/rows.h"

int learnt_db_add(struct db_conn *conn,
                  int64_t incident_id,
                  int64_t made_ms,
                  const char *learnt,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO incident_learnt (incident_id, made_ms, learnt) VALUES (?1, ?2, ?3)");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, made_ms);
    db_bind_text(stmt, 3, learnt);
    return db_run(stmt, reterr);
}

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    const char **text = ret_item;

    *text = rows_text(arena, stmt, 0);
    return *text != NULL;
}

int learnt_db_get(struct db_conn *conn,
                  int64_t incident_id,
                  struct arena *arena,
                  const char **ret_learnt,
                  struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(const char *), read_row, LEARNT_DB_E_LIMIT,
                                          "too much was looked up"};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT learnt FROM incident_learnt WHERE incident_id = ?1 ORDER BY id DESC LIMIT 1");
    const char **rows = NULL;
    size_t n = 0;

    db_bind_int(stmt, 1, incident_id);
    int r = rows_read(stmt, arena, &kind, &rows, &n, reterr);

    if (r == 0)
        *ret_learnt = n ? rows[0] : NULL;
    return r;
}
