/*
 * From alert events to incidents, timeline and outbox. See page_db.h.
 *
 *   FIRING ---> incident of its group that takes alerts in, or a new one
 *                 alert row, events, status by incident_step()
 *   RESOLVED -> the incident that holds it as firing
 *                 alert row, event, status by incident_step()
 *   then once for each incident touched: what is owed (outbox_db_owe)
 *
 * Applying the same events twice changes nothing the second time: a firing alert that
 * fires, or the end of one that does not fire, is nothing new.
 */

#include "alertd/db/page_db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/rows.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

struct touched {
    int64_t incident_id;
    bool has_news;
};

/* One call's work. */
struct apply {
    struct db_conn *conn;
    const struct route_config *config;
    int64_t now_ms;
    struct touched *touched;
    size_t n_touched, capacity;
    struct err *reterr;
};

/* The row of an incident as far as alerts change it. */
struct open_incident {
    int64_t id; /* 0: none */
    struct incident_life life;
    unsigned n_alerts;
    char severity[64];
};

static void touch(struct apply *apply, int64_t incident_id, bool has_news)
{
    for (size_t i = apply->n_touched; i > 0; i--)
        if (apply->touched[i - 1].incident_id == incident_id) {
            apply->touched[i - 1].has_news |= has_news;
            return;
        }
    apply->touched = mem_grow(apply->touched, &apply->capacity, apply->n_touched + 1,
                              sizeof(*apply->touched));
    apply->touched[apply->n_touched++] = (struct touched){incident_id, has_news};
}

static struct incident_alert alert_of(const struct alert_event *event)
{
    return (struct incident_alert){
        .rule_id = event->rule_id,
        .fingerprint = event->fingerprint,
        .name = event->rule_name,
        .expr = event->expr,
        .for_ms = event->for_ms,
        .labels = event->labels,
        .annotations = event->annotations ? event->annotations : labels_empty(),
        .firing = event->kind == ALERT_EVENT_FIRING,
        .active_at_ms = event->active_at_ms ? event->active_at_ms : event->at_ms,
        .fired_at_ms = event->fired_at_ms ? event->fired_at_ms : event->at_ms,
        .resolved_at_ms = event->resolved_at_ms,
        .value = event->value,
    };
}

/* --- events --- */

static int append_alert_event(struct apply *apply,
                              int64_t incident_id,
                              enum timeline_kind kind,
                              const struct incident_alert *alert,
                              int64_t occurred_at_ms)
{
    STR_AUTO struct str text = STR_INIT(16384);
    STR_AUTO struct str data = STR_INIT(ROWS_LABELS_BYTES_MAX);
    char source[ROWS_SOURCE_MAX];

    timeline_alert_text(kind, alert, &text);
    timeline_alert_data(alert, &data);

    const struct timeline_event event = {
        .kind = timeline_kind_name(kind),
        .event_class = "machine",
        .source = rows_source(source, "rule", alert->rule_id),
        .text = str_text(&text),
        .data = data.full ? "{}" : str_text(&data),
        .occurred_at_ms = occurred_at_ms,
    };

    return event_db_append(apply->conn, incident_id, &event, apply->now_ms, NULL, apply->reterr);
}

static int append_incident_event(struct apply *apply,
                                 int64_t incident_id,
                                 enum timeline_kind kind,
                                 const char *text,
                                 int64_t occurred_at_ms)
{
    const struct timeline_event event = {
        .kind = timeline_kind_name(kind),
        .event_class = "machine",
        .source = "alertd",
        .text = text,
        .occurred_at_ms = occurred_at_ms,
    };

    return event_db_append(apply->conn, incident_id, &event, apply->now_ms, NULL, apply->reterr);
}

/* --- incident rows --- */

static void read_open(struct db_stmt *stmt, struct open_incident *incident)
{
    STR_AUTO struct str severity = STR_INIT(sizeof(incident->severity) - 1);

    incident->id = db_int(stmt, 0);
    incident->life.status = incident_status_parse(db_text(stmt, 1));
    incident->life.n_firing = (unsigned)db_int(stmt, 2);
    incident->n_alerts = (unsigned)db_int(stmt, 3);
    str_add(&severity, db_text(stmt, 4));
    memcpy(incident->severity, str_text(&severity), severity.len + 1);
}

