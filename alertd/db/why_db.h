#pragma once

/*
 * What rows say of an alert by an instant, for explaining (why/why.h). Reading only. What is
 * found lives in the arena.
 */

#include "alertd/db/db.h"
#include "alertd/why/why.h"
#include "lib/base/arena.h"
#include "lib/model/matcher.h"

enum {
    WHY_DB_E_LIMIT = 60, /* the arena is spent */
    WHY_DB_OTHERS_MAX = 20,
    WHY_DB_INCIDENT_ALERTS_MAX = 20000, /* the newest of incidents that are looked through */
    WHY_DB_DELIVERIES_MAX = 5000,       /* of an incident; the newest */
};

/* Which alert is meant. */
struct why_db_wish {
    const char *fingerprint;        /* as APIs spell it, or as the log does; NULL: not by that */
    const struct labels *labels;    /* these and no others; NULL: not by that */
    const struct matcher *matchers; /* it has these, maybe others too */
    size_t n_matchers;
};

struct why_db_found {
    const struct labels *labels; /* NULL: none is known */
    const struct labels *others[WHY_DB_OTHERS_MAX];
    size_t n_others; /* that are meant as well; what is cut is not counted */
};

/* One that fires before others, then the newest. */
int why_db_find(struct db_conn *conn,
                const struct why_db_wish *wish,
                struct arena *arena,
                struct why_db_found *ret_found,
                struct err *reterr);

/* Its state then, by its row or by the events of its incidents; alert->labels is given. The state
 * stays WHY_NOT_KNOWN when neither says it, and alert->from says which did. Its rule is filled in,
 * whatever the state. */
int why_db_alert(struct db_conn *conn,
                 int64_t at_ms,
                 bool is_past,
                 struct arena *arena,
                 struct why_alert *alert,
                 struct err *reterr);

struct why_db_incident {
    int64_t id; /* 0: none */
    const char *key, *title;
};
/* The newest that held the alert as firing by then, in this life of it (since fired_ms; 0: in
 * any). */
int why_db_incident(struct db_conn *conn,
                    const struct why_alert *alert,
                    int64_t at_ms,
                    struct arena *arena,
                    struct why_db_incident *ret_incident,
                    struct err *reterr);

/* The incident's notifications that are about the alert, by id. */
int why_db_deliveries(struct db_conn *conn,
                      int64_t incident_id,
                      uint64_t alert_hash,
                      struct arena *arena,
                      struct why_delivery **ret_rows,
                      size_t *ret_n,
                      struct err *reterr);

/* What fired then by rows: of rules, of others, in incidents. Some may be there twice. */
int why_db_sources(struct db_conn *conn,
                   int64_t at_ms,
                   struct arena *arena,
                   struct why_source **ret_sources,
                   size_t *ret_n,
                   struct err *reterr);

/* How many changes of the roster there were since then. */
int why_db_roster_changes(struct db_conn *conn,
                          int64_t since_ms,
                          int64_t *ret_n,
                          struct err *reterr);
