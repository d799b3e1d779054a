#pragma once

/*
 * Candidates of rules that run beside them, as rows of state.db: the candidate, its alerts' state,
 * and what either side fired since it began.
 *
 *   trial_db_put() --> a candidate --each evaluation: trial_db_save()--> state, alerts of both sides
 *
 * Invariants
 *  (1) alerts of a side are made equal to what fires now, whatever was missed: a kill between two
 *      jobs loses no end and no beginning.
 *  (2) at most TRIAL_ALERTS_MAX alerts of a rule are kept, the newest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/alert/set.h"
#include "alertd/db/db.h"
#include "lib/base/arena.h"

enum {
    TRIAL_DB_E_NOT_FOUND = 60,
    TRIAL_DB_E_LIMIT = 61, /* as many as there may be, or the arena is spent */

    TRIALS_MAX = 50,
    TRIAL_ALERTS_MAX = 10000,
};

struct trial_row {
    int64_t rule_id;
    const char *rule; /* its name */
    const char *yaml;
    int64_t base_version, version; /* when it began, and now */
    const char *author;
    int64_t began_ms;
    bool is_live; /* the rule is evaluated, and so is this */
    bool is_seeded;
    int64_t evaluations, failures;
    const char *last_error; /* NULL: the last went well */
    int64_t last_ms;        /* 0: never */
};

struct trial_alert {
    bool is_candidate;
    const struct labels *labels; /* in the arena */
    int64_t fired_ms;
    int64_t resolved_ms; /* 0: it fires */
};

/* --- reading; in the arena --- */

int trial_db_list(struct db_conn *conn,
                  struct arena *arena,
                  struct trial_row **ret_rows,
                  size_t *ret_n,
                  struct err *reterr);
int trial_db_get(struct db_conn *conn,
                 int64_t rule_id,
                 struct arena *arena,
                 struct trial_row *ret_row,
                 struct err *reterr);
/* In order of time, those that fired at or after from_ms, or still did then. */
int trial_db_alerts(struct db_conn *conn,
                    int64_t rule_id,
                    int64_t from_ms,
                    struct arena *arena,
                    struct trial_alert **ret_alerts,
                    size_t *ret_n,
                    struct err *reterr);
/* The candidate's alerts; alert_set_done(). */
int trial_db_state(struct db_conn *conn,
                   int64_t rule_id,
                   struct alert_set *ret_set,
                   struct err *reterr);

/* --- jobs --- */

/* In place of the one before, whose past goes. TRIAL_DB_E_NOT_FOUND: no such rule. */
int trial_db_put(struct db_conn *conn,
                 int64_t rule_id,
                 const char *yaml,
                 const char *author,
                 int64_t now_ms,
                 struct err *reterr);
int trial_db_delete(struct db_conn *conn, int64_t rule_id, struct err *reterr);

/* An evaluation. */
struct trial_save {
    int64_t rule_id;
    int64_t began_ms;                /* the one it is of: another is left alone */
    int64_t now_ms;                  /* the slot */
    const char *error;               /* NULL: it went well */
    const struct alert_set *before;  /* the candidate's; equal states are not written */
    const struct alert_set *after;   /* NULL when it failed */
    const struct alert_set *current; /* the rule's, as committed */
};
int trial_db_save(struct db_conn *conn, const struct trial_save *save, struct err *reterr);