static int find_for_group(struct apply *apply, const char *group_key, struct open_incident *ret)
{
    struct db_stmt *stmt = db_prepare(
        apply->conn, "SELECT id, status, n_firing, n_alerts, severity FROM incident"
                     " WHERE group_key = ?1 AND (status <> 'resolved' OR n_firing > 0)"
                     " ORDER BY id DESC LIMIT 1");

    *ret = (struct open_incident){0};
    db_bind_text(stmt, 1, group_key);
    if (db_step(stmt))
        read_open(stmt, ret);
    return db_done(stmt, apply->reterr);
}

/* The incidents that hold the alert as firing: one, unless the grouping was changed. */
static int find_holding(struct apply *apply,
                        const struct alert_event *event,
                        int64_t after_id,
                        struct open_incident *ret)
{
    struct db_stmt *stmt = db_prepare(
        apply->conn, "SELECT i.id, i.status, i.n_firing, i.n_alerts, i.severity"
                     " FROM incident_alert a JOIN incident i ON i.id = a.incident_id"
                     " WHERE a.rule_id = ?1 AND a.fingerprint = ?2 AND a.firing AND i.id > ?3"
                     " ORDER BY i.id LIMIT 1");

    *ret = (struct open_incident){0};
    db_bind_int(stmt, 1, event->rule_id);
    db_bind_int(stmt, 2, (int64_t)event->fingerprint);
    db_bind_int(stmt, 3, after_id);
    if (db_step(stmt))
        read_open(stmt, ret);
    return db_done(stmt, apply->reterr);
}

static int next_number(struct apply *apply, int year, int64_t *ret_number)
{
    struct db_stmt *stmt = db_prepare(
        apply->conn, "SELECT coalesce(max(number), 0) + 1 FROM incident WHERE year = ?1");

    db_bind_int(stmt, 1, year);
    if (db_step(stmt))
        *ret_number = db_int(stmt, 0);
    return db_done(stmt, apply->reterr);
}

static const char *severity_of(const struct labels *labels)
{
    const char *severity = labels_get(labels, "severity");

    return severity && strlen(severity) < sizeof(((struct open_incident *)0)->severity) ? severity
                                                                                        : "";
}

static int insert_incident(struct apply *apply,
                           const struct incident_alert *alert,
                           const struct labels *group,
                           const char *group_key,
                           int64_t *ret_id)
{
    STR_AUTO struct str key = STR_INIT(64);
    STR_AUTO struct str title = STR_INIT(1024);
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    int year = clock_split_utc(alert->fired_at_ms).year;
    int64_t number = 0;
    int r = next_number(apply, year, &number);

    if (r)
        return r;
    incident_key(alert->fired_at_ms, number, &key);
    incident_title(alert->labels, alert->annotations, &title);
    rows_labels_text(group, &labels);

    struct db_stmt *stmt = db_prepare(
        apply->conn, "INSERT INTO incident (key, year, number, group_key, labels, title, severity,"
                     " status, opened_ms, n_alerts, n_firing, began_ms)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'triggered', ?8, 0, 0, ?9)");

    db_bind_text(stmt, 1, str_text(&key));
    db_bind_int(stmt, 2, year);
    db_bind_int(stmt, 3, number);
    db_bind_text(stmt, 4, group_key);
    db_bind_text(stmt, 5, labels.full ? "{}" : str_text(&labels));
    db_bind_text(stmt, 6, str_text(&title));
    db_bind_text(stmt, 7, severity_of(alert->labels));
    db_bind_int(stmt, 8, alert->fired_at_ms);
    db_bind_int(stmt, 9, apply->now_ms);
    r = db_run(stmt, apply->reterr);
    if (r == 0)
        *ret_id = db_last_id(apply->conn);
    if (r == 0)
        r = append_incident_event(apply, *ret_id, TIMELINE_INCIDENT_OPENED, str_text(&title),
                                  alert->fired_at_ms);
    return r;
}

