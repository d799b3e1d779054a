/*
 * Reminders of actions, owed to integrations. See postmortem_action_db.h.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/db/postmortem_action_db.h"
#include "alertd/db/rows.h"
#include "lib/base/clock.h"

enum {
    DAY_MS = 24 * 3600 * 1000,
    AGAIN_DAYS = 7,
    KEEP_TRYING_MS = DAY_MS,
};

bool action_is_reminded(int64_t due_ms, int64_t now_ms)
{
    int64_t since_ms = now_ms - due_ms;

    if (!due_ms || since_ms < -DAY_MS)
        return false;
    return since_ms < 0 || since_ms / DAY_MS % AGAIN_DAYS == 0;
}

static void bind_to(struct db_stmt *stmt, const struct action_to *to)
{
    db_bind_text(stmt, 2, to->receiver);
    db_bind_text(stmt, 3, to->kind);
    db_bind_int(stmt, 4, to->slot);
}

static int owe_one(struct db_conn *conn,
                   int64_t action_id,
                   const struct action_to *to,
                   int64_t now_ms,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT OR IGNORE INTO postmortem_reminder (action_id, day, receiver, kind, slot,"
              " state, owed_ms, due_ms) VALUES (?1, ?5, ?2, ?3, ?4, 'waiting', ?6, ?6)");
    char now[CLOCK_TEXT_MAX];

    (void)clock_rfc3339(now_ms, now);
    now[10] = '\0'; /* the day */
    db_bind_int(stmt, 1, action_id);
    bind_to(stmt, to);
    db_bind_text(stmt, 5, now);
    db_bind_int(stmt, 6, now_ms);
    return db_run(stmt, reterr);
}

int action_db_owe(struct db_conn *conn,
                  const struct action_to *to,
                  int64_t now_ms,
                  struct err *reterr)
{
    const struct action_query open = {.open_only = true};
    struct action_row *actions = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, 64 * 1024 * 1024);
    int r = action_db_list(conn, &open, &arena, &actions, &n, reterr);

    for (size_t i = 0; !r && i < n; i++)
        if (action_is_reminded(actions[i].due_ms, now_ms))
            r = owe_one(conn, actions[i].id, to, now_ms, reterr);
    return r;
}

int action_db_recover(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE postmortem_reminder SET state = 'waiting',"
                                            " due_ms = min(due_ms, ?1) WHERE state = 'sending'");

    db_bind_int(stmt, 1, now_ms);
    return db_run(stmt, reterr);
}

/* What is over needs no reminder any more. */
static int drop_over(struct db_conn *conn, struct err *reterr)
{
    return db_run(db_prepare(conn, "UPDATE postmortem_reminder SET state = 'failed',"
                                   " last_error = 'the action is over' WHERE state = 'waiting'"
                                   " AND action_id IN (SELECT id FROM postmortem_action"
                                   " WHERE state IN ('done', 'wont_do'))"),
                  reterr);
}

static int next_due(struct db_conn *conn,
                    const struct action_to *to,
                    int64_t *ret_due_ms,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT min(due_ms) FROM postmortem_reminder WHERE receiver = ?2 AND kind = ?3"
              " AND slot = ?4 AND state = 'waiting'");

    bind_to(stmt, to);
    *ret_due_ms = db_step(stmt) && !db_is_null(stmt, 0) ? db_int(stmt, 0) : INT64_MAX;
    return db_done(stmt, reterr);
}

int action_db_claim(struct db_conn *conn,
                    const struct action_to *to,
                    int64_t now_ms,
                    struct action_claim *ret_claim,
                    struct err *reterr)
{
    struct action_claim claim = {0};
    int r = drop_over(conn, reterr);

    if (r)
        return r;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT r.id, r.action_id, r.owed_ms, r.attempts,"
              " lower(hex(n.id)) || '-action-' || r.id FROM postmortem_reminder r, installation n"
              " WHERE receiver = ?2 AND kind = ?3 AND slot = ?4 AND state = 'waiting'"
              " AND due_ms <= ?1 ORDER BY r.id LIMIT 1");

    db_bind_int(stmt, 1, now_ms);
    bind_to(stmt, to);
    if (db_step(stmt)) {
        claim.found = true;
        claim.id = db_int(stmt, 0);
        claim.action_id = db_int(stmt, 1);
        claim.owed_ms = db_int(stmt, 2);
        claim.attempts = (unsigned)db_int(stmt, 3);
        (void)snprintf(claim.key, sizeof(claim.key), "%s", db_text(stmt, 4));
    }
    r = db_done(stmt, reterr);
    if (r == 0 && !claim.found)
        r = next_due(conn, to, &claim.next_due_ms, reterr);
    if (r == 0 && claim.found) {
        stmt = db_prepare(conn, "UPDATE postmortem_reminder SET state = 'sending',"
                                " attempts = attempts + 1 WHERE id = ?1");
        db_bind_int(stmt, 1, claim.id);
        r = db_run(stmt, reterr);
    }
    if (r == 0)
        *ret_claim = claim;
    return r;
}

int action_db_sent(struct db_conn *conn, int64_t id, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE postmortem_reminder SET state = 'sent',"
                                            " sent_ms = ?2 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, now_ms);
    return db_run(stmt, reterr);
}

int action_db_failed(struct db_conn *conn,
                     int64_t id,
                     const char *error,
                     int64_t retry_at_ms,
                     bool *ret_given_up,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE postmortem_reminder SET due_ms = ?2, last_error = ?3,"
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
