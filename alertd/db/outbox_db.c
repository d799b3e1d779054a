/*
 * Deciding: what pager/ owes an integration -> a row of the outbox. See outbox_db.h; sending is
 * in outbox_send_db.c.
 *
 *   news + what waits unsent for the same integration and group --route_merge()--> row
 */

#include "alertd/db/outbox_db.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/memo.h"
#include "alertd/db/rows.h"
#include "alertd/db/shadow_db.h"

enum {
    SCRATCH_BYTES_MAX = 1024 * 1024,
    KEY_HASH_BYTES = 24,
    KEY_ORDER_CHARS = 16,
    KEY_TEXT_MAX = KEY_ORDER_CHARS + 2 * KEY_HASH_BYTES + 1,
};

/* Of an incident what its notifications depend on. */
struct subject {
    int64_t id;
    char key[INCIDENT_DB_KEY_MAX];
    enum incident_status status;
    unsigned n_transitions;
    bool told_resolved;
    bool is_closed; /* by a person */
    int64_t began_at_ms;
};

static int read_subject(struct db_conn *conn, int64_t id, struct subject *ret, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT key, status, n_transitions, told_resolved, resolved_by IS NOT NULL, began_ms"
              " FROM incident WHERE id = ?1");

    *ret = (struct subject){0};
    db_bind_int(stmt, 1, id);
    if (db_step(stmt)) {
        ret->id = id;
        (void)snprintf(ret->key, sizeof(ret->key), "%s", db_text(stmt, 0));
        ret->status = incident_status_parse(db_text(stmt, 1));
        ret->n_transitions = (unsigned)db_int(stmt, 2);
        ret->told_resolved = db_int(stmt, 3) != 0;
        ret->is_closed = db_int(stmt, 4) != 0;
        ret->began_at_ms = db_int(stmt, 5);
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !ret->id)
        return err_set(reterr, INCIDENT_DB_E_NOT_FOUND, "no incident number %" PRId64, id);
    return r;
}

/* One decision about one incident. */
struct decision {
    struct db_conn *conn;
    const struct subject *incident;
    const struct outbox_new *news;
    unsigned transition;
    struct err *reterr;
};

/* The unsent row of the same incident, integration and group. */
struct waiting {
    int64_t id; /* 0: none */
    enum route_reason reason;
    unsigned attempts;
    int64_t owed_ms, due_ms;
    char last_error[ERR_TEXT_MAX];
};

static int find_waiting(const struct decision *decision, struct waiting *ret)
{
    *ret = (struct waiting){0};
    if (decision->incident->n_transitions == 0)
        return 0; /* nobody was owed anything of it yet */

    struct db_stmt *stmt = db_prepare(
        decision->conn, "SELECT id, reason, attempts, owed_ms, due_ms, last_error FROM outbox"
                        /* by the incident's few rows, not by all that wait */
                        " WHERE incident_id = ?4 AND group_key = ?5 AND +receiver = ?1"
                        " AND kind = ?2 AND slot = ?3 AND state = 'waiting' AND lane = 'page'"
                        " ORDER BY id DESC LIMIT 1");

    db_bind_text(stmt, 1, decision->news->receiver);
    db_bind_text(stmt, 2, decision->news->kind);
    db_bind_int(stmt, 3, decision->news->slot);
    db_bind_int(stmt, 4, decision->incident->id);
    db_bind_text(stmt, 5, decision->news->group_key);
    if (db_step(stmt)) {
        ret->id = db_int(stmt, 0);
        ret->reason = route_reason_parse(db_text(stmt, 1));
        ret->attempts = (unsigned)db_int(stmt, 2);
        ret->owed_ms = db_int(stmt, 3);
        ret->due_ms = db_int(stmt, 4);
        (void)snprintf(ret->last_error, sizeof(ret->last_error), "%s", db_text(stmt, 5));
    }
    return db_done(stmt, decision->reterr);
}