static int reopen(struct apply *apply, int64_t id, const struct incident_alert *alert)
{
    struct db_stmt *stmt = db_prepare(
        apply->conn, "UPDATE incident SET status = 'triggered', acknowledged_ms = NULL,"
                     " acknowledged_by = NULL, resolved_ms = NULL, resolved_by = NULL,"
                     " began_ms = ?2, told_ms = 0, told_resolved = 0 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, apply->now_ms);
    int r = db_run(stmt, apply->reterr);

    if (r)
        return r;
    return append_incident_event(apply, id, TIMELINE_INCIDENT_REOPENED,
                                 "opened again: another alert fires", alert->fired_at_ms);
}

static int set_over(struct apply *apply, int64_t id, int64_t resolved_at_ms)
{
    struct db_stmt *stmt = db_prepare(apply->conn,
                                      "UPDATE incident SET status = 'resolved', resolved_ms = ?2,"
                                      " resolved_by = NULL WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, resolved_at_ms);
    int r = db_run(stmt, apply->reterr);

    if (r)
        return r;
    return append_incident_event(apply, id, TIMELINE_INCIDENT_RESOLVED, "all its alerts are over",
                                 resolved_at_ms);
}

static int set_counts(
    struct apply *apply, int64_t id, unsigned n_alerts, unsigned n_firing, const char *severity)
{
    struct db_stmt *stmt = db_prepare(
        apply->conn, "UPDATE incident SET n_alerts = ?2, n_firing = ?3, severity = ?4"
                     " WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, n_alerts);
    db_bind_int(stmt, 3, n_firing);
    db_bind_text(stmt, 4, severity);
    return db_run(stmt, apply->reterr);
}

/* --- alert rows --- */

static int alert_is_known(struct apply *apply,
                          int64_t incident_id,
                          const struct incident_alert *alert,
                          bool *ret_known,
                          bool *ret_firing)
{
    struct db_stmt *stmt = db_prepare(apply->conn,
                                      "SELECT firing FROM incident_alert WHERE incident_id = ?1"
                                      " AND rule_id = ?2 AND fingerprint = ?3");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, alert->rule_id);
    db_bind_int(stmt, 3, (int64_t)alert->fingerprint);
    *ret_known = db_step(stmt);
    *ret_firing = *ret_known && db_int(stmt, 0) != 0;
    return db_done(stmt, apply->reterr);
}

static int put_alert(struct apply *apply, int64_t incident_id, const struct incident_alert *alert)
{
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    STR_AUTO struct str annotations = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        apply->conn, "INSERT INTO incident_alert"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
                     " ON CONFLICT DO UPDATE SET name = ?4, expr = ?5, for_ms = ?6,"
                     " labels = ?7, annotations = ?8, firing = ?9, active_ms = ?10,"
                     " fired_ms = ?11, resolved_ms = ?12, value = ?13");

    rows_labels_text(alert->labels, &labels);
    rows_labels_text(alert->annotations, &annotations);
    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, alert->rule_id);
    db_bind_int(stmt, 3, (int64_t)alert->fingerprint);
    db_bind_text(stmt, 4, alert->name);
    db_bind_text(stmt, 5, alert->expr);
    db_bind_int(stmt, 6, alert->for_ms);
    db_bind_text(stmt, 7, labels.full ? "{}" : str_text(&labels));
    db_bind_text(stmt, 8, annotations.full ? "{}" : str_text(&annotations));
    db_bind_int(stmt, 9, alert->firing);
    db_bind_int(stmt, 10, alert->active_at_ms);
    db_bind_int(stmt, 11, alert->fired_at_ms);
    rows_bind_time(stmt, 12, alert->resolved_at_ms);
    if (isnan(alert->value))
        db_bind_null(stmt, 13);
    else
        db_bind_float(stmt, 13, alert->value);
    return db_run(stmt, apply->reterr);
}

/* --- the two inputs --- */

