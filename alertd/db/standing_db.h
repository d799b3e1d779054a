#pragma once

/*
 * What fires right now, whoever said so: our rules' alerts and those that others sent, for
 * lists and for explaining. Reading only; what is stored where is in alert_db.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "lib/base/arena.h"
#include "lib/model/labels.h"

enum {
    STANDING_DB_E_LIMIT = 54, /* the arena is spent */
};

struct standing_alert {
    const struct labels *labels;
    const struct labels *annotations;
    const char *source;        /* "rule", "alertmanager", "pagerduty", "webhook" */
    const char *generator_url; /* "" for a rule's: see expr */
    const char *expr;          /* of a rule; "" */
    const char *incident;      /* its key; NULL: it is in none */
    int64_t starts_ms;
    int64_t ends_ms;    /* it lasts at least until then, unless somebody says otherwise */
    int64_t updated_ms; /* when it was last said to fire */
    bool has_value;
    double value;
};

/* Those that fire, by labels; one that several fire is there once. */
int standing_db_list(struct db_conn *conn,
                     int64_t now_ms,
                     struct arena *arena,
                     struct standing_alert **ret_alerts,
                     size_t *ret_n,
                     struct err *reterr);

/* An alert of others as its row is. */
struct standing_external {
    int64_t starts_ms, ends_ms;
    bool is_firing;
};
int standing_db_external(struct db_conn *conn,
                         const struct labels *labels,
                         struct standing_external *ret_row,
                         bool *ret_found,
                         struct err *reterr);
/* How many alerts fire, rules' and others'. */
int standing_db_count(struct db_conn *conn, int64_t *ret_n, struct err *reterr);
/* How many of others' alerts fire. */
int standing_db_count_external(struct db_conn *conn, int64_t *ret_n, struct err *reterr);

/* The alert of others that fires and has these two labels: PagerDuty's identity. Its labels
 * and the key of its incident (NULL: none), in the arena. */
int standing_db_by_dedup_key(struct db_conn *conn,
                             const char *integration,
                             const char *dedup_key,
                             struct arena *arena,
                             struct standing_alert *ret_alert,
                             bool *ret_found,
                             struct err *reterr);