static void mix(crypto_generichash_state *state, const char *text)
{
    /* with the NUL: parts can't run into each other */
    (void)crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

/* Incident and transition, then BLAKE2b over installation, both and the integration, in hex: what is
 * the same in every attempt and in no other notification of anybody. Its beginning rises, so that
 * the index of keys grows at its end. */
static int make_key(const struct decision *decision, char *ret_key)
{
    unsigned char hash[KEY_HASH_BYTES];
    crypto_generichash_state state;
    const char *installation;
    char number[64];
    int r = db_memo_installation(decision->conn, &installation, decision->reterr);

    if (r)
        return r;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    mix(&state, installation);
    (void)snprintf(number, sizeof(number), "%u/%u", decision->transition, decision->news->slot);
    mix(&state, decision->incident->key);
    mix(&state, number);
    mix(&state, decision->news->receiver);
    mix(&state, decision->news->kind);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    (void)snprintf(ret_key, KEY_TEXT_MAX, "%0*" PRIx64, KEY_ORDER_CHARS,
                   (uint64_t)decision->incident->id << 16 | (decision->transition & 0xFFFF));
    (void)sodium_bin2hex(ret_key + KEY_ORDER_CHARS, KEY_TEXT_MAX - KEY_ORDER_CHARS, hash,
                         sizeof(hash));
    return r;
}

uint64_t outbox_bell(const char *receiver, const char *kind, unsigned slot)
{
    uint64_t hash = slot;

    if (strncmp(receiver, OUTBOX_PERSON, strlen(OUTBOX_PERSON)) == 0)
        return OUTBOX_BELL_PEOPLE;
    for (const char *at = receiver; *at; at++)
        hash = hash * 31 + (unsigned char)*at;
    for (const char *at = kind; *at; at++)
        hash = hash * 31 + (unsigned char)*at;
    return UINT64_C(1) << (OUTBOX_BELLS_FIRST + hash % (64 - OUTBOX_BELLS_FIRST));
}

static void ring(const struct decision *decision)
{
    const struct outbox_new *news = decision->news;

    db_ring(decision->conn, outbox_bell(news->receiver, news->kind, news->slot));
}

/* What it is about: changes while it waits. */
static void bind_alerts(struct db_stmt *stmt, int index, const struct outbox_new *news)
{
    if (news->alerts)
        db_bind_blob(stmt, index, news->alerts, news->n_alerts * sizeof(*news->alerts));
    else
        db_bind_null(stmt, index);
}

static int insert(const struct decision *decision, const struct waiting *before, int64_t *ret_id)
{
    STR_AUTO struct str group = STR_INIT(ROWS_LABELS_BYTES_MAX);
    const struct outbox_new *news = decision->news;
    char key[KEY_TEXT_MAX];
    int64_t due_ms = news->now_ms + news->after_ms;
    int64_t owed_ms = due_ms;
    int r = make_key(decision, key);

    if (r)
        return r;
    /* what it takes the place of was owed earlier, and its receiver said when to come back */
    if (before->id && before->owed_ms < owed_ms)
        owed_ms = before->owed_ms;
    if (before->id && before->attempts > 0 && before->due_ms > due_ms)
        due_ms = before->due_ms;
    rows_labels_text(news->group, &group);

    struct db_stmt *stmt = db_prepare_own(
        decision->conn, "INSERT INTO outbox (incident_id, transition, reason, receiver, kind,"
                        " slot, key, state, created_ms, owed_ms, due_ms, last_error, group_key,"
                        " group_labels, alerts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8,"
                        " ?9, ?10, ?11, ?12, ?13, ?14)");

    db_bind_int(stmt, 1, decision->incident->id);
    db_bind_int(stmt, 2, decision->transition);
    db_bind_text(stmt, 3, route_reason_name(news->reason));
    db_bind_text(stmt, 4, news->receiver);
    db_bind_text(stmt, 5, news->kind);
    db_bind_int(stmt, 6, news->slot);
    db_bind_text(stmt, 7, key);
    db_bind_int(stmt, 8, news->now_ms);
    db_bind_int(stmt, 9, owed_ms);
    db_bind_int(stmt, 10, due_ms);
    db_bind_text(stmt, 11, before->last_error[0] ? before->last_error : NULL);
    db_bind_text(stmt, 12, news->group_key);
    db_bind_text(stmt, 13, group.full ? "{}" : str_text(&group));
    bind_alerts(stmt, 14, news);
    r = db_run(stmt, decision->reterr);
    if (r == 0)
        *ret_id = db_last_id(decision->conn);
    ring(decision);
    return r;
}

/* What waits will tell the news too, and not later than those are due. */
static int widen(const struct decision *decision, int64_t id)
{
    struct db_stmt *stmt = db_prepare(
        decision->conn, "UPDATE outbox SET alerts = ?2, due_ms = iif(attempts = 0,"
                        " min(due_ms, ?3), due_ms), owed_ms = min(owed_ms, ?3) WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    bind_alerts(stmt, 2, decision->news);
    db_bind_int(stmt, 3, decision->news->now_ms + decision->news->after_ms);
    ring(decision); /* it may be due earlier now */
    return db_run(stmt, decision->reterr);
}

static int supersede(struct db_conn *conn, int64_t id, int64_t by_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET state = 'superseded', superseded_by = ?2 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    if (by_id)
        db_bind_int(stmt, 2, by_id);
    else
        db_bind_null(stmt, 2);
    return db_run(stmt, reterr);
}

static int note_told(const struct decision *decision)
{
    struct db_stmt *stmt = db_prepare(decision->conn,
                                      "UPDATE incident SET n_transitions = ?2, told_ms = ?3,"
                                      " told_resolved = ?4 WHERE id = ?1");

    db_bind_int(stmt, 1, decision->incident->id);
    db_bind_int(stmt, 2, decision->transition);
    db_bind_int(stmt, 3, decision->news->now_ms);
    db_bind_int(stmt, 4, decision->news->reason == ROUTE_RESOLVED);
    return db_run(stmt, decision->reterr);
}

static int decide(struct decision *decision, bool *ret_grew)
{
    struct waiting before;
    int64_t id = 0;
    int r = find_waiting(decision, &before);

    if (r)
        return r;
    decision->transition = decision->incident->n_transitions;
    if (decision->news->reason == ROUTE_RESOLVED && !decision->news->send_resolved) {
        /* it is not told the end; a page that still waits will say that it is over */
        r = note_told(decision);
        return r == 0 && before.reason == ROUTE_REPEAT
                   ? supersede(decision->conn, before.id, 0, decision->reterr)
                   : r;
    }

    enum route_merge merge = route_merge(before.reason, before.attempts, decision->news->reason);

    if (merge == ROUTE_MERGE_COVERED)
        return widen(decision, before.id);
    if (merge == ROUTE_MERGE_ADD)
        before = (struct waiting){0};
    ++decision->transition;
    r = insert(decision, &before, &id);
    if (r == 0 && merge == ROUTE_MERGE_SUPERSEDE)
        r = supersede(decision->conn, before.id, id, decision->reterr);
    if (r == 0)
        r = note_told(decision);
    if (r == 0)
        *ret_grew = true;
    return r;
}

static bool is_needed(const struct subject *incident, enum route_reason reason)
{
    switch (reason) {
    case ROUTE_REPEAT: return incident->status == INCIDENT_TRIGGERED;
    case ROUTE_RESOLVED: return !(incident->told_resolved && incident->is_closed);
    case ROUTE_SOME_RESOLVED: return incident->status != INCIDENT_RESOLVED;
    default: return true;
    }
}

/* Was the integration told anything of the incident since it began? */
static int was_told(const struct decision *decision, bool *ret_told)
{
    struct db_stmt *stmt = db_prepare(
        decision->conn,
        "SELECT 1 FROM outbox WHERE incident_id = ?1 AND receiver = ?2"
        " AND lane = 'page' AND kind = ?3 AND slot = ?4 AND created_ms >= ?5 LIMIT 1");

    db_bind_int(stmt, 1, decision->incident->id);
    db_bind_text(stmt, 2, decision->news->receiver);
    db_bind_text(stmt, 3, decision->news->kind);
    db_bind_int(stmt, 4, decision->news->slot);
    db_bind_int(stmt, 5, decision->incident->began_at_ms);
    *ret_told = db_step(stmt);
    return db_done(stmt, decision->reterr);
}

int outbox_db_add(struct db_conn *conn,
                  const struct outbox_new *news,
                  bool *ret_grew,
                  struct err *reterr)
{
    struct subject incident;
    struct decision decision = {
        .conn = conn, .incident = &incident, .news = news, .reterr = reterr};

    *ret_grew = false;
    int r = read_subject(conn, news->incident_id, &incident, reterr);
    if (r || !is_needed(&incident, news->reason))
        return r;

    struct outbox_new first = *news;
    bool told = false;

    /* new to a group that was told of others, and the first it is told of this incident */
    if (news->reason == ROUTE_NEW_ALERTS)
        r = was_told(&decision, &told);
    if (r)
        return r;
    if (news->reason == ROUTE_NEW_ALERTS && !told)
        first.reason = ROUTE_FIRST;
    decision.news = &first;
    return decide(&decision, ret_grew);
}

/* --- a person closed it --- */

struct told_one {
    const char *receiver, *kind;
    unsigned slot;
    const char *group_key;
    const struct labels *group;
};

static bool read_told(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct told_one *told = ret_item;

    *told = (struct told_one){.receiver = rows_text(arena, stmt, 0),
                              .kind = rows_text(arena, stmt, 1),
                              .slot = (unsigned)db_int(stmt, 2),
                              .group_key = rows_text(arena, stmt, 3),
                              .group = rows_labels(arena, db_text(stmt, 4))};
    return told->receiver && told->kind && told->group_key && told->group;
}

static const struct rows_kind told_kind = {sizeof(struct told_one), read_told, INCIDENT_DB_E_LIMIT,
                                           "too many receivers were told of one incident"};

/* Everybody, or only people: config is NULL then. */
static int close_told(struct db_conn *conn,
                      const struct route_config *config,
                      int64_t incident_id,
                      int64_t now_ms,
                      struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct told_one *told = NULL;
    size_t n = 0;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT DISTINCT o.receiver, o.kind, o.slot, o.group_key, o.group_labels"
              " FROM outbox o JOIN incident i ON i.id = o.incident_id"
              " WHERE o.incident_id = ?1 AND o.lane = 'page' AND o.reason <> 'resolved'"
              " AND o.created_ms >= i.began_ms AND (o.state <> 'superseded'"
              "  OR (SELECT d.reason FROM outbox d WHERE d.id = o.superseded_by) = 'digest')"
              " AND (?2 OR o.receiver GLOB 'person:*')");

    arena_init(&arena, SCRATCH_BYTES_MAX);
    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, config != NULL);
    int r = rows_read(stmt, &arena, &told_kind, &told, &n, reterr);

    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct route_integration *to = config ? route_config_find(config, told[i].receiver,
                                                                        told[i].kind, told[i].slot)
                                                    : NULL;
        struct subject incident;
        const struct outbox_new news = {.incident_id = incident_id,
                                        .reason = ROUTE_RESOLVED,
                                        .receiver = told[i].receiver,
                                        .kind = told[i].kind,
                                        .slot = told[i].slot,
                                        .send_resolved = !to || to->send_resolved,
                                        .group_key = told[i].group_key,
                                        .group = told[i].group,
                                        .now_ms = now_ms};
        struct decision decision = {
            .conn = conn, .incident = &incident, .news = &news, .reterr = reterr};
        bool grew;

        r = read_subject(conn, incident_id, &incident, reterr);
        if (r == 0)
            r = decide(&decision, &grew);
    }
    return r;
}

