/*
 * Looking at the outbox: for the API, the overview and the self-metrics. Copies for shadows are
 * not among it: they are looked at in shadow_db.h.
 */

#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/rows.h"

static bool read_row(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct outbox_row *row = ret_item;

    *row = (struct outbox_row){
        .id = db_int(stmt, 0),
        .incident = rows_text(arena, stmt, 1),
        .receiver = rows_text(arena, stmt, 2),
        .kind = rows_text(arena, stmt, 3),
        .slot = (unsigned)db_int(stmt, 4),
        .reason = rows_text(arena, stmt, 5),
        .state = rows_text(arena, stmt, 6),
        .attempts = (unsigned)db_int(stmt, 7),
        .due_at_ms = db_int(stmt, 8),
        .sent_at_ms = db_int(stmt, 9),
        .digest_id = db_int(stmt, 11),
    };
    return row->incident && row->receiver && row->kind && row->reason && row->state &&
           rows_text_or_null(arena, stmt, 10, &row->last_error);
}

static const struct rows_kind row_kind = {sizeof(struct outbox_row), read_row, INCIDENT_DB_E_LIMIT,
                                          "too much to show at once: ask for less"};

int outbox_db_list(struct db_conn *conn,
                   const char *incident,
                   unsigned limit,
                   struct arena *arena,
                   struct outbox_row **ret_rows,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT o.id, i.key, o.receiver, o.kind, o.slot, o.reason, o.state, o.attempts,"
        " o.due_ms, o.sent_ms, o.last_error,"
        " (SELECT d.id FROM outbox d WHERE d.id = o.superseded_by AND d.reason = 'digest')"
        " FROM outbox o JOIN incident i ON i.id = o.incident_id"
        " WHERE (?1 IS NULL OR i.key = ?1) AND o.lane <> 'shadow' ORDER BY o.id DESC LIMIT ?2");

    db_bind_text(stmt, 1, incident);
    db_bind_int(stmt, 2, limit);
    return rows_read(stmt, arena, &row_kind, ret_rows, ret_n, reterr);
}

int outbox_db_told(struct db_conn *conn,
                   const struct route_integration *integration,
                   int64_t now_ms,
                   int64_t *ret_last_sent_ms,
                   int64_t *ret_oldest_waiting_ms,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT (SELECT max(sent_ms) FROM outbox WHERE receiver = ?1 AND kind = ?2"
              "  AND slot = ?3 AND state = 'sent'),"
              " (SELECT min(owed_ms) FROM outbox WHERE receiver = ?1 AND kind = ?2"
              "  AND slot = ?3 AND state IN ('waiting', 'sending') AND owed_ms <= ?4)");

    db_bind_text(stmt, 1, integration->receiver);
    db_bind_text(stmt, 2, route_kind_name(integration->kind));
    db_bind_int(stmt, 3, integration->slot);
    db_bind_int(stmt, 4, now_ms);
    bool found = db_step(stmt);
    int64_t sent_ms = found ? db_int(stmt, 0) : 0;
    int64_t waiting_ms = found ? db_int(stmt, 1) : 0;
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    *ret_last_sent_ms = sent_ms;
    *ret_oldest_waiting_ms = waiting_ms;
    return 0;
}

int outbox_db_counts(struct db_conn *conn, struct outbox_counts *ret_counts, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT state, count(*), min(due_ms) FROM outbox"
                                      " WHERE receiver <> ?1 AND lane <> 'shadow' GROUP BY state");
    struct outbox_counts counts = {0};

    db_bind_text(stmt, 1, OUTBOX_CANARY);
    while (db_step(stmt)) {
        const char *state = db_text(stmt, 0);
        uint64_t n = (uint64_t)db_int(stmt, 1);

        if (strcmp(state, "waiting") == 0) {
            counts.waiting = n;
            counts.oldest_due_ms = db_int(stmt, 2);
        } else if (strcmp(state, "sending") == 0) {
            counts.sending = n;
        } else if (strcmp(state, "sent") == 0) {
            counts.sent = n;
        } else if (strcmp(state, "failed") == 0) {
            counts.failed = n;
        } else {
            counts.superseded = n;
        }
    }
    int r = db_done(stmt, reterr);

    if (r == 0)
        *ret_counts = counts;
    return r;
}
