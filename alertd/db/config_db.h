#pragma once

/*
 * The configs that were in force, as rows: what an answer about the past is computed from. Their
 * text is route_config_keep()'s.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    CONFIG_DB_KEPT_MAX = 200,
    CONFIG_DB_HASH_TEXT = 65, /* with the NUL */
};

struct config_row {
    int64_t from_ms;
    int64_t until_ms; /* INT64_MAX: it is the newest */
    const char *text;
    char hash[CONFIG_DB_HASH_TEXT];
};

/* Job. `file` is in force from now on, and `text` is what is kept of it; nothing when it is in
 * force already. The oldest go when there are too many. */
int config_db_keep(
    struct db_conn *conn, const char *file, const char *text, int64_t now_ms, struct err *reterr);

/* The one in force at an instant; *ret_found false: it is older than what is kept, and
 * ret_row->until_ms is then when the oldest that is kept began (0: none is). */
int config_db_at(struct db_conn *conn,
                 int64_t at_ms,
                 struct arena *arena,
                 struct config_row *ret_row,
                 bool *ret_found,
                 struct err *reterr);
