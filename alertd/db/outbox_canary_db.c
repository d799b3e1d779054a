/*
 * What alertd watches itself by in the outbox: the canary's row (one, of the last beat, about no
 * incident), and what is left lying. See app/loop_watch.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_private.h"

enum {
    KEY_TEXT_MAX = 40
};

int outbox_db_canary(struct db_conn *conn, int64_t beat, int64_t now_ms, struct err *reterr)
{
    char key[KEY_TEXT_MAX];
    /* what is being sent is the notifier's: the next beat takes it away */
    struct db_stmt *stmt = db_prepare(
        conn, "DELETE FROM outbox WHERE receiver = ?1 AND state <> 'sending'");

    db_bind_text(stmt, 1, OUTBOX_CANARY);
    int r = db_run(stmt, reterr);
    if (r)
        return r;
    (void)snprintf(key, sizeof(key), OUTBOX_CANARY_KEY "%" PRId64, beat);
    stmt = db_prepare(conn,
                      "INSERT OR REPLACE INTO outbox (transition, reason, lane, receiver, kind,"
                      " slot, key, state, created_ms, owed_ms, due_ms)"
                      " VALUES (0, 'test', 'test', ?1, 'webhook', 0, ?2, 'waiting', ?3, ?3, ?3)");
    db_bind_text(stmt, 1, OUTBOX_CANARY);
    db_bind_text(stmt, 2, key);
    db_bind_int(stmt, 3, now_ms);
    db_ring(conn, outbox_bell(OUTBOX_CANARY, "webhook", 0));
    return db_run(stmt, reterr);
}

void outbox_canary_page(const struct outbox_claim_options *options, struct page *page)
{
    page->incident = (struct incident){.key = "canary",
                                       .title = "canary",
                                       .severity = "none",
                                       .status = INCIDENT_TRIGGERED,
                                       .opened_at_ms = options->now_ms,
                                       .acknowledged_by = "",
                                       .labels = labels_empty(),
                                       .group_key = ""};
    page->group_key = "";
    page->group = labels_empty();
    page->root_id = page->idempotency_key;
    page->external_url = options->external_url;
    page->incident_url = options->external_url;
}

int outbox_db_oldest_unsent(struct db_conn *conn,
                            int64_t *ret_owed_ms,
                            int64_t *ret_n,
                            struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT min(owed_ms), count(*) FROM outbox WHERE state IN ('waiting', 'sending')"
              " AND lane IN ('page', 'digest')");

    *ret_owed_ms = 0;
    *ret_n = 0;
    if (db_step(stmt)) {
        *ret_owed_ms = db_int(stmt, 0);
        *ret_n = db_int(stmt, 1);
    }
    return db_done(stmt, reterr);
}

int outbox_db_left(struct db_conn *conn,
                   int64_t due_before_ms,
                   void (*each)(void *arg, const char *receiver, const char *kind, unsigned slot),
                   void *arg,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT DISTINCT receiver, kind, slot FROM outbox"
                                            " WHERE state = 'waiting' AND due_ms < ?1");

    db_bind_int(stmt, 1, due_before_ms);
    while (db_step(stmt))
        each(arg, db_text(stmt, 0), db_text(stmt, 1), (unsigned)db_int(stmt, 2));
    return db_done(stmt, reterr);
}
