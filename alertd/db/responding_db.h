#pragma once

/*
 * Which incidents somebody is at: the open ones in whose timeline there is a row of theirs.
 */

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    RESPONDING_DB_E_LIMIT = 44,
    RESPONDING_DB_MAX = 20,
};

/* Keys, the newest first; RESPONDING_DB_MAX at most. */
int responding_db_list(struct db_conn *conn,
                       const char *actor,
                       struct arena *arena,
                       const char ***ret_keys,
                       size_t *ret_n,
                       struct err *reterr);
