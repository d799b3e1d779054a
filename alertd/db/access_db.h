#pragma once

/*
 * Who may call: tokens for programs, sessions for browsers.
 *
 *     wb_7_4vJ9...   a token: its id, then 256 random bits; the row keeps their hash
 *     7.kP2x...      a session's cookie: the same again; it leans on a token
 *
 * All of it is in memory too, so that asking who somebody is never touches the disk:
 *
 *   create, revoke, login, logout:  commit --> then memory
 *   check:                          memory only
 *   last used:                      memory, written once a minute (access_flush)
 *
 * (1) A secret is found by its id and compared in constant time; an unknown id costs the
 *     same as a wrong secret.
 * (2) A session may do what its token may at this moment: revoked or expired tokens take
 *     their sessions along.
 * (3) Thread-safe; checks are quick.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    ACCESS_E_UNKNOWN = 30,   /* no such token or session, or not any more */
    ACCESS_E_SLOW_DOWN = 31, /* too many failed logins from this peer: a minute's pause */
    ACCESS_E_INVALID = 32,   /* name, scopes, agent or expiry: words say */

    ACCESS_TOKEN_TEXT_MAX = 72,
    ACCESS_COOKIE_TEXT_MAX = 72,
    ACCESS_NAME_MAX = 63,
    ACCESS_TOKENS_MAX = 10000,
    ACCESS_SESSIONS_MAX = 1000, /* the one unused longest goes when another comes */
    ACCESS_LOGIN_FAILURES = 5,  /* a minute, from one peer */
};

enum access_scope { /* bits, as in the rows */
    ACCESS_PUSH = 1,
    ACCESS_READ = 2,
    ACCESS_OPERATE = 4, /* includes read */
    ACCESS_ADMIN = 8,   /* includes all */
};

#define ACCESS_IDLE_MS     (12 * 3600 * 1000LL)
#define ACCESS_ABSOLUTE_MS (7 * 24 * 3600 * 1000LL)

struct access;

struct access_grant {
    unsigned scopes; /* with what they include */
    int64_t token_id;
    char name[ACCESS_NAME_MAX + 1];
    char agent[ACCESS_NAME_MAX + 1]; /* "": any */
    char csrf[44];                   /* a session's; "" for a token */
};

struct access_token {
    int64_t id;
    unsigned scopes;                              /* as given */
    int64_t created_ms, expires_ms, last_used_ms; /* 0: never */
    char name[ACCESS_NAME_MAX + 1];
    char agent[ACCESS_NAME_MAX + 1];
};

int access_open(struct db *state, struct access **ret_access, struct err *reterr);
/* access_flush() comes first, if the last uses are to be kept. NULL is fine. */
void access_close(struct access *access);

/* "push" ... -> its bit; 0 when there is no such scope. */
unsigned access_scope_of(const char *name);
const char *access_scope_name(enum access_scope scope);

int access_check_token(struct access *access,
                       const char *text,
                       int64_t now_ms,
                       struct access_grant *ret_grant);
int access_check_session(struct access *access,
                         const char *cookie,
                         int64_t now_ms,
                         struct access_grant *ret_grant);

/* Whether anybody could administer now: if not, a token must be made from outside. */
bool access_has_admin(struct access *access, int64_t now_ms);

/* Takes name, scopes, agent and expires_ms (0: never) from *wanted; returns the token's
 * only appearance in ret_text (ACCESS_TOKEN_TEXT_MAX) and its row in *ret_made (which may
 * be wanted). */
int access_create(struct access *access,
                  const struct access_token *wanted,
                  const char *by,
                  int64_t now_ms,
                  char *ret_text,
                  struct access_token *ret_made,
                  struct err *reterr);
int access_revoke(struct access *access, int64_t id, int64_t now_ms, struct err *reterr);
/* Those not revoked, oldest first, from the arena. */
int access_list(struct access *access,
                struct arena *arena,
                struct access_token **ret_tokens,
                size_t *ret_n,
                struct err *reterr);

/* A new session for who holds the token of this text; ret_cookie has ACCESS_COOKIE_TEXT_MAX. */
int access_login(struct access *access,
                 const char *peer,
                 const char *text,
                 int64_t now_ms,
                 char *ret_cookie,
                 struct err *reterr);
/* Ends the session; a cookie that is none is fine. */
int access_logout(struct access *access, const char *cookie, int64_t now_ms, struct err *reterr);

/* Writes what was last used when, and forgets sessions that are over. */
int access_flush(struct access *access, int64_t now_ms, struct err *reterr);
