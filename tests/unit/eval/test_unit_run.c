/*
 * Unit tests of rules, tested: a rule file and a test file as text, and whether the tests
 * pass or what they say when they don't.
 */

#include <string.h>

#include "alertd/eval/unit_run.h"
#include "tests/lib/row.h"

#define RULES                                                                                       \
    "groups:\n- name: g\n  rules:\n"                                                                \
    "  - record: job:up:sum\n    expr: sum by (job) (up)\n"                                         \
    "  - alert: Down\n    expr: job:up:sum == 0\n    for: 2m\n    labels: {severity: page}\n"       \
    "    annotations: {summary: '{{ $labels.job }} in {{ $externalLabels.dc }} is {{ $value }}'}\n" \
    "  - {alert: Empty, expr: sum(blank) > 0, annotations: {none: '{{ $labels.nope }}'}}\n"

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
            struct unit_report found;

            unit_report_init(&found);
            bool ok = unit_run(file, &file->groups[i], &loaded, &found);
            unit_report_print(&found, "t.yml", false, report);
            unit_report_done(&found);
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
     "    t.yml:7:21: alert Down at 1m: 1 expected and not firing\n"
     "      - {}\n"
     "            pending since 1m: fires at 3m if it stays true (for: 2m); value 0\n"},
    {"there and not expected", INPUT "  alert_rule_test: [{eval_time: 5m, alertname: Down}]\n",
     "    t.yml:7:21: alert Down at 5m: 1 firing and not expected\n"
     "      + {job=\"a\", severity=\"page\"}\n"
     "      +   annotation summary: a in x is 0\n"},
    {"an annotation differs: the same alert, said in another way",
     INPUT "  alert_rule_test:\n  - eval_time: 3m\n    alertname: Down\n    exp_alerts:\n"
           "    - exp_labels: {severity: page, job: a}\n"
           "      exp_annotations: {summary: a in y is 0, more: text}\n",
     "    t.yml:8:5: alert Down at 3m: 1 differs\n"
     "        {job=\"a\", severity=\"page\"}\n"
     "      - annotation more: text\n"
     "      - annotation summary: a in y is 0\n"
     "      + annotation summary: a in x is 0\n"
     "                                 ^\n"},
    {"a label differs",
     INPUT "  alert_rule_test:\n  - eval_time: 3m\n    alertname: Down\n    exp_alerts:\n"
           "    - exp_labels: {severity: ticket, job: a}\n"
           "      exp_annotations: {summary: a in x is 0}\n",
     "        {job=\"a\"}\n"
     "      - label severity: ticket\n"
     "      + label severity: page\n"},
    {"an annotation that comes out empty is not an absent one",
     "tests:\n- input_series: [{series: blank, values: 1x9}]\n"
     "  alert_rule_test: [{eval_time: 5m, alertname: Empty, exp_alerts: [{}]}]\n",
     "      + annotation none: \"\"\n"},
    {"and is expected as such",
     "tests:\n- input_series: [{series: blank, values: 1x9}]\n"
     "  alert_rule_test: [{eval_time: 5m, alertname: Empty, exp_alerts: [{exp_annotations: "
     "{none: ''}}]}]\n",
     ""},
    {"a label expected to be empty never is", /* alerts have no empty labels */
     "tests:\n- input_series: [{series: blank, values: 1x9}]\n"
     "  alert_rule_test: [{eval_time: 5m, alertname: Empty, exp_alerts: [{exp_labels: {x: ''}, "
     "exp_annotations: {none: ''}}]}]\n",
     "      - label x: \"\"\n"},
    {"expected, and the expression gives nothing: which value stood against which threshold",
     "tests:\n- input_series: [{series: 'up{job=\"a\"}', values: '1x9'}]\n"
     "  alert_rule_test: [{eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {job: a}}]}]\n",
     "      - {job=\"a\"}\n"
     "            inactive: job:up:sum{job=\"a\"} is 1; the rule asks job:up:sum == 0\n"},
    {"expected, and there is no data at all",
     "tests:\n- alert_rule_test: [{eval_time: 5m, alertname: Down, exp_alerts: [{}]}]\n",
     "inactive: job:up:sum gives nothing; the rule asks job:up:sum == 0\n"},
    {"expected after it was over",
     "tests:\n- input_series: [{series: 'up{job=\"a\"}', values: '0x3 1x9'}]\n"
     "  alert_rule_test: [{eval_time: 6m, alertname: Down, exp_alerts: [{exp_labels: {job: a, "
     "severity: page}}]}]\n",
     "            it fired at 2m and resolved at 4m\n"},
    {"a name no rule has",
     INPUT "  alert_rule_test: [{eval_time: 1m, alertname: Donw, exp_alerts: [{}]}]\n",
     "1 expected and not firing; no rule in these files has that name: did you mean Down?\n"},
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
     "    t.yml:1:29: expr 2 + 2 at 0s: 1 value differs\n      - {} 5\n      + {} 4\n"},
    {"samples: only what differs",
     "tests:\n- input_series:\n  - {series: 'm{a=\"1\"}', values: 1}\n"
     "  - {series: 'm{a=\"2\"}', values: 2}\n  - {series: 'm{a=\"3\"}', values: 3}\n"
     "  promql_expr_test:\n  - expr: m\n    exp_samples:\n    - {labels: 'm{a=\"1\"}', value: 1}\n"
     "    - {labels: 'm{a=\"2\"}', value: 5}\n    - {labels: 'm{a=\"4\"}', value: 4}\n",
     "1 value differs, 1 expected and not there, 1 not expected, 1 as expected\n"
     "      - m{a=\"2\"} 5\n      + m{a=\"2\"} 2\n      + m{a=\"3\"} 3\n      - m{a=\"4\"} 4\n"},
    {"floats are equal or not",
     "tests: [{promql_expr_test: [{expr: 0.1 + 0.2, exp_samples: [{value: 0.3}]}]}]\n",
     "      - {} 0.3\n      + {} 0.30000000000000004\n"
     "          they differ in the last bit: `fuzzy_compare: true` lets that pass\n"},
    {"unless one unit may differ",
     "fuzzy_compare: true\n"
     "tests: [{promql_expr_test: [{expr: 0.1 + 0.2, exp_samples: [{value: 0.3}]}]}]\n",
     ""},
    {"NaN equals nothing",
     "tests: [{promql_expr_test: [{expr: NaN, exp_samples: [{value: .nan}]}]}]\n",
     "NaN equals nothing, not even NaN"},
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
     "    t.yml:1:41: expr sum( at 0s: unclosed left parenthesis"},
    {"an expression that fails",
     "tests:\n- input_series:\n  - {series: 'up{job=\"a\", x=\"1\"}', values: 1}\n"
     "  - {series: 'bad{job=\"a\"}', values: 1}\n  - {series: 'bad{job=\"b\"}', values: 1}\n"
     "  promql_expr_test: [{expr: 'up * on () bad'}]\n",
     "t.yml:6:33: expr up * on () bad at 0s: found duplicate series"},
    {"native histograms are refused",
     "tests: [{input_series: [{series: h, values: '{{sum:1 count:1}}'}]}]\n",
     "not run: its input has native histograms"},
    {"unknown field", "tests:\n- intervall: 1m\n", "2:3: unknown field \"intervall\""},
    {"longer than anybody lives", "evaluation_interval: 300y\n",
     "1:22: field \"evaluation_interval\": not a valid duration"},
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
     "more than a million evaluations"},
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

