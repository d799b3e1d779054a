/*
 * Events of elsewhere. See change_db.h.
 */

#include "alertd/db/change_db.h"

#include "alertd/db/rows.h"

int change_db_add(struct db_conn *conn,
                  const struct timeline_event *event,
                  int64_t now_ms,
                  struct err *reterr)
{
    int64_t event_id = 0;
    int r = event_db_append(conn, 0, event, now_ms, &event_id, reterr);

    if (r)
        return r;

    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO incident_event SELECT id, ?1 FROM incident"
                                            " WHERE status <> 'resolved'");

    db_bind_int(stmt, 1, event_id);
    return db_run(stmt, reterr);
}

int change_db_known(struct db_conn *conn,
                    const struct timeline_event *event,
                    bool *ret_known,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT 1 FROM event WHERE kind = ?1 AND occurred_ms = ?2 AND data = ?3 LIMIT 1");

    db_bind_text(stmt, 1, event->kind);
    db_bind_int(stmt, 2, event->occurred_at_ms);
    db_bind_text(stmt, 3, event->data);
    *ret_known = db_step(stmt);
    return db_done(stmt, reterr);
}

static bool read_event(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct timeline_event *event = ret_item;

    *event = (struct timeline_event){
        .id = db_int(stmt, 0),
        .kind = rows_text(arena, stmt, 1),
        .event_class = rows_text(arena, stmt, 2),
        .source = rows_text(arena, stmt, 3),
        .text = rows_text(arena, stmt, 5),
        .data = rows_text(arena, stmt, 6),
        .occurred_at_ms = db_int(stmt, 7),
        .recorded_at_ms = db_int(stmt, 8),
    };
    return event->kind && event->event_class && event->source && event->text && event->data &&
           rows_text_or_null(arena, stmt, 4, &event->actor);
}

static const struct rows_kind event_kind = {sizeof(struct timeline_event), read_event,
                                            INCIDENT_DB_E_LIMIT, "too many events for one answer"};

int change_db_list(struct db_conn *conn,
                   int64_t from_ms,
                   int64_t to_ms,
                   struct arena *arena,
                   struct timeline_event **ret_events,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, kind, class, source, actor, text, data, occurred_ms, recorded_ms"
              " FROM event WHERE kind = 'change' AND occurred_ms >= ?1 AND occurred_ms <= ?2"
              " ORDER BY occurred_ms DESC, id DESC LIMIT 1000");

    db_bind_int(stmt, 1, from_ms);
    db_bind_int(stmt, 2, to_ms);
    return rows_read(stmt, arena, &event_kind, ret_events, ret_n, reterr);
}
