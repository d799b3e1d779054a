/*
 * What rows say of an alert by an instant. See why_db.h.
 */

#include "alertd/db/why_db.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/rows.h"
#include "lib/model/fingerprint.h"
#include "lib/model/sample.h"

enum {
    ROW_BYTES_MAX = 4 * 1024 * 1024,
    HEX_TEXT = 17,
};

static int no_room(struct err *reterr)
{
    return err_set(reterr, WHY_DB_E_LIMIT, "too much to explain at once");
}

/* How the log spells our own hash. */
static const char *hex_of(uint64_t hash, char text[HEX_TEXT])
{
    (void)snprintf(text, HEX_TEXT, "%016" PRIx64, hash);
    return text;
}

/* --- which one --- */

static bool is_meant(const struct why_db_wish *wish, const struct labels *labels)
{
    char text[FINGERPRINT_TEXT];

    if (wish->labels)
        return labels_equal(wish->labels, labels);
    if (wish->fingerprint)
        return strcmp(fingerprint_text(labels, text), wish->fingerprint) == 0 ||
               strcmp(hex_of(labels->hash, text), wish->fingerprint) == 0;
    return matchers_match(wish->matchers, wish->n_matchers, labels);
}

/* False when there is no room. */
static bool note_found(struct why_db_found *found,
                       struct arena *arena,
                       const struct labels *labels,
                       bool *ret_is_new)
{
    bool is_known = found->labels && labels_equal(found->labels, labels);

    for (size_t i = 0; i < found->n_others; i++)
        is_known = is_known || labels_equal(found->others[i], labels);
    *ret_is_new = !is_known;
    if (is_known || (found->labels && found->n_others == WHY_DB_OTHERS_MAX))
        return true;
    const struct labels *copy = labels_in_arena(arena, labels->at, labels->n);

    if (found->labels)
        found->others[found->n_others++] = copy;
    else
        found->labels = copy;
    return copy != NULL;
}

int why_db_find(struct db_conn *conn,
                const struct why_db_wish *wish,
                struct arena *arena,
                struct why_db_found *ret_found,
                struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT labels FROM ("
        "SELECT labels, state = 'firing' AS firing, coalesce(fired_ms, active_ms, 0) AS since"
        " FROM alert UNION ALL SELECT labels, is_firing, starts_ms FROM external_alert"
        " UNION ALL SELECT labels, 0, fired_ms FROM (SELECT labels, fired_ms FROM"
        " incident_alert ORDER BY incident_id DESC LIMIT ?1)) ORDER BY firing DESC, since DESC");
    ARENA_AUTO struct arena row;
    bool fits = true;
    bool is_enough = false;

    *ret_found = (struct why_db_found){0};
    arena_init(&row, ROW_BYTES_MAX);
    db_bind_int(stmt, 1, WHY_DB_INCIDENT_ALERTS_MAX);
    while (fits && !is_enough && db_step(stmt)) {
        const struct labels *labels = rows_labels(&row, db_text(stmt, 0));
        bool is_new = false;

        if (labels && is_meant(wish, labels))
            fits = note_found(ret_found, arena, labels, &is_new);
        is_enough = is_new && !wish->matchers; /* the others name one */
        arena_reset(&row);
    }
    int r = db_done(stmt, reterr);

    return r || fits ? r : no_room(reterr);
}

/* --- its rule --- */

#define RULE                                                                              \
    "r.id, r.name, g.name, r.expr, r.for_ms, r.keep_firing_for_ms, r.last_evaluation_ms," \
    " r.last_error"

static bool read_rule(struct db_stmt *stmt, int from, struct arena *arena, struct why_alert *alert)
{
    alert->rule_id = db_int(stmt, from);
    alert->rule_name = rows_text(arena, stmt, from + 1);
    alert->rule_group = rows_text(arena, stmt, from + 2);
    alert->expr = rows_text(arena, stmt, from + 3);
    alert->for_ms = db_int(stmt, from + 4);
    alert->keep_firing_for_ms = db_int(stmt, from + 5);
    alert->evaluated_ms = db_int(stmt, from + 6);
    return alert->rule_name && alert->rule_group && alert->expr &&
           rows_text_or_null(arena, stmt, from + 7, &alert->rule_error);
}

