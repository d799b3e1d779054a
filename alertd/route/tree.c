/*
 * The walk through the tree of routes. See tree.h.
 */

#include "alertd/route/tree.h"

#include <string.h>

#include "alertd/route/interval.h"
#include "alertd/route/matchers.h"

struct walker {
    const struct labels *alert;
    struct route_walk *found;
    enum route_outcome *outcomes; /* NULL: nobody asks */
};

static void note(const struct walker *walker,
                 const struct route_node *node,
                 enum route_outcome outcome)
{
    if (walker->outcomes)
        walker->outcomes[node->index] = outcome;
}

/* The config's depth is limited, so this may call itself. */
static bool walk(const struct walker *walker, const struct route_node *node)
{
    bool deeper = false;

    if (!matchers_match(node->matchers, node->n_matchers, walker->alert)) {
        note(walker, node, ROUTE_NO_MATCH);
        return false;
    }
    for (size_t i = 0; i < node->n_children; i++) {
        bool taken = walk(walker, &node->children[i]);

        deeper = deeper || taken;
        if (taken && !node->children[i].goes_on)
            break;
    }
    note(walker, node, deeper ? ROUTE_BELOW : ROUTE_TAKEN);
    if (!deeper && walker->found->n < ROUTE_WALK_MAX)
        walker->found->at[walker->found->n++] = node;
    else if (!deeper)
        walker->found->n_refused++;
    return true;
}

void route_walk(const struct route_config *config,
                const struct labels *alert,
                struct route_walk *ret_walk)
{
    route_walk_trace(config, alert, ret_walk, NULL);
}

void route_walk_trace(const struct route_config *config,
                      const struct labels *alert,
                      struct route_walk *ret_walk,
                      enum route_outcome *ret_outcomes)
{
    struct walker walker = {alert, ret_walk, ret_outcomes};

    ret_walk->n = 0;
    ret_walk->n_refused = 0;
    for (size_t i = 0; ret_outcomes && i < config->n_nodes; i++)
        ret_outcomes[i] = ROUTE_NOT_ASKED;
    walk(&walker, config->root);
}

const struct labels *route_node_group(const struct route_node *node, const struct labels *alert)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    if (node->group_by_all)
        return labels_new(alert->at, alert->n);
    for (size_t i = 0; i < node->group_by.n; i++) {
        const char *value = labels_get(alert, node->group_by.at[i]);

        if (value)
            labels_builder_set(&builder, node->group_by.at[i], value);
    }
    return labels_builder_finish(&builder);
}

void route_node_group_key(const struct route_node *node,
                          const struct labels *group,
                          struct str *out)
{
    str_addf(out, "%s:", node->key);
    labels_print(group, out);
}

static void add_labels(struct labels_builder *builder, const struct route_node *node)
{
    if (node->parent)
        add_labels(builder, node->parent); /* depth is limited */
    for (size_t i = 0; i < node->own_labels.n; i++)
        labels_builder_set(builder, node->own_labels.at[i].key, node->own_labels.at[i].value);
}

const struct labels *route_node_labels(const struct route_node *node)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    add_labels(&builder, node);
    return labels_builder_finish(&builder);
}

/* A key is its parent's, a slash and its own matchers; behind the last one stands `:{`. */
static const struct route_node *find_key(const struct route_node *node, const char *group_key)
{
    size_t len = strlen(node->key);
    const struct route_node *found = NULL;

    if (strncmp(node->key, group_key, len) != 0)
        return NULL;
    if (group_key[len] == ':' && group_key[len + 1] == '{')
        return node;
    for (size_t i = 0; group_key[len] == '/' && !found && i < node->n_children; i++)
        found = find_key(&node->children[i], group_key);
    return found;
}

const struct route_node *route_node_of_key(const struct route_config *config, const char *group_key)
{
    return find_key(config->root, group_key);
}

enum route_quiet route_node_quiet(const struct route_node *node,
                                  int64_t at_ms,
                                  const char **ret_interval)
{
    *ret_interval = NULL;
    for (size_t i = 0; i < node->n_mute; i++)
        if (route_interval_holds(node->mute[i], at_ms)) {
            *ret_interval = node->mute[i]->name;
            return ROUTE_MUTED;
        }
    for (size_t i = 0; i < node->n_active; i++)
        if (route_interval_holds(node->active[i], at_ms))
            return ROUTE_TELLS;
    return node->n_active > 0 ? ROUTE_NOT_ACTIVE : ROUTE_TELLS;
}
