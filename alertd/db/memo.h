#pragma once

/*
 * What the writer remembers between jobs so that it need not be read for each row: the end of the
 * chain of events, and which installation this is. What a transaction that is taken back changed
 * is forgotten.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/db/db.h"

enum {
    MEMO_HASH_BYTES = 32,
    MEMO_INSTALLATION_TEXT = 65, /* hex, with its NUL */
};

struct db_memo {
    bool has_event;
    int64_t event_id; /* the newest */
    unsigned char event_hash[MEMO_HASH_BYTES];
    char installation[MEMO_INSTALLATION_TEXT]; /* capital letters; "": not read yet */
};

/* The connection's database's; in a job only. */
struct db_memo *db_memo(struct db_conn *conn);
/* The installation in hex, a loan. */
int db_memo_installation(struct db_conn *conn, const char **ret_text, struct err *reterr);
