#pragma once

/*
 * Postmortems as rows of state.db: the newest text, every save before it, and what was
 * frozen when it was drafted. Reading functions take any connection; changing ones are
 * for a db_job. What is returned lives in the arena.
 *
 *   draft <--> in_review <--> published        (a published text cannot be saved over:
 *     |  postmortem_db_save() adds a revision   set it back first)
 *
 * Revisions, graphs and frozen samples are only ever added: triggers refuse the rest.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/promql/source.h"
#include "lib/base/arena.h"

enum {
    POSTMORTEM_DB_E_NOT_FOUND = 40,
    POSTMORTEM_DB_E_EXISTS = 41,    /* the incident has one: words name it */
    POSTMORTEM_DB_E_STALE = 42,     /* somebody saved a newer revision: words say who */
    POSTMORTEM_DB_E_PUBLISHED = 43, /* a published text cannot be saved over */
    POSTMORTEM_DB_E_LIMIT = 44,     /* the arena is spent */
    GRAPH_DB_HASH_BYTES = 32,
};

struct postmortem_row {
    int64_t id;
    int64_t incident_id;
    const char *incident; /* its key */
    const char *title;
    const char *template_name;
    const char *status;
    int64_t revision;
    int64_t open_prompts; /* lines that begin with TEMPLATE_PROMPT */
    int64_t created_ms, updated_ms;
    const char *updated_by;
    const char *markdown; /* NULL in lists */
};

/* The newest 500, without markdown. */
int postmortem_db_list(struct db_conn *conn,
                       struct arena *arena,
                       struct postmortem_row **ret_rows,
                       size_t *ret_n,
                       struct err *reterr);
int postmortem_db_get(struct db_conn *conn,
                      int64_t id,
                      struct arena *arena,
                      struct postmortem_row *ret_row,
                      struct err *reterr);

/* --- jobs --- */

struct postmortem_draft {
    int64_t incident_id;
    const char *title;
    const char *template_name;
    const char *markdown;
    const char *facts; /* JSON */
    const char *author;
    int64_t now_ms;
};

/* Revision 1; the incident then names it. POSTMORTEM_DB_E_EXISTS. */
int postmortem_db_create(struct db_conn *conn,
                         const struct postmortem_draft *draft,
                         int64_t *ret_id,
                         struct err *reterr);

struct postmortem_save {
    int64_t id;
    int64_t base_revision; /* what the writer had before them */
    const char *title;     /* NULL: as it was */
    const char *markdown;
    const char *author;
    int64_t now_ms;
};

/* Adds a revision. POSTMORTEM_DB_E_NOT_FOUND, _STALE, _PUBLISHED. */
int postmortem_db_save(struct db_conn *conn,
                       const struct postmortem_save *save,
                       struct err *reterr);

/* status as in the CHECK of the table; an event goes on the incident's timeline when it
 * changes. */
int postmortem_db_set_status(struct db_conn *conn,
                             int64_t id,
                             const char *status,
                             const char *actor,
                             int64_t now_ms,
                             struct err *reterr);

/* --- what is frozen --- */

struct graph_row {
    int64_t id;
    int64_t incident_id;
    const char *title;
    const char *query;
    int64_t start_ms, end_ms, step_ms;
    int64_t captured_ms;
    int64_t n_points;
    const char *series; /* JSON */
    const char *svg;
};

/* Job; id is ignored. */
int graph_db_add(struct db_conn *conn,
                 const struct graph_row *graph,
                 int64_t *ret_id,
                 struct err *reterr);
int graph_db_get(struct db_conn *conn,
                 int64_t id,
                 struct arena *arena,
                 struct graph_row *ret_graph,
                 struct err *reterr);
/* All of an incident, oldest first. */
int graph_db_list(struct db_conn *conn,
                  int64_t incident_id,
                  struct arena *arena,
                  struct graph_row **ret_graphs,
                  size_t *ret_n,
                  struct err *reterr);
/* Does the stored drawing still have the hash it was stored with? 0, or -EIO. */
int graph_db_verify(struct db_conn *conn, int64_t id, struct err *reterr);

/* Job. Keeps one series' samples for the incident; a series that is kept already stays as
 * it is. */
int frozen_db_add(struct db_conn *conn,
                  int64_t incident_id,
                  const struct source_series *series,
                  struct err *reterr);
int frozen_db_list(struct db_conn *conn,
                   int64_t incident_id,
                   struct arena *arena,
                   struct source_series **ret_series,
                   size_t *ret_n,
                   struct err *reterr);
