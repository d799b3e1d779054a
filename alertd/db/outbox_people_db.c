/*
 * Pages to people, as they come: for whoever has to stop practising now. See outbox_db.h.
 */

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/rows.h"

enum {
    AT_ONCE_MAX = 200,
};

int outbox_db_newest(struct db_conn *conn, int64_t *ret_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT coalesce(max(id), 0) FROM outbox");
    int64_t id = 0;

    if (db_step(stmt))
        id = db_int(stmt, 0);

    int r = db_done(stmt, reterr);

    if (r == 0)
        *ret_id = id;
    return r;
}

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct outbox_person_row *row = ret_item;

    *row = (struct outbox_person_row){.id = db_int(stmt, 0),
                                      .person = rows_text(arena, stmt, 1),
                                      .incident = rows_text(arena, stmt, 2),
                                      .title = rows_text(arena, stmt, 3)};
    return row->person && row->incident && row->title;
}

int outbox_db_people_after(struct db_conn *conn,
                           int64_t after_id,
                           struct arena *arena,
                           struct outbox_person_row **ret_rows,
                           size_t *ret_n,
                           struct err *reterr)
{
    static const struct rows_kind kind = {sizeof(struct outbox_person_row), read_row,
                                          INCIDENT_DB_E_LIMIT, "too many pages at once"};
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT o.id, substr(o.receiver, ?2), i.key, i.title"
              " FROM outbox o JOIN incident i ON i.id = o.incident_id"
              " WHERE o.id > ?1 AND o.lane = 'page' AND o.reason <> 'resolved'"
              " AND substr(o.receiver, 1, ?2 - 1) = ?3 ORDER BY o.id LIMIT ?4");

    db_bind_int(stmt, 1, after_id);
    db_bind_int(stmt, 2, (int64_t)sizeof(OUTBOX_PERSON));
    db_bind_text(stmt, 3, OUTBOX_PERSON);
    db_bind_int(stmt, 4, AT_ONCE_MAX);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}
