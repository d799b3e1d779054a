/*
 * Sessions, and what was used when. See access_db.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/access_private.h"
#include "lib/base/mem.h"

static struct session *session_at(struct access *access, int64_t id)
{
    size_t low = 0;
    size_t high = access->n_sessions;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (access->sessions[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < access->n_sessions && access->sessions[low].id == id ? &access->sessions[low]
                                                                      : NULL;
}

static bool is_alive(const struct session *session, int64_t now_ms)
{
    return now_ms - session->last_used_ms < ACCESS_IDLE_MS &&
           now_ms - session->created_ms < ACCESS_ABSOLUTE_MS;
}

int access_check_session(struct access *access,
                         const char *cookie,
                         int64_t now_ms,
                         struct access_grant *ret_grant)
{
    const char *secret;
    int64_t id;
    int r = ACCESS_E_UNKNOWN;

    if (!secret_split(cookie, "", '.', &id, &secret))
        return r;
    (void)pthread_mutex_lock(&access->lock);
    struct session *session = session_at(access, id);
    bool matches = secret_matches(session ? session->hash : NULL, secret);
    if (session && matches && is_alive(session, now_ms)) {
        struct token *token = token_at(access, session->token_id);

        if (token && token_is_valid(token, now_ms)) {
            session->last_used_ms = now_ms;
            session->used = true;
            token_touch(token, now_ms);
            token_grant(token, ret_grant);
            secret_csrf(secret, ret_grant->csrf);
            r = 0;
        }
    }
    (void)pthread_mutex_unlock(&access->lock);
    return r;
}

struct session_job {
    struct session *session;
    int64_t drop_id; /* 0: none */
};

static int delete_session(struct db_conn *conn, int64_t id, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "DELETE FROM session WHERE id = ?");

    db_bind_int(stmt, 1, id);
    return db_run(stmt, reterr);
}

static int insert_session(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct session_job *job = arg;
    int r = job->drop_id ? delete_session(conn, job->drop_id, reterr) : 0;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO session (token_id, hash, created_ms, last_used_ms) VALUES (?, ?, ?, ?)");

    db_bind_int(stmt, 1, job->session->token_id);
    db_bind_blob(stmt, 2, job->session->hash, ACCESS_HASH_BYTES);
    db_bind_int(stmt, 3, job->session->created_ms);
    db_bind_int(stmt, 4, job->session->last_used_ms);
    int r2 = db_run(stmt, r ? NULL : reterr);
    job->session->id = db_last_id(conn);
    return r ? r : r2;
}

static int drop_session(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct session_job *job = arg;

    return delete_session(conn, job->drop_id, reterr);
}

/* With the lock held. */
static void forget_session(struct access *access, int64_t id)
{
    struct session *session = session_at(access, id);

    if (!session)
        return;
    size_t after = access->n_sessions - (size_t)(session - access->sessions) - 1;
    memmove(session, session + 1, after * sizeof(*session));
    access->n_sessions--;
}

static int64_t longest_unused(const struct access *access)
{
    const struct session *found = &access->sessions[0];

    for (size_t i = 1; i < access->n_sessions; i++)
        if (access->sessions[i].last_used_ms < found->last_used_ms)
            found = &access->sessions[i];
    return found->id;
}

static void remember_session(struct access *access, const struct session *session, int64_t drop_id)
{
    (void)pthread_mutex_lock(&access->lock);
    forget_session(access, drop_id);
    access->sessions = mem_grow(access->sessions, &access->sessions_room, access->n_sessions + 1,
                                sizeof(*access->sessions));
    size_t at = access->n_sessions++;
    for (; at > 0 && access->sessions[at - 1].id > session->id; at--)
        access->sessions[at] = access->sessions[at - 1];
    access->sessions[at] = *session;
    (void)pthread_mutex_unlock(&access->lock);
}

int access_login(struct access *access,
                 const char *peer,
                 const char *text,
                 int64_t now_ms,
                 char *ret_cookie,
                 struct err *reterr)
{
    struct session session = {.created_ms = now_ms, .last_used_ms = now_ms};
    struct session_job job = {.session = &session};
    char secret[ACCESS_SECRET_TEXT + 1];

    (void)pthread_mutex_lock(&access->lock);
    bool slow_down = login_guard_is_shut(&access->guard, peer, now_ms);
    struct token *token = slow_down ? NULL : token_find(access, text, now_ms);
    if (token)
        session.token_id = token->row.id;
    else if (!slow_down)
        login_guard_failed(&access->guard, peer, now_ms);
    if (token && access->n_sessions >= ACCESS_SESSIONS_MAX)
        job.drop_id = longest_unused(access);
    (void)pthread_mutex_unlock(&access->lock);
    if (slow_down)
        return err_set(reterr, ACCESS_E_SLOW_DOWN, "too many failed logins from %s: wait a minute",
                       peer);
    if (!token)
        return err_set(reterr, ACCESS_E_UNKNOWN, "this token is not known, or no longer valid");

