/*
 * Reading and changing the incident record. See incident_db_record.h.
 */

#include "alertd/db/incident_db_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/rows.h"

enum {
    SCRATCH_BYTES_MAX = 64 * 1024 * 1024,
    ALERTS_MAX = 1000,
};

/* --- reading --- */

static bool read_rev(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct record_rev *rev = ret_item;

    *rev = (struct record_rev){
        .id = db_int(stmt, 0),
        .event_id = db_int(stmt, 1),
        .op = record_op_parse(db_text(stmt, 2)),
        .reason = rows_text(arena, stmt, 6),
        .editor = rows_text(arena, stmt, 7),
        .recorded_at_ms = db_int(stmt, 8),
    };
    return rev->reason && rev->editor && rows_text_or_null(arena, stmt, 3, &rev->old) &&
           rows_text_or_null(arena, stmt, 4, &rev->value) &&
           rows_text_or_null(arena, stmt, 5, &rev->precision);
}

static const struct rows_kind rev_kind = {sizeof(struct record_rev), read_rev, INCIDENT_DB_E_LIMIT,
                                          "too many revisions to show at once"};

int incident_db_revs(struct db_conn *conn,
                     int64_t incident_id,
                     int64_t event_id,
                     struct arena *arena,
                     struct record_rev **ret_revs,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, event_id, op, old, value, precision, reason, editor, recorded_ms"
              " FROM event_rev WHERE incident_id = ?1 AND (?2 = 0 OR event_id = ?2) ORDER BY id");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, event_id);
    return rows_read(stmt, arena, &rev_kind, ret_revs, ret_n, reterr);
}

static bool read_setting(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct record_setting *set = ret_item;

    *set = (struct record_setting){
        .id = db_int(stmt, 0),
        .scope = rows_text(arena, stmt, 1),
        .name = record_mark_parse(db_text(stmt, 2)),
        .at_ms = db_int(stmt, 4),
        .event_id = db_int(stmt, 6),
        .reason = rows_text(arena, stmt, 7),
        .editor = rows_text(arena, stmt, 8),
        .set_at_ms = db_int(stmt, 9),
    };
    return record_mark_state_parse(db_text(stmt, 3), &set->state) && set->scope && set->reason &&
           set->editor && rows_text_or_null(arena, stmt, 5, &set->precision);
}

static const struct rows_kind setting_kind = {sizeof(struct record_setting), read_setting,
                                              INCIDENT_DB_E_LIMIT,
                                              "too many marks to show at once"};

int incident_db_settings(struct db_conn *conn,
                         int64_t incident_id,
                         struct arena *arena,
                         struct record_setting **ret_settings,
                         size_t *ret_n,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, scope, name, state, at_ms, precision, event_id, reason, editor, set_ms"
              " FROM mark WHERE incident_id = ?1 ORDER BY id");

    db_bind_int(stmt, 1, incident_id);
    return rows_read(stmt, arena, &setting_kind, ret_settings, ret_n, reterr);
}

int incident_db_folded(int result)
{
    return result == RECORD_E_REFUSED ? INCIDENT_DB_E_REFUSED
           : result == RECORD_E_LIMIT ? INCIDENT_DB_E_LIMIT
                                      : result;
}

int incident_db_rows(struct db_conn *conn,
                     int64_t incident_id,
                     struct arena *arena,
                     struct record_event **ret_rows,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct timeline_event *events = NULL;
    struct record_rev *revs = NULL;
    size_t n_revs = 0;
    size_t n = 0;
    int r = incident_db_timeline(conn, incident_id, arena, &events, &n, reterr);

    if (r == 0)
        r = incident_db_revs(conn, incident_id, 0, arena, &revs, &n_revs, reterr);
    if (r == 0)
        r = incident_db_folded(record_fold(arena, events, n, revs, n_revs, ret_rows, reterr));
    if (r == 0)
        *ret_n = n;
    return r;
}

int incident_db_record(struct db_conn *conn,
                       const char *key,
                       struct arena *arena,
                       struct incident_record *ret,
                       struct err *reterr)
{
    struct record_setting *settings = NULL;
    struct incident_alert *alerts = NULL;
    struct record_event *rows = NULL;
    struct record_input input = {.incident = &ret->incident};
    int r = incident_db_get(conn, key, arena, &ret->incident, reterr);

