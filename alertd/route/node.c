/*
 * The tree of routes, as the config file draws it. See node.h.
 */

#include "alertd/route/node.h"

#include <string.h>

#include "alertd/route/interval.h"
#include "alertd/route/node_match.h"

struct way {
    const char *receiver;
    struct route_names group_by;
    struct route_times times;
    struct route_names mute, active;
    struct route_pairs labels;
    bool goes_on;
};

#define ROW(key, type, member, help)                        \
    {                                                       \
        key, type, offsetof(struct way, member), help, NULL \
    }

static const struct field route_rows[] = {
    ROW("receiver", FIELD_TEXT, receiver, "who is told; the parent's"),
    ROW("group_by",
        FIELD_LABEL_NAMES,
        group_by,
        "alerts with the same values of these labels are told together"),
    ROW("group_wait",
        FIELD_DURATION,
        times.group_wait_ms,
        "how long a first page waits for alerts of the same group; the parent's, 30s"),
    ROW("group_interval",
        FIELD_DURATION,
        times.group_interval_ms,
        "between pages about new alerts of one group; the parent's, 5m"),
    ROW("repeat_interval",
        FIELD_DURATION,
        times.repeat_interval_ms,
        "between reminders, until acknowledged; the parent's, 4h"),
    ROW("continue", FIELD_BOOL, goes_on, "ask the next route too when this one matched; false"),
    ROW("matchers", FIELD_READ, receiver, "which alerts take it, such as severity=\"page\""),
    ROW("match", FIELD_READ, receiver, "the old spelling: label: value"),
    ROW("match_re", FIELD_READ, receiver, "the old spelling: label: pattern"),
    ROW("mute_time_intervals", FIELD_TEXTS, mute, "nobody is told while one of these holds"),
    ROW("active_time_intervals",
        FIELD_TEXTS,
        active,
        "somebody is told only while one of these holds"),
    ROW("labels",
        FIELD_PAIRS,
        labels,
        "what notifications know of the route, and routes below it too"),
    ROW("routes", FIELD_READ, receiver, "routes below this one, asked in order"),
    {NULL, FIELD_TEXT, 0, NULL, NULL},
};

static int bad(struct node_reader *reader, const struct yaml_node *at, const char *words)
{
    return err_at(reader->reterr, ROUTE_E_CONFIG, at->line, at->column, "%s", words);
}

static const struct yaml_node *place_of(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, key);

    return node ? node : map;
}

static int find_intervals(struct node_reader *reader,
                          const struct yaml_node *map,
                          const char *key,
                          const struct route_names *names,
                          const struct route_interval ***ret_at,
                          size_t *ret_n)
{
    const struct route_config *config = reader->config;

    *ret_at = arena_array(reader->fields->arena, names->n + 1, sizeof(**ret_at));
    if (!*ret_at)
        return field_too_large(map, reader->reterr);
    for (size_t i = 0; i < names->n; i++) {
        const struct yaml_node *at = yaml_get(map, key)->items[i];

        for (size_t j = 0; j < config->n_intervals && !(*ret_at)[i]; j++)
            if (strcmp(config->intervals[j]->name, names->at[i]) == 0)
                (*ret_at)[i] = config->intervals[j];
        if (!(*ret_at)[i])
            return err_at(reader->reterr, ROUTE_E_CONFIG, at->line, at->column,
                          "no time interval is named \"%s\"", names->at[i]);
    }
    *ret_n = names->n;
    return 0;
}

static int check_times(struct node_reader *reader,
                       const struct yaml_node *route,
                       const struct route_times *times)
{
    const char *field = times->group_interval_ms == 0    ? "group_interval"
                        : times->repeat_interval_ms == 0 ? "repeat_interval"
                                                         : NULL;

    if (!field)
        return 0;

    const struct yaml_node *node = place_of(route, field);

    return err_at(reader->reterr, ROUTE_E_CONFIG, node->line, node->column,
                  "%s must be longer than zero", field);
}

static int find_receiver(struct node_reader *reader,
                         const struct yaml_node *route,
                         const char *name,
                         struct route_node *node)
{
    const struct route_config *config = reader->config;

    for (size_t i = 0; name && i < config->n_receivers; i++)
        if (strcmp(config->receivers[i].name, name) == 0)
            node->receiver = &config->receivers[i];
    if (name && (!node->receiver || strcmp(node->receiver->name, name) != 0)) {
        const struct yaml_node *at = place_of(route, "receiver");

        return err_at(reader->reterr, ROUTE_E_CONFIG, at->line, at->column,
                      "no receiver is named \"%s\"", name);
    }
    if (!node->receiver)
        return bad(reader, route, "the route needs a \"receiver:\"");
    return 0;
}

