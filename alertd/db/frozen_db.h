#pragma once

/*
 * What is frozen for an incident, past every retention: graphs, drawn and as numbers, and
 * the samples that their queries and the incident's rules read. Rows are only ever added:
 * triggers refuse the rest.
 *
 * The samples of an incident can be read by its key, as a source of PromQL's
 * (frozen_db_by_key() and memory_source.h): what a backtest or a drill runs over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/db/db.h"
#include "alertd/promql/source.h"
#include "lib/base/arena.h"

enum {
    FROZEN_DB_HASH_BYTES = 32,
    FROZEN_DB_E_NOT_FOUND = 40,
    FROZEN_DB_E_LIMIT = 44,
};

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
    bool is_chosen; /* by a person; others are those of the rules */
    bool has_threshold;
    double threshold;
    int64_t rule_id; /* whose alerts are its bands; 0: none */
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
/* Of an incident, oldest first: those that people chose, and the newest batch of those that
 * the rules asked for. */
int graph_db_list(struct db_conn *conn,
                  int64_t incident_id,
                  struct arena *arena,
                  struct graph_row **ret_graphs,
                  size_t *ret_n,
                  struct err *reterr);
/* Does the stored drawing still have the hash it was stored with? 0, or -EIO. */
int graph_db_verify(struct db_conn *conn, int64_t id, struct err *reterr);

/* Job. Keeps one series' samples for the incident; of a series that is kept already only
 * what is newer than what is there. */
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
/* The incident's samples by its key. FROZEN_DB_E_NOT_FOUND when there is no such incident. */
int frozen_db_by_key(struct db_conn *conn,
                     const char *key,
                     struct arena *arena,
                     struct source_series **ret_series,
                     size_t *ret_n,
                     struct err *reterr);

/* What is kept of an incident, without reading it all. */
struct frozen_sum {
    int64_t n_series, n_samples, from_ms, to_ms;
    int64_t upto;                               /* the newest row */
    unsigned char sha256[FROZEN_DB_HASH_BYTES]; /* of every row, in order of the labels */
};
/* Of the rows up to one (a sum's `upto`); INT64_MAX: of all. */
int frozen_db_sum(struct db_conn *conn,
                  int64_t incident_id,
                  int64_t upto,
                  struct frozen_sum *ret_sum,
                  struct err *reterr);
