/*
 * Tokens. See access_db.h; sessions are in access_session.c.
 */

#include "alertd/db/access_db.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/access_private.h"
#include "lib/base/mem.h"

static const struct {
    enum access_scope scope;
    unsigned with; /* what it includes */
    const char *name;
} scopes[] = {
    {ACCESS_PUSH, ACCESS_PUSH, "push"},
    {ACCESS_READ, ACCESS_READ, "read"},
    {ACCESS_OPERATE, ACCESS_OPERATE | ACCESS_READ, "operate"},
    {ACCESS_ADMIN, ACCESS_ADMIN | ACCESS_OPERATE | ACCESS_READ | ACCESS_PUSH, "admin"},
};

enum {
    N_SCOPES = sizeof(scopes) / sizeof(scopes[0])
};

unsigned access_scope_of(const char *name)
{
    for (size_t i = 0; i < N_SCOPES; i++)
        if (strcmp(scopes[i].name, name) == 0)
            return scopes[i].scope;
    return 0;
}

const char *access_scope_name(enum access_scope scope)
{
    for (size_t i = 0; i < N_SCOPES; i++)
        if (scopes[i].scope == scope)
            return scopes[i].name;
    return "";
}

static unsigned closure(unsigned given)
{
    unsigned all = 0;

    for (size_t i = 0; i < N_SCOPES; i++)
        if (given & scopes[i].scope)
            all |= scopes[i].with;
    return all;
}

/* --- finding, with the lock held --- */

struct token *token_at(struct access *access, int64_t id)
{
    size_t low = 0;
    size_t high = access->n_tokens;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (access->tokens[middle].row.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < access->n_tokens && access->tokens[low].row.id == id ? &access->tokens[low] : NULL;
}

bool token_is_valid(const struct token *token, int64_t now_ms)
{
    return !token->row.expires_ms || now_ms < token->row.expires_ms;
}

struct token *token_find(struct access *access, const char *text, int64_t now_ms)
{
    const char *secret;
    int64_t id;

    if (!secret_split(text, "wb_", '_', &id, &secret))
        return NULL;
    struct token *token = token_at(access, id);
    bool matches = secret_matches(token ? token->hash : NULL, secret);
    return token && matches && token_is_valid(token, now_ms) ? token : NULL;
}

void token_grant(const struct token *token, struct access_grant *grant)
{
    *grant = (struct access_grant){.scopes = closure(token->row.scopes), .token_id = token->row.id};
    (void)snprintf(grant->name, sizeof(grant->name), "%s", token->row.name);
    (void)snprintf(grant->agent, sizeof(grant->agent), "%s", token->row.agent);
}

void token_touch(struct token *token, int64_t now_ms)
{
    token->row.last_used_ms = now_ms;
    token->used = true;
}

int access_check_token(struct access *access,
                       const char *text,
                       int64_t now_ms,
                       struct access_grant *ret_grant)
{
    (void)pthread_mutex_lock(&access->lock);
    struct token *token = token_find(access, text, now_ms);
    if (token) {
        token_touch(token, now_ms);
        token_grant(token, ret_grant);
    }
    (void)pthread_mutex_unlock(&access->lock);
    return token ? 0 : ACCESS_E_UNKNOWN;
}

bool access_has_admin(struct access *access, int64_t now_ms)
{
    bool found = false;

    (void)pthread_mutex_lock(&access->lock);
    for (size_t i = 0; i < access->n_tokens; i++)
        found |= access->tokens[i].row.scopes & ACCESS_ADMIN &&
                 token_is_valid(&access->tokens[i], now_ms);
    (void)pthread_mutex_unlock(&access->lock);
    return found;
}

/* --- tokens --- */

struct token_job {
    const struct token *token;
    const char *by;
    int64_t id, now_ms;
};

static int insert_token(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct token_job *job = arg;
    const struct access_token *row = &job->token->row;
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO token (name, hash, scopes, agent, created_ms, created_by,"
              " expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)");

    db_bind_text(stmt, 1, row->name);
    db_bind_blob(stmt, 2, job->token->hash, ACCESS_HASH_BYTES);
    db_bind_int(stmt, 3, row->scopes);
    db_bind_text(stmt, 4, row->agent[0] ? row->agent : NULL);
    db_bind_int(stmt, 5, row->created_ms);
    db_bind_text(stmt, 6, job->by);
    if (row->expires_ms)
        db_bind_int(stmt, 7, row->expires_ms);
    int r = db_run(stmt, reterr);
    job->id = db_last_id(conn);
    return r;
}

static int check_wanted(const struct access_token *wanted, int64_t now_ms, struct err *reterr)
{
    if (!wanted->name[0])
        return err_set(reterr, ACCESS_E_INVALID, "a token needs a name");
    if (!wanted->scopes || wanted->scopes & ~15U)
        return err_set(reterr, ACCESS_E_INVALID, "a token needs a scope");
    if (wanted->agent[0] && wanted->scopes != ACCESS_PUSH)
        return err_set(reterr, ACCESS_E_INVALID, "a token of an agent has the scope push alone");
    if (wanted->expires_ms && wanted->expires_ms <= now_ms)
        return err_set(reterr, ACCESS_E_INVALID, "expires_at is not in the future");
    return 0;
}

int access_create(struct access *access,
                  const struct access_token *wanted,
                  const char *by,
                  int64_t now_ms,
                  char *ret_text,
                  struct access_token *ret_made,
                  struct err *reterr)
{
    struct token token = {.row = *wanted};
    struct token_job job = {&token, by, 0, now_ms};
    char secret[ACCESS_SECRET_TEXT + 1];
    int r = check_wanted(wanted, now_ms, reterr);

