/*
 * Making pages of shadows, and what becomes of their copies. See shadow_db.h.
 *
 *   key of a copy = BLAKE2b-256( "shadow" | installation | page | kind | slot ), its transition
 *   the page's number below zero: no real row has either, so no copy can stand in one's way
 */

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "alertd/db/link_private.h"
#include "alertd/db/rows.h"
#include "alertd/db/shadow_db.h"
#include "alertd/oncall/spelling.h"

enum {
    HASH_BYTES = 32,
    WORDS_MAX = 512,
    RECEIVER_MAX = ROSTER_NAME_MAX + 16,
};

/* Rows that really page ?2 about ?1, made at ?3 or made earlier and not told yet. */
#define REAL_ROWS                                                             \
    " FROM outbox WHERE incident_id = ?1 AND receiver = ?2 AND lane = 'page'" \
    " AND reason = 'escalation' AND (created_ms = ?3 OR state IN ('waiting', 'sending'))"

int shadow_db_begin(struct db_conn *conn, struct err *reterr)
{
    return db_run(db_prepare(conn, "SAVEPOINT shadow"), reterr);
}

int shadow_db_end(struct db_conn *conn, bool keep, struct err *reterr)
{
    int r = keep ? 0 : db_run(db_prepare(conn, "ROLLBACK TO shadow"), reterr);

    return r == 0 ? db_run(db_prepare(conn, "RELEASE shadow"), reterr) : r;
}

static const char *receiver_of(const char *person, char *text)
{
    (void)snprintf(text, RECEIVER_MAX, OUTBOX_PERSON "%s", person);
    return text;
}

static int real_row(struct db_conn *conn,
                    const struct shadow_fork *fork,
                    int64_t *ret_id,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT min(id)" REAL_ROWS);
    char receiver[RECEIVER_MAX];

    db_bind_int(stmt, 1, fork->incident_id);
    db_bind_text(stmt, 2, receiver_of(fork->real, receiver));
    db_bind_int(stmt, 3, fork->real_made_ms);
    *ret_id = db_step(stmt) ? db_int(stmt, 0) : 0;
    return db_done(stmt, reterr);
}

static int insert_page(struct db_conn *conn,
                       const struct shadow_fork *fork,
                       int64_t real_id,
                       int64_t *ret_page_id,
                       struct err *reterr)
{
    const struct shadow *shadow = fork->shadow;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO shadow_page (shadow, person, mode, mentor, of_kind, of_name,"
              " incident_id, outbox_id, step, is_night, made_ms)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
              " ON CONFLICT (shadow, incident_id, step, made_ms) DO NOTHING");

    db_bind_text(stmt, 1, shadow->id);
    db_bind_text(stmt, 2, shadow->person);
    db_bind_text(stmt, 3, shadow_mode_name(shadow->mode));
    db_bind_text(stmt, 4, fork->mentor);
    db_bind_text(stmt, 5, shadow->target_kind == SHADOW_OF_PERSON ? "person" : "schedule");
    db_bind_text(stmt, 6, shadow->target);
    db_bind_int(stmt, 7, fork->incident_id);
    if (real_id)
        db_bind_int(stmt, 8, real_id);
    else
        db_bind_null(stmt, 8);
    db_bind_text(stmt, 9, fork->step);
    db_bind_int(stmt, 10, fork->is_night);
    db_bind_int(stmt, 11, fork->now_ms);
    int r = db_run(stmt, reterr);

    *ret_page_id = r == 0 && db_changes(conn) > 0 ? db_last_id(conn) : 0;
    return r;
}

int shadow_db_fork(struct db_conn *conn,
                   const struct shadow_fork *fork,
                   int64_t *ret_page_id,
                   struct err *reterr)
{
    char words[WORDS_MAX];
    int64_t real_id = 0;
    int64_t page_id = 0;
    int r = fork->real ? real_row(conn, fork, &real_id, reterr) : 0;

