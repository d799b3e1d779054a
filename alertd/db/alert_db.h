#pragma once

/*
 * The alerts of rules as rows: what a restart reads back. Saving is part of the job that
 * also pages (page_db.h), so that the state and what it caused are stored together.
 */

#include "alertd/alert/set.h"
#include "alertd/db/db.h"
#include "alertd/incident/incident.h"
#include "lib/base/arena.h"

/* All alerts of one rule into *set (alert_set_done()). */
int alert_db_load(struct db_conn *conn,
                  int64_t rule_id,
                  struct alert_set *ret_set,
                  struct err *reterr);

/* Makes the rows those of `after`; only what differs from `before` is written. A job. */
int alert_db_save(struct db_conn *conn,
                  int64_t rule_id,
                  const struct alert_set *before,
                  const struct alert_set *after,
                  struct err *reterr);

/* A rule that is no longer live and still has alerts. */
struct alert_db_dead {
    int64_t rule_id;
    const char *name;
    const char *group_name;
    const char *expr;
};

/* All of them, in the arena. */
int alert_db_dead(struct db_conn *conn,
                  struct arena *arena,
                  struct alert_db_dead **ret_dead,
                  size_t *ret_n,
                  struct err *reterr);

/* Every alert that fires, a rule's or one that others sent (rule_id 0), and those over since
 * over_since_ms. Good for the call only. */
int alert_db_standing(struct db_conn *conn,
                      int64_t over_since_ms,
                      void (*each)(void *arg, const struct incident_alert *alert),
                      void *arg,
                      struct err *reterr);
/* One that fires, by its labels' hash, in the arena; *ret_found false: it does not. */
int alert_db_firing(struct db_conn *conn,
                    uint64_t fingerprint,
                    struct arena *arena,
                    struct incident_alert *ret_alert,
                    bool *ret_found,
                    struct err *reterr);

/* An alert that others sent: Alertmanager's callers, PagerDuty's. rule_id is 0; ends_ms lies
 * ahead while it fires. A job. */
struct alert_db_external {
    const struct labels *labels;
    const struct labels *annotations;
    const char *source; /* "alertmanager", "pagerduty", "webhook" */
    const char *generator_url;
    int64_t starts_ms, ends_ms;
    bool is_firing;
    bool was_firing; /* by its row */
    bool is_new;     /* there is no row, for sure */
    int64_t now_ms;
};
int alert_db_put_external(struct db_conn *conn,
                          const struct alert_db_external *alert,
                          struct err *reterr);

/* Forgets those that are over since before then. A job. */
int alert_db_forget_external(struct db_conn *conn, int64_t over_before_ms, struct err *reterr);

/* Those that fire and whose end has come, in the arena, as over; *ret_next_ms: when the next
 * one's comes (INT64_MAX: none fires). */
int alert_db_expired(struct db_conn *conn,
                     int64_t now_ms,
                     struct arena *arena,
                     struct alert_db_external **ret_alerts,
                     size_t *ret_n,
                     int64_t *ret_next_ms,
                     struct err *reterr);
