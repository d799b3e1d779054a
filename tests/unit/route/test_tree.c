/*
 * The walk through the tree of routes: who takes an alert, what became of the others, and
 * what is probably not meant.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/route/advice.h"
#include "alertd/route/matchers.h"
#include "alertd/route/tree.h"
#include "tests/lib/row.h"

static const char tree[] =
    "receivers: [{name: all}, {name: page}, {name: db}, {name: dev}, {name: late}]\n"
    "route:\n"
    "  receiver: all\n"
    "  group_by: [alertname]\n"
    "  routes:\n"
    "  - {matchers: [severity=page], receiver: page, continue: true}\n"
    "  - matchers: [team=db]\n"
    "    receiver: db\n"
    "    group_by: ['...']\n"
    "    routes:\n"
    "    - {matchers: ['env=~\"dev|test\"'], receiver: dev, group_by: []}\n"
    "  - {matchers: [severity=~\"p.*\"], receiver: late}\n";

static const struct route_config *read_config(const char *text)
{
    const struct route_config *config = NULL;
    struct err err = {0};

    if (route_config_parse(text, strlen(text), NULL, NULL, NULL, &config, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return config;
}

static const struct labels *labels_of(const char *text)
{
    struct route_matchers found = {0};
    struct label pairs[8];
    const struct labels *labels;

    assert_int_equal(route_matchers_parse(text, ROUTE_GRAMMAR_BOTH, &found, NULL, NULL), 0);
    assert_true(found.n <= 8);
    for (size_t i = 0; i < found.n; i++)
        pairs[i] = (struct label){found.at[i].name, found.at[i].value};
    labels = labels_new(pairs, found.n);
    route_matchers_done(&found);
    return labels;
}

static void test_who_takes_it(void **state)
{
    static const struct {
        const char *alert, *taken; /* receiver and group key of each */
        const char *outcomes;      /* of each route: . not asked, n no match, b below, t taken */
    } rows[] = {
        {"alertname=A", "all {}:{alertname=\"A\"}; ", "tnn.n"},
        {"alertname=A,severity=page",
         "page {}/{severity=\"page\"}:{alertname=\"A\"}; "
         "late {}/{severity=~\"p.*\"}:{alertname=\"A\"}; ",
         "btn.t"},
        {"team=db,b=c", "db {}/{team=\"db\"}:{b=\"c\", team=\"db\"}; ", "bntn."},
        {"team=db,env=test,severity=page",
         "page {}/{severity=\"page\"}:{}; dev {}/{team=\"db\"}/{env=~\"dev|test\"}:{}; ", "btbt."},
        {"team=db,env=testing", "db {}/{team=\"db\"}:{env=\"testing\", team=\"db\"}; ", "bntn."},
    };
    const struct route_config *config = read_config(tree);

    (void)state;
    assert_int_equal(config->n_nodes, 5);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str got = STR_INIT(4096);
        const struct labels *alert = labels_of(rows[i].alert);
        enum route_outcome outcomes[5];
        struct route_walk walk;
        char marks[6] = "";

        row("%s", rows[i].alert);
        route_walk_trace(config, alert, &walk, outcomes);
        for (size_t j = 0; j < walk.n; j++) {
            const struct labels *group = route_node_group(walk.at[j], alert);

            str_addf(&got, "%s ", walk.at[j]->receiver->name);
            route_node_group_key(walk.at[j], group, &got);
            str_add(&got, "; ");
            labels_unref(group);
        }
        for (size_t j = 0; j < 5; j++)
            marks[j] = ".nbt"[outcomes[j]];
        assert_string_equal(str_text(&got), rows[i].taken);
        assert_string_equal(marks, rows[i].outcomes);
        labels_unref(alert);
    }
    route_config_unref(config);
}

static void test_labels_of_routes(void **state)
{
    static const struct {
        const char *group_key, *labels;
    } cases[] = {
        {"{}:{alertname=\"A\"}", "{team=\"all\", tier=\"1\"}"},
        {"{}/{a=\"b\"}:{alertname=\"A\"}", "{team=\"db\", tier=\"1\"}"},
        {"{}/{a=\"b\"}/{c=\"d\"}:{}", "{page=\"{{ .Status }}\", team=\"db\", tier=\"1\"}"},
        {"{}/{a=\"b\"}/{x=\"y\"}:{}", NULL}, /* gone */
        {"{}/{a=\"b:{}\"}:{}", NULL},
        {"", NULL},
    };
    const struct route_config *config = read_config(
        "receivers: [{name: r}]\nroute:\n  receiver: r\n  labels: {team: all, tier: 1}\n  routes:\n"
        "  - matchers: [a=b]\n    labels: {team: db}\n    routes:\n"
        "    - {matchers: [c=d], labels: {page: '{{ .Status }}'}}\n");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct route_node *node = route_node_of_key(config, cases[i].group_key);
        STR_AUTO struct str got = STR_INIT(4096);

        row("%s", cases[i].group_key);
        assert_int_equal(node != NULL, cases[i].labels != NULL);
        if (!node)
            continue;
        const struct labels *labels = route_node_labels(node);

        labels_print(labels, &got);
        assert_string_equal(str_text(&got), cases[i].labels);
        labels_unref(labels);
    }
    route_config_unref(config);
}

