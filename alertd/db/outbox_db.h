#pragma once

/*
 * Notifications owed, as rows of state.db: written in the transaction that decided them,
 * drained by app/loop_notify.c.
 *
 *   waiting --claim--> sending --accepted--> sent
 *      ^                  |
 *      |<---failed--------+----- a later one took its place ---> superseded
 *      |                  |
 *      |                  +----- 24 h passed, or its receiver is gone ---> failed
 *      +--- a start of alertd finds it in `sending`: it may have arrived; it is sent
 *           again under the same idempotency key
 *
 * Invariants
 *  (1) one row per (incident, transition, integration); its key is a hash of these.
 *  (2) of one incident, an integration gets its notifications in order: a row is claimed
 *      only when no earlier one of its incident and integration is waiting or sending.
 *  (3) a row leaves `waiting`/`sending` only by being sent, told by a later one, or with
 *      a notify.undelivered event on the timeline.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/incident/page.h"
#include "alertd/route/config.h"
#include "alertd/route/grouping.h"
#include "lib/base/arena.h"

enum {
    OUTBOX_KEEP_TRYING_MS = 24 * 3600 * 1000,
    OUTBOX_ACK_LINK_DAYS = 7, /* after the incident's end */
    OUTBOX_ACK_KEY_BYTES = 32,
    OUTBOX_ACK_TOKEN_MAX = 48, /* text with its NUL */
};

/* --- deciding; jobs --- */

/* Makes whatever notifications the incident's story owes at now_ms. */
int outbox_db_owe(struct db_conn *conn,
                  const struct route_config *config,
                  int64_t incident_id,
                  bool has_news,
                  int64_t now_ms,
                  bool *ret_grew,
                  struct err *reterr);
/* An acknowledgement: reminders that wait are no longer needed. */
int outbox_db_drop_reminders(struct db_conn *conn, int64_t incident_id, struct err *reterr);
/* Reminders that are due, and notifications that were tried for a day. *ret_next_ms is
 * when to call again at the latest; *ret_grew: reminders were made. */
int outbox_db_keep(struct db_conn *conn,
                   const struct route_config *config,
                   int64_t now_ms,
                   int64_t *ret_next_ms,
                   bool *ret_grew,
                   struct err *reterr);

/* --- sending; jobs --- */

/* After a start: rows found in `sending` wait again. */
int outbox_db_recover(struct db_conn *conn, int64_t now_ms, struct err *reterr);

struct outbox_claim {
    bool found;
    int64_t next_due_ms; /* when none was due: when the next is; INT64_MAX: none waits */
    struct page page;    /* in the arena; its URLs are made from external_url */
};

struct outbox_claim_options {
    const char *receiver;
    const char *kind;
    unsigned slot;
    const char *external_url;
    const unsigned char *ack_key; /* OUTBOX_ACK_KEY_BYTES; makes the phone page's address */
    int64_t now_ms;
};

/* Takes the most urgent due row of an integration into `sending`: pages before what is
 * over, then the oldest. */
int outbox_db_claim(struct db_conn *conn,
                    const struct outbox_claim_options *options,
                    struct arena *arena,
                    struct outbox_claim *ret_claim,
                    struct err *reterr);

int outbox_db_sent(struct db_conn *conn,
                   int64_t outbox_id,
                   const char *answer,
                   int64_t now_ms,
                   struct err *reterr);
/* Waits again until retry_at_ms, unless a later notification can tell it. An event goes on
 * the timeline at the first failure and when it is a refusal. */
int outbox_db_failed(struct db_conn *conn,
                     int64_t outbox_id,
                     const char *error,
                     bool refused,
                     int64_t retry_at_ms,
                     int64_t now_ms,
                     struct err *reterr);
/* Given up. */
int outbox_db_undelivered(
    struct db_conn *conn, int64_t outbox_id, const char *why, int64_t now_ms, struct err *reterr);

/* --- reading --- */

struct outbox_row {
    int64_t id;
    const char *incident; /* its key */
    const char *receiver, *kind;
    unsigned slot;
    const char *reason;
    const char *state; /* "waiting" | "sending" | "sent" | "failed" | "superseded" */
    unsigned attempts;
    int64_t due_at_ms;
    int64_t sent_at_ms;     /* 0: not */
    const char *last_error; /* NULL: none */
};

/* incident NULL: of all, the newest `limit`. */
int outbox_db_list(struct db_conn *conn,
                   const char *incident,
                   unsigned limit,
                   struct arena *arena,
                   struct outbox_row **ret_rows,
                   size_t *ret_n,
                   struct err *reterr);
/* When an integration was last told something, and since when something waits for it
 * beyond its time; 0: never, nothing. */
int outbox_db_told(struct db_conn *conn,
                   const struct route_integration *integration,
                   int64_t now_ms,
                   int64_t *ret_last_sent_ms,
                   int64_t *ret_oldest_waiting_ms,
                   struct err *reterr);

struct outbox_counts {
    uint64_t waiting, sending, sent, failed, superseded;
    int64_t oldest_due_ms; /* of the waiting; 0: none waits */
};
int outbox_db_counts(struct db_conn *conn, struct outbox_counts *ret_counts, struct err *reterr);

/* The incident a phone page's token is for: INCIDENT_DB_E_NOT_FOUND when there is none or
 * its time is over. */
int ack_link_db_find(struct db_conn *conn,
                     const char *token,
                     int64_t now_ms,
                     int64_t *ret_incident_id,
                     struct err *reterr);
/* The token of an incident's phone page (OUTBOX_ACK_TOKEN_MAX bytes), kept as a hash. */
int ack_link_db_make(struct db_conn *conn,
                     int64_t incident_id,
                     const unsigned char *ack_key,
                     int64_t now_ms,
                     char *ret_token,
                     struct err *reterr);
/* The key that tokens are made with, from the file at path; made when it is not there. */
int ack_link_db_key(const char *path,
                    unsigned char ret_key[OUTBOX_ACK_KEY_BYTES],
                    struct err *reterr);
