/*
 * Advice on rules: for each check one rule that it is about, and one that it must leave
 * alone. A row is a rule body; the ids found are told in order of their place.
 */

#include <string.h>

#include "alertd/rule/lint.h"
#include "tests/lib/row.h"

#define QUIET                 "    annotations: {summary: 's {{ $value | humanize }}', runbook_url: u}\n"
#define ALERT(expr)           "  - alert: A\n    expr: " expr "\n    for: 5m\n" QUIET
#define ALERT_FOR(wait, expr) "  - alert: A\n    expr: " expr "\n    for: " wait "\n" QUIET
#define ALERT_AT_ONCE(expr)   "  - alert: A\n    expr: " expr "\n" QUIET
#define ALERT_SAYS(expr, summary)                                                         \
    "  - alert: A\n    expr: " expr "\n    for: 5m\n    annotations: {summary: '" summary \
    "', runbook_url: u}\n"
#define RECORD(expr) "  - record: r\n    expr: " expr "\n"

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
    {ALERT("up == 0"), ""},
    {ALERT("up"), "no-comparison"},
    {ALERT("absent(up)"), ""},
    {ALERT("sum(up == 0)"), ""},
    {ALERT("rate(x[5m]) and y"), ""},
    {ALERT("min_over_time((x > 5)[5m:])"), ""},
    {ALERT("(x > 1) or y"), "no-comparison"},
    {ALERT("ALERTS{alertname=\"B\"}"), ""},
    {ALERT("x_info{state=\"down\"}"), ""},
    {ALERT("x_info"), "no-comparison"},
    {ALERT("up == bool 0"), "bool-top"},
    {ALERT("up * (x == bool 0) > 0"), ""},
    {ALERT("vector(1)"), "always-scalar"},
    {"  - alert: MyWatchdog\n    expr: vector(1)\n" QUIET, ""},

    /* never-match: counts, labels, copies of labels, grouping */
    {ALERT("count(up == 1) == 0"), "never-match"},
    {ALERT("count(up == 1) < 1"), "never-match"},
    {ALERT("count(up == 1) < 2"), ""},
    {ALERT("(count(up == 1) or vector(0)) == 0"), ""},
    {ALERT("count_over_time(x[5m]) == 0"), "never-match"},
    {ALERT("absent(up) > 1"), "never-match"},
    {ALERT("absent(up) == 1"), ""},
    {RECORD("sum by (job) (a) / on (instance) sum by (instance) (b)"), "never-match"},
    {RECORD("sum by (job) (a) / on (job) sum by (job, instance) (b)"), ""},
    {RECORD("sum by (a, b) (x) / sum by (a) (y)"), "never-match"},
    {RECORD("sum by (a, b) (x) / ignoring (b) sum by (a) (y)"), ""},
    {RECORD("sum by (a, b) (x) / ignoring (b) group_left sum by (a) (y)"), ""},
    {RECORD("sum by (a) (x) / sum by (a) (y)"), ""},
    {RECORD("x / sum(y)"), ""},
    {RECORD("x{job=\"a\"} / sum(y)"), "never-match"},
    {RECORD("x{job=~\"a|\"} / sum(y)"), ""},
    {RECORD("x{job=\"\"} / sum(y)"), ""},
    {RECORD("sum by (a) (x) or sum by (b) (y)"), ""},
    {RECORD("sum by (a) (x) unless sum by (b) (y)"), "never-match"},
    {RECORD("x * on (job) group_left (team) sum by (job) (y)"), "never-match"},
    {RECORD("x * on (job) group_left (team) sum by (job, team) (y)"), ""},
    {RECORD("sum by (instance) (sum by (job) (x))"), "never-match"},
    {RECORD("sum by (instance) (sum without (job) (x))"), ""},
    {RECORD("sum by (le) (histogram_quantile(0.9, x))"), "never-match"},
    {RECORD("sum by (dst) (label_replace(sum(x), \"dst\", \"$1\", \"a\", \"(.*)\"))"), ""},
    {RECORD("sum by (v) (count_values(\"v\", x))"), ""},

    {ALERT("increase(x[5m]) > 0"), "single-event-blind"},
    {ALERT("increase(x[5m]) >= 1"), "single-event-blind"},
    {ALERT_FOR("10m", "sum(increase(x[5m])) > 0"), "single-event-blind"},
    {ALERT_FOR("1m", "increase(x[5m]) > 0"), ""},
    {ALERT("increase(x[5m]) > 100"), ""},
    {ALERT("increase(x[5m]) == 0"), ""},
    {ALERT_FOR("1h", "hour() == 3"), "for-never"},
    {ALERT_FOR("59m", "hour() == 3"), ""},
    {ALERT_FOR("3h", "x > 1 and on () (hour() < 2 or hour() > 22)"), ""},
    {ALERT_FOR("9h", "x > 1 and on () hour() < 9"), "for-never"},
    {ALERT_FOR("1h", "x unless x offset 1h"), "for-never"},
    {ALERT_FOR("30m", "x unless x offset 1h"), ""},
    {ALERT_FOR("1h", "x unless y offset 1h"), ""},
    {ALERT_FOR("1h", "x offset 1h unless x"), "for-never"},
    {ALERT("time() - timestamp(x) > 600"), "for-never"},
    {ALERT_FOR("1m", "time() - timestamp(x) > 60"), ""},
    {ALERT("avg(rate(a[5m]) / rate(b[5m])) > 0.1"), "nan-compare"},
    {ALERT("avg(rate(a[5m]) / (rate(b[5m]) > 0)) > 0.1"), ""},
    {ALERT("max(rate(a[5m]) / rate(b[5m])) > 0.1"), ""},
    {ALERT("avg(a / b) > 0.1"), ""},

    {ALERT("errors_total > 5"), "counter-raw"},
    {ALERT("5 < sum(errors_total)"), "counter-raw"},
    {ALERT("errors_total > 0"), ""},
    {ALERT("rate(errors_total[5m]) > 5"), ""},
    {ALERT("requests_pending_total > 5"), ""},
    {RECORD("delta(errors_total[5m])"), "counter-raw"},
    {RECORD("delta(temperature[5m])"), ""},
    {RECORD("rate(disk_used_ratio[5m])"), "rate-of-gauge"},
    {RECORD("rate(node_vmstat_oom_kill[5m])"), ""},
    {RECORD("rate(sum(x)[5m:])"), "rate-of-sum"},
    {RECORD("sum(rate(x[5m]))"), ""},
    {RECORD("max_over_time(sum(x)[5m:])"), ""},
    {"  - record: a:b:sum\n    expr: sum(x)\n" RECORD("rate(a:b:sum[5m])"), "rate-of-sum"},
    {"  - record: a:b:sum\n    expr: sum(rate(x[5m]))\n" RECORD("rate(a:b:sum[5m])"), ""},
    {RECORD("rate(x[1m])"), "range-too-short"},
    {RECORD("rate(x[2m])"), ""},
    {RECORD("max_over_time(x[1m])"), ""},
    {RECORD("rate(x[5m + step()])"), "feature-flag"},
    {RECORD("rate(x[5m] offset -1m)"), ""},

    {ALERT_AT_ONCE("up == 0"), "no-for"},
    {ALERT_AT_ONCE("increase(x[5m]) > 0"), ""},
    {ALERT_AT_ONCE("time() - x > 86400"), ""},
    {"  - alert: A\n    expr: up == 0\n    keep_firing_for: 5m\n" QUIET, ""},
    {ALERT_AT_ONCE("absent(up)"), "no-for absent-no-for"},
    {ALERT("absent(up)"), ""},
    {ALERT_AT_ONCE("sum(a) / sum(b) > 0.1"), "no-for fragile-ratio"},
    {ALERT("sum(a) / sum(b) > 0.1"), ""},
    {ALERT("topk(3, x) > 5"), "topk-alert"},
    {ALERT("max(topk(3, x)) > 5"), ""},
    {ALERT("rate(x[5m]) == 0.5"), "equality-on-float"},
    {ALERT("rate(x[5m]) == 0"), ""},
    {ALERT("a / b == 1"), ""},
    {ALERT("increase(x[15m]) != 1"), "equality-on-float"},
    {ALERT_FOR("1m", "rate(x[1h]) > 5"), "for-vs-window"},
    {ALERT_FOR("10m", "rate(x[1h]) > 5"), ""},
    {ALERT_FOR("1m", "rate(x[1h]) > 5 and y > 1"), ""},
    {"  - alert: A\n    expr: up == 0\n    for: 1m\n    labels: {v: '{{ $value }}'}\n" QUIET,
     "value-in-label"},
    {"  - alert: A\n    expr: up == 0\n    for: 1m\n"
     "    labels: {v: '{{ if gt $value 5.0 }}a{{ end }}'}\n" QUIET,
     ""},

    {ALERT_SAYS("sum by (job) (up) == 0", "{{ $labels.instance }}"), "dead-label"},
    {ALERT_SAYS("sum by (job) (up) == 0", "{{ $labels.job }}"), ""},
    {ALERT_SAYS("sum without (job) (up) == 0", "{{ $labels.job }}"), "dead-label"},
    {ALERT_SAYS("sum without (job) (up) == 0", "{{ $labels.instance }}"), ""},
    {ALERT_SAYS("a / on (x) group_left (y) sum by (x, y) (b) == 1",
                "{{ $labels.y }}{{ $labels.z }}"),
     ""},
    {ALERT_SAYS("sum by (x) (a) / on (x) sum by (x) (b) == 1", "{{ $labels.x }}{{ $labels.z }}"),
     "dead-label"},
    {ALERT_SAYS("a == on (x) b", "{{ $labels.x }}{{ $labels.z }}"), "dead-label"},
    {ALERT_SAYS("absent(up{job=\"a\"})", "{{ $labels.job }}{{ $labels.instance }}"), "dead-label"},
    {ALERT_SAYS("label_replace(sum(x), \"a\", \"b\", \"\", \"\") == 1",
                "{{ $labels.a }}{{ $labels.c }}"),
     "dead-label"},
    {ALERT_SAYS("up == 0", "{{ $labels.alertname }}"), "rule-label-in-labels"},
    {ALERT_SAYS("ALERTS == 1", "{{ $labels.alertname }}"), ""},
    {"  - alert: A\n    expr: sum(up) == 0\n    for: 1m\n    labels: {severity: page}\n"
     "    annotations: {summary: '{{ $labels.severity }}', runbook_url: u}\n",
     "rule-label-in-labels"},
    {"  - alert: A\n    expr: up{severity=~\".+\"} == 0\n    for: 1m\n    labels: {severity: page}\n"
     "    annotations: {summary: '{{ $labels.severity }}', runbook_url: u}\n",
     ""},
    {ALERT_SAYS("up == 0", "{{ value }}"), "template-call"},
    {ALERT_SAYS("x > 5", "high"), "no-value"},
    {ALERT_SAYS("x > 0", "there are some"), ""},
    {ALERT_SAYS("x == 5", "five"), ""},
    {ALERT_SAYS("a / b > 0.5", "{{ $value }}"), "raw-ratio"},
    {ALERT_SAYS("a / b > 0.5", "{{ $value | humanizePercentage }}"), ""},
    {ALERT_SAYS("a > 5", "{{ $value }}"), ""},
    {"  - alert: A\n    expr: up == 0\n    for: 1m\n", "no-runbook no-summary"},
    {"  - alert: A\n    expr: up == 0\n    for: 1m\n"
     "    annotations: {description: d, playbook: p}\n",
     ""},

    {RECORD("x{a=~\"b\"}"), "regex-literal"},
    {RECORD("x{a=~\"b|c\", d=\"e\"}"), ""},
    {RECORD("x{a=~\"^b.*\"}"), "regex-anchor"},
    {RECORD("x{a=~\"b.*$\"}"), "regex-anchor"},
    {RECORD("x{a=~\"b.+\\\\$\"}"), ""},
    {RECORD("x{a=~\".*\"}"), "smelly-regex"},
    {RECORD("x{a=~\".+\"}"), ""},
    {RECORD("x{a=~\"db.example.*\"}"), "smelly-regex"},
    {RECORD("x{a=~\"db\\\\.example.*\"}"), ""},
    {RECORD("x{a=~\"5..\"}"), ""},
    {RECORD("x{a=~\"[a.b]c.*\"}"), ""},

    {RECORD("a") RECORD("a"), "dup-rule"},
    {RECORD("a") RECORD("b"), "dup-rule"},
    {RECORD("a") "  - record: r\n    expr: b\n    labels: {x: y}\n", ""},
    {RECORD("a{verb=\"GET\"}") RECORD("a{verb=\"PUT\"}"), ""},
    {RECORD("a{code=~\"2..\"}") RECORD("a{code=~\"5..\"}"), ""},
    {RECORD("sum(a{verb=\"GET\"})") RECORD("sum(a{verb=\"PUT\"})"), "dup-rule"},
    {RECORD("b + 1") "  - record: b\n    expr: a\n", "cross-group-lag"},
    {"  - record: b\n    expr: a\n" RECORD("b + 1"), ""},
};

