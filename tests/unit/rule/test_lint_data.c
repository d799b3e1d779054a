/*
 * Lint with data: a rule, what a server answers, and what is told. The server here is a table
 * of questions with their answers; a question that isn't in it finds nothing.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/rule/lint.h"
#include "alertd/rule/policy.h"
#include "lib/model/labels.h"
#include "tests/lib/row.h"

#define EVERY_SECONDS_OF_X                                   \
    "quantile(0.5, (max_over_time(timestamp(x)[20m:10s]) - " \
    "min_over_time(timestamp(x)[20m:10s])) / count_over_time(x[20m]))"
#define QUIET        "    annotations: {summary: 's {{ $value | humanize }}', runbook_url: u}\n"
#define ALERT(expr)  "  - alert: A\n    expr: " expr "\n    for: 5m\n" QUIET
#define RECORD(expr) "  - record: r\n    expr: " expr "\n"

enum {
    NOTHING = -1, /* the query's result is empty */
    SILENT = -2,  /* the server doesn't answer this */
    HOUR_MS = 3600 * 1000,
};

struct told {
    const char *query;
    double number;
};

struct world {
    struct told told[8];
    const char *type; /* of every metric */
    int64_t cost_ms, n_samples;
    const char *cost_query; /* NULL: nobody looks */
    int64_t retention_ms;
};

static int number_of(void *arg, const char *query, bool *ret_found, double *ret_number)
{
    const struct world *world = arg;

    *ret_found = false;
    for (size_t i = 0; i < 8 && world->told[i].query; i++) {
        if (strcmp(world->told[i].query, query) != 0)
            continue;
        *ret_number = world->told[i].number;
        *ret_found = world->told[i].number >= 0;
        return world->told[i].number == SILENT ? -1 : 0;
    }
    return 0;
}

static int type_of(void *arg, const char *metric, const char **ret_type)
{
    const struct world *world = arg;

    *ret_type = world->type ? world->type : "";
    return 0;
}

static int cost_of(void *arg, const char *query, int64_t *ret_ms, int64_t *ret_samples)
{
    const struct world *world = arg;

    if (world->cost_query)
        assert_string_equal(query, world->cost_query);
    *ret_ms = world->cost_ms;
    *ret_samples = world->n_samples;
    return 0;
}

static void lint(const char *rules,
                 const struct rule_policy *policy,
                 struct world *world,
                 struct rule_findings *findings)
{
    STR_AUTO struct str text = STR_INIT(10000);
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    struct rule_file *file = NULL;
    struct err err = {0};

    labels_builder_set(&builder, "site", "north");
    const struct labels *external = labels_builder_finish(&builder);
    const struct rule_data data = {
        .number = number_of,
        .metric_type = type_of,
        .cost = cost_of,
        .arg = world,
        .window_ms = 24 * HOUR_MS,
        .retention_ms = world->retention_ms,
        .fanout_max = 100,
        .external_labels = external,
    };

