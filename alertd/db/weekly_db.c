/*
 * Weekly reports owed to integrations. See weekly_db.h.
 */

#include "alertd/db/weekly_db.h"

#include <stdio.h>

enum {
    KEEP_TRYING_MS = 24 * 3600 * 1000,
};

static void bind_row(struct db_stmt *stmt, const char *week, const struct weekly_to *to)
{
    db_bind_text(stmt, 1, week);
    db_bind_text(stmt, 2, to->receiver);
    db_bind_text(stmt, 3, to->kind);
    db_bind_int(stmt, 4, to->slot);
}

int weekly_db_owe(struct db_conn *conn,
                  const char *week,
                  const struct weekly_to *to,
                  int64_t now_ms,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT OR IGNORE INTO weekly_report (week, receiver, kind, slot, state, owed_ms,"
              " due_ms) VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?5)");

    bind_row(stmt, week, to);
    db_bind_int(stmt, 5, now_ms);
    return db_run(stmt, reterr);
}

int weekly_db_recover(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE weekly_report SET state = 'waiting',"
                                            " due_ms = min(due_ms, ?1) WHERE state = 'sending'");

    db_bind_int(stmt, 1, now_ms);
    return db_run(stmt, reterr);
}

static int next_due(struct db_conn *conn,
                    const struct weekly_to *to,
                    int64_t *ret_due_ms,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT min(due_ms) FROM weekly_report WHERE receiver = ?1 AND kind = ?2"
              " AND slot = ?3 AND state = 'waiting'");

    db_bind_text(stmt, 1, to->receiver);
    db_bind_text(stmt, 2, to->kind);
    db_bind_int(stmt, 3, to->slot);
    *ret_due_ms = db_step(stmt) && !db_is_null(stmt, 0) ? db_int(stmt, 0) : INT64_MAX;
    return db_done(stmt, reterr);
}

int weekly_db_claim(struct db_conn *conn,
                    const struct weekly_to *to,
                    int64_t now_ms,
                    struct weekly_claim *ret_claim,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT week, owed_ms, attempts, lower(hex(i.id)) || '-' || week || '-' || kind"
              " || '-' || slot FROM weekly_report, installation i WHERE receiver = ?2"
              " AND kind = ?3 AND slot = ?4 AND state = 'waiting' AND due_ms <= ?1"
              " ORDER BY week LIMIT 1");
    struct weekly_claim claim = {0};

    db_bind_int(stmt, 1, now_ms);
    db_bind_text(stmt, 2, to->receiver);
    db_bind_text(stmt, 3, to->kind);
    db_bind_int(stmt, 4, to->slot);
    if (db_step(stmt)) {
        claim.found = true;
        claim.owed_ms = db_int(stmt, 1);
        claim.attempts = (unsigned)db_int(stmt, 2);
        (void)snprintf(claim.week, sizeof(claim.week), "%s", db_text(stmt, 0));
        (void)snprintf(claim.key, sizeof(claim.key), "%s", db_text(stmt, 3));
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !claim.found)
        r = next_due(conn, to, &claim.next_due_ms, reterr);
    if (r == 0 && claim.found) {
        stmt = db_prepare(conn, "UPDATE weekly_report SET state = 'sending',"
                                " attempts = attempts + 1 WHERE week = ?1 AND receiver = ?2"
                                " AND kind = ?3 AND slot = ?4");
        bind_row(stmt, claim.week, to);
        r = db_run(stmt, reterr);
    }
    if (r == 0)
        *ret_claim = claim;
    return r;
}

int weekly_db_sent(struct db_conn *conn,
                   const char *week,
                   const struct weekly_to *to,
                   int64_t now_ms,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE weekly_report SET state = 'sent', sent_ms = ?5 WHERE week = ?1"
              " AND receiver = ?2 AND kind = ?3 AND slot = ?4");

    bind_row(stmt, week, to);
    db_bind_int(stmt, 5, now_ms);
    return db_run(stmt, reterr);
}

int weekly_db_failed(struct db_conn *conn,
                     const char *week,
                     const struct weekly_to *to,
                     const char *error,
                     int64_t retry_at_ms,
                     bool *ret_given_up,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE weekly_report SET due_ms = ?5, last_error = ?6,"
              " state = iif(?5 > owed_ms + ?7, 'failed', 'waiting') WHERE week = ?1"
              " AND receiver = ?2 AND kind = ?3 AND slot = ?4 RETURNING state = 'failed'");
    bool given_up = false;

    bind_row(stmt, week, to);
    db_bind_int(stmt, 5, retry_at_ms);
    db_bind_text(stmt, 6, error);
    db_bind_int(stmt, 7, KEEP_TRYING_MS);
    while (db_step(stmt))
        given_up = db_int(stmt, 0) != 0;
    int r = db_done(stmt, reterr);

    if (r == 0)
        *ret_given_up = given_up;
    return r;
}
