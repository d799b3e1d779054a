#pragma once

/*
 * What a report is made of, out of state.db.
 */

#include "alertd/db/db.h"
#include "alertd/incident/report.h"

/* Fills incidents, pages, changes and votes of ret_input for its from_ms and to_ms; rows are
 * in the arena. INCIDENT_DB_E_LIMIT. */
int report_db_read(struct db_conn *conn,
                   struct arena *arena,
                   struct report_input *input,
                   struct err *reterr);
/* Behind the input's shifts those of every schedule until now_ms, and everybody's homes. Zones
 * are zones': they outlive the report. */
int report_db_read_duty(struct db_conn *conn,
                        struct zones *zones,
                        int64_t now_ms,
                        struct arena *arena,
                        struct report_input *input,
                        struct err *reterr);
