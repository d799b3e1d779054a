#pragma once

/*
 * Which routes an alert takes, and which group of theirs it belongs to. Pure.
 *
 * A route is taken when it matches and no child of it is taken; behind a taken child the
 * next sibling is asked only when the child says `continue`. The root takes every alert.
 */

#include "alertd/route/config.h"
#include "lib/model/labels.h"

enum {
    ROUTE_WALK_MAX = 64 /* routes that one alert may take; more are not told and counted */
};

struct route_walk {
    const struct route_node *at[ROUTE_WALK_MAX]; /* in order */
    size_t n;
    size_t n_refused;
};

void route_walk(const struct route_config *config,
                const struct labels *alert,
                struct route_walk *ret_walk);

/* What became of each route on the way; the tree's own places, route_node.index. */
enum route_outcome {
    ROUTE_NOT_ASKED, /* a sibling before it took the alert, or its parent does not match */
    ROUTE_NO_MATCH,
    ROUTE_BELOW, /* it matches, and a route below it is taken */
    ROUTE_TAKEN,
};
/* The same walk; ret_outcomes has room for config->n_nodes. */
void route_walk_trace(const struct route_config *config,
                      const struct labels *alert,
                      struct route_walk *ret_walk,
                      enum route_outcome *ret_outcomes);

/* The labels of the alert's group in that route; heap, labels_unref(). */
const struct labels *route_node_group(const struct route_node *node, const struct labels *alert);
/* `{}/{severity="x"}:{alertname="y"}` */
void route_node_group_key(const struct route_node *node,
                          const struct labels *group,
                          struct str *out);

/* Its labels and those of the routes above it, its own first; heap, labels_unref(). */
const struct labels *route_node_labels(const struct route_node *node);
/* The route of a group's key; the first of those that are spelled the same, NULL: it is gone. */
const struct route_node *route_node_of_key(const struct route_config *config,
                                           const char *group_key);

/* Why a route tells nobody at an instant. */
enum route_quiet {
    ROUTE_TELLS,
    ROUTE_MUTED,      /* a mute_time_interval holds */
    ROUTE_NOT_ACTIVE, /* none of its active_time_intervals holds */
};
enum route_quiet route_node_quiet(const struct route_node *node,
                                  int64_t at_ms,
                                  const char **ret_interval);
