/*
 * Letters owed to integrations. See letter_db.h.
 */

#include "alertd/db/letter_db.h"

#include <stdio.h>

enum {
    KEEP_TRYING_MS = 24 * 3600 * 1000,
};

static void bind_to(struct db_stmt *stmt, const char *topic, const struct letter_to *to)
{
    db_bind_text(stmt, 1, topic);
    db_bind_text(stmt, 2, to->receiver);
    db_bind_text(stmt, 3, to->kind);
    db_bind_int(stmt, 4, to->slot);
}

int letter_db_owe(struct db_conn *conn,
                  const char *topic,
                  const char *about,
                  const char *round,
                  const struct letter_to *to,
                  int64_t now_ms,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT OR IGNORE INTO letter (topic, receiver, kind, slot, about, round, state,"
              " owed_ms, due_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, ?7)");

    bind_to(stmt, topic, to);
    db_bind_text(stmt, 5, about);
    db_bind_text(stmt, 6, round);
    db_bind_int(stmt, 7, now_ms);
    return db_run(stmt, reterr);
}

int letter_db_recover(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE letter SET state = 'waiting',"
                                            " due_ms = min(due_ms, ?1) WHERE state = 'sending'");

    db_bind_int(stmt, 1, now_ms);
    return db_run(stmt, reterr);
}

static int next_due(struct db_conn *conn,
                    const char *topic,
                    const struct letter_to *to,
                    int64_t *ret_due_ms,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT min(due_ms) FROM letter WHERE topic = ?1 AND receiver = ?2 AND kind = ?3"
              " AND slot = ?4 AND state = 'waiting'");

    bind_to(stmt, topic, to);
    *ret_due_ms = db_step(stmt) && !db_is_null(stmt, 0) ? db_int(stmt, 0) : INT64_MAX;
    return db_done(stmt, reterr);
}

int letter_db_claim(struct db_conn *conn,
                    const char *topic,
                    const struct letter_to *to,
                    int64_t now_ms,
                    struct letter_claim *ret_claim,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn,
        "SELECT l.id, about, owed_ms, attempts, lower(hex(i.id)) || '-' || topic || '-'"
        " || about || '-' || l.id FROM letter l, installation i WHERE topic = ?1 AND receiver = ?2 AND kind = ?3"
        " AND slot = ?4 AND state = 'waiting' AND due_ms <= ?5 ORDER BY l.id LIMIT 1");
    struct letter_claim claim = {0};

    bind_to(stmt, topic, to);
    db_bind_int(stmt, 5, now_ms);
    if (db_step(stmt)) {
        claim.found = true;
        claim.id = db_int(stmt, 0);
        claim.owed_ms = db_int(stmt, 2);
        claim.attempts = (unsigned)db_int(stmt, 3);
        (void)snprintf(claim.about, sizeof(claim.about), "%s", db_text(stmt, 1));
        (void)snprintf(claim.key, sizeof(claim.key), "%s", db_text(stmt, 4));
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !claim.found)
        r = next_due(conn, topic, to, &claim.next_due_ms, reterr);
    if (r == 0 && claim.found) {
        stmt = db_prepare(conn, "UPDATE letter SET state = 'sending', attempts = attempts + 1"
                                " WHERE id = ?1");
        db_bind_int(stmt, 1, claim.id);
        r = db_run(stmt, reterr);
    }
    if (r == 0)
        *ret_claim = claim;
    return r;
}

int letter_db_sent(struct db_conn *conn, int64_t id, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE letter SET state = 'sent', sent_ms = ?2 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, now_ms);
    return db_run(stmt, reterr);
}

int letter_db_failed(struct db_conn *conn,
                     int64_t id,
                     const char *error,
                     int64_t retry_at_ms,
                     bool *ret_given_up,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE letter SET due_ms = ?2, last_error = ?3,"
              " state = iif(?2 > owed_ms + ?4, 'failed', 'waiting') WHERE id = ?1"
              " RETURNING state = 'failed'");
    bool given_up = false;

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, retry_at_ms);
    db_bind_text(stmt, 3, error);
    db_bind_int(stmt, 4, KEEP_TRYING_MS);
    while (db_step(stmt))
        given_up = db_int(stmt, 0) != 0;
    int r = db_done(stmt, reterr);

    if (r == 0)
        *ret_given_up = given_up;
    return r;
}
