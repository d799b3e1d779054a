#pragma once

/*
 * Incidents, their alerts and their timeline as rows of state.db. Reading functions take
 * any connection; changing ones are for a db_job. What is returned lives in the arena.
 *
 * The event table is append-only: triggers refuse UPDATE and DELETE, and each row carries
 * the hash of the one before it, so that "unchanged since" can be checked
 * (event_db_verify()).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/incident/incident.h"
#include "alertd/incident/timeline.h"
#include "lib/base/arena.h"

enum {
    INCIDENT_DB_KEY_MAX = 32,
    INCIDENT_DB_E_NOT_FOUND = 20,
    INCIDENT_DB_E_NOT_OPEN = 21, /* acknowledging what is resolved */
    INCIDENT_DB_E_LIMIT = 22,    /* the arena is spent */
    INCIDENT_DB_E_CHAIN = 23,    /* the event log was changed from outside: words say where */
};

enum incident_list {
    INCIDENT_LIST_ALL,
    INCIDENT_LIST_OPEN, /* not resolved */
    INCIDENT_LIST_RESOLVED,
};

struct incident_query {
    enum incident_list which;
    int64_t before_id; /* 0: from the newest */
    unsigned limit;
};

/* Newest first. */
int incident_db_list(struct db_conn *conn,
                     const struct incident_query *query,
                     struct arena *arena,
                     struct incident **ret_incidents,
                     size_t *ret_n,
                     struct err *reterr);
int incident_db_get(struct db_conn *conn,
                    const char *key,
                    struct arena *arena,
                    struct incident *ret_incident,
                    struct err *reterr);
/* One that was brought from elsewhere: INCIDENT_DB_E_NOT_FOUND when none was opened then, with this title. */
int incident_db_get_brought(struct db_conn *conn,
                            int64_t opened_ms,
                            const char *title,
                            struct arena *arena,
                            struct incident *ret_incident,
                            struct err *reterr);
int incident_db_get_by_id(struct db_conn *conn,
                          int64_t id,
                          struct arena *arena,
                          struct incident *ret_incident,
                          struct err *reterr);

/* Firing first, then newest first; at most `limit`. */
int incident_db_alerts(struct db_conn *conn,
                       int64_t incident_id,
                       size_t limit,
                       struct arena *arena,
                       struct incident_alert **ret_alerts,
                       size_t *ret_n,
                       struct err *reterr);

/* Alerts by their fingerprints, as the newest incident of each has them: firing first, then
 * newest first; at most `limit`. Those no incident has are left out. */
struct incident_choice {
    const uint64_t *fingerprints;
    size_t n;
    size_t limit;
};
int incident_db_alerts_of(struct db_conn *conn,
                          const struct incident_choice *choice,
                          struct arena *arena,
                          struct incident_alert **ret_alerts,
                          size_t *ret_n,
                          struct err *reterr);

/* Oldest first by when it happened. */
int incident_db_timeline(struct db_conn *conn,
                         int64_t incident_id,
                         struct arena *arena,
                         struct timeline_event **ret_events,
                         size_t *ret_n,
                         struct err *reterr);

/* How often an alert began to fire in each of the 24 hours before now_ms, oldest first;
 * ret_start_ms is the start of the first. */
int incident_db_hours(struct db_conn *conn,
                      int64_t now_ms,
                      int64_t *ret_start_ms,
                      unsigned ret_fired[24],
                      struct err *reterr);

/* --- what people do; jobs --- */

struct incident_deed {
    const char *key;        /* the incident's */
    const char *actor;      /* who */
    const char *text;       /* a note; NULL or "" for none */
    int64_t occurred_at_ms; /* of the note; 0: now */
    int64_t now_ms;
};

/* Somebody looks at it: reminders stop. A second time changes nothing (*ret_changed
 * false). INCIDENT_DB_E_NOT_FOUND, _NOT_OPEN. */
int incident_db_ack(struct db_conn *conn,
                    const struct incident_deed *deed,
                    bool *ret_changed,
                    struct err *reterr);

/* Somebody holds it, as acknowledged, whoever did before: reminders and pages stop. */
int incident_db_hold(struct db_conn *conn,
                     int64_t incident_id,
                     const char *actor,
                     int64_t now_ms,
                     struct err *reterr);
/* Nobody holds it any more: what was acknowledged waits for somebody again. */
int incident_db_let_go(struct db_conn *conn, int64_t incident_id, struct err *reterr);

/* A note on the timeline. */
int incident_db_note(struct db_conn *conn,
                     const struct incident_deed *deed,
                     int64_t *ret_event_id,
                     struct err *reterr);

struct route_config;

/* A person says it is over; alerts that still fire stay listed and are named in the
 * event. Receivers are told. A second time changes nothing but keeps the note. */
int incident_db_resolve(struct db_conn *conn,
                        const struct route_config *config,
                        const struct incident_deed *deed,
                        bool *ret_changed,
                        struct err *reterr);

/* --- the log --- */

/* Appends event (id, recorded_at_ms are filled in) and attaches it to the incident (0:
 * to none). */
int event_db_append(struct db_conn *conn,
                    int64_t incident_id,
                    const struct timeline_event *event,
                    int64_t now_ms,
                    int64_t *ret_id,
                    struct err *reterr);
/* The same to every incident that is not resolved. */
int event_db_tell_open(struct db_conn *conn,
                       const struct timeline_event *event,
                       int64_t now_ms,
                       struct err *reterr);
int event_db_get(struct db_conn *conn,
                 int64_t id,
                 struct arena *arena,
                 struct timeline_event *ret_event,
                 struct err *reterr);
/* Its key, into INCIDENT_DB_KEY_MAX bytes; "" when there is no such incident. */
int incident_db_key(struct db_conn *conn, int64_t id, char *ret_key, struct err *reterr);
/* Walks the chain from the first event; INCIDENT_DB_E_CHAIN names the first that does not
 * fit. ret_n may be NULL. */
int event_db_verify(struct db_conn *conn, int64_t *ret_n, struct err *reterr);