    if (r == 0)
        r = incident_db_alerts(conn, ret->incident.id, ALERTS_MAX, arena, &alerts, &input.n_alerts,
                               reterr);
    if (r == 0)
        r = incident_db_outline(conn, ret->incident.id, arena, &rows, &input.n_rows, reterr);
    if (r == 0)
        r = incident_db_settings(conn, ret->incident.id, arena, &settings, &input.n_settings,
                                 reterr);
    if (r)
        return r;
    input.alerts = alerts;
    input.rows = rows;
    input.settings = settings;
    ret->input = input;
    return incident_db_folded(record_read(arena, &ret->input, &ret->record, reterr));
}

static bool is_among(const unsigned char *fingerprints, size_t len, uint64_t fingerprint)
{
    if (!fingerprints)
        return true;
    for (size_t i = 0; i + sizeof(fingerprint) <= len; i += sizeof(fingerprint))
        if (memcmp(fingerprints + i, &fingerprint, sizeof(fingerprint)) == 0)
            return true;
    return false;
}

int incident_db_page_times(struct db_conn *conn,
                           int64_t incident_id,
                           const struct incident_alert *alert,
                           struct incident_page_times *ret_times,
                           struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT owed_ms, sent_ms, alerts FROM outbox WHERE incident_id = ?1"
              " AND lane = 'page' AND kind <> 'dashboard' AND sent_ms >= ?2 AND reason NOT IN"
              " ('resolved', 'some resolved', 'test') ORDER BY sent_ms, id");
    bool found = false;

    *ret_times = (struct incident_page_times){0};
    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, alert->fired_at_ms);
    while (!found && db_step(stmt)) {
        size_t len = 0;
        const void *fingerprints = db_is_null(stmt, 2) ? NULL : db_blob(stmt, 2, &len);

        found = is_among(fingerprints, len, alert->fingerprint);
        if (found)
            *ret_times = (struct incident_page_times){db_int(stmt, 0), db_int(stmt, 1)};
    }
    return db_done(stmt, reterr);
}

/* --- events --- */

/* The event of this source and reference; 0: none. */
static int find_known(struct db_conn *conn,
                      const struct timeline_event *event,
                      int64_t *ret_id,
                      struct err *reterr)
{
    struct db_stmt *stmt;

