#pragma once

/*
 * What the last review of each rule found, as rows of state.db.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    REVIEW_DB_E_LIMIT = 62, /* the arena is spent */
};

struct review_row {
    int64_t rule_id, version;
    int64_t at_ms;
    const char *kind; /* review_kind_name() */
    int64_t alerts;
    const char *words;
    const char *setting; /* a JSON object */
};

/* Of rules that are live, in the arena. */
int review_db_list(struct db_conn *conn,
                   struct arena *arena,
                   struct review_row **ret_rows,
                   size_t *ret_n,
                   struct err *reterr);
/* A job: in place of the one before. */
int review_db_put(struct db_conn *conn, const struct review_row *row, struct err *reterr);
