/*
 * How fast, and many in one: whom the next page is for as the pace allows, and digests of what
 * would not be told one by one in time. See outbox_private.h.
 *
 *   waiting, waiting, waiting ... --outbox_fold()--> one row "digest", sending
 *                                                    the others superseded by it
 *
 * A digest that a kill interrupts waits again as any row does, and is made anew from the rows
 * that it tells: under the same key, with what happened meanwhile.
 */

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_private.h"
#include "alertd/db/rows.h"
#include "alertd/incident/digest.h"

enum {
    KEY_HASH_BYTES = 32,
    KEY_TEXT_MAX = 2 * KEY_HASH_BYTES + 1,
};

/* --- whom --- */

static bool is_let_through(const struct outbox_claim_options *options, struct outbox_place *place)
{
    struct pace_room room = options->pace.look(options->pace.arg, place->receiver, place->kind,
                                               place->slot);

    if (room.wait_ms > 0 && room.wait_ms < place->wait_ms)
        place->wait_ms = room.wait_ms;
    place->singly = room.singly;
    return room.wait_ms == 0;
}

static void set_place(struct outbox_place *place,
                      const char *receiver,
                      const char *kind,
                      unsigned slot)
{
    (void)snprintf(place->receiver, sizeof(place->receiver), "%s", receiver);
    (void)snprintf(place->kind, sizeof(place->kind), "%s", kind);
    place->slot = slot;
}

/* Contacts of people that something is due for, the most urgent first. */
static int next_contact(struct db_conn *conn,
                        const struct outbox_claim_options *options,
                        struct outbox_place *place,
                        struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT receiver, kind, slot, min(reason = 'resolved'),"
              " min(due_ms) FROM outbox o WHERE " OUTBOX_OF_PEOPLE
              " AND due_ms <= ?1 AND (lane = 'shadow') = ?2" OUTBOX_NO_EARLIER
              " GROUP BY receiver, kind, slot ORDER BY 4, 5");
    bool found = false;

    db_bind_int(stmt, 1, options->now_ms);
    db_bind_int(stmt, 2, options->shadows);
    while (!found && db_step(stmt)) {
        set_place(place, db_text(stmt, 0), db_text(stmt, 1), (unsigned)db_int(stmt, 2));
        found = is_let_through(options, place);
    }
    if (!found)
        place->receiver[0] = '\0';
    return db_done(stmt, reterr);
}

/* Is there anything due at all? Or else nobody is held back. */
static int is_due(struct db_conn *conn,
                  const struct outbox_claim_options *options,
                  bool *ret_due,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT 1 FROM outbox WHERE receiver = ?2 AND kind = ?3 AND slot = ?4"
              " AND state = 'waiting' AND due_ms <= ?1 LIMIT 1");

    db_bind_int(stmt, 1, options->now_ms);
    db_bind_text(stmt, 2, options->receiver);
    db_bind_text(stmt, 3, options->kind);
    db_bind_int(stmt, 4, options->slot);
    *ret_due = db_step(stmt);
    return db_done(stmt, reterr);
}

int outbox_next_place(struct db_conn *conn,
                      const struct outbox_claim_options *options,
                      struct outbox_place *ret_place,
                      struct err *reterr)
{
    bool due = false;

    *ret_place = (struct outbox_place){.wait_ms = INT64_MAX};
    if (options->people)
        return next_contact(conn, options, ret_place, reterr);
    set_place(ret_place, options->receiver, options->kind, options->slot);
    if (is_let_through(options, ret_place))
        return 0;
    int r = is_due(conn, options, &due, reterr);
    if (r)
        return r;
    if (!due)
        ret_place->wait_ms = INT64_MAX; /* nobody is held back */
    ret_place->receiver[0] = '\0';
    return 0;
}

int outbox_next_due(struct db_conn *conn,
                    const struct outbox_claim_options *options,
                    struct outbox_claims *claims,
                    struct err *reterr)
{
    int64_t held_until_ms = claims->was_held ? claims->next_due_ms : INT64_MAX;
    int64_t after_ms = claims->was_held ? options->now_ms : INT64_MIN;

