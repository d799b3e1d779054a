#pragma once

/*
 * Graphs of an incident, and the samples behind them, taken out of the store before its
 * retention does.
 *
 *   plans of graphs -> PromQL over the store, remembering what it read -> (in a job) rows
 *
 * What is kept: what the graphs read, what the whole rules read, and what else was measured
 * on the instances that the alerts name, as far as it fits. The tuner's backtests and drills
 * run over it: frozen_db_by_key(). A graph of days that could not all be read says so in its title.
 */

#include "alertd/api/postmortem_record.h"
#include "alertd/postmortem/graph.h"
#include "alertd/promql/told.h"

enum {
    FREEZE_E_QUERY = 62,   /* words say what is wrong with the expression */
    FREEZE_GRAPHS_MAX = 4, /* of rules */
    FREEZE_SAMPLES_MAX = 512 * 1024,
    FREEZE_QUERY_BYTES_MAX = 96 * 1024 * 1024,
    FREEZE_SERIES_JSON_MAX = 4 * 1024 * 1024,
};

/* One graph: what it was planned to be, what it became. */
struct frozen_graph {
    struct graph_plan plan;
    struct graph_story story;
    struct graph_drawing drawing;
    int64_t rule_id;
};

struct freeze {
    const struct api *api;
    const struct postmortem_record *record;
    int64_t now_ms;
    struct arena query; /* samples */
    struct frozen_graph graphs[FREEZE_GRAPHS_MAX];
    size_t n_graphs;
    struct source_series *read; /* what the queries read, each series once */
    size_t n_read, read_capacity;
    struct told *told; /* what could not be read of the graph at hand */
};

void freeze_init(struct freeze *freeze,
                 const struct api *api,
                 const struct postmortem_record *record,
                 int64_t now_ms);
void freeze_done(struct freeze *freeze);

/* A graph for each rule, and the samples. What cannot be drawn is logged and left out. */
void freeze_rules(struct freeze *freeze);

/* One graph that a person chose. FREEZE_E_QUERY. */
struct freeze_wish {
    const char *query;
    const char *title; /* "": the query */
    int64_t start_ms, end_ms;
};
int freeze_query(struct freeze *freeze, const struct freeze_wish *wish, struct err *reterr);

/* Jobs. rows, FREEZE_GRAPHS_MAX of them, are filled: their texts are the freeze's. */
int freeze_store_graphs(struct freeze *freeze,
                        struct db_conn *conn,
                        bool is_chosen,
                        struct graph_row *rows,
                        struct err *reterr);
int freeze_store_samples(struct freeze *freeze, struct db_conn *conn, struct err *reterr);
