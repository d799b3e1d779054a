/*
 * The event log: appended to, never changed, each row chained to the one before.
 *
 *   hash(n) = BLAKE2b-256( hash(n-1) | id | kind | class | source | actor | text | data |
 *                          occurred | recorded
 *                          [| precision | scope | evidence | reference | order only] )
 *
 * each part with its length in front; the last five where one of them is given.
 *
 * Whoever changes a row in the file must redo every hash after it; a hash printed in a
 * published postmortem then no longer fits.
 */

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/rows.h"
#include "lib/base/mem.h"

enum {
    HASH_BYTES = crypto_generichash_BYTES,
};

static void mix(crypto_generichash_state *state, const void *bytes, size_t len)
{
    unsigned char length[8];

    for (unsigned i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)len >> (8 * i));
    (void)crypto_generichash_update(state, length, sizeof(length));
    (void)crypto_generichash_update(state, bytes, len);
}

static void mix_text(crypto_generichash_state *state, const char *text)
{
    mix(state, text ? text : "", text ? strlen(text) : 0);
}

static void mix_int(crypto_generichash_state *state, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    mix_text(state, text);
}

static bool says_more(const struct timeline_event *event)
{
    return event->precision || event->scope || event->evidence || event->reference ||
           event->order_only;
}

static void chain(const unsigned char *before,
                  const struct timeline_event *event,
                  unsigned char *ret_hash)
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, NULL, 0, HASH_BYTES);
    mix(&state, before, HASH_BYTES);
    mix_int(&state, event->id);
    mix_text(&state, event->kind);
    mix_text(&state, event->event_class);
    mix_text(&state, event->source);
    mix_text(&state, event->actor);
    mix_text(&state, event->text);
    mix_text(&state, event->data);
    mix_int(&state, event->occurred_at_ms);
    mix_int(&state, event->recorded_at_ms);
    if (says_more(event)) {
        mix_text(&state, event->precision);
        mix_text(&state, event->scope);
        mix_text(&state, event->evidence);
        mix_text(&state, event->reference);
        mix_int(&state, event->order_only);
    }
    (void)crypto_generichash_final(&state, ret_hash, HASH_BYTES);
}

/* The id and hash of the newest event; zeros before the first. */
static int newest(struct db_conn *conn,
                  int64_t *ret_id,
                  unsigned char *ret_hash,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id, hash FROM event ORDER BY id DESC LIMIT 1");
    size_t len = 0;

    *ret_id = 0;
    memset(ret_hash, 0, HASH_BYTES);
    if (db_step(stmt)) {
        const void *hash = db_blob(stmt, 1, &len);

        *ret_id = db_int(stmt, 0);
        if (len == HASH_BYTES)
            memcpy(ret_hash, hash, HASH_BYTES);
    }
    return db_done(stmt, reterr);
}

static int attach(struct db_conn *conn, int64_t incident_id, int64_t event_id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "INSERT INTO incident_event VALUES (?1, ?2)");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, event_id);
    return db_run(stmt, reterr);
}

int event_db_append(struct db_conn *conn,
                    int64_t incident_id,
                    const struct timeline_event *event,
                    int64_t now_ms,
                    int64_t *ret_id,
                    struct err *reterr)
{
    struct timeline_event row = *event;
    unsigned char before[HASH_BYTES];
    unsigned char hash[HASH_BYTES];
    int r = newest(conn, &row.id, before, reterr);

    if (r)
        return r;
    row.id++;
    row.recorded_at_ms = now_ms;
    row.data = event->data ? event->data : "{}";
    chain(before, &row, hash);

    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO event (id, kind, class, source, actor, text, data,"
              " occurred_ms, recorded_ms, hash, precision, order_only, scope, evidence, reference)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");

    db_bind_int(stmt, 1, row.id);
    db_bind_text(stmt, 2, row.kind);
    db_bind_text(stmt, 3, row.event_class);
    db_bind_text(stmt, 4, row.source);
    db_bind_text(stmt, 5, row.actor);
    db_bind_text(stmt, 6, row.text);
    db_bind_text(stmt, 7, row.data);
    db_bind_int(stmt, 8, row.occurred_at_ms);
    db_bind_int(stmt, 9, row.recorded_at_ms);
    db_bind_blob(stmt, 10, hash, sizeof(hash));
    db_bind_text(stmt, 11, row.precision);
    db_bind_int(stmt, 12, row.order_only);
    db_bind_text(stmt, 13, row.scope);
    db_bind_text(stmt, 14, row.evidence);
    db_bind_text(stmt, 15, row.reference);
    r = db_run(stmt, reterr);
    if (r == 0 && incident_id)
        r = attach(conn, incident_id, row.id, reterr);
    if (r == 0 && ret_id)
        *ret_id = row.id;
    return r;
}

