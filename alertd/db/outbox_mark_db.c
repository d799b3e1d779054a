/*
 * What became of a claimed row: told, failed for now, given up; and of those that a digest
 * told. See outbox_db.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_private.h"
#include "alertd/db/rows.h"
#include "alertd/incident/digest.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

enum {
    EVENT_TEXT_MAX = 2048,
    LATE_MS = 5000, /* less is nothing to tell */
};

/* A row as the marks need it. */
struct outcome_row {
    int64_t incident_id;
    char receiver[160];
    char kind[16];
    unsigned slot;
    char reason[16];
    unsigned attempts;
    bool refused;
    bool is_copy; /* for a shadow: what becomes of it is nobody else's business */
    int64_t owed_ms;
    char last_error[ERR_TEXT_MAX];
};

static int read_outcome_row(struct db_conn *conn,
                            int64_t id,
                            struct outcome_row *ret_row,
                            struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT incident_id, receiver, kind, slot, reason, attempts, refused,"
              " owed_ms, last_error, lane = 'shadow' FROM outbox WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    bool found = db_step(stmt);
    if (found) {
        ret_row->incident_id = db_int(stmt, 0);
        (void)snprintf(ret_row->receiver, sizeof(ret_row->receiver), "%s", db_text(stmt, 1));
        (void)snprintf(ret_row->kind, sizeof(ret_row->kind), "%s", db_text(stmt, 2));
        ret_row->slot = (unsigned)db_int(stmt, 3);
        (void)snprintf(ret_row->reason, sizeof(ret_row->reason), "%s", db_text(stmt, 4));
        ret_row->attempts = (unsigned)db_int(stmt, 5);
        ret_row->refused = db_int(stmt, 6) != 0;
        ret_row->owed_ms = db_int(stmt, 7);
        (void)snprintf(ret_row->last_error, sizeof(ret_row->last_error), "%s", db_text(stmt, 8));
        ret_row->is_copy = db_int(stmt, 9) != 0;
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !found)
        return err_set(reterr, INCIDENT_DB_E_NOT_FOUND, "no outbox row %" PRId64, id);
    return r;
}

static void outcome_data(int64_t id, const struct outcome_row *row, int64_t now_ms, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    json_kv_int(&json, "outbox", id);
    json_kv_string(&json, "receiver", row->receiver);
    json_kv_string(&json, "kind", row->kind);
    json_kv_string(&json, "reason", row->reason);
    json_kv_int(&json, "attempts", row->attempts);
    json_kv_int(&json, "late_ms", now_ms > row->owed_ms ? now_ms - row->owed_ms : 0);
    if (row->last_error[0])
        json_kv_string(&json, "error", row->last_error);
    json_close(&json, '}');
}

static int append(struct db_conn *conn,
                  int64_t id,
                  const struct outcome_row *row,
                  enum timeline_kind kind,
                  const char *text,
                  int64_t now_ms,
                  struct err *reterr)
{
    STR_AUTO struct str data = STR_INIT(4096);
    char source[ROWS_SOURCE_MAX];

    if (!row->incident_id || row->is_copy)
        return 0; /* a digest: those that it tells say so */
    outcome_data(id, row, now_ms, &data);

    const struct timeline_event event = {
        .kind = timeline_kind_name(kind),
        .event_class = "machine",
        .source = rows_source(source, "outbox", id),
        .text = text,
        .data = data.full ? "{}" : str_text(&data),
        .occurred_at_ms = now_ms,
    };

    return event_db_append(conn, row->incident_id, &event, now_ms, NULL, reterr);
}

/* A person by their name alone. */
static const char *called(const struct outcome_row *row)
{
    size_t len = strlen(OUTBOX_PERSON);

    return strncmp(row->receiver, OUTBOX_PERSON, len) == 0 ? row->receiver + len : row->receiver;
}

/* n_together: how many pages the digest told that told it; 0: it was told alone. */
static void sent_words(const struct outcome_row *row,
                       size_t n_together,
                       int64_t now_ms,
                       struct str *out)
{
    char span[DURATION_TEXT_MAX];