    if (r == 0)
        r = insert_page(conn, fork, real_id, &page_id, reterr);
    if (fork->real)
        (void)snprintf(words, sizeof(words), "%s was paged (%s)", fork->real, fork->step);
    else
        (void)snprintf(words, sizeof(words), "%s is paged first (%s); %s stands behind",
                       fork->shadow->person, fork->step, fork->mentor);
    if (r == 0 && page_id)
        r = shadow_db_tell(conn, page_id, "made", words, NULL, fork->now_ms, reterr);
    if (r == 0)
        *ret_page_id = page_id;
    return r;
}

int shadow_db_tell(struct db_conn *conn,
                   int64_t page_id,
                   const char *kind,
                   const char *words,
                   const char *actor,
                   int64_t now_ms,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO shadow_page_event (page_id, kind, words, actor, at_ms)"
              " VALUES (?1, ?2, ?3, ?4, ?5)");

    db_bind_int(stmt, 1, page_id);
    db_bind_text(stmt, 2, kind);
    db_bind_text(stmt, 3, words);
    db_bind_text(stmt, 4, actor);
    db_bind_int(stmt, 5, now_ms);
    return db_run(stmt, reterr);
}

/* --- copies --- */

static void mix(crypto_generichash_state *state, const char *text)
{
    (void)crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static int make_key(struct db_conn *conn,
                    int64_t page_id,
                    const char *kind,
                    unsigned slot,
                    char *ret_key,
                    struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT hex(id) FROM installation");
    unsigned char hash[HASH_BYTES];
    crypto_generichash_state state;
    char number[64];

    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    mix(&state, SHADOW_LANE);
    while (db_step(stmt))
        mix(&state, db_text(stmt, 0));
    int r = db_done(stmt, reterr);

    (void)snprintf(number, sizeof(number), "%" PRId64 "/%u", page_id, slot);
    mix(&state, number);
    mix(&state, kind);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    (void)sodium_bin2hex(ret_key, 2 * HASH_BYTES + 1, hash, sizeof(hash));
    return r;
}

int shadow_db_owe(struct db_conn *conn,
                  int64_t page_id,
                  const struct contact *contact,
                  unsigned slot,
                  int64_t now_ms,
                  struct err *reterr)
{
    char key[2 * HASH_BYTES + 1];
    int r = make_key(conn, page_id, contact->method, slot, key, reterr);

    if (r)
        return r;

    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO outbox (incident_id, transition, reason, lane, receiver, kind, slot,"
              " key, state, created_ms, owed_ms, due_ms)"
              " SELECT incident_id, -id, 'escalation', '" SHADOW_LANE "', 'person:' || person,"
              " ?2, ?3, ?4, 'waiting', ?5, ?5, ?5 FROM shadow_page WHERE id = ?1");

    db_bind_int(stmt, 1, page_id);
    db_bind_text(stmt, 2, contact->method);
    db_bind_int(stmt, 3, slot);
    db_bind_text(stmt, 4, key);
    db_bind_int(stmt, 5, now_ms);
    r = db_run(stmt, reterr);
    if (r)
        return r;
    stmt = db_prepare(conn, "INSERT INTO shadow_page_row VALUES (?1, ?2, 'shadow')");
    db_bind_int(stmt, 1, db_last_id(conn));
    db_bind_int(stmt, 2, page_id);
    return db_run(stmt, reterr);
}

/* The newest copy each contact was sent since the incident began has a companion, far below the
 * transitions of copies. */
#define OVER_BELOW "1099511627776" /* 2^40 */

int shadow_db_close(struct db_conn *conn, int64_t incident_id, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO outbox (incident_id, transition, reason, lane, receiver, kind, slot,"
              " key, state, created_ms, owed_ms, due_ms)"
              " SELECT o.incident_id, min(o.transition) - " OVER_BELOW ", 'resolved',"
              " '" SHADOW_LANE "', o.receiver, o.kind, o.slot, o.key || '-over', 'waiting',"
              " ?2, ?2, ?2 FROM outbox o JOIN incident i ON i.id = o.incident_id"
              " WHERE o.incident_id = ?1 AND o.lane = '" SHADOW_LANE "' AND o.state = 'sent'"
              " AND o.reason = 'escalation' AND o.created_ms >= i.began_ms"
              " GROUP BY o.receiver, o.kind, o.slot ON CONFLICT DO NOTHING");

    db_bind_int(stmt, 1, incident_id);
    db_bind_int(stmt, 2, now_ms);
    int r = db_run(stmt, reterr);

    if (r)
        return r;
    stmt = db_prepare(conn, "INSERT INTO shadow_page_row SELECT id, -transition - " OVER_BELOW ","
                            " 'shadow' FROM outbox WHERE incident_id = ?1"
                            " AND lane = '" SHADOW_LANE "' AND reason = 'resolved'"
                            " ON CONFLICT DO NOTHING");
    db_bind_int(stmt, 1, incident_id);
    return db_run(stmt, reterr);
}

int shadow_db_give_up(struct db_conn *conn, int64_t now_ms, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET state = 'failed', last_error = coalesce(last_error, 'tried for"
              " an hour') WHERE lane = '" SHADOW_LANE "' AND state = 'waiting'"
              " AND receiver >= 'person:' AND receiver < 'person;' AND created_ms <= ?1");

    db_bind_int(stmt, 1, now_ms - SHADOW_KEEP_TRYING_MS);
    return db_run(stmt, reterr);
}

/* --- reverse --- */

int shadow_db_link(struct db_conn *conn,
                   int64_t page_id,
                   const char *person,
                   int64_t made_ms,
                   bool is_mentor,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT incident_id FROM shadow_page WHERE id = ?1");
    char receiver[RECEIVER_MAX];
    int64_t incident_id = 0;

    db_bind_int(stmt, 1, page_id);
    if (db_step(stmt))
        incident_id = db_int(stmt, 0);
    int r = db_done(stmt, reterr);
    if (r)
        return r;
    stmt = db_prepare(conn, "INSERT INTO shadow_page_row SELECT id, ?4, ?5" REAL_ROWS
                            " ON CONFLICT DO NOTHING");
    db_bind_int(stmt, 1, incident_id);
    db_bind_text(stmt, 2, receiver_of(person, receiver));
    db_bind_int(stmt, 3, made_ms);
    db_bind_int(stmt, 4, page_id);
    db_bind_text(stmt, 5, is_mentor ? "mentor" : "shadow");
    r = db_run(stmt, reterr);
    if (r || is_mentor)
        return r;
    stmt = db_prepare(conn, "UPDATE shadow_page SET outbox_id = (SELECT min(outbox_id)"
                            " FROM shadow_page_row WHERE page_id = ?1 AND role = 'shadow')"
                            " WHERE id = ?1");
    db_bind_int(stmt, 1, page_id);
    return db_run(stmt, reterr);
}

int shadow_db_refused(
    struct db_conn *conn, int64_t outbox_id, int64_t now_ms, bool *ret_grew, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE outbox SET due_ms = ?2, owed_ms = min(owed_ms, ?2)"
              " WHERE state = 'waiting' AND attempts = 0 AND due_ms > ?2 AND id IN"
              " (SELECT m.outbox_id FROM shadow_page_row r"
              "  JOIN shadow_page p ON p.id = r.page_id AND p.mode = 'reverse'"
              "  JOIN shadow_page_row m ON m.page_id = p.id AND m.role = 'mentor'"
              "  WHERE r.outbox_id = ?1 AND r.role = 'shadow' AND NOT EXISTS"
              "  (SELECT 1 FROM shadow_page_row l JOIN outbox o ON o.id = l.outbox_id"
              "   WHERE l.page_id = p.id AND l.role = 'shadow' AND o.state <> 'failed'"
              "   AND NOT (o.state = 'waiting' AND o.refused)))");

    db_bind_int(stmt, 1, outbox_id);
    db_bind_int(stmt, 2, now_ms);
    int r = db_run(stmt, reterr);

    *ret_grew = r == 0 && db_changes(conn) > 0;
    return r;
}

