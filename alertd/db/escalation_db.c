/*
 * Escalations as rows. See escalation_db.h.
 */

#include "alertd/db/escalation_db.h"

#include "alertd/db/incident_db.h"
#include "alertd/db/rows.h"

int escalation_db_put(struct db_conn *conn, const struct escalation_row *row, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO escalation (incident_id, policy, spec, state, next_ms)"
              " VALUES (?1, ?2, ?3, ?4, ?5)"
              " ON CONFLICT DO UPDATE SET spec = ?3, state = ?4, next_ms = ?5");

    db_bind_int(stmt, 1, row->incident_id);
    db_bind_text(stmt, 2, row->policy);
    db_bind_text(stmt, 3, row->spec);
    db_bind_text(stmt, 4, row->state);
    if (row->next_ms == INT64_MAX)
        db_bind_null(stmt, 5);
    else
        db_bind_int(stmt, 5, row->next_ms);
    return db_run(stmt, reterr);
}

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct escalation_row *row = ret_item;

    *row = (struct escalation_row){
        .incident_id = db_int(stmt, 0),
        .policy = rows_text(arena, stmt, 1),
        .spec = rows_text(arena, stmt, 2),
        .state = rows_text(arena, stmt, 3),
        .next_ms = db_is_null(stmt, 4) ? INT64_MAX : db_int(stmt, 4),
    };
    return row->policy && row->spec && row->state;
}

static const struct rows_kind kind = {sizeof(struct escalation_row), read_row, INCIDENT_DB_E_LIMIT,
                                      "too many escalations to read at once"};

int escalation_db_of(struct db_conn *conn,
                     int64_t incident_id,
                     struct arena *arena,
                     struct escalation_row **ret_rows,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT incident_id, policy, spec, state, next_ms FROM escalation"
              " WHERE incident_id = ?1 ORDER BY policy");

    db_bind_int(stmt, 1, incident_id);
    return rows_read(stmt, arena, &kind, ret_rows, ret_n, reterr);
}

int escalation_db_due(struct db_conn *conn,
                      int64_t now_ms,
                      struct arena *arena,
                      struct escalation_row *ret_row,
                      struct err *reterr)
{
    struct escalation_row *rows = NULL;
    size_t n = 0;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT incident_id, policy, spec, state, next_ms FROM escalation"
              " WHERE next_ms <= ?1 ORDER BY next_ms, incident_id, policy LIMIT 1");

    *ret_row = (struct escalation_row){.next_ms = INT64_MAX};
    db_bind_int(stmt, 1, now_ms);
    int r = rows_read(stmt, arena, &kind, &rows, &n, reterr);

    if (r == 0 && n > 0)
        *ret_row = rows[0];
    return r;
}

int escalation_db_refused(struct db_conn *conn,
                          int64_t outbox_id,
                          int64_t *ret_incident_id,
                          struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT o.incident_id FROM outbox o WHERE o.id = ?1 AND o.reason = 'escalation'"
        " AND o.lane = 'page'"
        " AND o.created_ms = (SELECT max(n.created_ms) FROM outbox n"
        "  WHERE n.incident_id = o.incident_id AND n.reason = 'escalation'"
        "  AND n.lane = 'page')"
        " AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.incident_id = o.incident_id"
        "  AND p.reason = 'escalation' AND p.lane = 'page' AND p.created_ms = o.created_ms"
        "  AND p.state <> 'failed' AND NOT (p.state IN ('waiting', 'superseded') AND p.refused))");

    *ret_incident_id = 0;
    db_bind_int(stmt, 1, outbox_id);
    if (db_step(stmt))
        *ret_incident_id = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

int escalation_db_next(struct db_conn *conn, int64_t *ret_next_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT min(next_ms) FROM escalation WHERE next_ms IS NOT NULL");

    *ret_next_ms = INT64_MAX;
    if (db_step(stmt) && !db_is_null(stmt, 0))
        *ret_next_ms = db_int(stmt, 0);
    return db_done(stmt, reterr);
}