    if (strcmp(row->kind, "dashboard") == 0) {
        str_addf(out, "shown on the dashboard (%s): nobody else is told", row->reason);
        return;
    }
    str_addf(out, "%s told by %s (%s)", called(row), row->kind, row->reason);
    if (n_together)
        str_addf(out, ", in a digest of %zu pages", n_together);
    if (now_ms - row->owed_ms >= LATE_MS)
        str_addf(out, ", %s late", duration_human(now_ms - row->owed_ms, span));
    if (now_ms - row->owed_ms >= LATE_MS && row->last_error[0])
        str_addf(out, ": %s", row->last_error);
}

static int mark_sent(
    struct db_conn *conn, int64_t outbox_id, size_t n_together, int64_t now_ms, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(EVENT_TEXT_MAX);
    struct outcome_row row = {0};
    int r = read_outcome_row(conn, outbox_id, &row, reterr);

    if (r)
        return r;

    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET state = 'sent', sent_ms = ?2 WHERE id = ?1");

    db_bind_int(stmt, 1, outbox_id);
    db_bind_int(stmt, 2, now_ms);
    r = db_run(stmt, reterr);
    sent_words(&row, n_together, now_ms, &text);
    if (r == 0)
        r = append(conn, outbox_id, &row, TIMELINE_NOTIFY_SENT, str_text(&text), now_ms, reterr);
    return r;
}

int outbox_db_sent(
    struct db_conn *conn, int64_t outbox_id, const char *answer, int64_t now_ms, struct err *reterr)
{
    int64_t folded[DIGEST_PAGES_MAX];
    size_t n = 0;
    int r = mark_sent(conn, outbox_id, 0, now_ms, reterr);

    (void)answer;
    if (r == 0)
        r = outbox_db_folded(conn, outbox_id, folded, &n, reterr);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = mark_sent(conn, folded[i], n, now_ms, reterr);
    return r;
}

/* A later row of the same incident and integration takes its story over: a reminder then
 * tells what was never told, and must not be dropped as a reminder. */
static int hand_over(struct db_conn *conn,
                     int64_t id,
                     const struct outcome_row *row,
                     const char *error,
                     int64_t retry_at_ms,
                     bool *ret_done,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET owed_ms = min(owed_ms, ?6), due_ms = max(due_ms, ?7),"
              " last_error = ?8, reason = iif(reason = 'repeat', ?9, reason)"
              " WHERE id = (SELECT max(id) FROM outbox WHERE receiver = ?1"
              " AND kind = ?2 AND slot = ?3 AND state = 'waiting' AND incident_id = ?4"
              " AND lane <> 'shadow' AND id > ?5)");

    db_bind_text(stmt, 1, row->receiver);
    db_bind_text(stmt, 2, row->kind);
    db_bind_int(stmt, 3, row->slot);
    db_bind_int(stmt, 4, row->incident_id);
    db_bind_int(stmt, 5, id);
    db_bind_int(stmt, 6, row->owed_ms);
    db_bind_int(stmt, 7, retry_at_ms);
    db_bind_text(stmt, 8, error);
    db_bind_text(stmt, 9, row->reason);
    int r = db_run(stmt, reterr);

    *ret_done = r == 0 && db_changes(conn) > 0;
    if (!*ret_done)
        return r;
    stmt = db_prepare(
        conn, "UPDATE outbox SET state = 'superseded', last_error = ?6, superseded_by ="
              " (SELECT max(id) FROM outbox WHERE receiver = ?2 AND kind = ?3 AND slot = ?4"
              "  AND state = 'waiting' AND incident_id = ?5 AND lane <> 'shadow' AND id > ?1)"
              " WHERE id = ?1");
    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, row->receiver);
    db_bind_text(stmt, 3, row->kind);
    db_bind_int(stmt, 4, row->slot);
    db_bind_int(stmt, 5, row->incident_id);
    db_bind_text(stmt, 6, error);
    return db_run(stmt, reterr);
}

static int wait_again(struct db_conn *conn,
                      int64_t id,
                      const char *error,
                      bool refused,
                      int64_t retry_at_ms,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET state = iif(" OUTBOX_NOT_NEEDED ", 'superseded', 'waiting'),"
              " due_ms = ?2, last_error = ?3, refused = ?4 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, retry_at_ms);
    db_bind_text(stmt, 3, error);
    db_bind_int(stmt, 4, refused);
    return db_run(stmt, reterr);
}