    str_addf(&text, "groups:\n- name: g\n  rules:\n%s", rules);
    if (rule_file_parse("f.yml", text.text, text.len, NULL, &file, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    rule_lint(file, findings);
    rule_lint_data(file, &data, findings);
    if (policy)
        rule_lint_policy(file, policy, findings);
    rule_file_unref(file);
    labels_unref(external);
}

static const struct {
    const char *what, *rules;
    struct world world;
    const char *want; /* "id: words of it" */
} rows[] = {
    {"it is there", RECORD("up"), {{{"count(up)", 3}}}, ""},
    {"never seen",
     RECORD("up"),
     {{{"count(up)", NOTHING}}},
     "missing-series: finds nothing: no such series in the last 1d"},
    {"it ended",
     RECORD("up"),
     {{{"time() - max(max_over_time(timestamp(up)[1d:5m]))", 7260}}},
     "missing-series: finds nothing now: the last such series ended 2h1m ago"},
    {"one matcher is wrong",
     RECORD("up{job=\"a\", x=\"y\"}"),
     {{{"count({__name__=\"up\"})", 3}, {"count(up{job=\"a\"})", 2}}},
     "missing-series: finds nothing: up exists, but no series has x=\"y\""},
    {"both together are wrong",
     RECORD("up{job=\"a\", x=\"y\"}"),
     {{{"count({__name__=\"up\"})", 3}, {"count(up{job=\"a\"})", 2}, {"count(up{x=\"y\"})", 1}}},
     "missing-series: finds nothing: up exists, but no series has all of these labels together"},
    {"hoped to be absent", ALERT("absent(up{job=\"a\"})"), {{{NULL, 0}}}, ""},
    {"recorded in the same file",
     "  - record: a:b\n    expr: vector(1)\n" RECORD("a:b"),
     {{{NULL, 0}}},
     ""},
    {"no answer, no finding", RECORD("up"), {{{"count(up)", SILENT}}}, ""},

    {"the window holds enough",
     RECORD("rate(x[1m])"),
     {{{"count(x)", 1}, {EVERY_SECONDS_OF_X, 15}}},
     ""},
    {"the window is too short",
     RECORD("rate(x[5m])"),
     {{{"count(x)", 1}, {EVERY_SECONDS_OF_X, 300}}},
     "range-too-short: rate() needs two samples in its window, and these come every 5m: it gives "
     "nothing, or only at times"},
    {"absent() with a short wait",
     ALERT("absent(x)"),
     {{{EVERY_SECONDS_OF_X, 300}}},
     "absent-no-for: these samples come every 5m: absent() with so short a `for` fires on one that "
     "is missed"},
    {"kept long enough",
     RECORD("max_over_time(x[1h] offset 1h)"),
     {{{"count(x)", 1}}, .retention_ms = 2 * HOUR_MS},
     ""},
    {"not kept so long",
     RECORD("max_over_time(x[1h] offset 1h)"),
     {{{"count(x)", 1}}, .retention_ms = 2 * HOUR_MS - 1000},
     "beyond-retention: reaches back 2h, and the server keeps samples for 1h59m59s"},

    {"a rate of a gauge",
     RECORD("rate(x[5m])"),
     {{{"count(x)", 1}}, .type = "gauge"},
     "rate-of-gauge: rate() takes every fall for a restart, and x is a gauge, which falls at times"},
    {"a rate of a counter with a gauge's name",
     RECORD("rate(x_ratio[5m])"),
     {{{"count(x_ratio)", 1}}, .type = "counter"},
     ""},
    {"a gauge with a counter's name",
     ALERT("x_total > 5"),
     {{{"count(x_total)", 1}}, .type = "gauge"},
     ""},
    {"a counter without a counter's name",
     ALERT("x > 5"),
     {{{"count(x)", 1}}, .type = "counter"},
     "counter-raw: x is a counter, which only grows: once above 5 this fires until a restart"},

    {"sides that meet",
     RECORD("a / on (job) b"),
     {{{"count(a)", 3}, {"count(b)", 2}, {"count((a) and on (job) (b))", 1}}},
     ""},
    {"sides that don't",
     RECORD("a / on (job) b"),
     {{{"count(a)", 3}, {"count(b)", 2}}},
     "vector-matching: 3 series on the left of /, 2 on the right, and not one pair has equal labels: "
     "nothing comes out"},
    {"conditions are left aside",
     RECORD("(a > 1) and ignoring (x) (b < 2)"),
     {{{"count(a)", 3}, {"count(b)", 2}, {"count((a) and ignoring (x) (b))", 1}}},
     ""},
    {"one side is empty", RECORD("a / b"), {{{"count(a)", 3}, {"count(b)", SILENT}}}, ""},

    {"true at times",
     ALERT("x > 5"),
     {{{"count(x)", 1},
       {"sum(count_over_time((x)[1d:3m]))", 480},
       {"sum(count_over_time((x > 5)[1d:3m]))", 2}}},
     ""},
    {"never true",
     ALERT("x > 5"),
     {{{"count(x)", 1},
       {"sum(count_over_time((x)[1d:3m]))", 480},
       {"max(max_over_time((x)[1d:3m]))", 2.5},
       {"quantile(0.5, quantile_over_time(0.5, (x)[1d:3m]))", 0.25}}},
     "threshold-never: not once true in the last 1d: the highest was 2.5, the median 0.25, and "
     "the threshold is 5"},
    {"always true",
     ALERT("x < 5"),
     {{{"count(x)", 1},
       {"sum(count_over_time((x)[1d:3m]))", 480},
       {"sum(count_over_time((x < 5)[1d:3m]))", 480}}},
     "threshold-always: true for every series at every moment of the last 1d: who gets this learns "
     "to ignore it"},
    {"always true, and another condition",
     ALERT("x < 5 and y < 1"),
     {{{"count(x)", 1},
       {"count(y)", 1},
       {"count((x) and (y))", 1},
       {"sum(count_over_time((x)[1d:3m]))", 480},
       {"sum(count_over_time((x < 5)[1d:3m]))", 480}}},
     ""},
    {"many at once",
     ALERT("x > 5"),
     {{{"count(x)", 101}}},
     "cardinality-fanout: compares 101 series, each an alert of its own: one common cause opens all "
     "at once"},
    {"a hundred", ALERT("x > 5"), {{{"count(x)", 100}}}, ""},
    {"values that come and go",
     ALERT("x > 5"),
     {{{"count(x)", 4},
       {"count(count by (pod) (x))", 4},
       {"count(count by (pod) (last_over_time(x[1d])))", 40}}},
     "churny-label: pod had 40 values in the last 1d and has 4 now: each new one is a new alert, "
     "whose `for` starts at nothing"},
    {"values that stay",
     ALERT("x > 5"),
     {{{"count(x)", 4},
       {"count(count by (pod) (x))", 4},
       {"count(count by (pod) (last_over_time(x[1d])))", 6}}},
     ""},

    {"cheap", RECORD("x"), {{{"count(x)", 1}}, .cost_ms = 5999, .n_samples = 4999999}, ""},
    {"slow",
     RECORD("x"),
     {{{"count(x)", 1}}, .cost_ms = 6000, .cost_query = "count(x)"},
     "cost: costs 6000 ms at each evaluation"},
    {"many samples",
     RECORD("x"),
     {{{"count(x)", 1}}, .cost_ms = 1, .n_samples = 5000000},
     "cost: costs 1 ms and 5000000 samples at each evaluation"},
    {"a slow scalar",
     RECORD("scalar(x)"),
     {{{"count(x)", 1}}, .cost_ms = 6000, .cost_query = "(scalar(x))"},
     "cost: costs 6000 ms at each evaluation"},
    {"a label the server sets",
     "  - record: r\n    expr: x\n    labels: {site: south}\n",
     {{{"count(x)", 1}}},
     "label-conflict: the server sets site on all it sends: one of the two values is lost"},
    {"an external label it hasn't",
     "  - alert: A\n    expr: x == 0\n    for: 5m\n    annotations: {summary: '{{ "
     "$externalLabels.cluster }}', runbook_url: u}\n",
     {{{"count(x)", 1}}},
     "ext-label: a gap in the text: the server has no external label cluster"},
    {"an external label it has",
     "  - alert: A\n    expr: x == 0\n    for: 5m\n    annotations: {summary: '{{ "
     "$externalLabels.site }}', runbook_url: u}\n",
     {{{"count(x)", 1}}},
     ""},
};

static void test_data(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str got = STR_INIT(2000);
        struct rule_findings findings = {0};
        struct world world = rows[i].world;

        row("%s", rows[i].what);
        lint(rows[i].rules, NULL, &world, &findings);
        for (size_t at = 0; at < findings.n; at++)
            str_addf(&got, "%s%s: %s", at ? "\n" : "", findings.at[at].id, findings.at[at].text);
        assert_string_equal(str_text(&got), rows[i].want);
        rule_findings_done(&findings);
    }
}

/* A check that needs data and that no row trips could be gone without anybody noticing. */
static void test_every_check_has_a_row(void **state)
{
    size_t n;
    const struct rule_check *checks = rule_checks(&n);

    for (size_t i = 0; i < n; i++) {
        bool is_tripped = false;

        if (checks[i].needs != RULE_NEEDS_DATA && checks[i].needs != RULE_NEEDS_BOTH)
            continue;
        for (size_t at = 0; at < sizeof(rows) / sizeof(*rows); at++)
            is_tripped |= strncmp(rows[at].want, checks[i].id, strlen(checks[i].id)) == 0;
        row("%s", checks[i].id);
        assert_true(is_tripped);
    }
}

/* A policy that knows the server's labels, too, says nothing again. */
static void test_told_once(void **state)
{
    static const char *const policy_text = "external_labels: [site]\n";
    struct world world = {{{"count(x)", 1}}};
    struct rule_findings findings = {0};
    struct rule_policy *policy = NULL;
    size_t n = 0;

    assert_int_equal(rule_policy_parse(policy_text, strlen(policy_text), &policy, NULL), 0);
    lint("  - alert: A\n    expr: x == 0\n    for: 5m\n    labels: {site: south}\n    annotations: "
         "{summary: '{{ $externalLabels.cluster }} and {{ $externalLabels.cluster }}'}\n",
         policy, &world, &findings);
    for (size_t i = 0; i < findings.n; i++)
        n += strcmp(findings.at[i].id, "ext-label") == 0 ||
             strcmp(findings.at[i].id, "label-conflict") == 0;
    assert_int_equal(n, 2);
    rule_findings_done(&findings);
    rule_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_every_check_has_a_row),
        cmocka_unit_test(test_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
