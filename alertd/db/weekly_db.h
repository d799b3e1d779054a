#pragma once

/*
 * Weekly reports owed to integrations, as rows of state.db: so that each week is sent once,
 * whatever is stopped and started meanwhile.
 *
 *   (no row) --owe--> waiting --claim--> sending --accepted--> sent
 *                        ^                  |
 *                        +----- failed -----+--- a day after it was owed ---> failed
 *
 * A start finds `sending`: it may have arrived, and is sent again under the same message id.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/incident/report.h"

enum {
    WEEKLY_KEY_MAX = 160,
    WEEKLY_RECEIVER_MAX = 256,
};

struct weekly_to {
    const char *receiver, *kind;
    unsigned slot;
};

/* All of these are jobs. */

/* Owed from now on, unless it ever was. */
int weekly_db_owe(struct db_conn *conn,
                  const char *week,
                  const struct weekly_to *to,
                  int64_t now_ms,
                  struct err *reterr);
int weekly_db_recover(struct db_conn *conn, int64_t now_ms, struct err *reterr);

struct weekly_claim {
    bool found;
    int64_t next_due_ms; /* when none was due: when the next is; INT64_MAX: none waits */
    char week[REPORT_WEEK_MAX];
    char key[WEEKLY_KEY_MAX]; /* the same in every attempt, and in no other message */
    int64_t owed_ms;
    unsigned attempts; /* before this one */
};

/* The oldest that is due for this integration goes into `sending`. */
int weekly_db_claim(struct db_conn *conn,
                    const struct weekly_to *to,
                    int64_t now_ms,
                    struct weekly_claim *ret_claim,
                    struct err *reterr);
int weekly_db_sent(struct db_conn *conn,
                   const char *week,
                   const struct weekly_to *to,
                   int64_t now_ms,
                   struct err *reterr);
/* Again at retry_at_ms, or never when a day has passed (*ret_given_up). */
int weekly_db_failed(struct db_conn *conn,
                     const char *week,
                     const struct weekly_to *to,
                     const char *error,
                     int64_t retry_at_ms,
                     bool *ret_given_up,
                     struct err *reterr);
