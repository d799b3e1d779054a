/*
 * Matchers, inhibit rules and named time intervals of the config file. See node.h.
 */

#include "alertd/route/node_match.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/route/interval.h"

const struct matcher_keys route_matcher_keys = {"match", "match_re", "matchers"};

static const struct matcher_keys source_keys = {"source_match", "source_match_re",
                                                "source_matchers"};
static const struct matcher_keys target_keys = {"target_match", "target_match_re",
                                                "target_matchers"};

static int bad(struct node_reader *reader, const struct yaml_node *at, const char *words)
{
    return err_at(reader->reterr, ROUTE_E_CONFIG, at->line, at->column, "%s", words);
}

/* The words of a failure inside a text, at the text's place. */
static int place(struct node_reader *reader, const struct yaml_node *at, const struct err *err)
{
    return err_at(reader->reterr, ROUTE_E_CONFIG, at->line, at->column, "%s", err->text);
}

static int warn(struct node_reader *reader, const struct yaml_node *at, const struct str *words)
{
    struct route_names *warnings = &reader->config->warnings;
    STR_AUTO struct str text = STR_INIT(1024);

    if (words->len == 0 || warnings->n == ROUTE_PAIRS_MAX)
        return 0;
    if (!warnings->at)
        warnings->at = arena_array(reader->fields->arena, ROUTE_PAIRS_MAX, sizeof(*warnings->at));
    if (!warnings->at)
        return field_too_large(at, reader->reterr);
    str_addf(&text, "%u:%u: %s", at->line, at->column, str_text(words));
    warnings->at[warnings->n] = field_copy(reader->fields, str_text(&text));
    if (!warnings->at[warnings->n])
        return field_too_large(at, reader->reterr);
    warnings->n++;
    return 0;
}

static int add_list(struct node_reader *reader,
                    const struct yaml_node *list,
                    struct route_matchers *found)
{
    if (!list)
        return 0;
    if (yaml_expect(list, YAML_LIST, "a list of matchers", reader->reterr))
        return ROUTE_E_CONFIG;
    for (size_t i = 0; i < list->n; i++) {
        STR_AUTO struct str warning = STR_INIT(1024);
        const char *text = "";
        struct err err = {0};

        if (yaml_string(list->items[i], &text, reader->reterr))
            return ROUTE_E_CONFIG;
        if (route_matchers_parse(text, ROUTE_GRAMMAR_BOTH, found, &warning, &err))
            return place(reader, list->items[i], &err);
        if (warn(reader, list->items[i], &warning))
            return ROUTE_E_CONFIG;
    }
    return 0;
}

static int add_map(struct node_reader *reader,
                   const struct yaml_node *map,
                   enum matcher_type type,
                   struct route_matchers *found)
{
    if (!map)
        return 0;
    if (yaml_expect(map, YAML_MAP, "a map of label: value", reader->reterr))
        return ROUTE_E_CONFIG;
    for (size_t i = 0; i < map->n; i++) {
        STR_AUTO struct str text = STR_INIT(8192);
        const char *value = "";
        struct err err = {0};

        if (!labels_name_is_classic(map->keys[i]->text))
            return bad(reader, map->keys[i], "expected a label name; quoted ones go to matchers");
        if (yaml_string(map->items[i], &value, reader->reterr))
            return ROUTE_E_CONFIG;
        /* anchored in words too: routes' keys show it, as Alertmanager's do */
        str_addf(&text, "%s%s%s", type == MATCHER_REGEX ? "^(?:" : "", value,
                 type == MATCHER_REGEX ? ")$" : "");
        if (text.full)
            return bad(reader, map->items[i], "this value is too long");
        if (matchers_add(found, type, map->keys[i]->text, str_text(&text), &err))
            return place(reader, map->items[i], &err);
    }
    return 0;
}

static void matcher_gone(void *matcher)
{
    matcher_done(matcher);
}

/* Into the arena, which takes over what they hold. */
static int move(struct node_reader *reader,
                const struct yaml_node *map,
                struct route_matchers *found,
                struct matcher **ret_at,
                size_t *ret_n)
{
    struct matcher *at = arena_array(reader->fields->arena, found->n + 1, sizeof(*at));

    if (!at)
        return field_too_large(map, reader->reterr);
    while (found->n > 0) {
        at[*ret_n] = found->at[found->n - 1];
        if (!arena_on_reset(reader->fields->arena, matcher_gone, &at[*ret_n]))
            return field_too_large(map, reader->reterr);
        found->n--;
        (*ret_n)++;
    }
    *ret_at = at;
    route_matchers_sort(at, *ret_n);
    return 0;
}

int node_read_matchers(struct node_reader *reader,
                       const struct yaml_node *map,
                       struct matcher_keys keys,
                       struct matcher **ret_at,
                       size_t *ret_n)
{
    struct route_matchers found = {0};
    int r = 0;

    if (add_map(reader, yaml_get(map, keys.equal), MATCHER_EQUAL, &found) ||
        add_map(reader, yaml_get(map, keys.pattern), MATCHER_REGEX, &found) ||
        add_list(reader, yaml_get(map, keys.list), &found) ||
        move(reader, map, &found, ret_at, ret_n))
        r = ROUTE_E_CONFIG;
    route_matchers_done(&found);
    return r;
}

#define ROW(key, type, member, help)                                       \
    {                                                                      \
        key, type, offsetof(struct route_inhibit_rule, member), help, NULL \
    }

