#pragma once

/*
 * The alerts of rules as rows: what a restart reads back. Saving is part of the job that
 * also pages (page_db.h), so that the state and what it caused are stored together.
 */

#include "alertd/alert/set.h"
#include "alertd/db/db.h"
#include "lib/base/arena.h"

/* All alerts of one rule into *set (alert_set_done()). */
int alert_db_load(struct db_conn *conn,
                  int64_t rule_id,
                  struct alert_set *ret_set,
                  struct err *reterr);

/* Makes the rows those of `after`; only what differs from `before` is written. A job. */
int alert_db_save(struct db_conn *conn,
                  int64_t rule_id,
                  const struct alert_set *before,
                  const struct alert_set *after,
                  struct err *reterr);

/* Rules that are no longer live have no alerts. Returns through ret_n how many went. */
int alert_db_forget_dead(struct db_conn *conn, int64_t *ret_n, struct err *reterr);
