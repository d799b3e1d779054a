/*
 * Sending: rows of the outbox from `waiting` to what became of them, and the page that a
 * claimed row stands for. See outbox_db.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/rows.h"
#include "alertd/db/shadow_db.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

enum {
    EVENT_TEXT_MAX = 2048,
    LATE_MS = 5000, /* less is nothing to tell */
};

int outbox_db_recover(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET state = 'waiting', due_ms = min(due_ms, ?1)"
              " WHERE state = 'sending'");

    db_bind_int(stmt, 1, now_ms);
    return db_run(stmt, reterr);
}

/* --- claiming --- */

/* What a claimed row says of itself. */
struct row {
    int64_t id;
    int64_t incident_id;
    bool is_copy;           /* for a shadow */
    const uint64_t *alerts; /* fingerprints, in the arena; NULL: all of the incident's */
    size_t n_alerts;
};

/* Fingerprints of a column; false past the arena's limit. */
static bool read_prints(struct db_stmt *stmt, int column, struct arena *arena, struct row *row)
{
    size_t len;
    const void *bytes = db_blob(stmt, column, &len);

    if (db_is_null(stmt, column))
        return true;
    row->n_alerts = len / sizeof(*row->alerts);
    uint64_t *copy = arena_array(arena, row->n_alerts + 1, sizeof(*copy));
    if (copy && len > 0)
        memcpy(copy, bytes, row->n_alerts * sizeof(*copy));
    row->alerts = copy;
    return copy != NULL;
}

/* What both ways of claiming read of a row. */
#define CLAIMED                                                                             \
    "id, incident_id, reason, key, attempts, owed_ms, last_error, group_key, group_labels," \
    " alerts, receiver, kind, slot, lane FROM outbox o"
/* A row in whose place an earlier one has to be told first. */
#define NO_EARLIER                                                                              \
    " AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.receiver = o.receiver AND e.kind = o.kind" \
    "  AND e.slot = o.slot AND e.state IN ('waiting', 'sending')"                               \
    "  AND (e.lane = 'shadow') = (o.lane = 'shadow')"                                           \
    "  AND e.incident_id = o.incident_id AND e.id < o.id)"
/* By a range, so that the index of what is unsent serves it. */
#define OF_PEOPLE "receiver >= 'person:' AND receiver < 'person;' AND state = 'waiting'"
#define REAL      " AND lane <> 'shadow'"
#define COPIES    " AND lane = 'shadow'"

static struct db_stmt *select_due(struct db_conn *conn, const struct outbox_claim_options *options)
{
    struct db_stmt *stmt =
        options->shadows
            ? db_prepare(conn, "SELECT " CLAIMED " WHERE " OF_PEOPLE COPIES
                               " AND due_ms <= ?1" NO_EARLIER " ORDER BY due_ms, id LIMIT 1")
        : options->people
            ? db_prepare(conn,
                         "SELECT " CLAIMED " WHERE " OF_PEOPLE REAL " AND due_ms <= ?1" NO_EARLIER
                         " ORDER BY reason = 'resolved', due_ms, id LIMIT 1")
            : db_prepare(conn, "SELECT " CLAIMED " WHERE receiver = ?2 AND kind = ?3 AND slot = ?4"
                               " AND state = 'waiting' AND due_ms <= ?1" NO_EARLIER
                               " ORDER BY reason = 'resolved', due_ms, id LIMIT 1");

    db_bind_int(stmt, 1, options->now_ms);
    if (options->people)
        return stmt;
    db_bind_text(stmt, 2, options->receiver);
    db_bind_text(stmt, 3, options->kind);
    db_bind_int(stmt, 4, options->slot);
    return stmt;
}

static int find_due(struct db_conn *conn,
                    const struct outbox_claim_options *options,
                    struct arena *arena,
                    struct row *ret_row,
                    struct page *page,
                    struct err *reterr)
{
    struct db_stmt *stmt = select_due(conn, options);
    bool fits = true;

    *ret_row = (struct row){0};
    if (db_step(stmt)) {
        *ret_row = (struct row){.id = db_int(stmt, 0), .incident_id = db_int(stmt, 1)};
        page->outbox_id = ret_row->id;
        page->reason = rows_text(arena, stmt, 2);
        page->idempotency_key = rows_text(arena, stmt, 3);
        page->attempts = (unsigned)db_int(stmt, 4);
        page->owed_at_ms = db_int(stmt, 5);
        page->group_key = rows_text(arena, stmt, 7);
        page->group = rows_labels(arena, db_text(stmt, 8));
        page->receiver = rows_text(arena, stmt, 10);
        page->kind = rows_text(arena, stmt, 11);
        page->slot = (unsigned)db_int(stmt, 12);
        ret_row->is_copy = strcmp(db_text(stmt, 13), SHADOW_LANE) == 0;
        page->lane = ret_row->is_copy ? SHADOW_LANE : NULL;
        fits = page->receiver && page->kind && page->reason && page->idempotency_key &&
               page->group_key && page->group &&
               rows_text_or_null(arena, stmt, 6, &page->earlier_error) &&
               read_prints(stmt, 9, arena, ret_row);
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !fits)
        r = err_set(reterr, INCIDENT_DB_E_LIMIT, "outbox %" PRId64 " is too large", ret_row->id);
    return r;
}