int shadow_db_practice(struct db_conn *conn,
                       int64_t outbox_id,
                       struct arena *arena,
                       const char **ret_words,
                       struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT p.person, p.mentor, r.role FROM shadow_page_row r"
              " JOIN shadow_page p ON p.id = r.page_id AND p.mode = 'reverse'"
              " WHERE r.outbox_id = ?1 ORDER BY p.id DESC LIMIT 1");
    char words[WORDS_MAX];
    bool found = false;

    db_bind_int(stmt, 1, outbox_id);
    if (db_step(stmt)) {
        found = true;
        if (strcmp(db_text(stmt, 2), "mentor") == 0)
            (void)snprintf(words, sizeof(words),
                           "%s was paged first and answers this one (reverse shadow); you stand"
                           " behind and may take over",
                           db_text(stmt, 0));
        else
            (void)snprintf(words, sizeof(words),
                           "This one is yours to answer (reverse shadow); %s stands behind you and"
                           " is paged too",
                           db_text(stmt, 1));
    }
    int r = db_done(stmt, reterr);

    *ret_words = r == 0 && found ? arena_strndup(arena, words, strlen(words)) : NULL;
    if (r == 0 && found && !*ret_words)
        return err_set(reterr, SHADOW_DB_E_LIMIT, "no room for a page");
    return r;
}

