/*
 * alertctl route show, alertctl route test: the tree of routes, and which of them an alert
 * takes.
 *
 *     ROUTE                      RECEIVER  GROUP BY        WAIT  INTERVAL  REPEAT  NOTES
 *     every alert                oncall    alertname, job  30s   5m        4h
 *     ├─ {severity="page"}       pager     alertname, job  0s    1m        1h      continue
 *     └─ {team="db"}             db        alertname       30s   5m        4h      mute: night
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/route/interval.h"
#include "alertd/route/matchers.h"
#include "alertd/route/tree.h"
#include "ctl/cmd.h"
#include "ctl/config_file.h"
#include "ctl/table.h"
#include "ctl/when.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

enum {
    TEXT_MAX = 64 * 1024,
    OUTPUT_BYTES_MAX = 64 * 1024 * 1024,
};

/* What is drawn of each route; depth is limited, so that walks may call themselves. */
struct drawing {
    struct table *table;
    void (*add)(const struct drawing *drawing, const struct route_node *node, const char *name);
    const struct labels *alert;
    const enum route_outcome *outcomes;
};

static void draw(const struct drawing *drawing, const struct route_node *node, struct str *indent)
{
    size_t len = indent->len;

    for (size_t i = 0; i < node->n_children; i++) {
        STR_AUTO struct str name = STR_INIT(TEXT_MAX);
        const struct route_node *child = &node->children[i];
        bool is_last = i + 1 == node->n_children;

        str_addf(&name, "%s%s", str_text(indent), is_last ? "└─ " : "├─ ");
        if (child->n_matchers)
            route_matchers_print(child->matchers, child->n_matchers, &name);
        else
            str_add(&name, "every alert");
        drawing->add(drawing, child, str_text(&name));
        str_add(indent, is_last ? "   " : "│  ");
        draw(drawing, child, indent);
        str_cut(indent, len);
    }
}

static void draw_all(const struct drawing *drawing, const struct route_config *config)
{
    STR_AUTO struct str indent = STR_INIT(TEXT_MAX);

    drawing->add(drawing, config->root, "every alert");
    draw(drawing, config->root, &indent);
    table_print(drawing->table);
}

static void add_grouping(const struct route_node *node, struct str *out)
{
    if (node->group_by_all)
        str_add(out, "all labels");
    else if (node->group_by.n == 0)
        str_add(out, "nothing");
    for (size_t i = 0; i < node->group_by.n; i++)
        str_addf(out, "%s%s", i ? ", " : "", node->group_by.at[i]);
}

static void add_intervals(const char *what,
                          const struct route_interval *const *at,
                          size_t n,
                          struct str *out)
{
    for (size_t i = 0; i < n; i++)
        str_addf(out, "%s%s", i ? ", " : what, at[i]->name);
}

static void add_notes(const struct route_node *node, struct str *out)
{
    if (node->goes_on)
        str_add(out, "continue");
    add_intervals(out->len ? "; mute: " : "mute: ", node->mute, node->n_mute, out);
    add_intervals(out->len ? "; active: " : "active: ", node->active, node->n_active, out);
}

static void add_shown(const struct drawing *drawing,
                      const struct route_node *node,
                      const char *name)
{
    STR_AUTO struct str grouping = STR_INIT(TEXT_MAX);
    STR_AUTO struct str notes = STR_INIT(TEXT_MAX);
    char wait[DURATION_TEXT_MAX];
    char interval[DURATION_TEXT_MAX];
    char repeat[DURATION_TEXT_MAX];

    add_grouping(node, &grouping);
    add_notes(node, &notes);
    TABLE_ROW(drawing->table, name, node->receiver->name, str_text(&grouping),
              duration_print(node->times.group_wait_ms, wait),
              duration_print(node->times.group_interval_ms, interval),
              duration_print(node->times.repeat_interval_ms, repeat), str_text(&notes));
}

static enum ctl_exit read_config(const struct ctl *ctl, const struct route_config **ret_config)
{
    const char *path = ctl_option(ctl, "config");
    struct err err = {0};

    if (!path) {
        (void)ctl_fail(ctl, "say which file with --config=FILE");
        return CTL_USAGE;
    }
    return config_file_read(path, ret_config, &err) ? ctl_fail(ctl, "%s", err.text) : CTL_OK;
}

enum ctl_exit cmd_route_show(struct ctl *ctl)
{
    const struct route_config *config = NULL;
    struct table table = TABLE("ROUTE", "RECEIVER", "GROUP BY", "WAIT", "INTERVAL", "REPEAT",
                               "NOTES");
    struct drawing drawing = {.table = &table, .add = add_shown};
    enum ctl_exit status = read_config(ctl, &config);

