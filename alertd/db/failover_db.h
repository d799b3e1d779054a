#pragma once

/*
 * Pages whose receiver can't be told, and who is told in its place: rows of the outbox. Who that
 * is and when is decided in pager/failover.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/route/reason.h"
#include "lib/base/arena.h"

/* A page that was not told; texts in the arena. */
struct failover_row {
    int64_t id, incident_id;
    const char *receiver, *kind;
    unsigned slot;
    enum route_reason reason;
    const char *group_key;
    const struct labels *group;
    const uint64_t *alerts; /* NULL: all of the incident's */
    size_t n_alerts;
    int64_t owed_ms;
    const char *error;
};

/* The page that a row of the outbox stands for: itself, or the later one that took its place. Not
 * found: it was told, nobody else is to be told any more (somebody looks at the incident), it is a
 * person's, a failover's, or nobody's incident. */
int failover_db_find(struct db_conn *conn,
                     int64_t outbox_id,
                     struct arena *arena,
                     struct failover_row *ret_row,
                     bool *ret_found,
                     struct err *reterr);
/* It went to the failover too, now: once. */
int failover_db_mark(struct db_conn *conn, int64_t outbox_id, int64_t now_ms, struct err *reterr);
/* Was an integration told the same since it was owed? Then it is not told it twice. */
int failover_db_told(struct db_conn *conn,
                     const struct failover_row *row,
                     const struct route_integration *to,
                     bool *ret_told,
                     struct err *reterr);
/* The row just added to the outbox for `to` stands in the place of this one. */
int failover_db_note(struct db_conn *conn,
                     const struct failover_row *row,
                     const struct route_integration *to,
                     struct err *reterr);
/* The data of the event that says so. */
void failover_db_data(const struct failover_row *row, const char *to, struct str *out);
/* Did a page of that integration, of the incident since it began, go to the failover? */
int failover_db_was(struct db_conn *conn,
                    const struct outbox_new *news,
                    bool *ret_was,
                    struct err *reterr);
