#pragma once

/*
 * Pages of shadows as rows of state.db: copies of what really pages somebody, for who looks
 * over their shoulder, and what they made of it.
 *
 *   a step pages ana --pager/fork.c--> shadow_page of dan (who shadows ana)
 *                                        |-- rows of the outbox, lane 'shadow', to dan's contacts
 *                                        '-- its own story: seen, acknowledged, hypothesis, ...
 *
 * Invariants
 *  (1) Nothing here changes what is real: incidents, their timelines, escalations, and rows of
 *      the outbox in other lanes are read only.
 *  (2) What somebody does first stays first: done again, it changes nothing. Texts and answers
 *      may be said anew, and the story keeps every saying.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/db/outbox_db.h"
#include "alertd/oncall/roster.h"
#include "lib/base/arena.h"

enum {
    SHADOW_DB_E_NOT_FOUND = 75,
    SHADOW_DB_E_LIMIT = 76,   /* the arena is spent */
    SHADOW_DB_E_REVERSE = 77, /* that page is the real one: it has no copy to acknowledge */
    SHADOW_TEXT_BYTES_MAX = 8000,
    SHADOW_STORY_EVERY_MS = 60 * 1000, /* a text that is written on is told once in that time */
    SHADOW_KEEP_TRYING_MS = 60 * 60 * 1000, /* an hour later a copy teaches nobody how to wake up */
};

/* What a copy's key and claims call its lane. */
#define SHADOW_LANE "shadow"

/* --- forking (shadow_fork_db.c); jobs --- */

/* A page to be made. Loans. */
struct shadow_fork {
    const struct shadow *shadow;
    const char *mentor; /* who stands behind */
    const char *real;   /* whose real page it is a copy of; NULL: it is itself the real one */
    const char *step;   /* "shop 1.1" */
    int64_t incident_id;
    bool is_night;
    int64_t real_made_ms; /* created_ms of the real rows */
    int64_t now_ms;
};

/* *ret_page_id is 0 when that step has made it already. */
int shadow_db_fork(struct db_conn *conn,
                   const struct shadow_fork *fork,
                   int64_t *ret_page_id,
                   struct err *reterr);
/* A copy for one contact, in the lane 'shadow', with a key of its own. */
int shadow_db_owe(struct db_conn *conn,
                  int64_t page_id,
                  const struct contact *contact,
                  unsigned slot,
                  int64_t now_ms,
                  struct err *reterr);
/* The incident is over: who was told by a copy is told so by another one. */
int shadow_db_close(struct db_conn *conn, int64_t incident_id, int64_t now_ms, struct err *reterr);
/* The real rows that were just made for a person are those of the page, in reverse. */
int shadow_db_link(struct db_conn *conn,
                   int64_t page_id,
                   const char *person,
                   int64_t made_ms,
                   bool is_mentor,
                   struct err *reterr);
int shadow_db_tell(struct db_conn *conn,
                   int64_t page_id,
                   const char *kind,
                   const char *words,
                   const char *actor,
                   int64_t now_ms,
                   struct err *reterr);
/* A row of a reverse page was refused: when none of who is paged first is left, those behind
 * are due at once. *ret_grew then. */
int shadow_db_refused(
    struct db_conn *conn, int64_t outbox_id, int64_t now_ms, bool *ret_grew, struct err *reterr);
/* Copies that could not be told for too long: no event, nobody waits for them. */
int shadow_db_give_up(struct db_conn *conn, int64_t now_ms, struct err *reterr);

/* A savepoint around what must not take the real page with it. `keep` false takes back all since;
 * an error of these is one of the whole transaction. */
int shadow_db_begin(struct db_conn *conn, struct err *reterr);
int shadow_db_end(struct db_conn *conn, bool keep, struct err *reterr);

/* The address of a copy's own page (OUTBOX_ACK_TOKEN_MAX bytes), kept as a hash; *ret_mode may be
 * SHADOW_OBSERVE: nothing to acknowledge then. */
int shadow_db_make_link(struct db_conn *conn,
                        int64_t outbox_id,
                        const unsigned char *key,
                        char *ret_token,
                        bool *ret_has_copy,
                        struct err *reterr);