#define LEVEL(name, severity, wait, expr)                                                          \
    "  - alert: " name "\n    expr: " expr "\n    for: " wait "\n    labels: {severity: " severity \
    "}\n" QUIET

/* Warning and critical of one expression. */
static const struct {
    const char *rules, *want;
} pairs[] = {
    {LEVEL("A", "warning", "5m", "x > 5") LEVEL("B", "critical", "5m", "x > 9"), ""},
    {LEVEL("A", "warning", "5m", "x > 9") LEVEL("B", "critical", "5m", "x > 5"), "threshold-pair"},
    {LEVEL("A", "warning", "5m", "x < 5") LEVEL("B", "critical", "5m", "x < 9"), "threshold-pair"},
    {LEVEL("A", "warning", "5m", "x < 9") LEVEL("B", "critical", "5m", "x < 5"), ""},
    {LEVEL("A", "warning", "5m", "x > 5") LEVEL("B", "page", "5m", "x > 5"), "threshold-pair"},
    {LEVEL("A", "warning", "5m", "x > 5") LEVEL("B", "page", "1h", "x > 5"), ""},
    {LEVEL("A", "warning", "5m", "x > 9") LEVEL("B", "critical", "5m", "y > 5"), ""},
    {LEVEL("A", "warning", "5m", "x > 9") LEVEL("B", "warning", "5m", "x > 5"), ""},
};

