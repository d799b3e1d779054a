#pragma once

/*
 * Escalations as rows of state.db: one for each incident and policy, from its first page until
 * the incident is gone. The policy is kept as it was when it began, so that who edits a policy
 * does not move a page that is under way.
 *
 * Reading functions take any connection; changing ones are for a db_job.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

struct escalation_row {
    int64_t incident_id;
    const char *policy; /* its name */
    const char *spec;   /* it, as JSON (oncall/spelling.h) */
    const char *state;  /* escalation_print() */
    int64_t next_ms;    /* INT64_MAX: never by itself */
};

/* Job. A row of the same incident and policy is replaced. */
int escalation_db_put(struct db_conn *conn, const struct escalation_row *row, struct err *reterr);

/* The escalations of an incident, by policy. INCIDENT_DB_E_LIMIT: the arena is spent. */
int escalation_db_of(struct db_conn *conn,
                     int64_t incident_id,
                     struct arena *arena,
                     struct escalation_row **ret_rows,
                     size_t *ret_n,
                     struct err *reterr);

/* The one that was due first, if it was until now_ms; incident_id 0: none was. */
int escalation_db_due(struct db_conn *conn,
                      int64_t now_ms,
                      struct arena *arena,
                      struct escalation_row *ret_row,
                      struct err *reterr);

/* Was everything refused, or given up, that the newest step of the incident's escalations made,
 * this row of the outbox among it? *ret_incident_id is then the incident, else 0. */
int escalation_db_refused(struct db_conn *conn,
                          int64_t outbox_id,
                          int64_t *ret_incident_id,
                          struct err *reterr);

/* When the next is due; INT64_MAX: none is. */
int escalation_db_next(struct db_conn *conn, int64_t *ret_next_ms, struct err *reterr);