static int join(struct apply *apply,
                struct open_incident *incident,
                const struct labels *group,
                const char *group_key,
                const struct incident_alert *alert)
{
    bool known = false;
    bool firing = false;
    int r = 0;

    if (incident->id)
        r = alert_is_known(apply, incident->id, alert, &known, &firing);
    if (r || firing)
        return r; /* nothing new */

    enum incident_change change = incident_step(&incident->life, INCIDENT_ALERT_FIRES);

    if (change == INCIDENT_OPENED)
        r = insert_incident(apply, alert, group, group_key, &incident->id);
    else if (change == INCIDENT_REOPENED)
        r = reopen(apply, incident->id, alert);
    if (r == 0 && alert->for_ms > 0 && alert->active_at_ms < alert->fired_at_ms)
        r = append_alert_event(apply, incident->id, TIMELINE_ALERT_PENDING, alert,
                               alert->active_at_ms);
    if (r == 0)
        r = append_alert_event(apply, incident->id, TIMELINE_ALERT_FIRING, alert,
                               alert->fired_at_ms);
    if (r == 0)
        r = put_alert(apply, incident->id, alert);
    if (r == 0)
        r = set_counts(apply, incident->id, incident->n_alerts + !known, incident->life.n_firing,
                       incident_worse_severity(incident->severity, severity_of(alert->labels)));
    if (r == 0)
        touch(apply, incident->id, change == INCIDENT_UNCHANGED);
    return r;
}

static int alert_fires(struct apply *apply, const struct alert_event *event)
{
    STR_AUTO struct str group_key = STR_INIT(ROWS_KEY_BYTES_MAX);
    const struct labels *group = route_group_labels(apply->config, event->labels);
    const struct incident_alert alert = alert_of(event);
    struct open_incident incident;

    route_group_key(group, &group_key);
    int r = find_for_group(apply, str_text(&group_key), &incident);

    if (r == 0)
        r = join(apply, &incident, group, str_text(&group_key), &alert);
    labels_unref(group);
    return r;
}

static int leave(struct apply *apply,
                 struct open_incident *incident,
                 const struct incident_alert *alert)
{
    enum incident_change change = incident_step(&incident->life, INCIDENT_ALERT_ENDS);
    int r = append_alert_event(apply, incident->id, TIMELINE_ALERT_RESOLVED, alert,
                               alert->resolved_at_ms);

    if (r == 0)
        r = put_alert(apply, incident->id, alert);
    if (r == 0)
        r = set_counts(apply, incident->id, incident->n_alerts, incident->life.n_firing,
                       incident->severity);
    if (r == 0 && change == INCIDENT_OVER)
        r = set_over(apply, incident->id, alert->resolved_at_ms);
    if (r == 0)
        touch(apply, incident->id, false);
    return r;
}

static int alert_ends(struct apply *apply, const struct alert_event *event)
{
    struct incident_alert alert = alert_of(event);
    struct open_incident incident = {0};
    int r;

    if (!alert.resolved_at_ms)
        alert.resolved_at_ms = event->at_ms;
    do {
        r = find_holding(apply, event, incident.id, &incident);
        if (r == 0 && incident.id)
            r = leave(apply, &incident, &alert);
    } while (r == 0 && incident.id);
    return r;
}

static int apply_event(struct apply *apply, const struct alert_event *event)
{
    switch (event->kind) {
    case ALERT_EVENT_FIRING: return alert_fires(apply, event);
    case ALERT_EVENT_RESOLVED: return alert_ends(apply, event);
    case ALERT_EVENT_PENDING: /* told when it fires: most never do */
    case ALERT_EVENT_CLEARED: return 0;
    }
    return 0;
}

int page_db_apply(struct db_conn *conn,
                  const struct route_config *config,
                  const struct alert_event *events,
                  size_t n_events,
                  int64_t now_ms,
                  struct page_outcome *ret_outcome,
                  struct err *reterr)
{
    static const size_t reported_max = sizeof(ret_outcome->incidents) /
                                       sizeof(ret_outcome->incidents[0]);
    struct apply apply = {.conn = conn, .config = config, .now_ms = now_ms, .reterr = reterr};
    struct page_outcome outcome = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < n_events; i++)
        r = apply_event(&apply, &events[i]);
    for (size_t i = 0; r == 0 && i < apply.n_touched; i++) {
        bool grew = false;

        r = outbox_db_owe(conn, config, apply.touched[i].incident_id, apply.touched[i].has_news,
                          now_ms, &grew, reterr);
        outcome.outbox_grew |= grew;
        if (outcome.n_incidents < reported_max)
            outcome.incidents[outcome.n_incidents++] = apply.touched[i].incident_id;
    }
    free(apply.touched);
    if (r == 0)
        *ret_outcome = outcome;
    return r;
}
