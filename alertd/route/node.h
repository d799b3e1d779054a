#pragma once

/*
 * The tree of routes, inhibit rules and time intervals of the config file. Private to route/.
 */

#include "alertd/route/field.h"
#include "lib/model/zone.h"

struct node_reader {
    const struct field_reader *fields;
    struct route_config *config;
    struct zones *zones;
    size_t n_warnings;
    struct err *reterr;
};

/* time_intervals and mute_time_intervals; before the tree, which names them. */
int node_read_intervals(struct node_reader *reader, const struct yaml_node *root);
int node_read_inhibit_rules(struct node_reader *reader, const struct yaml_node *root);
/* `route:`; behind the receivers. */
int node_read_tree(struct node_reader *reader, const struct yaml_node *route);

void node_manual(struct str *out);