    if (status == CTL_OK)
        draw_all(&drawing, config);
    route_config_unref(config);
    return status;
}

/* --- Which routes an alert takes ------------------------------------------------------------- */

static const char *const signs[] = {"=", "!=", "=~", "!~"};

/* Why a route's matchers do not match: the first that does not. */
static void add_mismatch(const struct route_node *node, const struct labels *alert, struct str *out)
{
    for (size_t i = 0; i < node->n_matchers; i++) {
        const struct matcher *matcher = &node->matchers[i];
        const char *value = labels_get(alert, matcher->name);

        if (matcher_matches(matcher, value ? value : ""))
            continue;
        str_addf(out, "no: wants %s%s\"%s\", ", matcher->name, signs[matcher->type],
                 matcher->value);
        if (value)
            str_addf(out, "the alert has \"%s\"", value);
        else
            str_addf(out, "the alert has no %s", matcher->name);
        return;
    }
}

static void add_outcome(const struct drawing *drawing,
                        const struct route_node *node,
                        const char *name)
{
    STR_AUTO struct str why = STR_INIT(TEXT_MAX);

    switch (drawing->outcomes[node->index]) {
    case ROUTE_NOT_ASKED:
        str_add(&why, drawing->outcomes[node->parent->index] == ROUTE_BELOW
                          ? "not asked: a route before it took the alert"
                          : "not asked");
        break;
    case ROUTE_NO_MATCH: add_mismatch(node, drawing->alert, &why); break;
    case ROUTE_BELOW: str_add(&why, "matches; a route below it takes the alert"); break;
    case ROUTE_TAKEN:
        str_addf(&why, "taken%s", node->goes_on ? "; and the next one is asked" : "");
        break;
    }
    TABLE_ROW(drawing->table, name, node->receiver->name, str_text(&why));
}

static int read_labels(const struct ctl *ctl, const struct labels **ret_labels, struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    struct route_matchers found = {0};
    int r = 0;

    for (int i = 0; !r && i < ctl->n_arguments; i++) {
        struct err err = {0};

        if (route_matchers_parse(ctl->arguments[i], ROUTE_GRAMMAR_BOTH, &found, NULL, &err))
            r = err_set(reterr, 1, "\"%.100s\": %s", ctl->arguments[i], err.text);
    }
    for (size_t i = 0; !r && i < found.n; i++) {
        if (found.at[i].type != MATCHER_EQUAL)
            r = err_set(reterr, 1, "%s%s: an alert's labels are name=value, not patterns",
                        found.at[i].name, signs[found.at[i].type]);
        labels_builder_set(&builder, found.at[i].name, found.at[i].value);
    }
    if (!r)
        *ret_labels = labels_builder_finish(&builder);
    route_matchers_done(&found);
    return r;
}

/* What is told of one route that was taken. */
struct taken {
    const struct route_node *node;
    struct str group_key;
    struct str kinds;
    struct str told;
    const char *quiet_by; /* time interval */
    enum route_quiet quiet;
};

static void taken_init(struct taken *taken,
                       const struct route_node *node,
                       const struct labels *alert,
                       int64_t at_ms)
{
    const struct labels *group = route_node_group(node, alert);
    char wait[DURATION_TEXT_MAX];
    char repeat[DURATION_TEXT_MAX];

    *taken = (struct taken){.node = node,
                            .group_key = STR_INIT(TEXT_MAX),
                            .kinds = STR_INIT(TEXT_MAX),
                            .told = STR_INIT(TEXT_MAX)};
    taken->quiet = route_node_quiet(node, at_ms, &taken->quiet_by);
    route_node_group_key(node, group, &taken->group_key);
    for (size_t i = 0; i < node->receiver->n_integrations; i++)
        str_addf(&taken->kinds, "%s%s", i ? ", " : "",
                 route_kind_name(node->receiver->integrations[i].kind));
    switch (taken->quiet) {
    case ROUTE_TELLS:
        str_addf(&taken->told, "after %s, again every %s",
                 duration_print(node->times.group_wait_ms, wait),
                 duration_print(node->times.repeat_interval_ms, repeat));
        break;
    case ROUTE_MUTED: str_addf(&taken->told, "no: %s holds", taken->quiet_by); break;
    case ROUTE_NOT_ACTIVE:
        str_add(&taken->told, "no: outside ");
        add_intervals("", node->active, node->n_active, &taken->told);
        break;
    }
    labels_unref(group);
}

