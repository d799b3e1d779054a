/*
 * Rows of the outbox that stand in the place of others. See failover_db.h.
 */

#include "alertd/db/failover_db.h"

#include <errno.h>
#include <string.h>

#include "alertd/db/rows.h"
#include "lib/json/write.h"

/* A digest takes nobody's place: the pages that it tells are looked at one by one. */
#define STANDS_FOR                                                                                \
    "coalesce((SELECT s.id FROM outbox b JOIN outbox s ON s.id = b.superseded_by WHERE b.id = ?1" \
    " AND s.reason <> 'digest'), ?1)"

static bool read_alerts(struct db_stmt *stmt, struct arena *arena, struct failover_row *row)
{
    size_t len;
    const void *bytes = db_blob(stmt, 9, &len);

    if (db_is_null(stmt, 9))
        return true;
    row->n_alerts = len / sizeof(*row->alerts);
    uint64_t *copy = arena_array(arena, row->n_alerts + 1, sizeof(*copy));

    if (copy && len > 0)
        memcpy(copy, bytes, row->n_alerts * sizeof(*copy));
    row->alerts = copy;
    return copy != NULL;
}

int failover_db_find(struct db_conn *conn,
                     int64_t outbox_id,
                     struct arena *arena,
                     struct failover_row *ret_row,
                     bool *ret_found,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT o.id, o.incident_id, o.receiver, o.kind, o.slot, o.reason, o.group_key,"
              " o.group_labels, o.owed_ms, o.alerts, coalesce(o.last_error, '')"
              " FROM outbox o JOIN incident i ON i.id = o.incident_id WHERE o.id = " STANDS_FOR
              " AND o.lane = 'page' AND o.state IN ('waiting', 'superseded', 'failed')"
              " AND o.failed_over_ms IS NULL AND o.instead_of IS NULL"
              " AND o.receiver NOT GLOB 'person:*' AND i.status <> 'acknowledged'");
    struct failover_row row = {0};
    bool fits = true;

    db_bind_int(stmt, 1, outbox_id);
    *ret_found = db_step(stmt);
    if (*ret_found) {
        row = (struct failover_row){
            .id = db_int(stmt, 0),
            .incident_id = db_int(stmt, 1),
            .receiver = rows_text(arena, stmt, 2),
            .kind = rows_text(arena, stmt, 3),
            .slot = (unsigned)db_int(stmt, 4),
            .reason = route_reason_parse(db_text(stmt, 5)),
            .group_key = rows_text(arena, stmt, 6),
            .group = rows_labels(arena, db_text(stmt, 7)),
            .owed_ms = db_int(stmt, 8),
            .error = rows_text(arena, stmt, 10),
        };
        fits = row.receiver && row.kind && row.group_key && row.group && row.error &&
               read_alerts(stmt, arena, &row);
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !fits)
        return err_set(reterr, -ENOMEM, "outbox %lld is too large", (long long)row.id);
    *ret_row = row;
    return r;
}

int failover_db_mark(struct db_conn *conn, int64_t outbox_id, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE outbox SET failed_over_ms = ?2 WHERE id = ?1");

    db_bind_int(stmt, 1, outbox_id);
    db_bind_int(stmt, 2, now_ms);
    return db_run(stmt, reterr);
}

int failover_db_told(struct db_conn *conn,
                     const struct failover_row *row,
                     const struct route_integration *to,
                     bool *ret_told,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT 1 FROM outbox WHERE incident_id = ?1 AND group_key = ?2 AND +receiver = ?3"
              " AND kind = ?4 AND slot = ?5 AND reason = ?6 AND owed_ms >= ?7 AND lane = 'page'"
              " LIMIT 1");

    db_bind_int(stmt, 1, row->incident_id);
    db_bind_text(stmt, 2, row->group_key);
    db_bind_text(stmt, 3, to->receiver);
    db_bind_text(stmt, 4, route_kind_name(to->kind));
    db_bind_int(stmt, 5, to->slot);
    db_bind_text(stmt, 6, route_reason_name(row->reason));
    db_bind_int(stmt, 7, row->owed_ms);
    *ret_told = db_step(stmt);
    return db_done(stmt, reterr);
}

int failover_db_note(struct db_conn *conn,
                     const struct failover_row *row,
                     const struct route_integration *to,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET owed_ms = min(owed_ms, ?5), instead_of = ?6, last_error = ?7"
              " WHERE id = (SELECT max(id) FROM outbox WHERE incident_id = ?1 AND +receiver = ?2"
              " AND kind = ?3 AND slot = ?4 AND state = 'waiting' AND lane = 'page')");

    db_bind_int(stmt, 1, row->incident_id);
    db_bind_text(stmt, 2, to->receiver);
    db_bind_text(stmt, 3, route_kind_name(to->kind));
    db_bind_int(stmt, 4, to->slot);
    db_bind_int(stmt, 5, row->owed_ms);
    db_bind_text(stmt, 6, row->receiver);
    db_bind_text(stmt, 7, row->error);
    return db_run(stmt, reterr);
}

void failover_db_data(const struct failover_row *row, const char *to, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    json_kv_int(&json, "outbox", row->id);
    json_kv_string(&json, "receiver", row->receiver);
    json_kv_string(&json, "kind", row->kind);
    json_kv_string(&json, "reason", route_reason_name(row->reason));
    json_kv_string(&json, "failover", to);
    json_kv_string(&json, "error", row->error);
    json_close(&json, '}');
}

int failover_db_was(struct db_conn *conn,
                    const struct outbox_new *news,
                    bool *ret_was,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT 1 FROM outbox o JOIN incident i ON i.id = o.incident_id"
              " WHERE o.incident_id = ?1 AND +o.receiver = ?2 AND o.kind = ?3 AND o.slot = ?4"
              " AND o.failed_over_ms >= i.began_ms LIMIT 1");

    db_bind_int(stmt, 1, news->incident_id);
    db_bind_text(stmt, 2, news->receiver);
    db_bind_text(stmt, 3, news->kind);
    db_bind_int(stmt, 4, news->slot);
    *ret_was = db_step(stmt);
    return db_done(stmt, reterr);
}
