#pragma once

/*
 * From alert events to incidents, timeline and outbox, inside the transaction that
 * also stores the alerts' own state: either all of it happened or nothing did.
 */

#include "alertd/alert/event.h"
#include "alertd/db/db.h"

struct route_config; /* route/config.h: receivers, grouping, times */

struct page_outcome {
    int64_t incidents[64]; /* ids that changed, for live views; n may be cut at 64 */
    size_t n_incidents;
    bool outbox_grew;
};

/* For a db_job on state.db. Opens or extends the incident of each firing alert's group,
 * appends timeline events, enqueues notifications, resolves incidents whose alerts are
 * all over. */
int page_db_apply(struct db_conn *conn,
                  const struct route_config *config,
                  const struct alert_event *events,
                  size_t n_events,
                  int64_t now_ms,
                  struct page_outcome *ret_outcome,
                  struct err *reterr);