int event_db_tell_open(struct db_conn *conn,
                       const struct timeline_event *event,
                       int64_t now_ms,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id FROM incident WHERE status <> 'resolved'");
    MEM_AUTO int64_t *ids = NULL;
    size_t n = 0;
    size_t capacity = 0;

    while (db_step(stmt)) {
        ids = mem_grow(ids, &capacity, n + 1, sizeof(*ids));
        ids[n++] = db_int(stmt, 0);
    }
    int r = db_done(stmt, reterr);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = event_db_append(conn, ids[i], event, now_ms, NULL, reterr);
    return r;
}

/* The columns every reader selects, in this order:
 * id, kind, class, source, actor, text, data, occurred_ms, recorded_ms, precision, scope,
 * evidence, reference, order_only */
static bool read_event(struct db_stmt *stmt, struct arena *arena, void *ret_item)
{
    struct timeline_event *event = ret_item;

    event->id = db_int(stmt, 0);
    event->kind = rows_text(arena, stmt, 1);
    event->event_class = rows_text(arena, stmt, 2);
    event->source = rows_text(arena, stmt, 3);
    event->text = rows_text(arena, stmt, 5);
    event->data = rows_text(arena, stmt, 6);
    event->occurred_at_ms = db_int(stmt, 7);
    event->recorded_at_ms = db_int(stmt, 8);
    event->order_only = db_int(stmt, 13) != 0;
    return event->kind && event->event_class && event->source && event->text && event->data &&
           rows_text_or_null(arena, stmt, 4, &event->actor) &&
           rows_text_or_null(arena, stmt, 9, &event->precision) &&
           rows_text_or_null(arena, stmt, 10, &event->scope) &&
           rows_text_or_null(arena, stmt, 11, &event->evidence) &&
           rows_text_or_null(arena, stmt, 12, &event->reference);
}

static const struct rows_kind event_kind = {sizeof(struct timeline_event), read_event,
                                            INCIDENT_DB_E_LIMIT,
                                            "the timeline is too long to show at once"};

int event_db_get(struct db_conn *conn,
                 int64_t id,
                 struct arena *arena,
                 struct timeline_event *ret_event,
                 struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, kind, class, source, actor, text, data, occurred_ms,"
              " recorded_ms, precision, scope, evidence, reference, order_only"
              " FROM event WHERE id = ?1");
    struct timeline_event event;

    db_bind_int(stmt, 1, id);
    bool found = db_step(stmt);
    bool fits = found && read_event(stmt, arena, &event);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return err_set(reterr, INCIDENT_DB_E_NOT_FOUND, "no event %lld", (long long)id);
    if (!fits)
        return err_set(reterr, INCIDENT_DB_E_LIMIT, "event %lld is too large", (long long)id);
    *ret_event = event;
    return 0;
}

int incident_db_timeline(struct db_conn *conn,
                         int64_t incident_id,
                         struct arena *arena,
                         struct timeline_event **ret_events,
                         size_t *ret_n,
                         struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT e.id, e.kind, e.class, e.source, e.actor, e.text, e.data,"
              " e.occurred_ms, e.recorded_ms, e.precision, e.scope, e.evidence, e.reference,"
              " e.order_only"
              " FROM incident_event ie JOIN event e ON e.id = ie.event_id"
              " WHERE ie.incident_id = ?1 ORDER BY e.occurred_ms, e.id");

    db_bind_int(stmt, 1, incident_id);
    return rows_read(stmt, arena, &event_kind, ret_events, ret_n, reterr);
}

int event_db_verify(struct db_conn *conn, int64_t *ret_n, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, kind, class, source, actor, text, data, occurred_ms,"
              " recorded_ms, precision, scope, evidence, reference, order_only, hash"
              " FROM event ORDER BY id");
    unsigned char before[HASH_BYTES] = {0};
    ARENA_AUTO struct arena arena;
    int64_t bad_id = 0;
    int64_t n = 0;

    arena_init(&arena, (size_t)8 * 1024 * 1024);
    while (!bad_id && db_step(stmt)) {
        struct timeline_event event;
        unsigned char hash[HASH_BYTES];
        size_t len = 0;

        n++;
        if (!read_event(stmt, &arena, &event) || event.id != n) {
            bad_id = n;
            break;
        }
        chain(before, &event, hash);
        const void *kept = db_blob(stmt, 14, &len);
        if (len != HASH_BYTES || memcmp(kept, hash, HASH_BYTES) != 0)
            bad_id = n;
        memcpy(before, hash, HASH_BYTES);
        arena_reset(&arena);
    }
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (bad_id)
        return err_set(reterr, INCIDENT_DB_E_CHAIN,
                       "event %lld or one before it was changed after it was recorded",
                       (long long)bad_id);
    if (ret_n)
        *ret_n = n;
    return 0;
}
