#pragma once

/*
 * Agents in state.db: a row each, so that a restart knows who should be pushing.
 */

#include <stdint.h>

#include "alertd/db/db.h"

enum {
    AGENT_ROW_ID_MAX = 64
};

struct agent_row {
    char id[AGENT_ROW_ID_MAX + 1];
    int64_t first_seen_ms, last_push_ms, interval_ms, clock_skew_ms;
};

/* In a job: inserts or replaces. */
int agent_db_put(struct db_conn *conn, const struct agent_row *row, struct err *reterr);
/* Calls each() by id. */
int agent_db_each(struct db_conn *conn,
                  void (*each)(void *arg, const struct agent_row *row),
                  void *arg,
                  struct err *reterr);
