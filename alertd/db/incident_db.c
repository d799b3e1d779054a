/*
 * Reading incidents and their alerts. See incident_db.h; what changes them is in
 * page_db.c (alerts) and incident_change_db.c (people).
 */

#include "alertd/db/incident_db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/rows.h"

#define COLUMNS                                                                                   \
    "id, key, title, severity, status, opened_ms, acknowledged_ms, acknowledged_by, resolved_ms," \
    " resolved_by, labels, group_key, n_alerts, n_firing, n_transitions, began_ms, told_ms,"      \
    " told_resolved, postmortem_id, origin,"                                                      \
    " (SELECT was.key FROM incident was WHERE was.id = incident.recurrence_of)"

static bool read_incident(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct incident *incident = ret_item;

    *incident = (struct incident){
        .id = db_int(stmt, 0),
        .key = rows_text(arena, stmt, 1),
        .title = rows_text(arena, stmt, 2),
        .severity = rows_text(arena, stmt, 3),
        .status = incident_status_parse(db_text(stmt, 4)),
        .opened_at_ms = db_int(stmt, 5),
        .acknowledged_at_ms = db_int(stmt, 6),
        .resolved_at_ms = db_int(stmt, 8),
        .labels = rows_labels(arena, db_text(stmt, 10)),
        .group_key = rows_text(arena, stmt, 11),
        .n_alerts = (unsigned)db_int(stmt, 12),
        .n_firing = (unsigned)db_int(stmt, 13),
        .n_transitions = (unsigned)db_int(stmt, 14),
        .began_at_ms = db_int(stmt, 15),
        .told_at_ms = db_int(stmt, 16),
        .told_resolved = db_int(stmt, 17) != 0,
        .postmortem_id = db_int(stmt, 18),
        .origin = rows_text(arena, stmt, 19),
    };
    return incident->key && incident->title && incident->severity && incident->labels &&
           incident->group_key && incident->origin &&
           rows_text_or_null(arena, stmt, 7, &incident->acknowledged_by) &&
           rows_text_or_null(arena, stmt, 9, &incident->resolved_by) &&
           rows_text_or_null(arena, stmt, 20, &incident->recurrence_of);
}

static const struct rows_kind incident_kind = {sizeof(struct incident), read_incident,
                                               INCIDENT_DB_E_LIMIT,
                                               "too much to show at once: ask for less"};

static int too_large(struct err *reterr)
{
    return err_set(reterr, INCIDENT_DB_E_LIMIT, "too much to show at once: ask for less");
}

static int read_one(struct db_stmt *stmt,
                    const char *name,
                    struct arena *arena,
                    struct incident *ret_incident,
                    struct err *reterr)
{
    struct incident incident;
    bool found = db_step(stmt);
    bool fits = found && read_incident(stmt, arena, &incident);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, INCIDENT_DB_E_NOT_FOUND, "there is no incident %.40s", name);
    if (!fits)
        return too_large(reterr);
    *ret_incident = incident;
    return 0;
}

int incident_db_get(struct db_conn *conn,
                    const char *key,
                    struct arena *arena,
                    struct incident *ret_incident,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " COLUMNS " FROM incident WHERE key = ?1");

    db_bind_text(stmt, 1, key);
    return read_one(stmt, key, arena, ret_incident, reterr);
}

int incident_db_get_brought(struct db_conn *conn,
                            int64_t opened_ms,
                            const char *title,
                            struct arena *arena,
                            struct incident *ret_incident,
                            struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " COLUMNS
                                            " FROM incident WHERE opened_ms = ?1 AND title = ?2"
                                            " AND origin = 'import' ORDER BY id LIMIT 1");

    db_bind_int(stmt, 1, opened_ms);
    db_bind_text(stmt, 2, title);
    return read_one(stmt, title, arena, ret_incident, reterr);
}

int incident_db_get_by_id(struct db_conn *conn,
                          int64_t id,
                          struct arena *arena,
                          struct incident *ret_incident,
                          struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " COLUMNS " FROM incident WHERE id = ?1");
    char name[ROWS_SOURCE_MAX];

    db_bind_int(stmt, 1, id);
    return read_one(stmt, rows_source(name, "number", id), arena, ret_incident, reterr);
}

int incident_db_key(struct db_conn *conn, int64_t id, char *ret_key, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT key FROM incident WHERE id = ?1");

    *ret_key = '\0';
    db_bind_int(stmt, 1, id);
    if (db_step(stmt))
        (void)snprintf(ret_key, INCIDENT_DB_KEY_MAX, "%s", db_text(stmt, 0));
    return db_done(stmt, reterr);
}

