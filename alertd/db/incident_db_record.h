#pragma once

/*
 * The incident record as rows of state.db: events that people or other tools bring, the
 * revisions over them, the marks. incident/record.h says what they mean.
 */

#include "alertd/db/incident_db.h"
#include "alertd/incident/record.h"

enum {
    INCIDENT_DB_E_REFUSED = 24, /* record_check(), or an event of another incident: words say */
};

/* --- reading --- */

/* The timeline as it stands, oldest first, without its words: marks need none, and of twenty
 * thousand rows a reader sees a hundred. incident_db_fill() brings the words of some. */
int incident_db_outline(struct db_conn *conn,
                        int64_t incident_id,
                        struct arena *arena,
                        struct record_event **ret_rows,
                        size_t *ret_n,
                        struct err *reterr);
int incident_db_fill(struct db_conn *conn,
                     struct record_event *rows,
                     size_t n,
                     struct arena *arena,
                     struct err *reterr);
/* What record_fold() and record_read() answered, as an answer of ours. */
int incident_db_folded(int result);
/* With all words. */
int incident_db_rows(struct db_conn *conn,
                     int64_t incident_id,
                     struct arena *arena,
                     struct record_event **ret_rows,
                     size_t *ret_n,
                     struct err *reterr);
/* Revisions of an incident's events, oldest first; event_id 0: of all. */
int incident_db_revs(struct db_conn *conn,
                     int64_t incident_id,
                     int64_t event_id,
                     struct arena *arena,
                     struct record_rev **ret_revs,
                     size_t *ret_n,
                     struct err *reterr);
/* Every setting of a mark, oldest first. */
int incident_db_settings(struct db_conn *conn,
                         int64_t incident_id,
                         struct arena *arena,
                         struct record_setting **ret_settings,
                         size_t *ret_n,
                         struct err *reterr);

/* What the record is read from (rows without their words), and what it says. */
struct incident_record {
    struct incident incident;
    struct record_input input;
    struct record record;
};
int incident_db_record(struct db_conn *conn,
                       const char *key,
                       struct arena *arena,
                       struct incident_record *ret,
                       struct err *reterr);

/* When the alerts of the incident were told: pages of receivers, not of shadows nor of the
 * dashboard. 0: never. */
struct incident_page_times {
    int64_t owed_at_ms, sent_at_ms;
};
int incident_db_page_times(struct db_conn *conn,
                           int64_t incident_id,
                           const struct incident_alert *alert,
                           struct incident_page_times *ret_times,
                           struct err *reterr);

/* --- changing; jobs --- */

/* An event that is brought, and what is said of it at once. */
struct record_news {
    struct timeline_event event;
    const char *conflict; /* NULL: no source says otherwise */
    bool pin;
};

struct record_batch {
    const char *key; /* the incident's */
    const char *actor;
    int64_t now_ms;
    struct record_news *news; /* events' ids are filled in */
    size_t n;
    size_t n_known; /* out: of them, those with a reference that was taken in before */
};

/* All of them, or none. Those that are known by their reference are left as they are. */
int incident_db_add_events(struct db_conn *conn, struct record_batch *batch, struct err *reterr);

struct record_revision {
    const char *key;
    struct record_rev rev; /* old, id and recorded_at_ms are filled in */
    int64_t now_ms;
    bool changed; /* out: false when the row was that already */
};
int incident_db_revise(struct db_conn *conn, struct record_revision *revision, struct err *reterr);

struct record_marking {
    const char *key;
    const struct record_setting *settings; /* names, scopes, states, times, reasons */
    size_t n;
    const char *actor;
    int64_t now_ms;
    size_t n_changed; /* out */
};
int incident_db_set_marks(struct db_conn *conn, struct record_marking *marking, struct err *reterr);

/* A person says that there is an incident, or was one. */
struct incident_declaration {
    const char *title, *severity;
    const char *labels; /* a JSON object */
    const char *origin; /* "real", "near_miss", "import" */
    const char *actor;
    int64_t opened_at_ms;
    int64_t resolved_at_ms;    /* 0: it goes on */
    const char *recurrence_of; /* a key; NULL: of none */
    int64_t now_ms;
};
/* Its key, into INCIDENT_DB_KEY_MAX bytes. */
int incident_db_declare(struct db_conn *conn,
                        const struct incident_declaration *declaration,
                        char *ret_key,
                        struct err *reterr);
/* Another end, for one that was brought from elsewhere. */
int incident_db_set_end(struct db_conn *conn,
                        const char *key,
                        int64_t resolved_at_ms,
                        struct err *reterr);
/* "" takes the link away. */
int incident_db_set_recurrence(struct db_conn *conn,
                               const char *key,
                               const char *of_key,
                               struct err *reterr);
