#pragma once

/*
 * Verdicts as rows of state.db: said, never changed, each an event on the timeline too.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/incident/verdict.h"
#include "lib/base/arena.h"

struct verdict_deed {
    const char *key;   /* the incident's */
    int64_t outbox_id; /* the page it was said on; 0, or one of another incident: on none */
    const char *actor;
    enum verdict verdict;
    const char *reason; /* NULL or "": none */
    const char *via;    /* verdict_via_is_known() */
    int64_t now_ms;
};

/* A job. Saying again what one's newest says changes nothing (*ret_changed false).
 * INCIDENT_DB_E_NOT_FOUND. */
int verdict_db_say(struct db_conn *conn,
                   const struct verdict_deed *deed,
                   bool *ret_changed,
                   struct err *reterr);

/* The receiver of one of the incident's pages, in the arena; NULL when it has no such page. */
int verdict_db_receiver(struct db_conn *conn,
                        int64_t incident_id,
                        int64_t outbox_id,
                        struct arena *arena,
                        const char **ret_receiver,
                        struct err *reterr);

struct verdict_query {
    int64_t incident_id;    /* 0: of all */
    int64_t from_ms, to_ms; /* said within [from, to) */
    int64_t rule_id;        /* 0: of any */
    const char *rule;       /* a rule's name; NULL: any */
    unsigned limit;
};

struct verdict_row {
    int64_t id;
    const char *incident;                 /* its key */
    int64_t opened_at_ms, resolved_at_ms; /* the incident's; 0: it is not over */
    const char *labels;                   /* the incident's group's, a JSON object */
    const char *rules;                    /* [{"id":7,"name":"Down"}] */
    int64_t outbox_id;                    /* 0: said on no page */
    const char *actor;
    enum verdict verdict;
    const char *reason;
    int64_t at_ms;
    const char *via;
    bool counts; /* the newest of its actor on its incident */
};

/* Newest first. */
int verdict_db_list(struct db_conn *conn,
                    const struct verdict_query *query,
                    struct arena *arena,
                    struct verdict_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr);