int incident_db_list(struct db_conn *conn,
                     const struct incident_query *query,
                     struct arena *arena,
                     struct incident **ret_incidents,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT " COLUMNS " FROM incident WHERE id < ?1 AND"
                                      " CASE ?2 WHEN 0 THEN 1 WHEN 1 THEN status <> 'resolved'"
                                      " ELSE status = 'resolved' END ORDER BY id DESC LIMIT ?3");

    db_bind_int(stmt, 1, query->before_id > 0 ? query->before_id : INT64_MAX);
    db_bind_int(stmt, 2, query->which);
    db_bind_int(stmt, 3, query->limit);
    return rows_read(stmt, arena, &incident_kind, ret_incidents, ret_n, reterr);
}

static bool read_alert(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct incident_alert *alert = ret_item;

    *alert = (struct incident_alert){
        .rule_id = db_int(stmt, 0),
        .fingerprint = (uint64_t)db_int(stmt, 1),
        .name = rows_text(arena, stmt, 2),
        .expr = rows_text(arena, stmt, 3),
        .for_ms = db_int(stmt, 4),
        .labels = rows_labels(arena, db_text(stmt, 5)),
        .annotations = rows_labels(arena, db_text(stmt, 6)),
        .firing = db_int(stmt, 7) != 0,
        .active_at_ms = db_int(stmt, 8),
        .fired_at_ms = db_int(stmt, 9),
        .resolved_at_ms = db_int(stmt, 10),
        .value = db_is_null(stmt, 11) ? (double)NAN : db_float(stmt, 11),
    };
    return alert->name && alert->expr && alert->labels && alert->annotations;
}

static const struct rows_kind alert_kind = {sizeof(struct incident_alert), read_alert,
                                            INCIDENT_DB_E_LIMIT,
                                            "too much to show at once: ask for less"};

int incident_db_alerts(struct db_conn *conn,
                       int64_t incident_id,
                       size_t limit,
                       struct arena *arena,
                       struct incident_alert **ret_alerts,
                       size_t *ret_n,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT rule_id, fingerprint, name, expr, for_ms, labels, annotations,"
              " firing, active_ms, fired_ms, resolved_ms, value FROM incident_alert"
              " WHERE incident_id = ?1"
              " ORDER BY firing DESC, fired_ms DESC, name, fingerprint LIMIT ?2");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, (int64_t)limit);
    return rows_read(stmt, arena, &alert_kind, ret_alerts, ret_n, reterr);
}

static int by_urgency(const void *a, const void *b)
{
    const struct incident_alert *x = a;
    const struct incident_alert *y = b;

    if (x->firing != y->firing)
        return x->firing ? -1 : 1;
    if (x->fired_at_ms != y->fired_at_ms)
        return x->fired_at_ms > y->fired_at_ms ? -1 : 1;
    return labels_compare(x->labels, y->labels);
}

int incident_db_alerts_of(struct db_conn *conn,
                          const struct incident_choice *choice,
                          struct arena *arena,
                          struct incident_alert **ret_alerts,
                          size_t *ret_n,
                          struct err *reterr)
{
    size_t n_most = choice->n < choice->limit ? choice->n : choice->limit;
    struct incident_alert *alerts = arena_array(arena, n_most + 1, sizeof(*alerts));
    size_t n = 0;

    if (!alerts)
        return too_large(reterr);
    for (size_t i = 0; i < choice->n && n < n_most; i++) {
        struct db_stmt *stmt = db_prepare(
            conn, "SELECT rule_id, fingerprint, name, expr, for_ms, labels, annotations,"
                  " firing, active_ms, fired_ms, resolved_ms, value FROM incident_alert"
                  " WHERE fingerprint = ?1 ORDER BY incident_id DESC LIMIT 1");
        bool fits = true;

        db_bind_int(stmt, 1, (int64_t)choice->fingerprints[i]);
        if (db_step(stmt))
            fits = read_alert(stmt, arena, &alerts[n++]);
        int r = db_done(stmt, reterr);

        if (r)
            return r;
        if (!fits)
            return too_large(reterr);
    }
    if (n > 0)
        qsort(alerts, n, sizeof(*alerts), by_urgency);
    *ret_alerts = alerts;
    *ret_n = n;
    return 0;
}

int incident_db_hours(struct db_conn *conn,
                      int64_t now_ms,
                      int64_t *ret_start_ms,
                      unsigned ret_fired[24],
                      struct err *reterr)
{
    static const int64_t hour_ms = 3600000;
    int64_t start_ms = (now_ms / hour_ms - 23) * hour_ms;
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT (occurred_ms - ?1) / 3600000, count(*) FROM event"
                                      " WHERE kind = 'alert.firing' AND occurred_ms >= ?1"
                                      " GROUP BY 1");
    unsigned fired[24] = {0};

    db_bind_int(stmt, 1, start_ms);
    while (db_step(stmt))
        if (db_int(stmt, 0) < 24)
            fired[db_int(stmt, 0)] = (unsigned)db_int(stmt, 1);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    *ret_start_ms = start_ms;
    memcpy(ret_fired, fired, sizeof(fired));
    return 0;
}
