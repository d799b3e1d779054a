/*
 * Deciding what is owed: incident's story -> rows of the outbox. See outbox_db.h;
 * sending is in outbox_send_db.c.
 *
 *   story --route_due()--> reason, when --for each integration: route_merge()--> row
 *
 * One transition number per decision, whoever of the integrations gets a row for it.
 */

#include "alertd/db/outbox_db.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/rows.h"

enum {
    SCRATCH_BYTES_MAX = 1024 * 1024,
    KEY_HASH_BYTES = 32,
    KEY_TEXT_MAX = 2 * KEY_HASH_BYTES + 1,
};

/* One decision about one incident. */
struct decision {
    struct db_conn *conn;
    const struct incident *incident;
    enum route_reason reason;
    unsigned transition;
    int64_t due_ms;
    int64_t now_ms;
    struct err *reterr;
};

/* The unsent row of the same incident and integration. */
struct waiting {
    int64_t id; /* 0: none */
    enum route_reason reason;
    unsigned attempts;
    int64_t owed_ms, due_ms;
    char last_error[ERR_TEXT_MAX];
};

static int find_waiting(const struct decision *decision,
                        const struct route_integration *to,
                        struct waiting *ret)
{
    struct db_stmt *stmt = db_prepare(
        decision->conn, "SELECT id, reason, attempts, owed_ms, due_ms, last_error FROM outbox"
                        " WHERE receiver = ?1 AND kind = ?2 AND slot = ?3 AND state = 'waiting'"
                        " AND incident_id = ?4 ORDER BY id DESC LIMIT 1");

    *ret = (struct waiting){0};
    db_bind_text(stmt, 1, to->receiver);
    db_bind_text(stmt, 2, route_kind_name(to->kind));
    db_bind_int(stmt, 3, to->slot);
    db_bind_int(stmt, 4, decision->incident->id);
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

/* BLAKE2b-256 over installation, incident, transition and integration, in hex: what is
 * the same in every attempt and in no other notification of anybody. */
static int make_key(const struct decision *decision,
                    const struct route_integration *to,
                    char *ret_key)
{
    struct db_stmt *stmt = db_prepare(decision->conn, "SELECT hex(id) FROM installation");
    unsigned char hash[KEY_HASH_BYTES];
    crypto_generichash_state state;
    char number[64];

    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    while (db_step(stmt))
        mix(&state, db_text(stmt, 0));
    int r = db_done(stmt, decision->reterr);

    (void)snprintf(number, sizeof(number), "%u/%u", decision->transition, to->slot);
    mix(&state, decision->incident->key);
    mix(&state, number);
    mix(&state, to->receiver);
    mix(&state, route_kind_name(to->kind));
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    (void)sodium_bin2hex(ret_key, KEY_TEXT_MAX, hash, sizeof(hash));
    return r;
}

static int insert(const struct decision *decision,
                  const struct route_integration *to,
                  const struct waiting *before,
                  int64_t *ret_id)
{
    char key[KEY_TEXT_MAX];
    int64_t due_ms = decision->due_ms;
    int64_t owed_ms = due_ms;
    int r = make_key(decision, to, key);

    if (r)
        return r;
    /* what it takes the place of was owed earlier, and its receiver said when to come back */
    if (before->id && before->owed_ms < owed_ms)
        owed_ms = before->owed_ms;
    if (before->id && before->attempts > 0 && before->due_ms > due_ms)
        due_ms = before->due_ms;

    struct db_stmt *stmt = db_prepare(
        decision->conn, "INSERT INTO outbox (incident_id, transition, reason, receiver, kind,"
                        " slot, key, state, created_ms, owed_ms, due_ms, last_error)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8, ?9, ?10, ?11)");

    db_bind_int(stmt, 1, decision->incident->id);
    db_bind_int(stmt, 2, decision->transition);
    db_bind_text(stmt, 3, route_reason_name(decision->reason));
    db_bind_text(stmt, 4, to->receiver);
    db_bind_text(stmt, 5, route_kind_name(to->kind));
    db_bind_int(stmt, 6, to->slot);
    db_bind_text(stmt, 7, key);
    db_bind_int(stmt, 8, decision->now_ms);
    db_bind_int(stmt, 9, owed_ms);
    db_bind_int(stmt, 10, due_ms);
    db_bind_text(stmt, 11, before->last_error[0] ? before->last_error : NULL);
    r = db_run(stmt, decision->reterr);
    if (r == 0)
        *ret_id = db_last_id(decision->conn);
    return r;
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

static int owe_to(const struct decision *decision,
                  const struct route_integration *to,
                  unsigned *n_rows)
{
    struct waiting before;
    int64_t id = 0;
    int r = find_waiting(decision, to, &before);

    if (r)
        return r;
    if (decision->reason == ROUTE_RESOLVED && !to->send_resolved) {
        /* it is not told the end; a page that still waits will say that it is over */
        return before.reason == ROUTE_REPEAT
                   ? supersede(decision->conn, before.id, 0, decision->reterr)
                   : 0;
    }

    enum route_merge merge = route_merge(before.reason, before.attempts, decision->reason);

    if (merge == ROUTE_MERGE_COVERED)
        return 0;
    if (merge == ROUTE_MERGE_ADD)
        before = (struct waiting){0};
    r = insert(decision, to, &before, &id);
    if (r == 0 && merge == ROUTE_MERGE_SUPERSEDE)
        r = supersede(decision->conn, before.id, id, decision->reterr);
    if (r == 0)
        ++*n_rows;
    return r;
}

static int note_told(const struct decision *decision)
{
    struct db_stmt *stmt = db_prepare(decision->conn,
                                      "UPDATE incident SET n_transitions = ?2, told_ms = ?3,"
                                      " told_resolved = ?4 WHERE id = ?1");

    db_bind_int(stmt, 1, decision->incident->id);
    db_bind_int(stmt, 2, decision->transition);
    db_bind_int(stmt, 3, decision->due_ms);
    db_bind_int(stmt, 4, decision->reason == ROUTE_RESOLVED);
    return db_run(stmt, decision->reterr);
}

static int decide(struct decision *decision, const struct route_config *config, bool *ret_grew)
{
    unsigned n_rows = 0;
    int r = 0;

    decision->transition = decision->incident->n_transitions + 1;
    for (size_t i = 0; r == 0 && i < config->receiver->n_integrations; i++)
        r = owe_to(decision, &config->receiver->integrations[i], &n_rows);
    /* news that a waiting page covers is not a telling of its own */
    if (r == 0 && (n_rows > 0 || decision->reason != ROUTE_NEW_ALERTS))
        r = note_told(decision);
    if (r == 0)
        *ret_grew = n_rows > 0;
    return r;
}

static struct route_story story_of(const struct incident *incident, bool has_news)
{
    return (struct route_story){
        .began_at_ms = incident->began_at_ms,
        .told_at_ms = incident->told_at_ms,
        .open = incident->status != INCIDENT_RESOLVED,
        .acknowledged = incident->status == INCIDENT_ACKNOWLEDGED,
        .has_news = has_news,
        .told_resolved = incident->told_resolved,
    };
}

int outbox_db_owe(struct db_conn *conn,
                  const struct route_config *config,
                  int64_t incident_id,
                  bool has_news,
                  int64_t now_ms,
                  bool *ret_grew,
                  struct err *reterr)
{
    ARENA_AUTO struct arena scratch;
    struct incident incident;
    struct decision decision = {conn, &incident, ROUTE_NOTHING, 0, 0, now_ms, reterr};

    arena_init(&scratch, SCRATCH_BYTES_MAX);
    int r = incident_db_get_by_id(conn, incident_id, &scratch, &incident, reterr);
    if (r)
        return r;

    const struct route_story story = story_of(&incident, has_news);

    decision.reason = route_due(&config->times, &story, now_ms, &decision.due_ms);
    /* reminders are made when they are due (outbox_db_keep): until then all may change */
    if (decision.reason == ROUTE_NOTHING || decision.reason == ROUTE_REPEAT) {
        *ret_grew = false;
        return 0;
    }
    return decide(&decision, config, ret_grew);
}

int outbox_db_drop_reminders(struct db_conn *conn, int64_t incident_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET state = 'superseded' WHERE incident_id = ?1"
              " AND reason = 'repeat' AND state = 'waiting'");

    db_bind_int(stmt, 1, incident_id);
    return db_run(stmt, reterr);
}

/* One incident whose reminder is due by now_ms: its id, or 0 and when the next one is. */
static int next_reminder(struct db_conn *conn,
                         int64_t repeat_interval_ms,
                         int64_t now_ms,
                         int64_t *ret_incident_id,
                         int64_t *ret_next_ms,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn,
                                      "SELECT id, told_ms FROM incident WHERE status = 'triggered'"
                                      " AND told_ms > 0 ORDER BY told_ms LIMIT 1");

