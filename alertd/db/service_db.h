#pragma once

/*
 * Services as rows of state.db; what a spec says is incident/service.h's. What is returned lives
 * in the arena.
 */

#include "alertd/db/incident_db.h"
#include "alertd/incident/service.h"

enum {
    SERVICE_DB_E_NOT_FOUND = 40,
    SERVICE_DB_E_STALE = 41, /* somebody saved another one: words say who */
    SERVICE_DB_E_LIMIT = 42,
    SERVICE_DB_E_MANY = 43,
    SERVICE_DB_MAX = 2000,
};

struct service_row {
    int64_t id, revision, updated_at_ms;
    const char *name, *spec, *updated_by;
};

/* By name. */
int service_db_list(struct db_conn *conn,
                    struct arena *arena,
                    struct service_row **ret_rows,
                    size_t *ret_n,
                    struct err *reterr);
int service_db_get(struct db_conn *conn,
                   const char *name,
                   struct arena *arena,
                   struct service_row *ret_row,
                   struct err *reterr);

/* The services that an incident concerns: by its labels and its alerts'. */
int service_db_of_incident(struct db_conn *conn,
                           const struct incident *incident,
                           struct arena *arena,
                           struct service_row **ret_rows,
                           size_t *ret_n,
                           struct err *reterr);

/* Each incident, but drills, that was opened in [from_ms, to_ms), once for each service of the catalogue that
 * it concerns; once with "" when it is none of them. In memory that ends with the call. */
int service_db_incidents(struct db_conn *conn,
                         int64_t from_ms,
                         int64_t to_ms,
                         void (*visit)(void *arg, const char *service, int64_t opened_ms),
                         void *arg,
                         struct err *reterr);

/* --- jobs --- */

struct service_save {
    const char *name, *spec; /* spec "": it is taken away */
    const char *author;
    int64_t base_revision; /* the one that was edited; 0: whatever is there */
    int64_t now_ms;
    int64_t revision; /* out */
};
int service_db_save(struct db_conn *conn, struct service_save *save, struct err *reterr);