int outbox_db_close(struct db_conn *conn,
                    const struct route_config *config,
                    int64_t incident_id,
                    int64_t now_ms,
                    struct err *reterr)
{
    return close_told(conn, config, incident_id, now_ms, reterr);
}

int outbox_db_close_people(struct db_conn *conn,
                           int64_t incident_id,
                           int64_t now_ms,
                           struct err *reterr)
{
    return close_told(conn, NULL, incident_id, now_ms, reterr);
}

int outbox_db_drop_reminders(struct db_conn *conn, int64_t incident_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET state = 'superseded' WHERE incident_id = ?1"
              " AND reason IN ('repeat', 'escalation') AND state = 'waiting' AND lane = 'page'");

    db_bind_int(stmt, 1, incident_id);
    return db_run(stmt, reterr);
}

/* A row that waited for a day, or one whose integration is not in the config: not at once,
 * since a reload hands the new config to the evaluation and to us at two moments. */
static int find_hopeless(struct db_conn *conn,
                         const struct route_config *config,
                         int64_t now_ms,
                         int64_t *ret_id,
                         const char **ret_why,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT min(id), receiver, kind, slot, min(created_ms) FROM outbox"
              " WHERE state = 'waiting' AND lane <> 'shadow' GROUP BY receiver, kind, slot");

    static const int64_t grace_ms = 60000;

    *ret_id = 0;
    while (!*ret_id && db_step(stmt)) {
        bool is_person = strncmp(db_text(stmt, 1), OUTBOX_PERSON, strlen(OUTBOX_PERSON)) == 0;

        if (!is_person && db_int(stmt, 4) <= now_ms - grace_ms &&
            !route_config_find(config, db_text(stmt, 1), db_text(stmt, 2),
                               (unsigned)db_int(stmt, 3))) {
            *ret_id = db_int(stmt, 0);
            *ret_why = "the receiver is no longer in the config";
        } else if (db_int(stmt, 4) <= now_ms - OUTBOX_KEEP_TRYING_MS) {
            *ret_id = db_int(stmt, 0);
            *ret_why = "tried for 24 h";
        }
    }
    return db_done(stmt, reterr);
}

int outbox_db_give_up(struct db_conn *conn,
                      const struct route_config *config,
                      int64_t now_ms,
                      struct err *reterr)
{
    const char *why = NULL;
    int64_t id = 0;
    int r = shadow_db_give_up(conn, now_ms, reterr);

    while (r == 0) {
        r = find_hopeless(conn, config, now_ms, &id, &why, reterr);
        if (r || !id)
            break;
        r = outbox_db_undelivered(conn, id, why, now_ms, reterr);
    }
    return r;
}