static void taken_done(struct taken *taken)
{
    str_done(&taken->group_key);
    str_done(&taken->kinds);
    str_done(&taken->told);
}

static void print_taken(const struct route_walk *walk, const struct labels *alert, int64_t at_ms)
{
    struct table table = TABLE("RECEIVER", "BY", "TOLD", "GROUP");

    for (size_t i = 0; i < walk->n; i++) {
        struct taken taken;

        taken_init(&taken, walk->at[i], alert, at_ms);
        TABLE_ROW(&table, taken.node->receiver->name, str_text(&taken.kinds), str_text(&taken.told),
                  str_text(&taken.group_key));
        taken_done(&taken);
    }
    table_print(&table);
}

static void print_json(const struct route_walk *walk, const struct labels *alert, int64_t at_ms)
{
    STR_AUTO struct str out = STR_INIT(OUTPUT_BYTES_MAX);
    struct json_out json = JSON_OUT(&out);
    char at[CLOCK_TEXT_MAX];

    json_open(&json, '{');
    json_kv_string(&json, "at", clock_rfc3339(at_ms, at));
    json_key(&json, "routes");
    json_open(&json, '[');
    for (size_t i = 0; i < walk->n; i++) {
        struct taken taken;

        taken_init(&taken, walk->at[i], alert, at_ms);
        json_open(&json, '{');
        json_kv_string(&json, "receiver", taken.node->receiver->name);
        json_kv_string(&json, "route", taken.node->key);
        json_kv_int(&json, "line", taken.node->line);
        json_kv_string(&json, "group_key", str_text(&taken.group_key));
        json_key(&json, "tells");
        json_bool(&json, taken.quiet == ROUTE_TELLS);
        json_kv_string(&json, "muted_by", taken.quiet == ROUTE_MUTED ? taken.quiet_by : NULL);
        json_close(&json, '}');
        taken_done(&taken);
    }
    json_close(&json, ']');
    json_close(&json, '}');
    (void)puts(str_text(&out));
}

/* --expect=a,b: exactly these receivers, in the tree's order. */
static enum ctl_exit check_expected(const struct ctl *ctl, const struct route_walk *walk)
{
    STR_AUTO struct str got = STR_INIT(TEXT_MAX);
    const char *expected = ctl_option(ctl, "expect");

    for (size_t i = 0; i < walk->n; i++)
        str_addf(&got, "%s%s", i ? "," : "", walk->at[i]->receiver->name);
    if (!expected || strcmp(expected, str_text(&got)) == 0)
        return CTL_OK;
    return ctl_fail(ctl, "expected %s, got %s", expected, str_text(&got));
}

static enum ctl_exit test_route(const struct ctl *ctl,
                                const struct route_config *config,
                                const struct labels *alert,
                                int64_t at_ms)
{
    MEM_AUTO enum route_outcome *outcomes = mem_zalloc((config->n_nodes + 1) * sizeof(*outcomes));
    struct route_walk walk;

    route_walk_trace(config, alert, &walk, outcomes);
    if (ctl->json) {
        print_json(&walk, alert, at_ms);
        return check_expected(ctl, &walk);
    }
    if (ctl_option(ctl, "tree")) {
        struct table table = TABLE("ROUTE", "RECEIVER", "THE ALERT");
        struct drawing drawing = {&table, add_outcome, alert, outcomes};

        draw_all(&drawing, config);
        (void)putchar('\n');
    }
    print_taken(&walk, alert, at_ms);
    if (walk.n_refused)
        (void)fprintf(stderr, "alertctl route test: %zu more routes are taken; an alert takes %d\n",
                      walk.n_refused, ROUTE_WALK_MAX);
    return check_expected(ctl, &walk);
}

enum ctl_exit cmd_route_test(struct ctl *ctl)
{
    const struct route_config *config = NULL;
    const struct labels *alert = NULL;
    const char *at = ctl_option(ctl, "at");
    int64_t at_ms = clock_wall_ms();
    struct err err = {0};

    if ((at && when_parse("at", at, at_ms, &at_ms, &err)) || read_labels(ctl, &alert, &err)) {
        (void)ctl_fail(ctl, "%s", err.text);
        return CTL_USAGE;
    }

    enum ctl_exit status = read_config(ctl, &config);

    if (status == CTL_OK)
        status = test_route(ctl, config, alert, at_ms);
    labels_unref(alert);
    route_config_unref(config);
    return status;
}
