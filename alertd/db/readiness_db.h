#pragma once

/*
 * How far people are with the checklist before they go on call: what they did, what they say
 * proves it, and who signed that. The checklist itself is a file (oncall/readiness.h).
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    READINESS_DB_E_NOT_DONE = 80, /* nothing to sign */
    READINESS_DB_E_SELF = 81,     /* nobody signs for themselves */
    READINESS_DB_E_LIMIT = 82,    /* the arena is spent */
    READINESS_TEXT_BYTES_MAX = 4000,
};

struct readiness_row {
    const char *person;
    const char *area, *item; /* as they were then */
    const char *evidence;
    const char *question, *answer;
    int64_t done_ms;
    const char *done_by;
    const char *signed_by; /* NULL: nobody yet */
    int64_t signed_ms;
};

/* Of one person, or (NULL) of all; by person and item. */
int readiness_db_list(struct db_conn *conn,
                      const char *person,
                      struct arena *arena,
                      struct readiness_row **ret_rows,
                      size_t *ret_n,
                      struct err *reterr);

/* --- jobs --- */

/* Done, or told anew: other evidence, or another answer, takes the signature away. */
int readiness_db_put(struct db_conn *conn, const struct readiness_row *row, struct err *reterr);
/* `by` NULL takes the signature away. Signed twice, the first stays. */
int readiness_db_sign(struct db_conn *conn,
                      const char *person,
                      const char *item,
                      const char *by,
                      int64_t now_ms,
                      struct err *reterr);
