/*
 * Agents in state.db. See agent_db.h.
 */

#include "alertd/db/agent_db.h"

#include <stdio.h>

int agent_db_put(struct db_conn *conn, const struct agent_row *row, struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO agent (id, first_seen_ms, last_push_ms, interval_ms,"
              " clock_skew_ms) VALUES (?, ?, ?, ?, ?)"
              " ON CONFLICT (id) DO UPDATE SET last_push_ms = excluded.last_push_ms,"
              " interval_ms = excluded.interval_ms,"
              " clock_skew_ms = excluded.clock_skew_ms");

    db_bind_text(stmt, 1, row->id);
    db_bind_int(stmt, 2, row->first_seen_ms);
    db_bind_int(stmt, 3, row->last_push_ms);
    db_bind_int(stmt, 4, row->interval_ms);
    db_bind_int(stmt, 5, row->clock_skew_ms);
    return db_run(stmt, reterr);
}

int agent_db_each(struct db_conn *conn,
                  void (*each)(void *arg, const struct agent_row *row),
                  void *arg,
                  struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(conn, "SELECT id, first_seen_ms, last_push_ms, interval_ms,"
                                            " clock_skew_ms FROM agent ORDER BY id");

    while (db_step(stmt)) {
        struct agent_row row = {.first_seen_ms = db_int(stmt, 1),
                                .last_push_ms = db_int(stmt, 2),
                                .interval_ms = db_int(stmt, 3),
                                .clock_skew_ms = db_int(stmt, 4)};

        (void)snprintf(row.id, sizeof(row.id), "%s", db_text(stmt, 0));
        each(arg, &row);
    }
    return db_done(stmt, reterr);
}
