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

/* A rule that is no longer live and still has alerts. */
struct alert_db_dead {
    int64_t rule_id;
    const char *name;
    const char *group_name;
    const char *expr;
};

/* All of them, in the arena. */
int alert_db_dead(struct db_conn *conn,
                  struct arena *arena,
                  struct alert_db_dead **ret_dead,
                  size_t *ret_n,
                  struct err *reterr);
