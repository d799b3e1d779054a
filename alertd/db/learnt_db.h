#pragma once

/*
 * What was looked up of an incident in samples, as JSON, each time somebody looked: rows are only ever
 * added, the newest counts. What it says is postmortem/learnt.h's.
 */

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    LEARNT_DB_E_LIMIT = 44,
};

/* Job. */
int learnt_db_add(struct db_conn *conn,
                  int64_t incident_id,
                  int64_t made_ms,
                  const char *learnt,
                  struct err *reterr);
/* The newest, in the arena; NULL: nobody looked yet. */
int learnt_db_get(struct db_conn *conn,
                  int64_t incident_id,
                  struct arena *arena,
                  const char **ret_learnt,
                  struct err *reterr);