    /* of people: not those that wait for one that somebody else is sending */
    struct db_stmt *stmt =
        options->people
            ? db_prepare(conn, "SELECT min(due_ms) FROM outbox o WHERE " OUTBOX_OF_PEOPLE
                               " AND due_ms > ?4 AND (lane = 'shadow') = ?5" OUTBOX_NO_EARLIER)
            : db_prepare(conn, "SELECT min(due_ms) FROM outbox WHERE receiver = ?1 AND kind = ?2"
                               " AND slot = ?3 AND state = 'waiting' AND due_ms > ?4");

    db_bind_int(stmt, 4, after_ms);
    if (options->people) {
        db_bind_int(stmt, 5, options->shadows);
    } else {
        db_bind_text(stmt, 1, options->receiver);
        db_bind_text(stmt, 2, options->kind);
        db_bind_int(stmt, 3, options->slot);
    }
    claims->next_due_ms = held_until_ms;
    if (db_step(stmt) && !db_is_null(stmt, 0) && db_int(stmt, 0) < held_until_ms)
        claims->next_due_ms = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

/* --- what --- */

/* Those that may be told together, the gravest first; of one lane. A test is
 * told by itself, and so is what PagerDuty has to end. */
static int find_many(struct db_conn *conn,
                     const struct outbox_claim_options *options,
                     const char *lane,
                     int64_t *ret_ids,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT o.id FROM outbox o JOIN incident i ON i.id = o.incident_id"
              " WHERE o.receiver = ?2 AND o.kind = ?3 AND o.slot = ?4 AND o.state = 'waiting'"
              " AND o.due_ms <= ?1 AND o.lane = ?5 AND o.reason <> 'test'"
              " AND NOT (o.reason = 'resolved' AND o.kind = 'pagerduty')" OUTBOX_NO_EARLIER
              " ORDER BY o.reason = 'resolved', " OUTBOX_GRAVEST ", o.due_ms, o.id LIMIT ?6");

    *ret_n = 0;
    db_bind_int(stmt, 1, options->now_ms);
    db_bind_text(stmt, 2, options->receiver);
    db_bind_text(stmt, 3, options->kind);
    db_bind_int(stmt, 4, options->slot);
    db_bind_text(stmt, 5, lane);
    db_bind_int(stmt, 6, DIGEST_PAGES_MAX);
    while (db_step(stmt))
        ret_ids[(*ret_n)++] = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

int outbox_db_folded(
    struct db_conn *conn, int64_t outbox_id, int64_t *ret_ids, size_t *ret_n, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT f.id FROM outbox d JOIN outbox f ON f.superseded_by = d.id"
              " WHERE d.id = ?1 AND d.reason = 'digest' ORDER BY f.id");

    *ret_n = 0;
    db_bind_int(stmt, 1, outbox_id);
    while (db_step(stmt) && *ret_n < DIGEST_PAGES_MAX)
        ret_ids[(*ret_n)++] = db_int(stmt, 0);
    return db_done(stmt, reterr);
}

/* --- the digest --- */

/* The pages of rows, as many as fit into half of the arena: the other half is for what is
 * made of them. */
static int read_pages(struct db_conn *conn,
                      const struct outbox_claim_options *options,
                      const int64_t *ids,
                      size_t *n,
                      struct arena *arena,
                      struct page **ret_pages,
                      struct err *reterr)
{
    struct page *pages = arena_array(arena, *n, sizeof(*pages));
    int r = pages ? 0 : err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for pages");
    size_t n_read = 0;

    while (r == 0 && n_read < *n && (n_read == 0 || arena->used < arena->limit / 2)) {
        r = outbox_page_of(conn, options, ids[n_read], arena, &pages[n_read], reterr);
        n_read += r == 0;
    }
    *n = n_read;
    *ret_pages = pages;
    return r;
}

