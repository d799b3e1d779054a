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
 *      Copies for shadows (lane 'shadow') are claimed apart from what is real: neither waits
 *      for the other, takes its place or tells it, and no event is made of a copy.
 *  (3) a row leaves `waiting`/`sending` only by being sent, told by a later one, or with
 *      a notify.undelivered event on the timeline.
 *  (4) a digest is a row of its own, about no incident: those that it tells are superseded by
 *      it, and become `sent` when it is, or `failed`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/incident/pace.h"
#include "alertd/incident/page.h"
#include "alertd/route/config.h"
#include "alertd/route/reason.h"
#include "lib/base/arena.h"

/* What a receiver's name begins with when it is a person of the roster: "person:ana". */
#define OUTBOX_PERSON "person:"

/* The receiver of the canary's rows, and what their keys begin with; a number follows. */
#define OUTBOX_CANARY     "alertd:canary"
#define OUTBOX_CANARY_KEY "canary-"

/* A message that counts as a page, as in report.h and pages.h: it arrived, and says that something
 * fires. Shown on the dashboard nobody is disturbed; a shadow is not on call; a digest, a test and the news
 * that something is over are no pages. */
#define OUTBOX_IS_PAGE                                         \
    "state = 'sent' AND lane = 'page' AND kind <> 'dashboard'" \
    " AND reason NOT IN ('resolved', 'some resolved')"

enum {
    OUTBOX_KEEP_TRYING_MS = 24 * 3600 * 1000,
    OUTBOX_ACK_LINK_DAYS = 7, /* after the incident's end */
    OUTBOX_ACK_KEY_BYTES = 32,
    OUTBOX_ACK_TOKEN_MAX = 48, /* text with its NUL */
};

/* --- bells (db.h): rung with each row that is made, for who sends it --- */

enum {
    OUTBOX_BELL_PEOPLE = 1 << 0,  /* any person's contact */
    OUTBOX_BELL_SHADOWS = 1 << 1, /* copies */
    OUTBOX_BELLS_FIRST = 2,       /* integrations have the others, by a hash: some share one */
};
#define OUTBOX_BELL_ALL UINT64_MAX
uint64_t outbox_bell(const char *receiver, const char *kind, unsigned slot);

/* --- deciding; jobs --- */

/* A notification to be made. Loans. */
struct outbox_new {
    int64_t incident_id;
    enum route_reason reason;
    const char *receiver;
    const char *kind;
    unsigned slot;
    bool send_resolved;    /* false: it is not told the end */
    const char *group_key; /* of the group it is about */
    const struct labels *group;
    const uint64_t *alerts; /* fingerprints; NULL: all of the incident's */
    size_t n_alerts;
    int64_t now_ms;
    int64_t after_ms; /* it is due that long behind now_ms */
};

/* Makes it, unless one that waits unsent can tell it; takes the place of one that has been
 * tried (route_merge()). Reminders are not made while somebody looks at the incident, nor its
 * end when that was told already. */
int outbox_db_add(struct db_conn *conn,
                  const struct outbox_new *news,
                  bool *ret_grew,
                  struct err *reterr);
/* A person closed the incident: whoever was told of it since it began is told so. */
int outbox_db_close(struct db_conn *conn,
                    const struct route_config *config,
                    int64_t incident_id,
                    int64_t now_ms,
                    struct err *reterr);
/* The same when its alerts ended, for the people who were paged: receivers are told by their
 * groups. */
int outbox_db_close_people(struct db_conn *conn,
                           int64_t incident_id,
                           int64_t now_ms,
                           struct err *reterr);
/* An acknowledgement: reminders and pages of an escalation that wait are no longer needed. */
int outbox_db_drop_reminders(struct db_conn *conn, int64_t incident_id, struct err *reterr);
/* Owes the canary's receiver a beat, in place of the one before. */
int outbox_db_canary(struct db_conn *conn, int64_t beat, int64_t now_ms, struct err *reterr);
/* Gives up notifications that were tried for a day, or whose receiver is gone. */
int outbox_db_give_up(struct db_conn *conn,
                      const struct route_config *config,
                      int64_t now_ms,
                      struct err *reterr);

/* --- sending; jobs --- */

/* After a start: rows found in `sending` wait again. */
int outbox_db_recover(struct db_conn *conn, int64_t now_ms, struct err *reterr);