static int next_due(struct db_conn *conn,
                    const struct outbox_claim_options *options,
                    int64_t *ret_due_ms,
                    struct err *reterr)
{
    /* of people: not those that wait for one that somebody else is sending */
    struct db_stmt *stmt =
        options->shadows
            ? db_prepare(conn,
                         "SELECT min(due_ms) FROM outbox o WHERE " OF_PEOPLE COPIES NO_EARLIER)
        : options->people
            ? db_prepare(conn, "SELECT min(due_ms) FROM outbox o WHERE " OF_PEOPLE REAL NO_EARLIER)
            : db_prepare(conn, "SELECT min(due_ms) FROM outbox WHERE receiver = ?1 AND kind = ?2"
                               " AND slot = ?3 AND state = 'waiting'");

    *ret_due_ms = INT64_MAX;
    if (!options->people) {
        db_bind_text(stmt, 1, options->receiver);
        db_bind_text(stmt, 2, options->kind);
        db_bind_int(stmt, 3, options->slot);
    }
    if (db_step(stmt) && !db_is_null(stmt, 0))
        *ret_due_ms = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

static int set_sending(struct db_conn *conn, int64_t id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    return db_run(stmt, reterr);
}

/* The key of the incident's first notification: the same in all its pages. */
static int root_id(struct db_conn *conn,
                   int64_t incident_id,
                   struct arena *arena,
                   const char **ret_root,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT lower(hex(i.id)) || '-' || ?1 FROM installation i");
    const char *root = NULL;

    db_bind_int(stmt, 1, incident_id);
    if (db_step(stmt))
        root = rows_text(arena, stmt, 0);
    int r = db_done(stmt, reterr);

    if (r == 0 && !root)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for a page");
    if (r == 0)
        *ret_root = root;
    return r;
}

static const char *join_url(struct arena *arena, const char *base, const char *path, const char *id)
{
    STR_AUTO struct str url = STR_INIT(4096);

    str_addf(&url, "%s%s%s", base, path, id);
    return arena_strndup(arena, str_text(&url), url.len);
}

/* A copy's links lead to its own page, and nothing in it to the real one's. */
static int fill_copy_urls(struct db_conn *conn,
                          const struct outbox_claim_options *options,
                          struct arena *arena,
                          struct page *page,
                          struct err *reterr)
{
    char token[OUTBOX_ACK_TOKEN_MAX];
    bool has_copy = false;
    int r = shadow_db_make_link(conn, page->outbox_id, options->ack_key, token, &has_copy, reterr);

    if (r)
        return r;
    page->external_url = join_url(arena, options->external_url, "", "");
    page->incident_url = join_url(arena, options->external_url, "/s/", token);
    page->acknowledge_url = has_copy ? page->incident_url : NULL;
    if (!page->external_url || !page->incident_url)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for a page");
    return 0;
}

static int fill_urls(struct db_conn *conn,
                     const struct outbox_claim_options *options,
                     struct arena *arena,
                     struct page *page,
                     struct err *reterr)
{
    char token[OUTBOX_ACK_TOKEN_MAX];
    int r = ack_link_db_make(conn, page->incident.id, options->ack_key, options->now_ms, token,
                             reterr);

    if (r)
        return r;
    page->external_url = join_url(arena, options->external_url, "", "");
    page->incident_url = join_url(arena, options->external_url, "/i/", page->incident.key);
    page->acknowledge_url = join_url(arena, options->external_url, "/a/", token);
    if (!page->external_url || !page->incident_url || !page->acknowledge_url)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for a page");
    return 0;
}

static int fill_page(struct db_conn *conn,
                     const struct outbox_claim_options *options,
                     const struct row *row,
                     struct arena *arena,
                     struct page *page,
                     struct err *reterr)
{
    struct incident_alert *alerts = NULL;
    int r = incident_db_get_by_id(conn, row->incident_id, arena, &page->incident, reterr);