/* Of an alert without a row: the rule of its name, live ones first. */
static int find_rule(struct db_conn *conn,
                     struct arena *arena,
                     struct why_alert *alert,
                     struct err *reterr)
{
    const char *name = labels_get(alert->labels, "alertname");
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT " RULE " FROM rule r JOIN rule_group g ON g.id = r.group_id"
              " WHERE r.type = 'alerting' AND r.name = ?1 ORDER BY r.is_live DESC, r.id LIMIT 1");

    db_bind_text(stmt, 1, name ? name : "");
    bool found = db_step(stmt);
    bool fits = !found || read_rule(stmt, 0, arena, alert);
    int r = db_done(stmt, reterr);

    if (found && !alert->source)
        alert->source = "rule";
    return r || fits ? r : no_room(reterr);
}

/* --- its row --- */

struct times {
    int64_t active_ms, fired_ms, resolved_ms; /* 0: not so */
};

/* What the times of one life say of an instant; false: it lies before them. */
static bool state_then(const struct times *times, int64_t at_ms, struct why_alert *alert)
{
    int64_t begins_ms = times->active_ms ? times->active_ms : times->fired_ms;

    if (!begins_ms || at_ms < begins_ms)
        return false;
    alert->active_ms = times->active_ms;
    alert->state = WHY_PENDING;
    if (times->fired_ms && at_ms >= times->fired_ms) {
        alert->state = WHY_FIRING;
        alert->fired_ms = times->fired_ms;
    }
    if (times->resolved_ms && at_ms >= times->resolved_ms) {
        alert->state = WHY_OVER;
        alert->resolved_ms = times->resolved_ms;
    }
    return true;
}

static int64_t if_by(int64_t since_ms, int64_t at_ms)
{
    return since_ms > 0 && since_ms <= at_ms ? since_ms : 0;
}

static int rule_row(struct db_conn *conn,
                    int64_t at_ms,
                    bool is_past,
                    struct arena *arena,
                    struct why_alert *alert,
                    struct err *reterr)
{
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT a.annotations, a.active_ms, a.fired_ms, a.resolved_ms,"
              " a.keep_firing_since_ms, a.no_data_since_ms, a.value_bits, " RULE
              " FROM alert a JOIN rule r ON r.id = a.rule_id JOIN rule_group g ON g.id = r.group_id"
              " WHERE a.fingerprint = ?1 AND a.labels = ?2 ORDER BY a.state = 'firing' DESC,"
              " a.active_ms DESC LIMIT 1");
    bool fits = true;

    rows_labels_text(alert->labels, &labels);
    db_bind_int(stmt, 1, (int64_t)alert->labels->hash);
    db_bind_text(stmt, 2, str_text(&labels));
    if (db_step(stmt)) {
        const struct times times = {db_int(stmt, 1), db_int(stmt, 2), db_int(stmt, 3)};

        alert->source = "rule";
        alert->annotations = rows_labels(arena, db_text(stmt, 0));
        fits = read_rule(stmt, 7, arena, alert) && alert->annotations;
        if (state_then(&times, at_ms, alert)) {
            alert->from = "its row";
            alert->keep_firing_since_ms = if_by(db_int(stmt, 4), at_ms);
            alert->no_data_since_ms = if_by(db_int(stmt, 5), at_ms);
            alert->has_value = !is_past && alert->state != WHY_OVER;
            alert->value = sample_from_bits((uint64_t)db_int(stmt, 6));
        }
    }
    int r = db_done(stmt, reterr);

    return r || fits ? r : no_room(reterr);
}

static int external_row(struct db_conn *conn,
                        int64_t at_ms,
                        struct arena *arena,
                        struct why_alert *alert,
                        struct err *reterr)
{
    STR_AUTO struct str labels = STR_INIT(ROWS_LABELS_BYTES_MAX);
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT annotations, source, starts_ms, ends_ms, is_firing, updated_ms"
              " FROM external_alert WHERE fingerprint = ?1 AND labels = ?2");
    bool fits = true;

    rows_labels_text(alert->labels, &labels);
    db_bind_int(stmt, 1, (int64_t)alert->labels->hash);
    db_bind_text(stmt, 2, str_text(&labels));
    if (db_step(stmt)) {
        const struct times times = {0, db_int(stmt, 2), db_int(stmt, 4) ? 0 : db_int(stmt, 3)};

        alert->annotations = rows_labels(arena, db_text(stmt, 0));
        alert->source = rows_text(arena, stmt, 1);
        fits = alert->annotations && alert->source;
        if (state_then(&times, at_ms, alert)) {
            alert->from = "its row";
            alert->said_ms = if_by(db_int(stmt, 5), at_ms);
        }
    }
    int r = db_done(stmt, reterr);

    return r || fits ? r : no_room(reterr);
}

/* --- the log of its incidents --- */

