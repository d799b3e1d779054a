#pragma once

/*
 * Matchers in the config file, in their three spellings. Private to route/.
 */

#include "alertd/route/matchers.h"
#include "alertd/route/matchers_utf8.h"
#include "alertd/route/node.h"

/* What they are called: route_matcher_keys, and those of both sides of an inhibit rule. */
struct matcher_keys {
    const char *equal, *pattern, *list;
};

extern const struct matcher_keys route_matcher_keys;

/* Sorted, in the config's arena. */
int node_read_matchers(struct node_reader *reader,
                       const struct yaml_node *map,
                       struct matcher_keys keys,
                       struct matcher **ret_at,
                       size_t *ret_n);

void node_match_manual(struct str *out);