    secret_make(secret);
    secret_hash(secret, session.hash);
    int r = db_write(access->state, insert_session, &job, reterr);
    if (r == 0) {
        remember_session(access, &session, job.drop_id);
        (void)snprintf(ret_cookie, ACCESS_COOKIE_TEXT_MAX, "%" PRId64 ".%s", session.id, secret);
    }
    secret_forget(secret);
    return r;
}

int access_logout(struct access *access, const char *cookie, int64_t now_ms, struct err *reterr)
{
    struct access_grant grant;
    struct session_job job = {0};
    const char *secret;

    if (access_check_session(access, cookie, now_ms, &grant) != 0 ||
        !secret_split(cookie, "", '.', &job.drop_id, &secret))
        return 0;
    int r = db_write(access->state, drop_session, &job, reterr);
    if (r != 0)
        return r;
    (void)pthread_mutex_lock(&access->lock);
    forget_session(access, job.drop_id);
    (void)pthread_mutex_unlock(&access->lock);
    return 0;
}

/* --- what was used --- */

struct use {
    int64_t id, at_ms;
};

struct flush_job {
    struct use *tokens, *sessions;
    size_t n_tokens, n_sessions;
    int64_t now_ms;
};

static int write_uses(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct flush_job *job = arg;
    int r = 0;

    for (size_t i = 0; i < job->n_tokens && r == 0; i++) {
        struct db_stmt *stmt = db_prepare(conn, "UPDATE token SET last_used_ms = ? WHERE id = ?");

        db_bind_int(stmt, 1, job->tokens[i].at_ms);
        db_bind_int(stmt, 2, job->tokens[i].id);
        r = db_run(stmt, reterr);
    }
    for (size_t i = 0; i < job->n_sessions && r == 0; i++) {
        struct db_stmt *stmt = db_prepare(conn, "UPDATE session SET last_used_ms = ? WHERE id = ?");

        db_bind_int(stmt, 1, job->sessions[i].at_ms);
        db_bind_int(stmt, 2, job->sessions[i].id);
        r = db_run(stmt, reterr);
    }
    if (r != 0)
        return r;
    struct db_stmt *stmt = db_prepare(
        conn, "DELETE FROM session WHERE last_used_ms < ? OR created_ms < ?");
    db_bind_int(stmt, 1, job->now_ms - ACCESS_IDLE_MS);
    db_bind_int(stmt, 2, job->now_ms - ACCESS_ABSOLUTE_MS);
    return db_run(stmt, reterr);
}

/* Moves what was used into the job and forgets dead sessions, with the lock held; true
 * when there is anything to write. */
static bool collect_uses(struct access *access, struct flush_job *job)
{
    size_t kept = 0;
    size_t before = access->n_sessions;

    job->tokens = mem_alloc(access->n_tokens * sizeof(*job->tokens));
    job->sessions = mem_alloc(access->n_sessions * sizeof(*job->sessions));
    for (size_t i = 0; i < access->n_tokens; i++) {
        struct token *token = &access->tokens[i];

        if (token->used)
            job->tokens[job->n_tokens++] = (struct use){token->row.id, token->row.last_used_ms};
        token->used = false;
    }
    for (size_t i = 0; i < access->n_sessions; i++) {
        struct session *session = &access->sessions[i];

        if (!is_alive(session, job->now_ms))
            continue;
        if (session->used)
            job->sessions[job->n_sessions++] = (struct use){session->id, session->last_used_ms};
        session->used = false;
        access->sessions[kept++] = *session;
    }
    access->n_sessions = kept;
    return job->n_tokens || job->n_sessions || kept < before;
}

int access_flush(struct access *access, int64_t now_ms, struct err *reterr)
{
    struct flush_job job = {.now_ms = now_ms};
    int r = 0;

    (void)pthread_mutex_lock(&access->lock);
    bool any = collect_uses(access, &job);
    (void)pthread_mutex_unlock(&access->lock);
    if (any)
        r = db_write(access->state, write_uses, &job, reterr);
    free(job.tokens);
    free(job.sessions);
    return r;
}

bool access_take_hash(struct db_stmt *stmt, int column, unsigned char *hash)
{
    size_t len = 0;
    const void *bytes = db_blob(stmt, column, &len);

    if (len != ACCESS_HASH_BYTES)
        return false;
    memcpy(hash, bytes, ACCESS_HASH_BYTES);
    return true;
}

int session_load(struct access *access, struct db_conn *conn, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, token_id, hash, created_ms, last_used_ms FROM session ORDER BY id");

    while (db_step(stmt)) {
        struct session session = {.id = db_int(stmt, 0),
                                  .token_id = db_int(stmt, 1),
                                  .created_ms = db_int(stmt, 3),
                                  .last_used_ms = db_int(stmt, 4)};

        if (!access_take_hash(stmt, 2, session.hash))
            continue;
        access->sessions = mem_grow(access->sessions, &access->sessions_room,
                                    access->n_sessions + 1, sizeof(session));
        access->sessions[access->n_sessions++] = session;
    }
    return db_done(stmt, reterr);
}
