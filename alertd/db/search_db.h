#pragma once

/*
 * Finding words in incidents: their titles and their timelines; what is like an incident; and
 * what was changed before it. What is returned lives in the arena.
 */

#include "alertd/db/incident_db.h"

enum {
    SEARCH_DB_E_WORDS = 50, /* nothing to look for */
    SEARCH_DB_WORDS_MAX = 500,
};

/* A job: takes in what was written since the last search; *ret_more: there is still more. */
int search_db_catch_up(struct db_conn *conn, bool *ret_more, struct err *reterr);

struct search_hit {
    const char *key, *title, *status, *severity;
    int64_t opened_at_ms;
    int64_t event_id; /* 0: its title */
    const char *kind;
    int64_t occurred_at_ms;
    const char *snippet;
};

/* Every word must be there, the last one may go on. Best first; at most `limit`. */
int search_db_find(struct db_conn *conn,
                   const char *words,
                   unsigned limit,
                   struct arena *arena,
                   struct search_hit **ret_hits,
                   size_t *ret_n,
                   struct err *reterr);

/* An earlier or later incident, and why it is like this one. */
struct search_like {
    const char *key, *title, *status;
    int64_t opened_at_ms, resolved_at_ms, postmortem_id;
    unsigned n_rules, n_labels; /* shared: rules that fired, labels */
    unsigned n_words;           /* of the title */
    bool is_linked;             /* one repeats the other */
};
int search_db_like(struct db_conn *conn,
                   const struct incident *incident,
                   unsigned limit,
                   struct arena *arena,
                   struct search_like **ret_likes,
                   size_t *ret_n,
                   struct err *reterr);