static int newest_event(struct db_conn *conn,
                        const struct labels *labels,
                        const char *kind, /* NULL: any of an alert's */
                        int64_t at_ms,
                        char ret_kind[24],
                        int64_t *ret_at_ms,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT e.kind, e.occurred_ms FROM incident_alert ia"
              " JOIN incident_event ie ON ie.incident_id = ia.incident_id"
              " JOIN event e ON e.id = ie.event_id"
              " WHERE ia.fingerprint = ?1 AND e.occurred_ms <= ?2"
              " AND e.kind IN ('alert.pending', 'alert.firing', 'alert.resolved')"
              " AND (?3 IS NULL OR e.kind = ?3) AND e.data ->> '$.fingerprint' = ?4"
              " ORDER BY e.occurred_ms DESC, e.id DESC LIMIT 1");
    char hex[HEX_TEXT];

    db_bind_int(stmt, 1, (int64_t)labels->hash);
    db_bind_int(stmt, 2, at_ms);
    db_bind_text(stmt, 3, kind);
    db_bind_text(stmt, 4, hex_of(labels->hash, hex));
    ret_kind[0] = '\0';
    *ret_at_ms = 0;
    if (db_step(stmt)) {
        (void)snprintf(ret_kind, 24, "%s", db_text(stmt, 0));
        *ret_at_ms = db_int(stmt, 1);
    }
    return db_done(stmt, reterr);
}

static int by_events(struct db_conn *conn,
                     int64_t at_ms,
                     struct why_alert *alert,
                     struct err *reterr)
{
    char kind[24];
    char ignored[24];
    int64_t when_ms = 0;
    struct times times = {0};
    int r = newest_event(conn, alert->labels, NULL, at_ms, kind, &when_ms, reterr);

    if (r || !kind[0])
        return r;
    if (strcmp(kind, "alert.resolved") == 0)
        times.resolved_ms = when_ms;
    r = newest_event(conn, alert->labels, "alert.pending", at_ms, ignored, &times.active_ms,
                     reterr);
    if (r == 0 && strcmp(kind, "alert.pending") != 0)
        r = newest_event(conn, alert->labels, "alert.firing", at_ms, ignored, &times.fired_ms,
                         reterr);
    if (r == 0 && state_then(&times, at_ms, alert))
        alert->from = "the timeline of its incident";
    return r;
}

int why_db_alert(struct db_conn *conn,
                 int64_t at_ms,
                 bool is_past,
                 struct arena *arena,
                 struct why_alert *alert,
                 struct err *reterr)
{
    int r = rule_row(conn, at_ms, is_past, arena, alert, reterr);

    if (r == 0 && alert->state == WHY_NOT_KNOWN)
        r = external_row(conn, at_ms, arena, alert, reterr);
    if (r == 0 && alert->state == WHY_NOT_KNOWN)
        r = by_events(conn, at_ms, alert, reterr);
    return r == 0 && !alert->rule_name && (!alert->source || strcmp(alert->source, "rule") == 0)
               ? find_rule(conn, arena, alert, reterr)
               : r;
}

/* --- its incident --- */

int why_db_incident(struct db_conn *conn,
                    const struct why_alert *alert,
                    int64_t at_ms,
                    struct arena *arena,
                    struct why_db_incident *ret_incident,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT i.id, i.key, i.title FROM incident_alert ia"
              " JOIN incident i ON i.id = ia.incident_id WHERE ia.fingerprint = ?1 AND EXISTS"
              " (SELECT 1 FROM incident_event ie JOIN event e ON e.id = ie.event_id"
              "  WHERE ie.incident_id = i.id AND e.kind = 'alert.firing' AND e.recorded_ms <= ?2"
              "  AND e.occurred_ms >= ?3 AND e.data ->> '$.fingerprint' = ?4)"
              " ORDER BY i.id DESC LIMIT 1");
    char hex[HEX_TEXT];
    bool fits = true;

    *ret_incident = (struct why_db_incident){0};
    db_bind_int(stmt, 1, (int64_t)alert->labels->hash);
    db_bind_int(stmt, 2, at_ms);
    db_bind_int(stmt, 3, alert->fired_ms);
    db_bind_text(stmt, 4, hex_of(alert->labels->hash, hex));
    if (db_step(stmt)) {
        *ret_incident = (struct why_db_incident){.id = db_int(stmt, 0),
                                                 .key = rows_text(arena, stmt, 1),
                                                 .title = rows_text(arena, stmt, 2)};
        fits = ret_incident->key && ret_incident->title;
    }
    int r = db_done(stmt, reterr);

    return r || fits ? r : no_room(reterr);
}