static void test_checks(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str got = STR_INIT(1000);

        row("%s", rows[i].rule);
        assert_string_equal(findings_of(rows[i].rule, &got), rows[i].want);
    }
}

static void test_pairs(void **state)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        STR_AUTO struct str got = STR_INIT(1000);

        row("%s", pairs[i].rules);
        assert_string_equal(findings_of(pairs[i].rules, &got), pairs[i].want);
    }
}

/* A check that no row trips could be gone without anybody noticing. */
static void test_every_check_has_a_row(void **state)
{
    size_t n;
    const struct rule_check *checks = rule_checks(&n);

    for (size_t i = 0; i < n; i++) {
        bool is_tripped = strcmp(checks[i].id, "threshold-pair") == 0 ||
                          strcmp(checks[i].id, "slow-group") == 0 ||
                          strcmp(checks[i].id, "bad-comment") == 0;

        if (checks[i].needs != RULE_NEEDS_TEXT && checks[i].needs != RULE_NEEDS_BOTH)
            continue;
        for (size_t at = 0; at < sizeof(rows) / sizeof(*rows); at++)
            is_tripped |= strstr(rows[at].want, checks[i].id) != NULL;
        row("%s", checks[i].id);
        assert_true(is_tripped);
    }
}

static const struct {
    const char *rules, *id;
    struct rule_span want;
} spans[] = {
    {RECORD("sum(x{a=~\"b\"}) + y"), "regex-literal", {5, 17, 5, 23}},
    {RECORD("a{aa=~\"x|y\",a=~\"b\"}"), "regex-literal", {5, 23, 5, 29}},
    {"  - record: r\n    expr: |\n      1 +\n      rate(sum(x)[5m:])\n",
     "rate-of-sum",
     {7, 7, 7, 24}},
    {"  - record: r\n    expr: 'x{a=~\"^b.*\"}'\n", "regex-anchor", {5, 14, 5, 23}},
    {ALERT_SAYS("sum(x) == 0", "größer {{ $labels.job }}"), "dead-label", {7, 39, 7, 50}},
    {"  - alert: A\n    expr: absent(\n      x)\n" QUIET, "absent-no-for", {5, 11, 6, 9}},
    {"  - alert: \"Ab\"\n    expr: x == 1\n" QUIET, "no-for", {4, 12, 4, 16}},
};