    *ret_id = 0;
    if (!event->reference)
        return 0;
    stmt = db_prepare(conn, "SELECT id FROM event WHERE source = ?1 AND reference = ?2");
    db_bind_text(stmt, 1, event->source);
    db_bind_text(stmt, 2, event->reference);
    if (db_step(stmt))
        *ret_id = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

static int attach(struct db_conn *conn, int64_t incident_id, int64_t event_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT OR IGNORE INTO incident_event VALUES (?1, ?2)");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, event_id);
    return db_run(stmt, reterr);
}

static int insert_rev(struct db_conn *conn,
                      int64_t incident_id,
                      const struct record_rev *rev,
                      int64_t now_ms,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO event_rev (incident_id, event_id, op, old, value, precision, reason,"
              " editor, recorded_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, rev->event_id);
    db_bind_text(stmt, 3, record_op_name(rev->op));
    db_bind_text(stmt, 4, rev->old);
    db_bind_text(stmt, 5, rev->value);
    db_bind_text(stmt, 6, rev->precision);
    db_bind_text(stmt, 7, rev->reason ? rev->reason : "");
    db_bind_text(stmt, 8, rev->editor);
    db_bind_int(stmt, 9, now_ms);
    return db_run(stmt, reterr);
}

static int add_one(struct db_conn *conn,
                   int64_t incident_id,
                   struct record_batch *batch,
                   struct record_news *news,
                   struct err *reterr)
{
    struct record_rev rev = {.editor = batch->actor};
    int64_t id = 0;
    int r = find_known(conn, &news->event, &id, reterr);

    if (r == 0 && id) {
        batch->n_known++;
        news->event.id = id;
        return attach(conn, incident_id, id, reterr);
    }
    if (r == 0)
        r = event_db_append(conn, incident_id, &news->event, batch->now_ms, &id, reterr);
    news->event.id = rev.event_id = id;
    if (r == 0 && news->pin) {
        rev.op = RECORD_PIN;
        r = insert_rev(conn, incident_id, &rev, batch->now_ms, reterr);
    }
    if (r == 0 && news->conflict) {
        rev.op = RECORD_CONFLICT;
        rev.value = news->conflict;
        r = insert_rev(conn, incident_id, &rev, batch->now_ms, reterr);
    }
    return r;
}

int incident_db_add_events(struct db_conn *conn, struct record_batch *batch, struct err *reterr)
{
    ARENA_AUTO struct arena scratch;
    struct incident incident;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = incident_db_get(conn, batch->key, &scratch, &incident, reterr);

    batch->n_known = 0;
    for (size_t i = 0; r == 0 && i < batch->n; i++)
        r = add_one(conn, incident.id, batch, &batch->news[i], reterr);
    return r;
}

/* --- revisions --- */

static bool is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* True when the row would stay as it is. */
static bool changes_nothing(const struct record_event *row, const struct record_rev *rev)
{
    switch (rev->op) {
    case RECORD_PIN: return row->pinned;
    case RECORD_UNPIN: return !row->pinned;
    case RECORD_HIDE: return row->hidden;
    case RECORD_UNHIDE: return !row->hidden;
    case RECORD_RETRACT: return row->retracted;
    case RECORD_RESTORE: return !row->retracted;
    case RECORD_UNMERGE: return !row->merged_into;
    case RECORD_RETIME:
        return is_same(rev->old, rev->value) && is_same(rev->precision, row->precision);
    case RECORD_ANNOTATE:
    case RECORD_RETEXT:
    case RECORD_RETAG:
    case RECORD_MERGE:
    case RECORD_CONFLICT: return is_same(rev->old, rev->value);
    case RECORD_OPS: break;
    }
    return true;
}

/* Is it a row of this incident's timeline? */
static int is_of_incident(
    struct db_conn *conn, int64_t incident_id, int64_t event_id, bool *ret_is, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT 1 FROM incident_event WHERE incident_id = ?1 AND event_id = ?2");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, event_id);
    *ret_is = db_step(stmt);
    return db_done(stmt, reterr);
}

/* One row as it stands, but for what hypotheses make of it: that needs the others. */
static int read_row(struct db_conn *conn,
                    int64_t incident_id,
                    int64_t event_id,
                    struct arena *arena,
                    struct record_event **ret_row,
                    struct err *reterr)
{
    struct timeline_event *event = arena_alloc(arena, sizeof(*event));
    struct record_rev *revs = NULL;
    size_t n_revs = 0;
    int r = event ? event_db_get(conn, event_id, arena, event, reterr)
                  : err_set(reterr, INCIDENT_DB_E_LIMIT, "the event is too long");

    if (r == 0)
        r = incident_db_revs(conn, incident_id, event_id, arena, &revs, &n_revs, reterr);
    return r ? r : incident_db_folded(record_fold(arena, event, 1, revs, n_revs, ret_row, reterr));
}

/* The row, and what a merge names, are rows of the incident. */
static int check_rows(struct db_conn *conn,
                      int64_t incident_id,
                      const struct record_revision *revision,
                      struct err *reterr)
{
    const struct record_rev *rev = &revision->rev;
    bool is = false;
    int r = is_of_incident(conn, incident_id, rev->event_id, &is, reterr);

    if (r || !is)
        return r ? r
                 : err_set(reterr, INCIDENT_DB_E_NOT_FOUND, "%s has no event %" PRId64,
                           revision->key, rev->event_id);
    if (rev->op != RECORD_MERGE || !rev->value)
        return 0;
    r = is_of_incident(conn, incident_id, strtoll(rev->value, NULL, 10), &is, reterr);
    return r || is ? r
                   : err_set(reterr, INCIDENT_DB_E_REFUSED, "value: %s has no event %.20s",
                             revision->key, rev->value);
}

int incident_db_revise(struct db_conn *conn, struct record_revision *revision, struct err *reterr)
{
    struct record_rev *rev = &revision->rev;
    struct record_event *row = NULL;
    ARENA_AUTO struct arena scratch;
    struct incident incident;
    char old[24];

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    revision->changed = false;
    int r = incident_db_get(conn, revision->key, &scratch, &incident, reterr);
    if (r == 0)
        r = check_rows(conn, incident.id, revision, reterr);
    if (r == 0)
        r = read_row(conn, incident.id, rev->event_id, &scratch, &row, reterr);
    if (r == 0)
        r = incident_db_folded(record_check(row, rev, reterr));
    if (r)
        return r;
    rev->old = record_old(row, rev->op, old);
    revision->changed = !changes_nothing(row, rev);
    return revision->changed ? insert_rev(conn, incident.id, rev, revision->now_ms, reterr) : 0;
}

/* --- marks --- */

static int insert_setting(struct db_conn *conn,
                          int64_t incident_id,
                          const struct record_setting *set,
                          const struct record_marking *marking,
                          struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO mark (incident_id, scope, name, state, at_ms, precision, event_id,"
              " reason, editor, set_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");

    db_bind_int(stmt, 1, incident_id);
    db_bind_text(stmt, 2, set->scope);
    db_bind_text(stmt, 3, record_mark_name(set->name));
    db_bind_text(stmt, 4, record_mark_state_name(set->state));
    if (set->state == RECORD_MARK_AT)
        db_bind_int(stmt, 5, set->at_ms);
    else
        db_bind_null(stmt, 5);
    db_bind_text(stmt, 6, set->precision);
    if (set->event_id)
        db_bind_int(stmt, 7, set->event_id);
    else
        db_bind_null(stmt, 7);
    db_bind_text(stmt, 8, set->reason);
    db_bind_text(stmt, 9, marking->actor);
    db_bind_int(stmt, 10, marking->now_ms);
    return db_run(stmt, reterr);
}

/* What is in force already: the newest of its name and scope says the same. */
static bool is_in_force(const struct record_setting *settings,
                        size_t n,
                        const struct record_setting *set)
{
    for (size_t i = n; i > 0; i--) {
        const struct record_setting *was = &settings[i - 1];

        if (was->name == set->name && strcmp(was->scope, set->scope) == 0)
            return was->state == set->state && was->at_ms == set->at_ms &&
                   is_same(was->precision, set->precision) && was->event_id == set->event_id &&
                   is_same(was->reason, set->reason);
    }
    return set->state == RECORD_MARK_AUTO;
}

/* The event that says so is one of this incident. */
static int check_event(struct db_conn *conn,
                       int64_t incident_id,
                       const struct record_setting *set,
                       struct err *reterr)
{
    struct db_stmt *stmt;

    if (!set->event_id)
        return 0;
    stmt = db_prepare(conn,
                      "SELECT 1 FROM incident_event WHERE incident_id = ?1 AND event_id = ?2");
    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, set->event_id);
    bool found = db_step(stmt);
    int r = db_done(stmt, reterr);

    return r || found ? r
                      : err_set(reterr, INCIDENT_DB_E_REFUSED, "event: no %" PRId64 " in it",
                                set->event_id);
}

int incident_db_set_marks(struct db_conn *conn, struct record_marking *marking, struct err *reterr)
{
    struct record_setting *settings = NULL;
    ARENA_AUTO struct arena scratch;
    struct incident incident;
    size_t n = 0;

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    marking->n_changed = 0;
    int r = incident_db_get(conn, marking->key, &scratch, &incident, reterr);
    if (r == 0)
        r = incident_db_settings(conn, incident.id, &scratch, &settings, &n, reterr);
    for (size_t i = 0; r == 0 && i < marking->n; i++) {
        r = check_event(conn, incident.id, &marking->settings[i], reterr);
        if (r || is_in_force(settings, n, &marking->settings[i]))
            continue;
        r = insert_setting(conn, incident.id, &marking->settings[i], marking, reterr);
        marking->n_changed++;
    }
    return r;
}