/* --- its notifications --- */

static bool is_about(struct db_stmt *stmt, int column, uint64_t hash)
{
    size_t len = 0;
    const unsigned char *prints = db_blob(stmt, column, &len);

    if (db_is_null(stmt, column))
        return true;
    for (size_t i = 0; i + sizeof(hash) <= len; i += sizeof(hash))
        if (memcmp(prints + i, &hash, sizeof(hash)) == 0)
            return true;
    return false;
}

static bool read_delivery(struct db_stmt *stmt, struct arena *arena, struct why_delivery *row)
{
    *row = (struct why_delivery){
        .id = db_int(stmt, 0),
        .receiver = rows_text(arena, stmt, 1),
        .kind = rows_text(arena, stmt, 2),
        .slot = (unsigned)db_int(stmt, 3),
        .reason = rows_text(arena, stmt, 4),
        .lane = rows_text(arena, stmt, 5),
        .group_key = rows_text(arena, stmt, 6),
        .state = rows_text(arena, stmt, 7),
        .created_ms = db_int(stmt, 8),
        .owed_ms = db_int(stmt, 9),
        .due_ms = db_int(stmt, 10),
        .sent_ms = db_int(stmt, 11),
        .attempts = (unsigned)db_int(stmt, 12),
        .refused = db_int(stmt, 13) != 0,
        .superseded_by = db_int(stmt, 15),
        .superseded_ms = db_int(stmt, 16),
    };
    return row->receiver && row->kind && row->reason && row->lane && row->group_key && row->state &&
           rows_text_or_null(arena, stmt, 14, &row->last_error);
}

int why_db_deliveries(struct db_conn *conn,
                      int64_t incident_id,
                      uint64_t alert_hash,
                      struct arena *arena,
                      struct why_delivery **ret_rows,
                      size_t *ret_n,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT * FROM (SELECT o.id, o.receiver, o.kind, o.slot, o.reason, o.lane,"
              " o.group_key, o.state, o.created_ms, o.owed_ms, o.due_ms, o.sent_ms, o.attempts,"
              " o.refused, o.last_error, o.superseded_by, s.created_ms, o.alerts FROM outbox o"
              " LEFT JOIN outbox s ON s.id = o.superseded_by WHERE o.incident_id = ?1"
              " ORDER BY o.id DESC LIMIT ?2) ORDER BY 1");
    struct why_delivery *rows = arena_array(arena, WHY_DB_DELIVERIES_MAX, sizeof(*rows));
    bool fits = rows != NULL;
    size_t n = 0;

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, WHY_DB_DELIVERIES_MAX);
    while (fits && db_step(stmt))
        if (is_about(stmt, 17, alert_hash))
            fits = read_delivery(stmt, arena, &rows[n++]);
    int r = db_done(stmt, reterr);

    if (r || !fits)
        return r ? r : no_room(reterr);
    *ret_rows = rows;
    *ret_n = n;
    return 0;
}

/* --- what fired --- */

static bool read_source(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct why_source *source = ret_item;

    source->labels = rows_labels(arena, db_text(stmt, 0));
    source->since_ms = db_int(stmt, 1);
    return source->labels != NULL;
}

static const struct rows_kind source_kind = {sizeof(struct why_source), read_source, WHY_DB_E_LIMIT,
                                             "too many alerts fired to explain inhibition"};

int why_db_sources(struct db_conn *conn,
                   int64_t at_ms,
                   struct arena *arena,
                   struct why_source **ret_sources,
                   size_t *ret_n,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT labels, fired_ms FROM alert WHERE fired_ms <= ?1"
              " AND (state = 'firing' OR resolved_ms > ?1)"
              " UNION ALL SELECT labels, starts_ms FROM external_alert WHERE starts_ms <= ?1"
              " AND (is_firing OR ends_ms > ?1)"
              " UNION ALL SELECT labels, fired_ms FROM incident_alert WHERE fired_ms <= ?1"
              " AND resolved_ms > ?1");

    db_bind_int(stmt, 1, at_ms);
    return rows_read(stmt, arena, &source_kind, ret_sources, ret_n, reterr);
}

int why_db_roster_changes(struct db_conn *conn,
                          int64_t since_ms,
                          int64_t *ret_n,
                          struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT count(*) FROM roster_change WHERE at_ms > ?1");

    db_bind_int(stmt, 1, since_ms);
    *ret_n = db_step(stmt) ? db_int(stmt, 0) : 0;
    return db_done(stmt, reterr);
}