struct outbox_claims {
    struct page *pages; /* in the arena; their URLs are made from external_url */
    size_t n;
    size_t n_digests, n_folded; /* of them, and what they tell */
    bool was_held;              /* something due waits for the pace */
    int64_t next_due_ms; /* when there are fewer than asked for: when the next is; INT64_MAX: none
                            waits */
};

/* How fast integrations are told; see incident/pace.h. NULL functions: as fast as they take it. */
struct outbox_pace {
    struct pace_room (*look)(void *arg, const char *receiver, const char *kind, unsigned slot);
    void (*take)(void *arg, const char *receiver, const char *kind, unsigned slot);
    void *arg;
};

struct outbox_claim_options {
    struct outbox_pace pace;
    bool people;  /* of any person instead of an integration: the next three are not read */
    bool shadows; /* with people: copies for shadows, and nothing else; else none of them */
    const char *receiver;
    const char *kind;
    unsigned slot;
    const char *external_url;
    const unsigned char *ack_key; /* OUTBOX_ACK_KEY_BYTES; makes the phone page's address */
    int64_t now_ms;
    size_t max; /* how many at once */
};

/* Takes the most urgent due rows of an integration into `sending`: pages before what is
 * over, then the oldest. */
int outbox_db_claim(struct db_conn *conn,
                    const struct outbox_claim_options *options,
                    struct arena *arena,
                    struct outbox_claims *ret_claims,
                    struct err *reterr);
/* The rows that a digest tells; none of another row. At most DIGEST_PAGES_MAX. */
int outbox_db_folded(
    struct db_conn *conn, int64_t outbox_id, int64_t *ret_ids, size_t *ret_n, struct err *reterr);
/* A claimed row that nobody tried to send waits again, as if it had not been claimed. */
int outbox_db_release(struct db_conn *conn, int64_t outbox_id, struct err *reterr);

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
    int64_t digest_id;      /* the digest that tells it; 0: it is told by itself */
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

/* Since when the oldest page that is not told is owed (0: none), and how many wait. */
int outbox_db_oldest_unsent(struct db_conn *conn,
                            int64_t *ret_owed_ms,
                            int64_t *ret_n,
                            struct err *reterr);

/* Whom something is due for since before then that nobody took. */
int outbox_db_left(struct db_conn *conn,
                   int64_t due_before_ms,
                   void (*each)(void *arg, const char *receiver, const char *kind, unsigned slot),
                   void *arg,
                   struct err *reterr);

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

/* --- the log of deliveries (delivery_db.c) --- */

/* A row of the outbox with what became of it. */
struct delivery_row {
    int64_t id;
    const char *incident, *title; /* NULL: it is about none (a test) */
    const char *receiver;         /* or "person:ana" */
    const char *kind, *lane, *reason, *state;
    unsigned attempts;
    bool refused;
    int64_t created_at_ms, owed_at_ms, due_at_ms;
    int64_t sent_at_ms;     /* 0: not */
    const char *last_error; /* NULL: none */
    int64_t superseded_by;  /* 0: not */
    /* of the incident, when that came after it was sent; 0: not */
    int64_t acknowledged_at_ms;
    const char *acknowledged_by; /* NULL: nobody */
};

struct delivery_query {
    const char *incident; /* a key; NULL: of all */
    const char *receiver; /* as in the row; NULL: any */
    const char *state;    /* "waiting" finds "sending" too; NULL: any */
    int64_t before_id;    /* 0: from the newest on */
    unsigned limit;
};

/* The newest first. */
int delivery_db_list(struct db_conn *conn,
                     const struct delivery_query *query,
                     struct arena *arena,
                     struct delivery_row **ret_rows,
                     size_t *ret_n,
                     struct err *reterr);

/* --- pages to people, as they come --- */

struct outbox_person_row {
    int64_t id;
    const char *person, *incident, *title;
};
int outbox_db_newest(struct db_conn *conn, int64_t *ret_id, struct err *reterr);
/* Behind that row, in their order; not those that say it is over. */
int outbox_db_people_after(struct db_conn *conn,
                           int64_t after_id,
                           struct arena *arena,
                           struct outbox_person_row **ret_rows,
                           size_t *ret_n,
                           struct err *reterr);