/* In hex, over the keys of what it tells: the same in every attempt. */
static void digest_key(const struct page *pages, size_t n, char *ret_key)
{
    unsigned char hash[KEY_HASH_BYTES];
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    for (size_t i = 0; i < n; i++)
        (void)crypto_generichash_update(&state, (const unsigned char *)pages[i].idempotency_key,
                                        strlen(pages[i].idempotency_key) + 1);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    (void)sodium_bin2hex(ret_key, KEY_TEXT_MAX, hash, sizeof(hash));
}

static int insert_digest(struct db_conn *conn,
                         const struct page *page,
                         const char *key,
                         int64_t *ret_id,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO outbox (transition, reason, lane, receiver, kind, slot, key, state,"
              " created_ms, owed_ms, due_ms, attempts)"
              " VALUES (0, 'digest', ?1, ?2, ?3, ?4, ?5, 'sending', ?6, ?7, ?6, 1)");

    db_bind_text(stmt, 1, page->lane);
    db_bind_text(stmt, 2, page->receiver);
    db_bind_text(stmt, 3, page->kind);
    db_bind_int(stmt, 4, page->slot);
    db_bind_text(stmt, 5, key);
    db_bind_int(stmt, 6, page->now_ms);
    db_bind_int(stmt, 7, page->owed_at_ms);
    int r = db_run(stmt, reterr);

    if (r == 0)
        *ret_id = db_last_id(conn);
    return r;
}

static int mark_folded(struct db_conn *conn, int64_t id, int64_t digest_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET state = 'superseded', superseded_by = ?2 WHERE id = ?1");

    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, digest_id);
    return db_run(stmt, reterr);
}

int outbox_fold(struct db_conn *conn,
                const struct outbox_claim_options *options,
                size_t singly,
                struct arena *arena,
                struct page *page,
                size_t *ret_n,
                struct err *reterr)
{
    int64_t ids[DIGEST_PAGES_MAX] = {0};
    struct page *pages = NULL;
    char key[KEY_TEXT_MAX];
    size_t n = 0;
    int r = find_many(conn, options, options->shadows ? "shadow" : "page", ids, &n, reterr);

    if (r || n < 2 || n <= singly)
        return r;
    r = read_pages(conn, options, ids, &n, arena, &pages, reterr);
    if (r == 0 && n > 1 && digest_fold(pages, n, arena, page, NULL) != 0)
        n = 0; /* too large together: one by one then */
    if (r || n < 2)
        return r;
    digest_key(pages, n, key);
    r = insert_digest(conn, page, key, &page->outbox_id, reterr);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = mark_folded(conn, ids[i], page->outbox_id, reterr);
    page->attempts = 0;
    page->idempotency_key = arena_strndup(arena, key, strlen(key));
    if (r == 0 && !page->idempotency_key)
        r = err_set(reterr, INCIDENT_DB_E_LIMIT, "no room for a digest");
    if (r == 0)
        *ret_n = n;
    return r;
}

/* Once more, of what it tells. */
static int fold_again(struct db_conn *conn,
                      const struct outbox_claim_options *options,
                      struct arena *arena,
                      struct page *page,
                      struct err *reterr)
{
    const struct page row = *page;
    int64_t ids[DIGEST_PAGES_MAX] = {0};
    struct page *pages = NULL;
    size_t n = 0;
    int r = outbox_db_folded(conn, row.outbox_id, ids, &n, reterr);

    if (r == 0)
        r = read_pages(conn, options, ids, &n, arena, &pages, reterr);
    if (r == 0)
        r = digest_fold(pages, n, arena, page, reterr);
    if (r)
        return r;
    page->outbox_id = row.outbox_id;
    page->idempotency_key = row.idempotency_key;
    page->attempts = row.attempts;
    page->earlier_error = row.earlier_error;
    return 0;
}

int outbox_page_of_none(struct db_conn *conn,
                        const struct outbox_claim_options *options,
                        struct arena *arena,
                        struct page *page,
                        struct err *reterr)
{
    if (strcmp(page->reason, "digest") == 0)
        return fold_again(conn, options, arena, page, reterr);
    outbox_canary_page(options, page);
    return 0;
}
