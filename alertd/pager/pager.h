#pragma once

/*
 * From alerts to what is owed: the one place where routing, silences, incidents and the outbox
 * meet, inside the transaction that stores the alerts' own state.
 *
 *     alert events --+--> dispatch (groups, clocks, what was told) --flush--> notification
 *                    |                                                          |
 *                    +--> incident of the alert's first route    outbox row <---+
 *
 * The dispatcher lives in memory and is a copy of rows: what it changes is written in the same
 * transaction, and when that is taken back (db_on_undo()) it is made again from the rows. So
 * it is after a restart: the same flushes at the same instants.
 *
 * Invariants
 *  (1) all but pager_new(), pager_configure() and pager_free() run inside jobs of state.db:
 *      one thread, no lock.
 *  (2) an alert that nobody is told of when it fires (silenced, inhibited, its route quiet)
 *      opens no incident; the first flush that would tell it does, and says what held it back.
 *  (3) the incident of an alert is that of its group in the first route it takes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/alert/event.h"
#include "alertd/db/alert_db.h"
#include "alertd/db/db.h"
#include "alertd/oncall/escalation.h"
#include "alertd/route/config.h"
#include "lib/base/log.h"

struct pager;

enum {
    PAGER_E_NO_POLICY = 1,    /* nothing escalates */
    PAGER_INCIDENTS_MAX = 64, /* told of by one call */
};

struct pager_outcome {
    int64_t incidents[PAGER_INCIDENTS_MAX]; /* ids that changed, for live views */
    size_t n_incidents;                     /* may be cut */
    bool outbox_grew;
    bool people_grew; /* some of it may be for people */
    int64_t next_ms;  /* when pager_run() has something to do; INT64_MAX: never by itself */
};

struct pager *pager_new(struct db *state, const struct route_config *config, const struct log *log);
void pager_free(struct pager *pager); /* NULL is fine */

/* Another config from the next job on; the pager takes a reference. Any thread. */
void pager_configure(struct pager *pager, const struct route_config *config);

/* Takes in what rules decided. */
int pager_apply(struct pager *pager,
                struct db_conn *conn,
                const struct alert_event *events,
                size_t n_events,
                int64_t now_ms,
                struct pager_outcome *ret_outcome,
                struct err *reterr);

/* Takes in what others decided; is_firing is what they say now. The rows are written here. Label
 * sets are counted ones (labels_new()). */
int pager_apply_external(struct pager *pager,
                         struct db_conn *conn,
                         const struct alert_db_external *alerts,
                         size_t n_alerts,
                         int64_t now_ms,
                         struct pager_outcome *ret_outcome,
                         struct err *reterr);

/* How many alerts of others fire. */
int pager_n_external(
    struct pager *pager, struct db_conn *conn, int64_t now_ms, int64_t *ret_n, struct err *reterr);

/* Flushes that are due, alerts of others whose time is up. */
int pager_run(struct pager *pager,
              struct db_conn *conn,
              int64_t now_ms,
              struct pager_outcome *ret_outcome,
              struct err *reterr);

/* What a person does to an incident's escalations, in the job that changes the incident itself:
 * an acknowledgement and a resolution behind incident_db_ack() and incident_db_resolve(); the
 * others change the incident's state too. PAGER_E_NO_POLICY, or incident_db.h's errors. */
int pager_deed(struct pager *pager,
               struct db_conn *conn,
               const char *incident,
               const struct escalation_event *event,
               struct pager_outcome *ret_outcome,
               struct err *reterr);

/* A row of the outbox was refused: when nothing of its step was told, the next step is not waited
 * for. */
int pager_refused(struct pager *pager,
                  struct db_conn *conn,
                  int64_t outbox_id,
                  int64_t now_ms,
                  struct pager_outcome *ret_outcome,
                  struct err *reterr);

/* An attempt to tell a row of the outbox failed: its receiver's failover is told as well, at once when
 * it was refused, else when it has been owed for long enough. */
int pager_failed(struct pager *pager,
                 struct db_conn *conn,
                 int64_t outbox_id,
                 bool refused,
                 int64_t now_ms,
                 struct pager_outcome *ret_outcome,
                 struct err *reterr);

/* The canary's rule fired with another beat: told to its own receiver, which no route, silence or
 * inhibition reaches. Nobody's incident; the rest is what every alert goes through here. */
int pager_canary(struct pager *pager,
                 struct db_conn *conn,
                 int64_t beat,
                 int64_t now_ms,
                 struct pager_outcome *ret_outcome,
                 struct err *reterr);

/* Rows of silences were changed in this job. */
void pager_silences_changed(struct pager *pager);
