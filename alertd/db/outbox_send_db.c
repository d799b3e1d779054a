/*
 * Sending: rows of the outbox from `waiting` to `sending`, and the page that a claimed row stands
 * for. See outbox_db.h; what became of them is in outbox_mark_db.c.
 */

#include <inttypes.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/outbox_private.h"
#include "alertd/db/rows.h"
#include "alertd/db/shadow_db.h"

int outbox_db_recover(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "UPDATE outbox SET state = iif(" OUTBOX_NOT_NEEDED
                                            ", 'superseded', 'waiting'),"
                                            " due_ms = min(due_ms, ?1) WHERE state = 'sending'");

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
    " alerts, receiver, kind, slot, lane, instead_of FROM outbox o"
/* Of an integration; where a backlog is told one by one, the gravest first: there are few then. */
static struct db_stmt *select_of_one(struct db_conn *conn, bool gravest_first)
{
    return gravest_first
               ? db_prepare(conn, "SELECT " CLAIMED " WHERE receiver = ?2 AND kind = ?3"
                                  " AND slot = ?4 AND state = 'waiting'"
                                  " AND due_ms <= ?1 AND (lane = 'shadow') = ?5" OUTBOX_NO_EARLIER
                                  " ORDER BY reason = 'resolved',"
                                  " (SELECT " OUTBOX_GRAVEST " FROM incident i"
                                  "  WHERE i.id = o.incident_id), due_ms, id LIMIT 1")
               : db_prepare(conn, "SELECT " CLAIMED " WHERE receiver = ?2 AND kind = ?3"
                                  " AND slot = ?4 AND state = 'waiting'"
                                  " AND due_ms <= ?1 AND (lane = 'shadow') = ?5" OUTBOX_NO_EARLIER
                                  " ORDER BY reason = 'resolved', due_ms, id LIMIT 1");
}

static struct db_stmt *select_due(struct db_conn *conn,
                                  const struct outbox_claim_options *options,
                                  bool gravest_first)
{
    struct db_stmt *stmt =
        options->people
            ? db_prepare(conn, "SELECT " CLAIMED " WHERE " OUTBOX_OF_PEOPLE
                               " AND due_ms <= ?1 AND (lane = 'shadow') = ?5" OUTBOX_NO_EARLIER
                               " ORDER BY reason = 'resolved', due_ms, id LIMIT 1")
            : select_of_one(conn, gravest_first);

    db_bind_int(stmt, 1, options->now_ms);
    db_bind_int(stmt, 5, options->shadows);
    if (options->people)
        return stmt;
    db_bind_text(stmt, 2, options->receiver);
    db_bind_text(stmt, 3, options->kind);
    db_bind_int(stmt, 4, options->slot);
    return stmt;
}

/* The row of the statement, if it has one, and its own words of the page. */
static int take_row(struct db_stmt *stmt,
                    struct arena *arena,
                    struct row *ret_row,
                    struct page *page,
                    struct err *reterr)
{
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
        page->lane = rows_text(arena, stmt, 13);
        fits = page->receiver && page->kind && page->reason && page->idempotency_key &&
               page->group_key && page->group && page->lane &&
               rows_text_or_null(arena, stmt, 6, &page->earlier_error) &&
               rows_text_or_null(arena, stmt, 14, &page->instead_of) &&
               read_prints(stmt, 9, arena, ret_row);
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !fits)
        r = err_set(reterr, INCIDENT_DB_E_LIMIT, "outbox %" PRId64 " is too large", ret_row->id);
    return r;
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

    page->now_ms = options->now_ms;
    if (!row->incident_id)
        return outbox_page_of_none(conn, options, arena, page, reterr);

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
    return r;
}

int outbox_page_of(struct db_conn *conn,
                   const struct outbox_claim_options *options,
                   int64_t id,
                   struct arena *arena,
                   struct page *page,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT " CLAIMED " WHERE id = ?1");
    struct row row;

    *page = (struct page){0};
    db_bind_int(stmt, 1, id);
    int r = take_row(stmt, arena, &row, page, reterr);

    return r == 0 ? fill_page(conn, options, &row, arena, page, reterr) : r;
}

/* The next due row into *page and `sending`; id 0: none is due. */
static int claim_row(struct db_conn *conn,
                     const struct outbox_claim_options *options,
                     bool gravest_first,
                     struct arena *arena,
                     struct page *page,
                     int64_t *ret_id,
                     struct err *reterr)
{
    struct row row;
    int r = take_row(select_due(conn, options, gravest_first), arena, &row, page, reterr);

    if (r == 0 && row.id)
        r = fill_page(conn, options, &row, arena, page, reterr);
    if (r == 0 && row.id)
        r = set_sending(conn, row.id, reterr);
    *ret_id = row.id;
    return r;
}

/* The same as the pace allows: a row, or a digest of many. */
static int claim_one(struct db_conn *conn,
                     const struct outbox_claim_options *options,
                     struct arena *arena,
                     struct outbox_claims *claims,
                     int64_t *ret_id,
                     struct err *reterr)
{
    struct page *page = &claims->pages[claims->n];
    struct outbox_claim_options to = *options;
    struct outbox_place place;
    size_t n_folded = 0;

    *page = (struct page){0};
    if (!options->pace.look)
        return claim_row(conn, options, false, arena, page, ret_id, reterr);
    *ret_id = 0;
    int r = outbox_next_place(conn, options, &place, reterr);
    if (r == 0 && place.wait_ms < INT64_MAX) {
        claims->was_held = true;
        claims->next_due_ms = options->now_ms + place.wait_ms;
    }
    if (r || !place.receiver[0])
        return r;
    to.people = false;
    to.receiver = place.receiver;
    to.kind = place.kind;
    to.slot = place.slot;
    if (place.singly != SIZE_MAX)
        r = outbox_fold(conn, &to, place.singly, arena, page, &n_folded, reterr);
    if (r == 0 && n_folded) {
        claims->n_digests++;
        claims->n_folded += n_folded;
        *ret_id = page->outbox_id;
    } else if (r == 0) {
        r = claim_row(conn, &to, place.singly != SIZE_MAX, arena, page, ret_id, reterr);
    }
    if (r == 0 && *ret_id)
        options->pace.take(options->pace.arg, place.receiver, place.kind, place.slot);
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
        r = claim_one(conn, options, arena, &claims, &id, reterr);
        if (r || !id)
            break;
        claims.n++;
    }
    if (r == INCIDENT_DB_E_LIMIT && claims.n > 0)
        r = 0; /* room for no more: those first */
    else if (r == 0 && !id)
        r = outbox_next_due(conn, options, &claims, reterr);
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
