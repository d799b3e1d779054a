/*
 * What people do to an incident: acknowledge, note, resolve. Each is one job: the row,
 * its event and what is owed to receivers commit together.
 */

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/rows.h"

enum {
    SCRATCH_BYTES_MAX = 1024 * 1024,
    TEXT_BYTES_MAX = 64 * 1024,
    NAMED_ALERTS_MAX = 5,
};

static int record(struct db_conn *conn,
                  int64_t incident_id,
                  enum timeline_kind kind,
                  const struct incident_deed *deed,
                  const char *text,
                  int64_t *ret_id,
                  struct err *reterr)
{
    int64_t occurred_at_ms = kind == TIMELINE_HUMAN_NOTE ? deed->occurred_at_ms : 0;
    const struct timeline_event event = {
        .kind = timeline_kind_name(kind),
        .event_class = "human",
        .source = "api",
        .actor = deed->actor,
        .text = text,
        .occurred_at_ms = occurred_at_ms ? occurred_at_ms : deed->now_ms,
    };

    return event_db_append(conn, incident_id, &event, deed->now_ms, ret_id, reterr);
}

static bool has_words(const char *note)
{
    return note && *note;
}

static int set_acknowledged(struct db_conn *conn,
                            int64_t id,
                            const struct incident_deed *deed,
                            struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE incident SET status = 'acknowledged', acknowledged_ms = ?2,"
              " acknowledged_by = ?3 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, deed->now_ms);
    db_bind_text(stmt, 3, deed->actor);
    return db_run(stmt, reterr);
}

int incident_db_ack(struct db_conn *conn,
                    const struct incident_deed *deed,
                    bool *ret_changed,
                    struct err *reterr)
{
    ARENA_AUTO struct arena scratch;
    struct incident incident;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = incident_db_get(conn, deed->key, &scratch, &incident, reterr);
    if (r)
        return r;

    struct incident_life life = {incident.status, incident.n_firing};
    enum incident_change change = incident_step(&life, INCIDENT_ACK);

    if (change == INCIDENT_NOT_OPEN)
        return err_set(reterr, INCIDENT_DB_E_NOT_OPEN, "%s is resolved: nothing to acknowledge",
                       incident.key);
    if (change == INCIDENT_ACKED) {
        r = set_acknowledged(conn, incident.id, deed, reterr);
        if (r == 0)
            r = outbox_db_drop_reminders(conn, incident.id, reterr);
        if (r == 0)
            r = record(conn, incident.id, TIMELINE_ACK, deed, "acknowledged", NULL, reterr);
    }
    if (r == 0 && has_words(deed->text))
        r = record(conn, incident.id, TIMELINE_HUMAN_NOTE, deed, deed->text, NULL, reterr);
    if (r == 0)
        *ret_changed = change == INCIDENT_ACKED;
    return r;
}

int incident_db_hold(struct db_conn *conn,
                     int64_t incident_id,
                     const char *actor,
                     int64_t now_ms,
                     struct err *reterr)
{
    const struct incident_deed deed = {.actor = actor, .now_ms = now_ms};
    int r = set_acknowledged(conn, incident_id, &deed, reterr);

    return r == 0 ? outbox_db_drop_reminders(conn, incident_id, reterr) : r;
}

int incident_db_let_go(struct db_conn *conn, int64_t incident_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE incident SET status = 'triggered', acknowledged_ms = NULL,"
              " acknowledged_by = NULL WHERE id = ?1 AND status = 'acknowledged'");

    db_bind_int(stmt, 1, incident_id);
    return db_run(stmt, reterr);
}

int incident_db_note(struct db_conn *conn,
                     const struct incident_deed *deed,
                     int64_t *ret_event_id,
                     struct err *reterr)
{
    ARENA_AUTO struct arena scratch;
    struct incident incident;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = incident_db_get(conn, deed->key, &scratch, &incident, reterr);
    if (r)
        return r;
    return record(conn, incident.id, TIMELINE_HUMAN_NOTE, deed, deed->text, ret_event_id, reterr);
}

/* "resolved; still firing: A on x, B on y and 3 more" */
static int resolve_words(struct db_conn *conn,
                         const struct incident *incident,
                         struct arena *scratch,
                         struct str *out,
                         struct err *reterr)
{
    struct incident_alert *alerts = NULL;
    size_t n = 0;
    int r = incident_db_alerts(conn, incident->id, NAMED_ALERTS_MAX, scratch, &alerts, &n, reterr);

    str_add(out, "resolved");
    for (size_t i = 0; r == 0 && i < n && alerts[i].firing; i++) {
        const char *instance = labels_get(alerts[i].labels, "instance");

        str_addf(out, "%s%s%s%s", i == 0 ? "; still firing: " : ", ", alerts[i].name,
                 instance ? " on " : "", instance ? instance : "");
    }
    if (r == 0 && incident->n_firing > NAMED_ALERTS_MAX)
        str_addf(out, " and %u more", incident->n_firing - NAMED_ALERTS_MAX);
    return r;
}

static int set_resolved(struct db_conn *conn,
                        int64_t id,
                        const struct incident_deed *deed,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "UPDATE incident SET status = 'resolved', resolved_ms = ?2,"
                                      " resolved_by = ?3 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, deed->now_ms);
    db_bind_text(stmt, 3, deed->actor);
    return db_run(stmt, reterr);
}

/* The row, its event and what receivers are owed. */
static int close_incident(struct db_conn *conn,
                          const struct route_config *config,
                          const struct incident *incident,
                          const struct incident_deed *deed,
                          struct arena *scratch,
                          struct err *reterr)
{
    STR_AUTO struct str words = STR_INIT(TEXT_BYTES_MAX);
    int r = resolve_words(conn, incident, scratch, &words, reterr);

    if (r == 0)
        r = set_resolved(conn, incident->id, deed, reterr);
    if (r == 0)
        r = record(conn, incident->id, TIMELINE_INCIDENT_RESOLVED, deed, str_text(&words), NULL,
                   reterr);
    if (r == 0)
        r = outbox_db_close(conn, config, incident->id, deed->now_ms, reterr);
    return r;
}

int incident_db_resolve(struct db_conn *conn,
                        const struct route_config *config,
                        const struct incident_deed *deed,
                        bool *ret_changed,
                        struct err *reterr)
{
    ARENA_AUTO struct arena scratch;
    struct incident incident;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = incident_db_get(conn, deed->key, &scratch, &incident, reterr);
    if (r)
        return r;

    struct incident_life life = {incident.status, incident.n_firing};
    bool changes = incident_step(&life, INCIDENT_RESOLVE) == INCIDENT_CLOSED;

    if (has_words(deed->text))
        r = record(conn, incident.id, TIMELINE_HUMAN_NOTE, deed, deed->text, NULL, reterr);
    if (r == 0 && changes)
        r = close_incident(conn, config, &incident, deed, &scratch, reterr);
    if (r == 0)
        *ret_changed = changes;
    return r;
}