static const struct field inhibit_rows[] = {
    ROW("name", FIELD_TEXT, name, "what it is called where it acts"),
    ROW("source_matchers", FIELD_READ, name, "while such an alert fires"),
    ROW("source_match", FIELD_READ, name, "the old spelling: label: value"),
    ROW("source_match_re", FIELD_READ, name, "the old spelling: label: pattern"),
    ROW("target_matchers", FIELD_READ, name, "these are not told"),
    ROW("target_match", FIELD_READ, name, "the old spelling: label: value"),
    ROW("target_match_re", FIELD_READ, name, "the old spelling: label: pattern"),
    ROW("equal", FIELD_LABEL_NAMES, equal, "when both have the same values of these labels"),
    {NULL, FIELD_TEXT, 0, NULL, NULL},
};

int node_read_inhibit_rules(struct node_reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *list = yaml_get(root, "inhibit_rules");
    struct route_inhibit_rule *rules;

    if (!list)
        return 0;
    if (yaml_expect(list, YAML_LIST, "a list of inhibit rules", reader->reterr))
        return ROUTE_E_CONFIG;
    if (list->n > ROUTE_INHIBIT_RULES_MAX)
        return bad(reader, list, "there may be at most 500 inhibit rules");
    rules = arena_array(reader->fields->arena, list->n + 1, sizeof(*rules));
    if (!rules)
        return field_too_large(list, reader->reterr);
    reader->config->inhibit_rules = rules;
    for (size_t i = 0; i < list->n; i++) {
        const struct yaml_node *at = list->items[i];

        rules[i].line = at->line;
        rules[i].column = at->column;
        if (field_read_map(reader->fields, at, inhibit_rows, &rules[i], reader->reterr) ||
            node_read_matchers(reader, at, source_keys, &rules[i].sources, &rules[i].n_sources) ||
            node_read_matchers(reader, at, target_keys, &rules[i].targets, &rules[i].n_targets))
            return ROUTE_E_CONFIG;
        reader->config->n_inhibit_rules++;
    }
    return 0;
}

static int read_interval(struct node_reader *reader,
                         const struct yaml_node *at,
                         struct route_interval *interval)
{
    static const char *const known[] = {"name", "time_intervals", NULL};
    const struct route_config *config = reader->config;
    const char *name = "";

    if (yaml_expect(at, YAML_MAP, "a map with a name", reader->reterr) ||
        yaml_only(at, known, reader->reterr))
        return ROUTE_E_CONFIG;
    if (!yaml_get(at, "name"))
        return bad(reader, at, "a time interval needs a \"name:\"");
    if (yaml_string(yaml_get(at, "name"), &name, reader->reterr))
        return ROUTE_E_CONFIG;
    if (!*name)
        return bad(reader, at, "a time interval needs a \"name:\"");
    for (size_t i = 0; i < config->n_intervals; i++)
        if (strcmp(config->intervals[i]->name, name) == 0)
            return err_at(reader->reterr, ROUTE_E_CONFIG, at->line, at->column,
                          "a second time interval is named \"%s\"", name);
    interval->line = at->line;
    interval->column = at->column;
    interval->name = field_copy(reader->fields, name);
    if (!interval->name)
        return field_too_large(at, reader->reterr);
    return route_interval_read(reader->fields->arena, reader->zones, yaml_get(at, "time_intervals"),
                               interval, reader->reterr);
}

int node_read_intervals(struct node_reader *reader, const struct yaml_node *root)
{
    static const char *const keys[] = {"mute_time_intervals", "time_intervals"};
    const struct route_interval **all = arena_array(reader->fields->arena, ROUTE_INTERVALS_MAX,
                                                    sizeof(*all));

    if (!all)
        return field_too_large(root, reader->reterr);
    reader->config->intervals = all;
    for (size_t i = 0; i < 2; i++) {
        const struct yaml_node *list = yaml_get(root, keys[i]);

        if (list && yaml_expect(list, YAML_LIST, "a list of time intervals", reader->reterr))
            return ROUTE_E_CONFIG;
        for (size_t j = 0; list && j < list->n; j++) {
            struct route_interval *interval = arena_alloc(reader->fields->arena, sizeof(*interval));

            if (!interval)
                return field_too_large(list, reader->reterr);
            if (reader->config->n_intervals == ROUTE_INTERVALS_MAX)
                return bad(reader, list, "there may be at most 500 time intervals");
            if (read_interval(reader, list->items[j], interval))
                return ROUTE_E_CONFIG;
            all[reader->config->n_intervals++] = interval;
        }
    }
    return 0;
}

void node_match_manual(struct str *out)
{
    static const struct field interval_rows[] = {
        {"name", FIELD_TEXT, 0, "what routes name", NULL},
        {"time_intervals", FIELD_READ, 0, "it holds while one of these does", NULL},
        {NULL, FIELD_TEXT, 0, NULL, NULL},
    };
    static const struct field span_rows[] = {
        {"times", FIELD_READ, 0, "start_time and end_time of each, 00:00 to 24:00", NULL},
        {"weekdays", FIELD_TEXTS, 0, "such as monday:friday", NULL},
        {"days_of_month", FIELD_TEXTS, 0, "1:5, or -3:-1 from the month's end", NULL},
        {"months", FIELD_TEXTS, 0, "names or numbers, such as january:march", NULL},
        {"years", FIELD_TEXTS, 0, "such as 2026:2028", NULL},
        {"location", FIELD_TEXT, 0, "the time zone, such as Europe/Berlin; UTC", NULL},
        {NULL, FIELD_TEXT, 0, NULL, NULL},
    };

    field_manual("inhibit_rules[]", inhibit_rows, out);
    field_manual("time_intervals[], mute_time_intervals[]", interval_rows, out);
    field_manual("time_intervals[].time_intervals[]", span_rows, out);
}