    if (r != 0)
        return r;
    (void)pthread_mutex_lock(&access->lock);
    bool too_many = access->n_tokens >= ACCESS_TOKENS_MAX;
    (void)pthread_mutex_unlock(&access->lock);
    if (too_many)
        return err_set(reterr, ACCESS_E_INVALID, "there are %d tokens: revoke some",
                       ACCESS_TOKENS_MAX);
    secret_make(secret);
    secret_hash(secret, token.hash);
    token.row.created_ms = now_ms;
    token.row.last_used_ms = 0;
    r = db_write(access->state, insert_token, &job, reterr);
    if (r == 0) {
        token.row.id = job.id;
        (void)snprintf(ret_text, ACCESS_TOKEN_TEXT_MAX, "wb_%" PRId64 "_%s", job.id, secret);
        *ret_made = token.row;
        (void)pthread_mutex_lock(&access->lock);
        access->tokens = mem_grow(access->tokens, &access->tokens_room, access->n_tokens + 1,
                                  sizeof(*access->tokens));
        size_t at = access->n_tokens++; /* two at once may commit in either order */
        for (; at > 0 && access->tokens[at - 1].row.id > job.id; at--)
            access->tokens[at] = access->tokens[at - 1];
        access->tokens[at] = token;
        (void)pthread_mutex_unlock(&access->lock);
    }
    secret_forget(secret);
    return r;
}

static int revoke_token(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct token_job *job = arg;
    struct db_stmt *stmt = db_prepare(
        conn, "UPDATE token SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL");

    db_bind_int(stmt, 1, job->now_ms);
    db_bind_int(stmt, 2, job->id);
    int r = db_run(stmt, reterr);
    if (r == 0 && db_changes(conn) == 0)
        return err_set(reterr, ACCESS_E_UNKNOWN, "there is no token %" PRId64, job->id);
    stmt = db_prepare(conn, "DELETE FROM session WHERE token_id = ?");
    db_bind_int(stmt, 1, job->id);
    return r ? r : db_run(stmt, reterr);
}

int access_revoke(struct access *access, int64_t id, int64_t now_ms, struct err *reterr)
{
    struct token_job job = {.id = id, .now_ms = now_ms};
    int r = db_write(access->state, revoke_token, &job, reterr);

    if (r != 0)
        return r;
    (void)pthread_mutex_lock(&access->lock);
    struct token *token = token_at(access, id);
    if (token) {
        size_t after = access->n_tokens - (size_t)(token - access->tokens) - 1;

        memmove(token, token + 1, after * sizeof(*token));
        access->n_tokens--;
    }
    (void)pthread_mutex_unlock(&access->lock);
    return 0;
}

int access_list(struct access *access,
                struct arena *arena,
                struct access_token **ret_tokens,
                size_t *ret_n,
                struct err *reterr)
{
    (void)pthread_mutex_lock(&access->lock);
    struct access_token *tokens = arena_array(arena, access->n_tokens + 1, sizeof(*tokens));
    size_t n = access->n_tokens;
    for (size_t i = 0; tokens && i < n; i++)
        tokens[i] = access->tokens[i].row;
    (void)pthread_mutex_unlock(&access->lock);
    if (!tokens)
        return err_set(reterr, ACCESS_E_INVALID, "no memory left for %zu tokens", n);
    *ret_tokens = tokens;
    *ret_n = n;
    return 0;
}

/* --- start and end --- */

static int load_tokens(struct access *access, struct db_conn *conn, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT id, name, hash, scopes, agent, created_ms, expires_ms,"
              " last_used_ms FROM token WHERE revoked_ms IS NULL ORDER BY id");

    while (db_step(stmt)) {
        struct token token = {0};

        token.row.id = db_int(stmt, 0);
        (void)snprintf(token.row.name, sizeof(token.row.name), "%s", db_text(stmt, 1));
        token.row.scopes = (unsigned)db_int(stmt, 3);
        (void)snprintf(token.row.agent, sizeof(token.row.agent), "%s", db_text(stmt, 4));
        token.row.created_ms = db_int(stmt, 5);
        token.row.expires_ms = db_int(stmt, 6);
        token.row.last_used_ms = db_int(stmt, 7);
        if (!access_take_hash(stmt, 2, token.hash))
            continue; /* not written by us: it opens nothing */
        access->tokens = mem_grow(access->tokens, &access->tokens_room, access->n_tokens + 1,
                                  sizeof(token));
        access->tokens[access->n_tokens++] = token;
    }
    return db_done(stmt, reterr);
}

int access_open(struct db *state, struct access **ret_access, struct err *reterr)
{
    struct db_conn *conn;

    if (sodium_init() < 0)
        return err_set(reterr, -EIO, "libsodium does not start");
    int r = db_read_begin(state, &conn, reterr);
    if (r != 0)
        return r;
    struct access *access = mem_zalloc(sizeof(*access));
    access->state = state;
    (void)pthread_mutex_init(&access->lock, NULL);
    r = load_tokens(access, conn, reterr);
    if (r == 0)
        r = session_load(access, conn, reterr);
    db_read_end(state, conn);
    if (r != 0) {
        access->n_tokens = access->n_sessions = 0; /* nothing to write back */
        access_close(access);
        return r;
    }
    *ret_access = access;
    return 0;
}

void access_close(struct access *access)
{
    if (!access)
        return;
    (void)pthread_mutex_destroy(&access->lock);
    free(access->tokens);
    free(access->sessions);
    free(access);
}