static int check_root(struct node_reader *reader,
                      const struct yaml_node *route,
                      const struct way *way,
                      const struct route_node *node)
{
    if (node->n_matchers > 0)
        return bad(reader, route, "the root route takes every alert: it must not have matchers");
    if (way->goes_on)
        return bad(reader, place_of(route, "continue"),
                   "the root route has nothing behind it: take \"continue\" out");
    if (way->mute.n > 0 || way->active.n > 0)
        return bad(
            reader,
            place_of(route, way->mute.n > 0 ? "mute_time_intervals" : "active_time_intervals"),
            "the root route must not have time intervals: put them on a route below it");
    return 0;
}

static int spell(struct node_reader *reader,
                 const struct yaml_node *route,
                 struct route_node *node,
                 size_t place)
{
    STR_AUTO struct str text = STR_INIT(256 * 1024);

    if (node->parent)
        str_addf(&text, "%s/", node->parent->key);
    route_matchers_print(node->matchers, node->n_matchers, &text);
    node->key = field_copy(reader->fields, str_text(&text));
    str_cut(&text, 0);
    if (node->parent)
        str_addf(&text, "%s/", node->parent->id);
    route_matchers_print(node->matchers, node->n_matchers, &text);
    if (node->parent)
        str_addf(&text, "/%zu", place);
    node->id = field_copy(reader->fields, str_text(&text));
    return node->key && node->id && !text.full ? 0 : field_too_large(route, reader->reterr);
}

static int read_one(struct node_reader *reader,
                    const struct yaml_node *route,
                    const struct route_node *parent,
                    struct route_node *node,
                    size_t place)
{
    struct way way = {.group_by = node->group_by, .times = node->times};

    node->parent = parent;
    node->line = route->line;
    node->column = route->column;
    node->index = (unsigned)reader->config->n_nodes++;
    if (reader->config->n_nodes > ROUTE_NODES_MAX)
        return bad(reader, route, "there may be at most 2000 routes");
    if (field_read_map(reader->fields, route, route_rows, &way, reader->reterr) ||
        check_times(reader, route, &way.times) ||
        find_receiver(reader, route, way.receiver, node) ||
        node_read_matchers(reader, route, route_matcher_keys, &node->matchers, &node->n_matchers) ||
        (!parent && check_root(reader, route, &way, node)) || spell(reader, route, node, place))
        return ROUTE_E_CONFIG;
    node->times = way.times;
    node->goes_on = way.goes_on;
    node->own_labels = way.labels;
    if (yaml_get(route, "group_by")) {
        node->group_by = way.group_by;
        node->group_by_all = way.group_by.n == 1 && strcmp(way.group_by.at[0], "...") == 0;
        if (node->group_by_all)
            node->group_by.n = 0;
    }
    if (find_intervals(reader, route, "mute_time_intervals", &way.mute, &node->mute, &node->n_mute))
        return ROUTE_E_CONFIG;
    return find_intervals(reader, route, "active_time_intervals", &way.active, &node->active,
                          &node->n_active);
}

/* Depth is limited, so this may call itself. */
static int read_below(struct node_reader *reader,
                      const struct yaml_node *route,
                      struct route_node *node,
                      unsigned depth)
{
    const struct yaml_node *list = yaml_get(route, "routes");

    if (!list)
        return 0;
    if (yaml_expect(list, YAML_LIST, "a list of routes", reader->reterr))
        return ROUTE_E_CONFIG;
    if (depth == ROUTE_DEPTH_MAX)
        return bad(reader, list, "routes may be at most 20 deep");
    if (list->n > ROUTE_NODES_MAX)
        return bad(reader, list, "there may be at most 2000 routes");
    node->children = arena_array(reader->fields->arena, list->n + 1, sizeof(*node->children));
    if (!node->children)
        return field_too_large(list, reader->reterr);
    for (; node->n_children < list->n; node->n_children++) {
        struct route_node *child = &node->children[node->n_children];
        const struct yaml_node *at = list->items[node->n_children];

        *child = (struct route_node){
            .receiver = node->receiver,
            .group_by = node->group_by,
            .group_by_all = node->group_by_all,
            .times = node->times,
        };
        // NOLINTNEXTLINE(readability-suspicious-call-argument): a node is its child's parent
        if (read_one(reader, at, node, child, node->n_children) ||
            read_below(reader, at, child, depth + 1))
            return ROUTE_E_CONFIG;
    }
    return 0;
}

int node_read_tree(struct node_reader *reader, const struct yaml_node *route)
{
    struct route_config *config = reader->config;
    struct route_node *root = arena_alloc(reader->fields->arena, sizeof(*root));

    if (!root)
        return field_too_large(route, reader->reterr);
    root->times = config->times;
    config->root = root;
    if (read_one(reader, route, NULL, root, 0) || read_below(reader, route, root, 0))
        return ROUTE_E_CONFIG;
    config->receiver = root->receiver;
    config->times = root->times;
    if (yaml_get(route, "group_by")) {
        config->group_by = root->group_by;
        config->group_by_all = root->group_by_all;
    }
    return 0;
}

void node_manual(struct str *out)
{
    field_manual("route, routes[]", route_rows, out);
    node_match_manual(out);
}
