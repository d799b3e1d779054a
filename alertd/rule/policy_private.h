#pragma once

/*
 * Inside of a policy: what was read, as it stands in its YAML tree.
 */

#include "alertd/rule/policy.h"
#include "lib/regex/regex.h"

struct rule_policy {
    struct yaml *yaml;
    /* Lists of texts, NULL where nothing is wanted. */
    const struct yaml_node *severities, *labels, *annotations, *selectors, *keep, *external;
    struct regex *alert_name, *record_name; /* NULL: any */
    struct regex **rejects;
    size_t n_rejects;
    const struct yaml_node *reject_nodes;
};