    if (r == 0 && row->alerts)
        r = incident_db_alerts_of(
            conn, &(struct incident_choice){row->alerts, row->n_alerts, PAGE_ALERTS_MAX}, arena,
            &alerts, &page->n_alerts, reterr);
    else if (r == 0)
        r = incident_db_alerts(conn, row->incident_id, PAGE_ALERTS_MAX, arena, &alerts,
                               &page->n_alerts, reterr);
    if (r == 0)
        r = root_id(conn, row->incident_id, arena, &page->root_id, reterr);
    if (r == 0)
        r = row->is_copy ? fill_copy_urls(conn, options, arena, page, reterr)
                         : fill_urls(conn, options, arena, page, reterr);
    if (r == 0 && !row->is_copy)
        r = shadow_db_practice(conn, row->id, arena, &page->practice, reterr);
    page->alerts = alerts;
    page->n_told = row->alerts ? row->n_alerts : page->incident.n_alerts;
    if (!*page->group_key) { /* the incident's own */
        page->group_key = page->incident.group_key;
        page->group = page->incident.labels;
    }
    page->now_ms = options->now_ms;
    return r;
}

/* The next due row into *page and `sending`; id 0: none is due. */
static int claim_one(struct db_conn *conn,
                     const struct outbox_claim_options *options,
                     struct arena *arena,
                     struct page *page,
                     int64_t *ret_id,
                     struct err *reterr)
{
    struct row row;
    int r = find_due(conn, options, arena, &row, page, reterr);

    if (r == 0 && row.id)
        r = fill_page(conn, options, &row, arena, page, reterr);
    if (r == 0 && row.id)
        r = set_sending(conn, row.id, reterr);
    *ret_id = row.id;
    return r;
}

int outbox_db_claim(struct db_conn *conn,
                    const struct outbox_claim_options *options,
                    struct arena *arena,
                    struct outbox_claims *ret_claims,
                    struct err *reterr)
{
    struct outbox_claims claims = {.pages = arena_array(arena, options->max, sizeof(struct page)),
                                   .next_due_ms = INT64_MAX};
    int64_t id = 1;
    int r = 0;

    if (!claims.pages)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for a page");
    while (r == 0 && claims.n < options->max) {
        struct page *page = &claims.pages[claims.n];

        *page = (struct page){0};
        r = claim_one(conn, options, arena, page, &id, reterr);
        if (r || !id)
            break;
        claims.n++;
    }
    if (r == INCIDENT_DB_E_LIMIT && claims.n > 0)
        r = 0; /* room for no more: those first */
    else if (r == 0 && !id)
        r = next_due(conn, options, &claims.next_due_ms, reterr);
    if (r == 0)
        *ret_claims = claims;
    return r;
}

int outbox_db_release(struct db_conn *conn, int64_t outbox_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "UPDATE outbox SET state = 'waiting', attempts = attempts - 1"
                                      " WHERE id = ?1 AND state = 'sending'");

    db_bind_int(stmt, 1, outbox_id);
    return db_run(stmt, reterr);
}

/* --- what became of it --- */

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

    if (row->is_copy)
        return 0;
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

static void sent_words(const struct outcome_row *row, int64_t now_ms, struct str *out)
{
    char span[DURATION_TEXT_MAX];

    if (strcmp(row->kind, "dashboard") == 0) {
        str_addf(out, "shown on the dashboard (%s): nobody else is told", row->reason);
        return;
    }
    str_addf(out, "%s told by %s (%s)", called(row), row->kind, row->reason);
    if (now_ms - row->owed_ms >= LATE_MS)
        str_addf(out, ", %s late", duration_human(now_ms - row->owed_ms, span));
    if (now_ms - row->owed_ms >= LATE_MS && row->last_error[0])
        str_addf(out, ": %s", row->last_error);
}

int outbox_db_sent(
    struct db_conn *conn, int64_t outbox_id, const char *answer, int64_t now_ms, struct err *reterr)
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
    sent_words(&row, now_ms, &text);
    if (r == 0)
        r = append(conn, outbox_id, &row, TIMELINE_NOTIFY_SENT, str_text(&text), now_ms, reterr);
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
        conn, "UPDATE outbox SET state = 'waiting', due_ms = ?2, last_error = ?3,"
              " refused = ?4 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, retry_at_ms);
    db_bind_text(stmt, 3, error);
    db_bind_int(stmt, 4, refused);
    return db_run(stmt, reterr);
}

int outbox_db_failed(struct db_conn *conn,
                     int64_t outbox_id,
                     const char *error,
                     bool refused,
                     int64_t retry_at_ms,
                     int64_t now_ms,
                     struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(EVENT_TEXT_MAX);
    struct outcome_row row = {0};
    bool done = false;
    int r = read_outcome_row(conn, outbox_id, &row, reterr);

    if (r == 0 && !row.is_copy)
        r = hand_over(conn, outbox_id, &row, error, retry_at_ms, &done, reterr);
    if (r == 0 && !done)
        r = wait_again(conn, outbox_id, error, refused, retry_at_ms, reterr);
    if (r || (row.attempts > 1 && refused == row.refused))
        return r; /* said already; the row counts on */
    (void)snprintf(row.last_error, sizeof(row.last_error), "%s", error);
    str_addf(&text, "%s not told by %s (%s): %s; %s", called(&row), row.kind, row.reason, error,
             refused ? "it refuses, tried again every 5 min" : "tried again");
    return append(conn, outbox_id, &row, TIMELINE_NOTIFY_FAILED, str_text(&text), now_ms, reterr);
}

int outbox_db_undelivered(
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