/* --- a page's own address --- */

/* Which page a row of the outbox is a copy for; 0: none. */
static int page_of(struct db_conn *conn,
                   int64_t outbox_id,
                   int64_t *ret_page_id,
                   bool *ret_has_copy,
                   struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT p.id, p.mode = 'own copy' FROM shadow_page_row r"
              " JOIN shadow_page p ON p.id = r.page_id WHERE r.outbox_id = ?1");
    bool found = false;

    db_bind_int(stmt, 1, outbox_id);
    if (db_step(stmt)) {
        found = true;
        *ret_page_id = db_int(stmt, 0);
        *ret_has_copy = db_int(stmt, 1) != 0;
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !found)
        r = err_set(reterr, SHADOW_DB_E_NOT_FOUND, "no shadow page for outbox %" PRId64, outbox_id);
    return r;
}

int shadow_db_make_link(struct db_conn *conn,
                        int64_t outbox_id,
                        const unsigned char *key,
                        char *ret_token,
                        bool *ret_has_copy,
                        struct err *reterr)
{
    unsigned char hash[LINK_HASH_BYTES];
    int64_t page_id = 0;
    int r = page_of(conn, outbox_id, &page_id, ret_has_copy, reterr);

    if (r)
        return r;
    link_token("shadow page", page_id, key, ret_token, hash);

    struct db_stmt *stmt = db_prepare(conn, "UPDATE shadow_page SET link_hash = ?2 WHERE id = ?1");

    db_bind_int(stmt, 1, page_id);
    db_bind_blob(stmt, 2, hash, sizeof(hash));
    return db_run(stmt, reterr);
}

int shadow_db_find_link(struct db_conn *conn,
                        const char *token,
                        int64_t now_ms,
                        int64_t *ret_page_id,
                        struct err *reterr)
{
    return link_find(
        db_prepare(conn,
                   "SELECT p.id FROM shadow_page p JOIN incident i ON i.id = p.incident_id"
                   " WHERE p.link_hash = ?1 AND (i.status <> 'resolved' OR i.resolved_ms > ?2)"),
        token, now_ms, SHADOW_DB_E_NOT_FOUND, ret_page_id, reterr);
}