static void test_too_many_routes_are_counted(void **state)
{
    STR_AUTO struct str text = STR_INIT(64 * 1024);
    const struct labels *alert = labels_of("a=b");
    const struct route_config *config;
    struct route_walk walk;

    (void)state;
    str_add(&text, "receivers: [{name: r}]\nroute:\n  receiver: r\n  routes:\n");
    for (int i = 0; i < 70; i++)
        str_add(&text, "  - {continue: true}\n");
    config = read_config(str_text(&text));
    route_walk(config, alert, &walk);
    assert_int_equal(walk.n, ROUTE_WALK_MAX);
    assert_int_equal(walk.n_refused, 6);
    labels_unref(alert);
    route_config_unref(config);
}

static void note(void *arg, unsigned line, unsigned column, const char *words)
{
    str_addf(arg, "%u:%u %.28s\n", line, column, words);
}

static void test_advice(void **state)
{
    static const struct {
        const char *what, *below, *expected;
    } rows[] = {
        {"nothing", "  - {matchers: [a=b, c=d], receiver: q}\n  - {matchers: [a=b]}\n", ""},
        {"out of reach", "  - {matchers: [a=b], receiver: q}\n  - {matchers: [c=d, a=b]}\n",
         "6:5 no alert reaches this route:\n"},
        {"within reach",
         "  - {matchers: [a=b], receiver: q, continue: true}\n  - {matchers: [a=b]}\n", ""},
        {"no matchers take all", "  - {receiver: q}\n  - {matchers: [a=b]}\n",
         "6:5 no alert reaches this route:\n"},
        {"never told", "  - {matchers: [a=b]}\n", "1:26 no route names receiver \"q\":\n"},
        {"reminders",
         "  - {matchers: [a=b], receiver: q, repeat_interval: 1m, routes: [{matchers: [c=d]}]}\n",
         "5:5 repeat_interval (1m) is shor\n"},
        {"intervals", "  - {receiver: q}\ntime_intervals: [{name: n, time_intervals: []}]\n",
         "6:18 no route names time interval\n"},
        {"inhibition", "  - {receiver: q}\ninhibit_rules: [{source_matchers: [a=b]}]\n",
         "6:17 this inhibit rule has no tar\n"},
    };

    static const struct {
        const char *what, *receivers, *expected;
    } failovers[] = {
        {"who stands in is told",
         "{name: all, failover: q, command_configs: [{argv: [/a]}]}, "
         "{name: q, command_configs: [{argv: [/b]}]}",
         ""},
        {"nobody stands in", "{name: all, failover: q, command_configs: [{argv: [/a]}]}, {name: q}",
         "1:13 the failover \"q\" has nobody \n"},
        {"for nobody", "{name: all, failover: q}, {name: q, command_configs: [{argv: [/b]}]}",
         "1:13 receiver \"all\" has nobody to\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(failovers) / sizeof(*failovers); i++) {
        STR_AUTO struct str text = STR_INIT(4096);
        STR_AUTO struct str got = STR_INIT(4096);
        const struct route_config *config;

        row("%s", failovers[i].what);
        str_addf(&text, "receivers: [%s]\nroute: {receiver: all}\n", failovers[i].receivers);
        config = read_config(str_text(&text));
        route_config_advise(config, note, &got);
        assert_string_equal(str_text(&got), failovers[i].expected);
        route_config_unref(config);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str text = STR_INIT(4096);
        STR_AUTO struct str got = STR_INIT(4096);
        const struct route_config *config;

        row("%s", rows[i].what);
        str_addf(&text,
                 "receivers: [{name: all}, {name: q}]\nroute:\n  receiver: all\n  routes:\n%s",
                 rows[i].below);
        config = read_config(str_text(&text));
        route_config_advise(config, note, &got);
        assert_string_equal(str_text(&got), rows[i].expected);
        route_config_unref(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_takes_it),
        cmocka_unit_test(test_labels_of_routes),
        cmocka_unit_test(test_too_many_routes_are_counted),
        cmocka_unit_test(test_advice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
