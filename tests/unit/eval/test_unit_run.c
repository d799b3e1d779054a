/*
 * Unit tests of rules, tested: a rule file and a test file as text, and whether the tests
 * pass or what they say when they don't.
 */

#include <string.h>

#include "alertd/eval/unit_run.h"
#include "tests/lib/row.h"

#define RULES                                                                                 \
    "groups:\n- name: g\n  rules:\n"                                                          \
    "  - record: job:up:sum\n    expr: sum by (job) (up)\n"                                   \
    "  - alert: Down\n    expr: job:up:sum == 0\n    for: 2m\n    labels: {severity: page}\n" \
    "    annotations: {summary: '{{ $labels.job }} in {{ $externalLabels.dc }} is {{ $value }}'}\n"

#define INPUT                                                               \
    "tests:\n- interval: 1m\n  external_labels: {dc: x}\n  input_series:\n" \
    "  - series: up{job=\"a\"}\n    values: '1 0x9'\n"

/* "" when all pass, else the report. */
static const char *run(const char *rules_text, const char *text, struct str *report)
{
    struct rule_file *rules = NULL;
    struct unit_file *file = NULL;
    struct err err = {0};

    str_cut(report, 0);
    if (rule_file_parse("r.yml", rules_text, strlen(rules_text), NULL, &rules, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    if (unit_file_parse(text, strlen(text), &file, &err)) {
        str_addf(report, "%u:%u: %s", err.line, err.column, err.text);
    } else {
        const struct unit_rules loaded = {&rules, 1};

        for (size_t i = 0; i < file->n_groups; i++) {
            bool ok = unit_run(file, &file->groups[i], &loaded, report);

            assert_int_equal(ok, report->len == 0);
        }
    }
    unit_file_free(file);
    rule_file_unref(rules);
    return str_text(report);
}

static const struct {
    const char *name, *text, *want; /* "": passes; else part of the report */
} rows[] = {
    {"pending is not firing", INPUT "  alert_rule_test: [{eval_time: 2m, alertname: Down}]\n", ""},
    {"firing after `for`, on what a recording rule wrote",
     INPUT "  alert_rule_test:\n  - eval_time: 3m\n    alertname: Down\n    exp_alerts:\n"
           "    - exp_labels: {severity: page, job: a}\n"
           "      exp_annotations: {summary: a in x is 0}\n",
     ""},
    {"a check between two evaluations is about the one before",
     INPUT "  alert_rule_test: [{eval_time: 2m59s, alertname: Down}]\n", ""},
    {"expected and not there",
     INPUT "  alert_rule_test: [{eval_time: 1m, alertname: Down, exp_alerts: [{}]}]\n",
     "alertname: Down, time: 1m,\n        exp:[\n            0:\n"
     "              Labels:{alertname=\"Down\"}\n              Annotations:{}\n"
     "            ]\n        got:[]\n"},
    {"there and not expected", INPUT "  alert_rule_test: [{eval_time: 5m, alertname: Down}]\n",
     "exp:[]\n        got:[\n"},
    {"an annotation differs",
     INPUT "  alert_rule_test:\n  - eval_time: 3m\n    alertname: Down\n    exp_alerts:\n"
           "    - exp_labels: {severity: page, job: a}\n      exp_annotations: {summary: b}\n",
     "summary=\"a in x is 0\""},
    {"expressions see everything, ALERTS too",
     INPUT "  promql_expr_test:\n  - expr: ALERTS\n    eval_time: 2m\n    exp_samples:\n"
           "    - {labels: 'ALERTS{alertname=\"Down\", alertstate=\"pending\", job=\"a\", "
           "severity=\"page\"}', value: 1}\n"
           "  - {expr: ALERTS_FOR_STATE, eval_time: 5m, exp_samples: [{labels: "
           "'ALERTS_FOR_STATE{alertname=\"Down\",job=\"a\",severity=\"page\"}', value: 60}]}\n",
     ""},
    {"the pending series ends when it fires",
     INPUT "  promql_expr_test: [{expr: 'count(ALERTS)', eval_time: 4m, exp_samples: "
           "[{value: 1}]}]\n",
     ""},
    {"a scalar is one sample without labels",
     "tests: [{promql_expr_test: [{expr: 2 + 2, exp_samples: [{value: 4}]}]}]\n", ""},
    {"a value differs", "tests: [{promql_expr_test: [{expr: 2 + 2, exp_samples: [{value: 5}]}]}]\n",
     "expr: \"2 + 2\", time: 0s,\n        exp: {} 5e+00\n        got: {} 4e+00\n"},
    {"floats are equal or not",
     "tests: [{promql_expr_test: [{expr: 0.1 + 0.2, exp_samples: [{value: 0.3}]}]}]\n", "exp:"},
    {"unless one unit may differ",
     "fuzzy_compare: true\n"
     "tests: [{promql_expr_test: [{expr: 0.1 + 0.2, exp_samples: [{value: 0.3}]}]}]\n",
     ""},
    {"NaN equals nothing",
     "tests: [{promql_expr_test: [{expr: NaN, exp_samples: [{value: .nan}]}]}]\n", "exp: {} NaN"},
    {"the default step of a subquery is the evaluation interval",
     "evaluation_interval: 15s\n"
     "tests: [{promql_expr_test: [{expr: 'count_over_time(vector(1)[1m:])', eval_time: 5m, "
     "exp_samples: [{value: 4}]}]}]\n",
     ""},
    {"times start where the group says",
     "tests: [{start_timestamp: '2020-01-01T00:00:00Z', promql_expr_test: "
     "[{expr: time(), eval_time: 1m, exp_samples: [{value: 1577836860}]}]}]\n",
     ""},
    {"an expression that does not parse", "tests: [{promql_expr_test: [{expr: 'sum('}]}]\n",
     "expr: \"sum(\", time: 0s, err:"},
    {"a rule that fails ends the group",
     "tests:\n- input_series:\n  - {series: 'up{job=\"a\", x=\"1\"}', values: 1}\n"
     "  - {series: 'bad{job=\"a\"}', values: 1}\n  - {series: 'bad{job=\"b\"}', values: 1}\n"
     "  promql_expr_test: [{expr: 'up * on () bad'}]\n",
     "err:"},
    {"native histograms are refused",
     "tests: [{input_series: [{series: h, values: '{{sum:1 count:1}}'}]}]\n",
     "not run: its input has native histograms"},
    {"unknown field", "tests:\n- intervall: 1m\n", "2:3: unknown field \"intervall\""},
    {"bad series", "tests:\n- input_series:\n  - {series: 'up{', values: 1}\n",
     "3:5: invalid series \"up{\""},
    {"bad values", "tests:\n- input_series:\n  - {series: up, values: 1 two}\n",
     "3:5: values of \"up\": not a value: two"},
    {"no alertname", "tests:\n- alert_rule_test:\n  - eval_time: 1m\n",
     "3:5: an alert_rule_test needs an alertname"},
    {"a group twice in the order", "group_eval_order: [a, b, a]\n",
     "1:26: group name repeated in group_eval_order"},
    {"years of seconds",
     "evaluation_interval: 1s\ntests: [{promql_expr_test: [{expr: '1', eval_time: 1y}]}]\n",
     "more than 1000000 evaluations"},
};

static void test_verdicts(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str report = STR_INIT(100000);

        row("%s", rows[i].name);
        (void)run(RULES, rows[i].text, &report);
        if (rows[i].want[0] == '\0')
            assert_string_equal(str_text(&report), "");
        else if (!strstr(str_text(&report), rows[i].want))
            fail_msg("got \"%s\", want \"%s\"", str_text(&report), rows[i].want);
    }
}

static void test_the_order_of_groups(void **state)
{
    static const char rules[] = "groups:\n"
                                "- name: reads\n  rules: [{record: b, expr: a + 1}]\n"
                                "- name: writes\n  rules: [{record: a, expr: time()}]\n";
    static const char question[] = "evaluation_interval: 1m\ntests: [{promql_expr_test: "
                                   "[{expr: b, eval_time: 1m, exp_samples: "
                                   "[{labels: b, value: %s}]}]}]\n%s";
    STR_AUTO struct str report = STR_INIT(10000);
    STR_AUTO struct str text = STR_INIT(10000);

    /* As they stand, the reader sees what was written a minute before ... */
    str_addf(&text, question, "1", "");
    assert_string_equal(run(rules, str_text(&text), &report), "");
    /* ... and in the order asked for, what was written now. */
    str_cut(&text, 0);
    str_addf(&text, question, "61", "group_eval_order: [writes, reads]\n");
    assert_string_equal(run(rules, str_text(&text), &report), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_the_order_of_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
