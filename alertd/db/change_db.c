/*
 * Events of elsewhere. See change_db.h.
 */

#include "alertd/db/change_db.h"

#include <string.h>

#include "alertd/db/rows.h"
#include "alertd/db/service_db.h"

enum {
    SCRATCH_BYTES_MAX = 16 * 1024 * 1024,
    OPEN_MAX = 1000,
    ALERTS_MAX = 200,
};

/* True where nothing says of which service the incident is, or its service is this one. */
static int may_concern(struct db_conn *conn,
                       const struct incident *incident,
                       const char *service,
                       struct arena *arena,
                       bool *ret_may,
                       struct err *reterr)
{
    struct incident_alert *alerts = NULL;
    struct service_row *rows = NULL;
    size_t n_alerts = 0;
    size_t n = 0;
    int r = service_db_of_incident(conn, incident, arena, &rows, &n, reterr);

    if (r == 0)
        r = incident_db_alerts(conn, incident->id, ALERTS_MAX, arena, &alerts, &n_alerts, reterr);
    bool is_known = n > 0;

    *ret_may = false;
    for (size_t i = 0; r == 0 && i < n; i++)
        *ret_may = *ret_may || strcmp(rows[i].name, service) == 0;
    for (size_t i = 0; r == 0 && i <= n_alerts; i++) {
        const char *named = labels_get(i < n_alerts ? alerts[i].labels : incident->labels,
                                       "service");

        is_known = is_known || named;
        *ret_may = *ret_may || (named && strcmp(named, service) == 0);
    }
    *ret_may = *ret_may || !is_known;
    return r;
}

static int attach(struct db_conn *conn, int64_t incident_id, int64_t event_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT OR IGNORE INTO incident_event VALUES (?1, ?2)");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, event_id);
    return db_run(stmt, reterr);
}

static int attach_open(struct db_conn *conn,
                       int64_t event_id,
                       const char *service,
                       struct err *reterr)
{
    static const struct incident_query open = {.which = INCIDENT_LIST_OPEN, .limit = OPEN_MAX};
    struct incident *incidents = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, SCRATCH_BYTES_MAX);
    int r = incident_db_list(conn, &open, &arena, &incidents, &n, reterr);

    for (size_t i = 0; r == 0 && i < n; i++) {
        ARENA_AUTO struct arena scratch;
        bool may = true;

        arena_init(&scratch, SCRATCH_BYTES_MAX);
        if (service && *service)
            r = may_concern(conn, &incidents[i], service, &scratch, &may, reterr);
        if (r == 0 && may)
            r = attach(conn, incidents[i].id, event_id, reterr);
    }
    return r;
}

static int is_told(struct db_conn *conn,
                   const struct timeline_event *event,
                   bool *ret_told,
                   struct err *reterr)
{
    struct db_stmt *stmt;

    *ret_told = false;
    if (!event->reference)
        return 0;
    stmt = db_prepare(conn, "SELECT 1 FROM event WHERE source = ?1 AND reference = ?2");
    db_bind_text(stmt, 1, event->source);
    db_bind_text(stmt, 2, event->reference);
    *ret_told = db_step(stmt);
    return db_done(stmt, reterr);
}

int change_db_add(struct db_conn *conn,
                  const struct timeline_event *event,
                  const char *service,
                  int64_t now_ms,
                  struct err *reterr)
{
    int64_t event_id = 0;
    bool told = false;
    int r = is_told(conn, event, &told, reterr);

    if (r || told)
        return r;
    r = event_db_append(conn, 0, event, now_ms, &event_id, reterr);
    return r ? r : attach_open(conn, event_id, service, reterr);
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
              " FROM event WHERE (kind = 'change' OR kind GLOB 'change.*') AND occurred_ms >= ?1"
              " AND occurred_ms <= ?2"
              " ORDER BY occurred_ms DESC, id DESC LIMIT 1000");

    db_bind_int(stmt, 1, from_ms);
    db_bind_int(stmt, 2, to_ms);
    return rows_read(stmt, arena, &event_kind, ret_events, ret_n, reterr);
}
