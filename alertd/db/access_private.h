#pragma once

/*
 * Inside access: what its files share. Nobody else includes this.
 *
 *   access_db.c       tokens, start and end
 *   access_session.c  sessions, and writing what was used
 *   access_secret.c   secrets, their hashes, their form as text
 */

#include <pthread.h>

#include "alertd/db/access_db.h"
#include "alertd/db/login_guard.h"

enum {
    ACCESS_HASH_BYTES = 32,
    ACCESS_SECRET_TEXT = 43, /* 32 bytes in base64url without padding */
};

struct token {
    struct access_token row;
    unsigned char hash[ACCESS_HASH_BYTES];
    bool used; /* last_used_ms is newer than the row's */
};

struct session {
    int64_t id, token_id;
    int64_t created_ms, last_used_ms;
    unsigned char hash[ACCESS_HASH_BYTES];
    bool used;
};

struct access {
    struct db *state;
    pthread_mutex_t lock;
    struct token *tokens; /* by id; revoked ones are not here */
    size_t n_tokens, tokens_room;
    struct session *sessions; /* by id */
    size_t n_sessions, sessions_room;
    struct login_guard guard;
};

/* --- access_secret.c --- */

void secret_make(char *text); /* ACCESS_SECRET_TEXT and a NUL */
void secret_forget(char *text);
void secret_hash(const char *secret, unsigned char *hash);
/* Whether `secret` is what was hashed; hash NULL (nobody) takes as long and is false. */
bool secret_matches(const unsigned char *hash, const char *secret);
/* What a page that holds the session may know and nobody else can: made from the cookie's
 * secret, which no script can read, and telling nothing about it. */
void secret_csrf(const char *secret, char *text);
/* prefix, id, divider, secret: false when the text has another form. */
bool secret_split(
    const char *text, const char *prefix, char divider, int64_t *ret_id, const char **ret_secret);

/* --- access_db.c, with the lock held --- */

struct token *token_at(struct access *access, int64_t id);
struct token *token_find(struct access *access, const char *text, int64_t now_ms);
bool token_is_valid(const struct token *token, int64_t now_ms);
void token_touch(struct token *token, int64_t now_ms);
void token_grant(const struct token *token, struct access_grant *grant);

/* --- access_session.c --- */

int session_load(struct access *access, struct db_conn *conn, struct err *reterr);
bool access_take_hash(struct db_stmt *stmt, int column, unsigned char *hash);