/* As YAML's double quoted text; `\\x` stays an escape of YAML's. */
static void add_quoted(const char *text, struct str *out)
{
    str_addc(out, '"');
    for (; *text; text++)
        if (*text == '\n')
            str_add(out, "\\n");
        else
            str_addc(out, *text);
    str_addc(out, '"');
}

/* What a diff shows of two annotations of the alert A, expected beside got. */
static const struct {
    const char *name, *expected, *got, *want;
} diffs[] = {
    {"a word", "disk is full on a", "disk is full on b",
     "- annotation text: disk is full on a\n      + annotation text: disk is full on b\n"
     "                                         ^\n"},
    {"short values need no hand", "a", "b", "- annotation text: a\n      + annotation text: b\n"},
    {"a blank at the end", "full ", "full",
     "- annotation text: \"full \"\n      + annotation text: full\n"},
    {"one line of four", "one\ntwo\nthree\nfour", "one\ntwo\n3\nfour",
     "  annotation text: |\n            two\n      -     three\n      +     3\n            four\n"},
    {"a line more", "one\ntwo", "one\ntwo and\nmore",
     "  annotation text: |\n            one\n      -     two\n      +     two and\n"
     "      +     more\n"},
    {"only the last line's end", "one\ntwo\n", "one\ntwo",
     "- annotation text: \"one\\ntwo\\n\"\n      + annotation text: \"one\\ntwo\"\n"},
    {"what would move a terminal's cursor", "a", "\\x1b[2J", "+ annotation text: \\x1b[2J\n"},
    {"letters of several bytes", "caf\u00e9 is open today", "caf\u00e9 is shut today",
     "      + annotation text: caf\u00e9 is shut today\n"
     "                                 ^\n"},
};

static void test_diffs(void **state)
{
    for (size_t i = 0; i < sizeof(diffs) / sizeof(*diffs); i++) {
        STR_AUTO struct str report = STR_INIT(100000);
        STR_AUTO struct str rules = STR_INIT(10000);
        STR_AUTO struct str text = STR_INIT(10000);

        row("%s", diffs[i].name);
        str_add(&rules,
                "groups: [{name: g, rules: [{alert: A, expr: vector(1), annotations: {text: ");
        add_quoted(diffs[i].got, &rules);
        str_add(&rules, "}}]}]\n");
        str_add(&text, "tests: [{alert_rule_test: [{alertname: A, exp_alerts: [{exp_annotations: "
                       "{text: ");
        add_quoted(diffs[i].expected, &text);
        str_add(&text, "}}]}]}]\n");
        (void)run(str_text(&rules), str_text(&text), &report);
        if (!strstr(str_text(&report), diffs[i].want))
            fail_msg("got \"%s\", want \"%s\"", str_text(&report), diffs[i].want);
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

static void test_a_rule_that_fails_ends_the_group(void **state)
{
    static const char rules[] =
        "groups:\n- name: g\n  rules:\n"
        "  - {record: b, expr: 'label_replace(a, \"x\", \"\", \"\", \"\")'}\n";
    static const char text[] = "tests: [{input_series: [{series: 'a{x=\"1\"}', values: '_ 1 1'}, "
                               "{series: 'a{x=\"2\"}', values: '_ _ 1'}], promql_expr_test: "
                               "[{expr: '1', eval_time: 5m, exp_samples: []}]}]\n";
    STR_AUTO struct str report = STR_INIT(10000);

    (void)run(rules, text, &report);
    if (!strstr(str_text(&report), "    rule b at 2m: ") || !strstr(str_text(&report), "(r.yml:4)"))
        fail_msg("got \"%s\"", str_text(&report));
    assert_null(strstr(str_text(&report), "expr")); /* not asked any more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_diffs),
        cmocka_unit_test(test_the_order_of_groups),
        cmocka_unit_test(test_a_rule_that_fails_ends_the_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