/* Said at the first failure, and when it becomes a refusal. */
static int say_failed(struct db_conn *conn,
                      int64_t outbox_id,
                      struct outcome_row *row,
                      const char *error,
                      bool refused,
                      int64_t now_ms,
                      struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(EVENT_TEXT_MAX);

    (void)snprintf(row->last_error, sizeof(row->last_error), "%s", error);
    str_addf(&text, "%s not told by %s (%s): %s; %s", called(row), row->kind, row->reason, error,
             refused ? "it refuses, tried again every 5 min" : "tried again");
    return append(conn, outbox_id, row, TIMELINE_NOTIFY_FAILED, str_text(&text), now_ms, reterr);
}

static int fail_folded(struct db_conn *conn,
                       int64_t digest_id,
                       const char *error,
                       bool refused,
                       int64_t now_ms,
                       struct err *reterr)
{
    int64_t folded[DIGEST_PAGES_MAX];
    size_t n = 0;
    int r = outbox_db_folded(conn, digest_id, folded, &n, reterr);

    for (size_t i = 0; r == 0 && i < n; i++) {
        struct outcome_row row = {0};
        struct db_stmt *stmt = db_prepare(conn, "UPDATE outbox SET refused = ?2 WHERE id = ?1");

        db_bind_int(stmt, 1, folded[i]);
        db_bind_int(stmt, 2, refused);
        r = db_run(stmt, reterr);
        if (r == 0)
            r = read_outcome_row(conn, folded[i], &row, reterr);
        if (r == 0)
            r = say_failed(conn, folded[i], &row, error, refused, now_ms, reterr);
    }
    return r;
}

int outbox_db_failed(struct db_conn *conn,
                     int64_t outbox_id,
                     const char *error,
                     bool refused,
                     int64_t retry_at_ms,
                     int64_t now_ms,
                     struct err *reterr)
{
    struct outcome_row row = {0};
    bool done = false;
    int r = read_outcome_row(conn, outbox_id, &row, reterr);

    if (r == 0 && !row.is_copy)
        r = hand_over(conn, outbox_id, &row, error, retry_at_ms, &done, reterr);
    if (r == 0 && !done)
        r = wait_again(conn, outbox_id, error, refused, retry_at_ms, reterr);
    if (r || (row.attempts > 1 && refused == row.refused))
        return r; /* said already; the row counts on */
    r = fail_folded(conn, outbox_id, error, refused, now_ms, reterr);
    return r == 0 ? say_failed(conn, outbox_id, &row, error, refused, now_ms, reterr) : r;
}

static int give_up(
    struct db_conn *conn, int64_t outbox_id, const char *why, int64_t now_ms, struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(EVENT_TEXT_MAX);
    struct outcome_row row = {0};
    int r = read_outcome_row(conn, outbox_id, &row, reterr);

    if (r)
        return r;

    struct db_stmt *stmt = db_prepare(conn, "UPDATE outbox SET state = 'failed', last_error ="
                                            " coalesce(last_error, ?2) WHERE id = ?1");

    db_bind_int(stmt, 1, outbox_id);
    db_bind_text(stmt, 2, why);
    r = db_run(stmt, reterr);
    str_addf(&text, "%s was never told by %s (%s): %s", called(&row), row.kind, row.reason, why);
    if (row.last_error[0])
        str_addf(&text, "; last: %s", row.last_error);
    if (r == 0)
        r = append(conn, outbox_id, &row, TIMELINE_NOTIFY_UNDELIVERED, str_text(&text), now_ms,
                   reterr);
    return r;
}

int outbox_db_undelivered(
    struct db_conn *conn, int64_t outbox_id, const char *why, int64_t now_ms, struct err *reterr)
{
    int64_t folded[DIGEST_PAGES_MAX];
    size_t n = 0;
    int r = outbox_db_folded(conn, outbox_id, folded, &n, reterr);

    for (size_t i = 0; r == 0 && i < n; i++)
        r = give_up(conn, folded[i], why, now_ms, reterr);
    return r == 0 ? give_up(conn, outbox_id, why, now_ms, reterr) : r;
}
