#pragma once

/*
 * Events of elsewhere in the log: changes (a deploy), and what another Alertmanager did.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/incident_db.h"

/* Into the log, and onto the timeline of every open incident that it may concern: of its service
 * (NULL: it names none, and may concern each), or of no service that is known. An event whose
 * reference its source told before is known. A job. */
int change_db_add(struct db_conn *conn,
                  const struct timeline_event *event,
                  const char *service,
                  int64_t now_ms,
                  struct err *reterr);

/* Is an event of this kind, time and data in the log already? */
int change_db_known(struct db_conn *conn,
                    const struct timeline_event *event,
                    bool *ret_known,
                    struct err *reterr);

/* Changes that happened from from_ms to to_ms, newest first. */
int change_db_list(struct db_conn *conn,
                   int64_t from_ms,
                   int64_t to_ms,
                   struct arena *arena,
                   struct timeline_event **ret_events,
                   size_t *ret_n,
                   struct err *reterr);
