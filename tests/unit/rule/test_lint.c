/*
 * Advice on rules: for each check one rule that it is about, and one that it must leave
 * alone. A row is a rule body; the ids found are told in order of their place.
 */

#include <string.h>

#include "alertd/rule/lint.h"
#include "tests/lib/row.h"

#define QUIET "    annotations: {summary: s, runbook_url: u}\n"

static const char *findings_of(const char *rules, struct str *out)
{
    STR_AUTO struct str text = STR_INIT(10000);
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;
    struct err err = {0};

    str_cut(out, 0);
    str_addf(&text, "groups:\n- name: g\n  rules:\n%s", rules);
    if (rule_file_parse("f.yml", text.text, text.len, NULL, &file, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    rule_lint(file, &findings);
    for (size_t i = 0; i < findings.n; i++)
        str_addf(out, "%s%s", i ? " " : "", findings.at[i].id);
    rule_findings_done(&findings);
    rule_file_unref(file);
    return str_text(out);
}

static const struct {
    const char *rule, *want;
} rows[] = {
    {"  - alert: A\n    expr: up == 0\n    for: 5m\n" QUIET, ""},
    {"  - alert: A\n    expr: up\n    for: 5m\n" QUIET, "no-comparison"},
    {"  - alert: A\n    expr: absent(up)\n    for: 5m\n" QUIET, ""},
    {"  - alert: A\n    expr: sum(up == 0)\n    for: 5m\n" QUIET, ""},
    {"  - alert: A\n    expr: rate(x[5m]) and y\n    for: 5m\n" QUIET, ""},
    {"  - alert: A\n    expr: (x > 1) or y\n    for: 5m\n" QUIET, "no-comparison"},
    {"  - alert: A\n    expr: up == bool 0\n    for: 5m\n" QUIET, "bool-top"},
    {"  - alert: A\n    expr: vector(1)\n" QUIET, "always-scalar"},
    {"  - alert: Watchdog\n    expr: vector(1)\n" QUIET, ""},
    {"  - alert: A\n    expr: increase(x[5m]) > 0\n    for: 5m\n" QUIET, "single-event-blind"},
    {"  - alert: A\n    expr: sum(increase(x[5m])) > 0\n    for: 10m\n" QUIET,
     "single-event-blind"},
    {"  - alert: A\n    expr: increase(x[5m]) > 0\n    for: 1m\n" QUIET, ""},
    {"  - alert: A\n    expr: topk(3, x) > 5\n    for: 1m\n" QUIET, "topk-alert"},
    {"  - alert: A\n    expr: errors_total > 5\n    for: 1m\n" QUIET, "counter-raw"},
    {"  - alert: A\n    expr: rate(errors_total[5m]) > 5\n    for: 1m\n" QUIET, ""},
    {"  - record: r\n    expr: rate(sum(x)[5m:])\n", "rate-of-sum"},
    {"  - record: r\n    expr: sum(rate(x[5m]))\n", ""},
    {"  - record: r\n    expr: x{a=~\"b\"}\n", "regex-literal"},
    {"  - record: r\n    expr: x{a=~\"b|c\", d=\"e\"}\n", ""},
    {"  - alert: A\n    expr: up == 0\n" QUIET, "no-for"},
    {"  - alert: A\n    expr: up == 0\n    for: 1m\n", "no-runbook no-summary"},
    {"  - alert: A\n    expr: sum by (job) (up) == 0\n    for: 1m\n"
     "    annotations: {summary: '{{ $labels.instance }}', runbook_url: u}\n",
     "dead-label"},
    {"  - alert: A\n    expr: sum by (job) (up) == 0\n    for: 1m\n"
     "    annotations: {summary: '{{ $labels.job }}', runbook_url: u}\n",
     ""},
    {"  - alert: A\n    expr: sum(up) == 0\n    for: 1m\n    labels: {severity: page}\n"
     "    annotations: {summary: '{{ $labels.severity }}', runbook_url: u}\n",
     "dead-label"},
    {"  - alert: A\n    expr: a / on (x) group_left (y) sum by (x, y) (b) > 1\n    for: 1m\n"
     "    annotations: {summary: '{{ $labels.y }}{{ $labels.z }}', runbook_url: u}\n",
     ""},
    {"  - alert: A\n    expr: sum by (x) (a) / on (x) sum by (x) (b) > 1\n    for: 1m\n"
     "    annotations: {summary: '{{ $labels.x }}{{ $labels.z }}', runbook_url: u}\n",
     "dead-label"},
    {"  - alert: A\n    expr: absent(up{job=\"a\"})\n    for: 1m\n"
     "    annotations: {summary: '{{ $labels.job }}{{ $labels.instance }}', runbook_url: u}\n",
     "dead-label"},
    {"  - alert: A\n    expr: label_replace(sum(x), \"a\", \"b\", \"\", \"\") > 1\n    for: 1m\n"
     "    annotations: {summary: '{{ $labels.a }}{{ $labels.c }}', runbook_url: u}\n",
     "dead-label"},
    {"  - alert: A\n    expr: up == 0\n    for: 1m\n"
     "    annotations: {summary: '{{ $labels.alertname }}', runbook_url: u}\n",
     "rule-label-in-labels"},
    {"  - alert: A\n    expr: up == 0\n    for: 1m\n    labels: {v: '{{ $value }}'}\n" QUIET,
     "value-in-label"},
    {"  - alert: A\n    expr: up == 0\n    for: 1m\n"
     "    annotations: {summary: '{{ value }}', runbook_url: u}\n",
     "template-call"},
    {"  - record: r\n    expr: a\n  - record: r\n    expr: b\n", "duplicate-rule"},
    {"  - record: r\n    expr: a\n  - record: r\n    expr: b\n    labels: {x: y}\n", ""},
};

static void test_checks(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str got = STR_INIT(1000);

        row("%s", rows[i].rule);
        assert_string_equal(findings_of(rows[i].rule, &got), rows[i].want);
    }
}

static void test_a_finding_points_into_the_text(void **state)
{
    static const char text[] = "groups:\n- name: g\n  interval: 10m\n  rules:\n"
                               "  - alert: A\n    expr: sum(up) == 0\n    for: 1m\n"
                               "    annotations:\n      summary: |\n"
                               "        on\n        {{ $labels.job }}\n";
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;

    assert_int_equal(rule_file_parse("f.yml", text, strlen(text), NULL, &file, NULL), 0);
    rule_lint(file, &findings);
    assert_int_equal(findings.n, 3);
    assert_string_equal(findings.at[0].id, "slow-group");
    assert_string_equal(findings.at[2].id, "dead-label");
    assert_int_equal(findings.at[2].line, 11);
    assert_int_equal(findings.at[2].column, 12);
    assert_non_null(strstr(findings.at[2].text, "$labels.job is always empty"));
    rule_findings_done(&findings);
    rule_file_unref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_a_finding_points_into_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