int shadow_db_find_link(struct db_conn *conn,
                        const char *token,
                        int64_t now_ms,
                        int64_t *ret_page_id,
                        struct err *reterr);
/* What a reverse page says of it, to who answers and to who stands behind; NULL: it is none. */
int shadow_db_practice(struct db_conn *conn,
                       int64_t outbox_id,
                       struct arena *arena,
                       const char **ret_words,
                       struct err *reterr);

/* --- what people do; jobs --- */

enum shadow_deed_kind {
    SHADOW_SEEN,
    SHADOW_OPENED,
    SHADOW_ACKNOWLEDGED,
    SHADOW_HYPOTHESIS,
    SHADOW_NOTES,
    SHADOW_ANSWERS,
    SHADOW_REVEALED,
};

enum shadow_answer {
    SHADOW_NOT_ANSWERED,
    SHADOW_NO,
    SHADOW_YES,
    SHADOW_AS_BEFORE, /* in a deed: not said this time */
};

struct shadow_answers {
    enum shadow_answer acted_on, made_sense, knew_where;
};

struct shadow_deed {
    int64_t page_id;
    enum shadow_deed_kind kind;
    const char *text; /* of a hypothesis or notes */
    struct shadow_answers answers;
    const char *actor;
    int64_t now_ms;
};

int shadow_db_do(struct db_conn *conn, const struct shadow_deed *deed, struct err *reterr);

/* --- reading --- */

struct shadow_page {
    int64_t id;
    const char *person;
    const char *shadow, *mode, *mentor;
    const char *of_kind, *of_name;
    int64_t incident_id;
    const char *key, *title, *severity, *status;                   /* the incident's */
    int64_t made_ms, told_ms, seen_ms, opened_ms, acknowledged_ms; /* 0: not */
    const char *hypothesis;                                        /* NULL: none */
    int64_t hypothesis_ms;
    const char *notes;
    int64_t revealed_ms;
    struct shadow_answers answers;
    int64_t answered_ms;
    /* of what is real, to be compared with */
    int64_t real_told_ms, real_acknowledged_ms, real_resolved_ms;
};

struct shadow_query {
    int64_t id;           /* 0: any */
    const char *person;   /* NULL: any */
    const char *incident; /* its key; NULL: any */
    unsigned limit;
};

/* Newest first. */
int shadow_db_list(struct db_conn *conn,
                   const struct shadow_query *query,
                   struct arena *arena,
                   struct shadow_page **ret_pages,
                   size_t *ret_n,
                   struct err *reterr);
int shadow_db_get(struct db_conn *conn,
                  int64_t id,
                  struct arena *arena,
                  struct shadow_page *ret_page,
                  struct err *reterr);

struct shadow_delivery {
    const char *receiver, *kind, *state;
    int64_t sent_ms;   /* 0: not */
    const char *error; /* NULL: none */
};

int shadow_db_deliveries(struct db_conn *conn,
                         int64_t page_id,
                         struct arena *arena,
                         struct shadow_delivery **ret_deliveries,
                         size_t *ret_n,
                         struct err *reterr);

struct shadow_event {
    int64_t at_ms;
    const char *kind, *words;
    const char *actor; /* NULL: a machine */
};

/* In the order in which it happened. */
int shadow_db_story(struct db_conn *conn,
                    int64_t page_id,
                    struct arena *arena,
                    struct shadow_event **ret_events,
                    size_t *ret_n,
                    struct err *reterr);

/* What was seen of pages, over all of a person's. */
struct shadow_counts {
    const char *person;
    unsigned pages, night_pages;
    unsigned observed, own_copy, reverse;
    unsigned acknowledged; /* own copies, and in reverse the real ones */
    unsigned answered;     /* whether it made sense */
    unsigned made_sense;
    unsigned taken_over; /* in reverse, by somebody else */
};

/* Everybody who has shadowed; person NULL: all. */
int shadow_db_counts(struct db_conn *conn,
                     const char *person,
                     struct arena *arena,
                     struct shadow_counts **ret_counts,
                     size_t *ret_n,
                     struct err *reterr);