static void test_spans(void **state)
{
    for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
        STR_AUTO struct str text = STR_INIT(10000);
        struct rule_findings findings = {0};
        struct rule_file *file = NULL;
        size_t at = 0;

        row("%s", spans[i].rules);
        str_addf(&text, "groups:\n- name: g\n  rules:\n%s", spans[i].rules);
        assert_int_equal(rule_file_parse("f.yml", text.text, text.len, NULL, &file, NULL), 0);
        rule_lint(file, &findings);
        while (at < findings.n && strcmp(findings.at[at].id, spans[i].id) != 0)
            at++;
        assert_true(at < findings.n);
        assert_memory_equal(&findings.at[at].span, &spans[i].want, sizeof(struct rule_span));
        assert_non_null(findings.at[at].fix);
        rule_findings_done(&findings);
        rule_file_unref(file);
    }
}

/* What is proposed can be written down as it is. */
static void test_fixes(void **state)
{
    static const struct {
        const char *expr, *want;
    } fixes[] = {
        {"x{a=~\"db.example.com.*\"}", "a=~\"db\\\\.example\\\\.com.*\""},
        {"'x{a!~`[a.b]db.example|\\d`}'",
         "a!~\"[a.b]db\\\\.example|\\\\d\", each backslash twice within YAML's \"...\""},
    };

    for (size_t i = 0; i < sizeof(fixes) / sizeof(*fixes); i++) {
        STR_AUTO struct str text = STR_INIT(10000);
        struct rule_findings findings = {0};
        struct rule_file *file = NULL;

        row("%s", fixes[i].expr);
        str_addf(&text, "groups:\n- name: g\n  rules:\n  - record: r\n    expr: %s\n",
                 fixes[i].expr);
        assert_int_equal(rule_file_parse("f.yml", text.text, text.len, NULL, &file, NULL), 0);
        rule_lint(file, &findings);
        assert_int_equal(findings.n, 1);
        assert_string_equal(findings.at[0].fix, fixes[i].want);
        rule_findings_done(&findings);
        rule_file_unref(file);
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
    assert_int_equal(findings.at[0].span.line, 3);
    assert_int_equal(findings.at[0].span.column, 13);
    assert_string_equal(findings.at[2].id, "dead-label");
    assert_int_equal(findings.at[2].span.line, 11);
    assert_int_equal(findings.at[2].span.column, 12);
    assert_int_equal(findings.at[2].span.end_column, 23);
    assert_string_equal(findings.at[2].text,
                        "a gap in the text: the expression's result has no labels");
    rule_findings_done(&findings);
    rule_file_unref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_every_check_has_a_row),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_fixes),
        cmocka_unit_test(test_a_finding_points_into_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
