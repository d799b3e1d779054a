#pragma once

/*
 * Was a person ever reached this way? A test notification carries a link; who presses it has
 * verified the contact. Rows are about (person, method, address): a changed address is not
 * verified, and one that only moved in the list still is.
 */

#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    CONTACT_DB_E_NOT_FOUND = 60, /* an unknown link, or one older than a week */
    CONTACT_DB_E_LIMIT = 61,     /* the arena is spent, or too many tests in a short time */
    CONTACT_TOKEN_MAX = 48,
    CONTACT_TESTS_MAX = 10, /* in ten minutes to one person */
};

struct contact_check {
    const char *person;
    const char *method;
    const char *address;
    const char *by;
    int64_t made_ms;
    int64_t confirmed_ms;
    const char *outcome; /* "accepted", "later", "refused"; NULL: under way */
    const char *words;
};

/* Job: a link for this contact; ret_token has CONTACT_TOKEN_MAX. */
int contact_db_begin(struct db_conn *conn,
                     const struct contact_check *check,
                     char *ret_token,
                     struct err *reterr);
/* Job: what became of the test that carries this link. */
int contact_db_sent(struct db_conn *conn,
                    const char *token,
                    const char *outcome,
                    const char *words,
                    struct err *reterr);
int contact_db_find(struct db_conn *conn,
                    const char *token,
                    int64_t now_ms,
                    struct arena *arena,
                    struct contact_check *ret_check,
                    struct err *reterr);
/* Job. A second time changes nothing. */
int contact_db_confirm(struct db_conn *conn, const char *token, int64_t now_ms, struct err *reterr);

struct contact_state {
    int64_t confirmed_ms; /* 0: never */
    int64_t tested_ms;    /* 0: never */
    const char *outcome;  /* of the newest test; NULL */
    const char *words;
};

int contact_db_state(struct db_conn *conn,
                     const char *person,
                     const char *method,
                     const char *address,
                     struct arena *arena,
                     struct contact_state *ret_state,
                     struct err *reterr);
