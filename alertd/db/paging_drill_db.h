#pragma once

/*
 * Paging-path drills as rows: whom a policy would page, by which methods, and who answered.
 *
 *   due --loop_path.c sends--> sent --its link is pressed (contact_db.h)--> answered
 *   unreached: a step that reaches nobody, a person without a contact
 *
 * Reading functions take any connection; changing ones are for a db_job.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    PAGING_DRILL_DB_E_NOT_FOUND = 90,
    PAGING_DRILL_DB_E_RUNNING = 91, /* there is one of this policy: words say which */
    PAGING_DRILL_DB_E_LIMIT = 92,
    PAGING_DRILL_PAGES_MAX = 1000,
};

struct paging_drill_row {
    int64_t id;
    const char *policy, *by;
    int64_t made_ms, until_ms, ended_ms; /* ended 0: it goes on */
};

struct paging_drill_page_row {
    int64_t id;
    int64_t step; /* from 0; -1: the fallback */
    const char *via, *target;
    const char *person, *method, *address; /* NULL: none */
    const char *state;                     /* "due", "sent", "unreached" */
    const char *outcome;                   /* "accepted", "later", "refused"; NULL */
    const char *words;                     /* NULL */
    int64_t answered_ms;                   /* 0: not */
};

/* Job: the drill with its pages (id, outcome and answered_ms are not read). */
int paging_drill_db_add(struct db_conn *conn,
                        const struct paging_drill_row *drill,
                        const struct paging_drill_page_row *pages,
                        size_t n,
                        int64_t *ret_id,
                        struct err *reterr);
/* Job: what became of one; token NULL: none was made. */
int paging_drill_db_sent(struct db_conn *conn,
                         int64_t page_id,
                         const char *token,
                         const char *words,
                         struct err *reterr);
/* Job: those whose time is over end; ret_n counts them. */
int paging_drill_db_end(struct db_conn *conn, int64_t now_ms, size_t *ret_n, struct err *reterr);

/* The next to be sent; id 0: none. */
int paging_drill_db_due(struct db_conn *conn,
                        struct arena *arena,
                        struct paging_drill_row *ret_drill,
                        struct paging_drill_page_row *ret_page,
                        struct err *reterr);
/* When the policy's newest began; 0: never. */
int paging_drill_db_last(struct db_conn *conn,
                         const char *policy,
                         int64_t *ret_made_ms,
                         struct err *reterr);
/* Newest first, 200 at most. */
int paging_drill_db_list(struct db_conn *conn,
                         struct arena *arena,
                         struct paging_drill_row **ret_rows,
                         size_t *ret_n,
                         struct err *reterr);
int paging_drill_db_get(struct db_conn *conn,
                        int64_t id,
                        struct arena *arena,
                        struct paging_drill_row *ret_drill,
                        struct paging_drill_page_row **ret_pages,
                        size_t *ret_n,
                        struct err *reterr);
/* The newest drill that paged this person, and when they answered first; 0: never. */
int paging_drill_db_of_person(struct db_conn *conn,
                              const char *person,
                              int64_t *ret_made_ms,
                              int64_t *ret_answered_ms,
                              struct err *reterr);
