/*
 * The log of deliveries: what was to be told, to whom, and what became of it. See outbox_db.h.
 */

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/rows.h"

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct delivery_row *row = ret_item;

    *row = (struct delivery_row){
        .id = db_int(stmt, 0),
        .receiver = rows_text(arena, stmt, 3),
        .kind = rows_text(arena, stmt, 4),
        .lane = rows_text(arena, stmt, 5),
        .reason = rows_text(arena, stmt, 6),
        .state = rows_text(arena, stmt, 7),
        .attempts = (unsigned)db_int(stmt, 8),
        .refused = db_int(stmt, 9) != 0,
        .created_at_ms = db_int(stmt, 10),
        .owed_at_ms = db_int(stmt, 11),
        .due_at_ms = db_int(stmt, 12),
        .sent_at_ms = db_int(stmt, 13),
        .superseded_by = db_int(stmt, 15),
        .acknowledged_at_ms = db_int(stmt, 16),
    };
    return row->receiver && row->kind && row->lane && row->reason && row->state &&
           rows_text_or_null(arena, stmt, 1, &row->incident) &&
           rows_text_or_null(arena, stmt, 2, &row->title) &&
           rows_text_or_null(arena, stmt, 14, &row->last_error) &&
           rows_text_or_null(arena, stmt, 17, &row->acknowledged_by);
}

static const struct rows_kind row_kind = {sizeof(struct delivery_row), read_row,
                                          INCIDENT_DB_E_LIMIT,
                                          "too much to show at once: ask for less"};

int delivery_db_list(struct db_conn *conn,
                     const struct delivery_query *query,
                     struct arena *arena,
                     struct delivery_row **ret_rows,
                     size_t *ret_n,
                     struct err *reterr)
{
    /* an incident's rows are found by its own index, all others by their number */
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT o.id, i.key, i.title, o.receiver, o.kind, o.lane, o.reason, o.state,"
              " o.attempts, o.refused, o.created_ms, o.owed_ms, o.due_ms, o.sent_ms,"
              " o.last_error, o.superseded_by,"
              " CASE WHEN i.acknowledged_ms >= o.sent_ms THEN i.acknowledged_ms END,"
              " CASE WHEN i.acknowledged_ms >= o.sent_ms THEN i.acknowledged_by END"
              " FROM outbox o LEFT JOIN incident i ON i.id = o.incident_id"
              " WHERE (?1 IS NULL OR o.incident_id = (SELECT id FROM incident WHERE key = ?1))"
              " AND (?2 IS NULL OR o.receiver = ?2)"
              " AND (?3 IS NULL OR o.state = ?3 OR (?3 = 'waiting' AND o.state = 'sending'))"
              " AND (?4 = 0 OR o.id < ?4) AND o.receiver <> '" OUTBOX_CANARY
              "' ORDER BY o.id DESC LIMIT ?5");

    db_bind_text(stmt, 1, query->incident);
    db_bind_text(stmt, 2, query->receiver);
    db_bind_text(stmt, 3, query->state);
    db_bind_int(stmt, 4, query->before_id);
    db_bind_int(stmt, 5, query->limit);
    return rows_read(stmt, arena, &row_kind, ret_rows, ret_n, reterr);
}
