#pragma once

/*
 * Letters: what is told to an integration and is no page (weekly reports, reminders), as rows of
 * state.db, so that each is sent once whatever is stopped and started meanwhile.
 *
 *   (no row) --owe--> waiting --claim--> sending --accepted--> sent
 *                        ^                  |
 *                        +----- failed -----+--- a day after it was owed ---> failed
 *
 * A start finds `sending`: it may have arrived, and is sent again under the same message id.
 * A topic's letters are told apart by what they are about, and by their round where one thing
 * is told again and again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/db/db.h"

enum {
    LETTER_KEY_MAX = 160,
    LETTER_ABOUT_MAX = 32,
};

struct letter_to {
    const char *receiver, *kind;
    unsigned slot;
};

/* All of these are jobs. */

/* Owed from now on, unless it ever was. */
int letter_db_owe(struct db_conn *conn,
                  const char *topic,
                  const char *about,
                  const char *round,
                  const struct letter_to *to,
                  int64_t now_ms,
                  struct err *reterr);
int letter_db_recover(struct db_conn *conn, int64_t now_ms, struct err *reterr);

struct letter_claim {
    bool found;
    int64_t next_due_ms; /* when none was due: when the next is; INT64_MAX: none waits */
    int64_t id;
    char about[LETTER_ABOUT_MAX];
    char key[LETTER_KEY_MAX]; /* the same in every attempt, and in no other message */
    int64_t owed_ms;
    unsigned attempts; /* before this one */
};

/* The oldest that is due for this integration goes into `sending`. */
int letter_db_claim(struct db_conn *conn,
                    const char *topic,
                    const struct letter_to *to,
                    int64_t now_ms,
                    struct letter_claim *ret_claim,
                    struct err *reterr);
int letter_db_sent(struct db_conn *conn, int64_t id, int64_t now_ms, struct err *reterr);
/* Again at retry_at_ms, or never when a day has passed (*ret_given_up). */
int letter_db_failed(struct db_conn *conn,
                     int64_t id,
                     const char *error,
                     int64_t retry_at_ms,
                     bool *ret_given_up,
                     struct err *reterr);
