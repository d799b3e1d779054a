/*
 * Alerts into incidents. See page_db.h.
 *
 *   fires ---> incident of its group that takes alerts in, or a new one
 *                alert row, events, status by incident_step()
 *   ends ----> the incident that holds it as firing
 *                alert row, event, status by incident_step()
 *
 * The same twice changes nothing the second time: an alert that fires and fires, or the end of
 * one that does not, is nothing new.
 */

#include "alertd/db/page_db.h"

#include <math.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/rows.h"
#include "lib/base/clock.h"

/* One call's work. */
struct apply {
    struct db_conn *conn;
    int64_t now_ms;
    struct err *reterr;
};

/* The row of an incident as far as alerts change it. */
struct open_incident {
    int64_t id; /* 0: none */
    struct incident_life life;
    unsigned n_alerts;
    char severity[64];
};

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

static int find_for_group(struct apply *apply,
                          const struct page_group *group,
                          struct open_incident *ret)
{
    struct db_stmt *stmt = db_prepare(
        apply->conn,
        "SELECT id, status, n_firing, n_alerts, severity FROM incident"
        " WHERE group_hash = ?3 AND group_key = ?1 AND (status <> 'resolved' OR n_firing > 0"
        "  OR (resolved_by IS NULL AND NOT told_resolved AND resolved_ms > ?2))"
        " ORDER BY id DESC LIMIT 1");

    *ret = (struct open_incident){0};
    db_bind_text(stmt, 1, group->key);
    db_bind_int(stmt, 2, group->goes_on_since_ms);
    db_bind_int(stmt, 3, (int64_t)labels_hash_text(0, group->key));
    if (db_step(stmt))
        read_open(stmt, ret);
    return db_done(stmt, apply->reterr);
}

/* The incidents that hold the alert as firing: one, unless the grouping was changed. */
static int find_holding(struct apply *apply,
                        const struct incident_alert *alert,
                        int64_t after_id,
                        struct open_incident *ret)
{
    struct db_stmt *stmt = db_prepare(
        apply->conn, "SELECT i.id, i.status, i.n_firing, i.n_alerts, i.severity"
                     " FROM incident_alert a JOIN incident i ON i.id = a.incident_id"
                     " WHERE a.rule_id = ?1 AND a.fingerprint = ?2 AND a.firing AND i.id > ?3"
                     " ORDER BY i.id LIMIT 1");

    *ret = (struct open_incident){0};
    db_bind_int(stmt, 1, alert->rule_id);
    db_bind_int(stmt, 2, (int64_t)alert->fingerprint);
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
                           const struct page_group *group,
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
    rows_labels_text(group->labels, &labels);

    struct db_stmt *stmt = db_prepare_own(
        apply->conn, "INSERT INTO incident (key, year, number, group_key, labels, title, severity,"
                     " status, opened_ms, n_alerts, n_firing, began_ms, group_hash)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'triggered', ?8, 0, 0, ?9, ?10)");

