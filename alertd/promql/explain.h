#pragma once

/*
 * What every node of an expression cost: the tree of a query with series, points, samples,
 * time and memory on each node.
 *
 *     sum by (job) (rate(errors_total[5m])) > 0.5
 *
 *     nodes[0]  BINARY >            depth 0   n_below 4
 *     nodes[1]    AGGREGATE sum     depth 1   n_below 2
 *     nodes[2]      CALL rate       depth 2   n_below 1
 *     nodes[3]        SELECTOR      depth 3   n_below 0
 *     nodes[4]    NUMBER 0.5        depth 1   n_below 0
 *
 * Nodes stand in the order they are read, each followed by those below it; parentheses have
 * none of their own. promql_eval() fills them in when the query brings one of these, and
 * pays nothing when it does not. The time comes from a function the caller hands in.
 *
 * A node that was evaluated at one step for all (pinned by @) has steps 1. A subquery's inner
 * nodes have the steps of its own grid. A node with evaluations 0 was not evaluated: a string
 * is taken as it is written, and a function may do the work of the node below it.
 *
 * So that there is something to count, a node makes all its columns before the one above sees
 * them. Unwatched, an aggregation takes each as it is made, and holds less memory than is told.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/promql.h"

struct promql_explain_node {
    const struct promql_expr *expr;
    unsigned depth;
    size_t n_below;
    size_t evaluations;
    size_t steps;   /* it was evaluated at, the last time */
    size_t series;  /* it gave */
    size_t points;  /* of those series; samples, for a range vector */
    size_t samples; /* read from the source, by it and those below */
    size_t bytes;   /* of memory, by it and those below */
    int64_t total_ns;
    int64_t self_ns; /* without those below */
};

struct promql_explain {
    int64_t (*now_ns)(void); /* the caller's: any clock that does not go back */

    /* filled in, in the query's arena */
    struct promql_explain_node *nodes;
    size_t n;
    size_t hottest;   /* the node with the most time of its own */
    size_t steps;     /* of the query */
    size_t queryable; /* samples seen step by step, as Prometheus counts them */

    /* of explain.c, while it runs */
    struct explain_place *places;
    int64_t below_ns;  /* of the nodes that ended below the present one */
    int64_t paused_ns; /* spent on counting, which nobody is charged for */
};

/* "number", "string", "selector", "subquery", "call", "aggregate", "binary", "unary" */
const char *promql_kind_name(const struct promql_expr *expr);
/* The node without those below it: `sum by (job)`, `rate()`, `> bool on (job)`. */
void promql_print_own(const struct promql_expr *expr, struct str *out);
/* Its place in the text the expression was parsed from, bytes [start, end). */
void promql_span(const struct promql_expr *expr, size_t *ret_start, size_t *ret_end);
