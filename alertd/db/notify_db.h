#pragma once

/*
 * What routing has to remember: when each group is looked at next, and what each integration
 * was told of it last. Rows of state.db, written in the transaction that owes a notification;
 * route/dispatch.h is what they mean. Writing functions are for a db_job.
 */

#include "alertd/db/db.h"
#include "alertd/route/dispatch.h"
#include "lib/base/arena.h"

int notify_db_put_group(struct db_conn *conn,
                        const struct dispatch_group_row *row,
                        struct err *reterr);
int notify_db_drop_group(struct db_conn *conn, int64_t group_id, struct err *reterr);
int notify_db_put_told(struct db_conn *conn,
                       const struct dispatch_log_row *row,
                       struct err *reterr);
/* Those that expired; one that still says somebody fires is kept for days, since its end is owed:
 * nobody may have run when it came. */
int notify_db_forget(struct db_conn *conn, int64_t now_ms, struct err *reterr);
/* Of groups that are not in the config any more, all of them: they are made anew. */
int notify_db_drop_groups(struct db_conn *conn, struct err *reterr);

/* Every row; members are not in them. What is given is good for the call only. */
int notify_db_groups(struct db_conn *conn,
                     void (*each)(void *arg, const struct dispatch_group_row *row),
                     void *arg,
                     struct err *reterr);
int notify_db_told(struct db_conn *conn,
                   void (*each)(void *arg, const struct dispatch_log_row *row),
                   void *arg,
                   struct err *reterr);
