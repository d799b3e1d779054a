#pragma once

/*
 * Addresses that let whoever holds them do one thing without a login: made of the installation's
 * key, found by their hash. Inside db/; see ack_link_db.c.
 */

#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/db/outbox_db.h"

enum {
    LINK_HASH_BYTES = 32,
};

/* The token of "WHAT ID" (OUTBOX_ACK_TOKEN_MAX bytes) and the hash that is kept of it. */
void link_token(const char *what,
                int64_t id,
                const unsigned char *ack_key,
                char *ret_token,
                unsigned char ret_hash[LINK_HASH_BYTES]);
/* The id that the statement gives for ?1, a token's hash, when its incident was not over before ?2.
 * `not_found`: there is none, or its time is over. */
int link_find(struct db_stmt *stmt,
              const char *token,
              int64_t now_ms,
              int not_found,
              int64_t *ret_id,
              struct err *reterr);