    db_bind_text(stmt, 1, str_text(&key));
    db_bind_int(stmt, 2, year);
    db_bind_int(stmt, 3, number);
    db_bind_text(stmt, 4, group->key);
    db_bind_text(stmt, 5, labels.full ? "{}" : str_text(&labels));
    db_bind_text(stmt, 6, str_text(&title));
    db_bind_text(stmt, 7, severity_of(alert->labels));
    db_bind_int(stmt, 8, alert->fired_at_ms);
    db_bind_int(stmt, 9, apply->now_ms);
    db_bind_int(stmt, 10, (int64_t)labels_hash_text(0, group->key));
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

/* It fires again before its end was told: whoever was told of it knows it as it was. */
static int go_on(struct apply *apply, struct open_incident *incident, int64_t fired_at_ms)
{
    struct db_stmt *stmt = db_prepare(
        apply->conn, "UPDATE incident SET resolved_ms = NULL, status = CASE WHEN acknowledged_ms"
                     " IS NULL THEN 'triggered' ELSE 'acknowledged' END WHERE id = ?1");

    db_bind_int(stmt, 1, incident->id);
    int r = db_run(stmt, apply->reterr);

    if (r)
        return r;
    return append_incident_event(apply, incident->id, TIMELINE_INCIDENT_REOPENED,
                                 "it fires again, before its end was told", fired_at_ms);
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

static int append_arrival(struct apply *apply,
                          int64_t incident_id,
                          const struct incident_alert *alert,
                          const char *late)
{
    int r = 0;

    if (alert->for_ms > 0 && alert->active_at_ms < alert->fired_at_ms)
        r = append_alert_event(apply, incident_id, TIMELINE_ALERT_PENDING, alert,
                               alert->active_at_ms);
    if (r == 0)
        r = append_alert_event(apply, incident_id, TIMELINE_ALERT_FIRING, alert,
                               alert->fired_at_ms);
    if (r == 0 && late)
        r = append_incident_event(apply, incident_id, TIMELINE_NOTIFY_MUTED, late, apply->now_ms);
    return r;
}

static int join(struct apply *apply,
                struct open_incident *incident,
                const struct incident_alert *alert,
                const struct page_group *group,
                const char *late)
{
    bool known = false;
    bool firing = false;
    int r = 0;

    if (incident->id)
        r = alert_is_known(apply, incident->id, alert, &known, &firing);
    if (r || firing)
        return r; /* nothing new */

    bool goes_on = incident->id && !incident_takes_alerts(&incident->life);

    if (goes_on) {
        incident->life.status = INCIDENT_TRIGGERED;
        r = go_on(apply, incident, alert->fired_at_ms);
    }

    enum incident_change change = incident_step(&incident->life, INCIDENT_ALERT_FIRES);

    if (r)
        return r;
    if (change == INCIDENT_OPENED)
        r = insert_incident(apply, alert, group, &incident->id);
    else if (change == INCIDENT_REOPENED)
        r = reopen(apply, incident->id, alert);
    if (r == 0)
        r = append_arrival(apply, incident->id, alert, late);
    if (r == 0)
        r = put_alert(apply, incident->id, alert);
    if (r == 0)
        r = set_counts(apply, incident->id, incident->n_alerts + !known, incident->life.n_firing,
                       incident_worse_severity(incident->severity, severity_of(alert->labels)));
    return r;
}

int page_db_fires(struct db_conn *conn,
                  const struct incident_alert *alert,
                  const struct page_group *group,
                  const char *late,
                  int64_t now_ms,
                  int64_t *ret_incident_id,
                  struct err *reterr)
{
    struct apply apply = {conn, now_ms, reterr};
    struct open_incident incident;
    int r = find_for_group(&apply, group, &incident);

    if (r == 0)
        r = join(&apply, &incident, alert, group, late);
    if (r == 0)
        *ret_incident_id = incident.id;
    return r;
}

int page_db_renews(struct db_conn *conn, const struct incident_alert *alert, struct err *reterr)
{
    STR_AUTO struct str annotations = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(conn, "UPDATE incident_alert SET annotations = ?3"
                                            " WHERE fingerprint = ?2 AND rule_id = ?1 AND firing"
                                            " AND annotations <> ?3");

    rows_labels_text(alert->annotations, &annotations);
    db_bind_int(stmt, 1, alert->rule_id);
    db_bind_int(stmt, 2, (int64_t)alert->fingerprint);
    db_bind_text(stmt, 3, annotations.full ? "{}" : str_text(&annotations));
    return db_run(stmt, reterr);
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
    return r;
}

int page_db_ends(struct db_conn *conn,
                 const struct incident_alert *alert,
                 int64_t now_ms,
                 void (*touched)(void *arg, int64_t incident_id),
                 void *arg,
                 struct err *reterr)
{
    struct apply apply = {conn, now_ms, reterr};
    struct open_incident incident = {0};
    int r;

    do {
        r = find_holding(&apply, alert, incident.id, &incident);
        if (r == 0 && incident.id)
            r = leave(&apply, &incident, alert);
        if (r == 0 && incident.id)
            touched(arg, incident.id);
    } while (r == 0 && incident.id);
    return r;
}

int page_db_of_alert(struct db_conn *conn,
                     uint64_t fingerprint,
                     int64_t *ret_incident_id,
                     bool *ret_firing,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT incident_id, firing FROM incident_alert WHERE fingerprint = ?1"
              " ORDER BY incident_id DESC LIMIT 1");

    *ret_incident_id = 0;
    *ret_firing = false;
    db_bind_int(stmt, 1, (int64_t)fingerprint);
    if (db_step(stmt)) {
        *ret_incident_id = db_int(stmt, 0);
        *ret_firing = db_int(stmt, 1) != 0;
    }
    return db_done(stmt, reterr);
}
