/*
 * Tests of contacts. See contact_db.h; the token is in the message that was sent, only its
 * hash is here.
 */

#include "alertd/db/contact_db.h"

#include <string.h>

#include "alertd/db/access_private.h"
#include "alertd/db/rows.h"

enum {
    LINK_MS = 7 * 24 * 3600 * 1000,
    MANY_MS = 10 * 60 * 1000,
};

/* False: no token of ours, whatever is in the rows. */
static bool hash_of(const char *token, unsigned char *hash)
{
    if (strlen(token) != ACCESS_SECRET_TEXT)
        return false;
    secret_hash(token, hash);
    return true;
}

static int unknown(struct err *reterr)
{
    return err_set(reterr, CONTACT_DB_E_NOT_FOUND, "this link is unknown or too old");
}

static int refuse_many(struct db_conn *conn, const struct contact_check *check, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT count(*) FROM contact_check WHERE person = ?1 AND made_ms > ?2");

    db_bind_text(stmt, 1, check->person);
    db_bind_int(stmt, 2, check->made_ms - MANY_MS);
    int64_t n = db_step(stmt) ? db_int(stmt, 0) : 0;
    int r = db_done(stmt, reterr);

    if (r == 0 && n >= CONTACT_TESTS_MAX)
        return err_set(reterr, CONTACT_DB_E_LIMIT,
                       "'%s' got %d tests in ten minutes: wait a little", check->person,
                       CONTACT_TESTS_MAX);
    return r;
}

int contact_db_begin(struct db_conn *conn,
                     const struct contact_check *check,
                     char *ret_token,
                     struct err *reterr)
{
    unsigned char hash[ACCESS_HASH_BYTES];
    int r = refuse_many(conn, check, reterr);

    if (r)
        return r;
    secret_make(ret_token);
    secret_hash(ret_token, hash);
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO contact_check (token_hash, person, method,"
              " address, made_ms, made_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

    db_bind_blob(stmt, 1, hash, sizeof(hash));
    db_bind_text(stmt, 2, check->person);
    db_bind_text(stmt, 3, check->method);
    db_bind_text(stmt, 4, check->address);
    db_bind_int(stmt, 5, check->made_ms);
    db_bind_text(stmt, 6, check->by);
    return db_run(stmt, reterr);
}

int contact_db_sent(struct db_conn *conn,
                    const char *token,
                    const char *outcome,
                    const char *words,
                    struct err *reterr)
{
    unsigned char hash[ACCESS_HASH_BYTES];

    if (!hash_of(token, hash))
        return unknown(reterr);
    struct db_stmt *stmt = db_prepare(conn, "UPDATE contact_check SET outcome = ?2, words = ?3"
                                            " WHERE token_hash = ?1");

    db_bind_blob(stmt, 1, hash, sizeof(hash));
    db_bind_text(stmt, 2, outcome);
    db_bind_text(stmt, 3, words);
    return db_run(stmt, reterr);
}

int contact_db_find(struct db_conn *conn,
                    const char *token,
                    int64_t now_ms,
                    struct arena *arena,
                    struct contact_check *ret_check,
                    struct err *reterr)
{
    unsigned char hash[ACCESS_HASH_BYTES];
    struct contact_check check = {0};

    if (!hash_of(token, hash))
        return unknown(reterr);
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT person, method, address, made_by, made_ms, confirmed_ms FROM contact_check"
              " WHERE token_hash = ?1 AND made_ms > ?2");

    db_bind_blob(stmt, 1, hash, sizeof(hash));
    db_bind_int(stmt, 2, now_ms - LINK_MS);
    bool found = db_step(stmt);

    if (found)
        check = (struct contact_check){
            .person = rows_text(arena, stmt, 0),
            .method = rows_text(arena, stmt, 1),
            .address = rows_text(arena, stmt, 2),
            .by = rows_text(arena, stmt, 3),
            .made_ms = db_int(stmt, 4),
            .confirmed_ms = db_int(stmt, 5),
        };
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!found)
        return unknown(reterr);
    if (!check.person || !check.method || !check.address || !check.by)
        return err_set(reterr, CONTACT_DB_E_LIMIT, "too much to show at once");
    *ret_check = check;
    return 0;
}

int contact_db_confirm(struct db_conn *conn, const char *token, int64_t now_ms, struct err *reterr)
{
    unsigned char hash[ACCESS_HASH_BYTES];

    if (!hash_of(token, hash))
        return unknown(reterr);
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE contact_check SET confirmed_ms = coalesce(confirmed_ms, ?2)"
              " WHERE token_hash = ?1 AND made_ms > ?3");

    db_bind_blob(stmt, 1, hash, sizeof(hash));
    db_bind_int(stmt, 2, now_ms);
    db_bind_int(stmt, 3, now_ms - LINK_MS);
    int r = db_run(stmt, reterr);

    if (r == 0 && db_changes(conn) == 0)
        return unknown(reterr);
    return r;
}

int contact_db_state(struct db_conn *conn,
                     const char *person,
                     const char *method,
                     const char *address,
                     struct arena *arena,
                     struct contact_state *ret_state,
                     struct err *reterr)
{
    struct contact_state state = {0};
    bool fits = true;
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT made_ms, outcome, words, max(confirmed_ms) OVER ()"
              " FROM contact_check WHERE person = ?1 AND method = ?2 AND address = ?3"
              " ORDER BY made_ms DESC LIMIT 1");

    db_bind_text(stmt, 1, person);
    db_bind_text(stmt, 2, method);
    db_bind_text(stmt, 3, address);
    if (db_step(stmt)) {
        state.tested_ms = db_int(stmt, 0);
        fits = rows_text_or_null(arena, stmt, 1, &state.outcome) &&
               rows_text_or_null(arena, stmt, 2, &state.words);
        state.confirmed_ms = db_int(stmt, 3);
    }
    int r = db_done(stmt, reterr);

    if (r == 0 && !fits)
        return err_set(reterr, CONTACT_DB_E_LIMIT, "too much to show at once");
    if (r == 0)
        *ret_state = state;
    return r;
}