    *ret_incident_id = 0;
    if (db_step(stmt)) {
        int64_t due_ms = db_int(stmt, 1) + repeat_interval_ms;

        if (due_ms <= now_ms)
            *ret_incident_id = db_int(stmt, 0);
        else if (due_ms < *ret_next_ms)
            *ret_next_ms = due_ms;
    }
    return db_done(stmt, reterr);
}

static int make_reminders(struct db_conn *conn,
                          const struct route_config *config,
                          int64_t now_ms,
                          int64_t *ret_next_ms,
                          bool *ret_grew,
                          struct err *reterr)
{
    *ret_grew = false;
    for (;;) {
        ARENA_AUTO struct arena scratch;
        struct incident incident;
        struct decision decision = {conn, &incident, ROUTE_REPEAT, 0, now_ms, now_ms, reterr};
        int64_t id = 0;
        bool grew = false;
        int r = next_reminder(conn, config->times.repeat_interval_ms, now_ms, &id, ret_next_ms,
                              reterr);

        arena_init(&scratch, SCRATCH_BYTES_MAX);
        if (r || !id)
            return r;
        r = incident_db_get_by_id(conn, id, &scratch, &incident, reterr);
        if (r == 0)
            r = decide(&decision, config, &grew); /* moves told_ms on: this ends */
        if (r)
            return r;
        *ret_grew |= grew;
    }
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
              " WHERE state = 'waiting' GROUP BY receiver, kind, slot");

    static const int64_t grace_ms = 60000;

    *ret_id = 0;
    while (!*ret_id && db_step(stmt)) {
        if (db_int(stmt, 4) <= now_ms - grace_ms &&
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

int outbox_db_keep(struct db_conn *conn,
                   const struct route_config *config,
                   int64_t now_ms,
                   int64_t *ret_next_ms,
                   bool *ret_grew,
                   struct err *reterr)
{
    static const int64_t look_again_ms = 60000;
    int64_t next_ms = now_ms + look_again_ms;
    const char *why = NULL;
    int64_t id = 0;
    bool grew = false;
    int r = make_reminders(conn, config, now_ms, &next_ms, &grew, reterr);

    while (r == 0) {
        r = find_hopeless(conn, config, now_ms, &id, &why, reterr);
        if (r || !id)
            break;
        r = outbox_db_undelivered(conn, id, why, now_ms, reterr);
    }
    if (r)
        return r;
    *ret_next_ms = next_ms;
    *ret_grew = grew;
    return 0;
}
