/*
 * Rules held against a policy and against their unit tests. A row is a policy, a rule, and
 * the ids that are told of it.
 */

#include <string.h>

#include "alertd/rule/lint.h"
#include "alertd/rule/policy.h"
#include "tests/lib/row.h"

#define HEAD          "groups:\n- name: g\n  rules:\n"
#define RECORD(expr)  "  - record: r\n    expr: " expr "\n"
#define ALERT(labels) "  - alert: Down\n    expr: up == 0\n    labels: {" labels "}\n"

static struct rule_file *parse(const char *rules)
{
    STR_AUTO struct str text = STR_INIT(10000);
    struct rule_file *file = NULL;
    struct err err = {0};

    str_addf(&text, HEAD "%s", rules);
    if (rule_file_parse("f.yml", text.text, text.len, NULL, &file, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return file;
}

static void take_ids(struct rule_findings *findings, struct str *out)
{
    for (size_t i = 0; i < findings->n; i++)
        str_addf(out, "%s%s", i ? " " : "", findings->at[i].id);
    rule_findings_done(findings);
}

static const struct {
    const char *policy, *rules, *want;
} rows[] = {
    {"", ALERT("a: b"), ""},
    {"severities: [critical, warning]", ALERT("severity: warning"), ""},
    {"severities: [critical, warning]", ALERT("severity: bad"), "severity-set"},
    {"severities: [critical, warning]", ALERT("a: b"), "severity-set"},
    {"severities: [critical]", ALERT("severity: '{{ $labels.level }}'"), ""},
    {"severities: [critical]", RECORD("up"), ""},
    {"labels: [team]", ALERT("team: web"), ""},
    {"labels: [team, tier]", ALERT("team: ''"), "required-label required-label"},
    {"annotations: [summary]", ALERT("a: b"), "required-annotation"},
    {"annotations: [summary]", ALERT("a: b") "    annotations: {summary: s}\n", ""},
    {"alert_name: '[A-Z][a-z]+'", ALERT("a: b"), ""},
    {"alert_name: '[a-z]+'", ALERT("a: b") RECORD("up"), "name"},
    {"record_name: '[a-z]+:[a-z]+'", ALERT("a: b") RECORD("up"), "name"},
    {"selectors: [cluster]", RECORD("up{cluster=\"a\"} + x"), "required-selector"},
    {"selectors: [cluster]", RECORD("up{cluster=~\"a|b\"}"), ""},
    {"keep: [cluster]", RECORD("sum by (job) (up)"), "aggregate-keep"},
    {"keep: [cluster]", RECORD("sum by (job, cluster) (up)"), ""},
    {"keep: [cluster]", RECORD("sum(sum without (cluster) (up))"), "aggregate-keep"},
    {"reject: ['.*write me.*']", ALERT("a: b") "    annotations: {summary: please write me here}\n",
     "reject"},
    {"reject: ['write me']", ALERT("a: b") "    annotations: {summary: please write me here}\n",
     ""},
    {"external_labels: [site]", ALERT("site: north"), "label-conflict"},
    {"external_labels: [site]",
     ALERT(
         "a: b") "    annotations: {summary: '{{ $externalLabels.site }}{{ $externalLabels.x }}'}\n",
     "ext-label"},
};

static void test_policies(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str got = STR_INIT(1000);
        struct rule_findings findings = {0};
        struct rule_file *file = parse(rows[i].rules);
        struct rule_policy *policy = NULL;

        row("%s: %s", rows[i].policy, rows[i].rules);
        assert_int_equal(rule_policy_parse(rows[i].policy, strlen(rows[i].policy), &policy, NULL),
                         0);
        rule_lint_policy(file, policy, &findings);
        take_ids(&findings, &got);
        assert_string_equal(str_text(&got), rows[i].want);
        rule_policy_free(policy);
        rule_file_unref(file);
    }
}

static const struct {
    const char *policy, *words;
    unsigned line, column;
} refused[] = {
    {"severity: [a]", "did you mean \"severities\"", 1, 1},
    {"labels: team", "a list of texts", 1, 9},
    {"labels:\n- {a: b}\n", "expected", 2, 3},
    {"alert_name: '['", "\"[\": ", 1, 13},
    {"reject: [a, '(']", "\"(\": ", 1, 13},
    {"- a\n", "expected", 1, 1},
};

static void test_refused(void **state)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct rule_policy *policy = NULL;
        struct err err = {0};

        row("%s", refused[i].policy);
        assert_int_equal(
            rule_policy_parse(refused[i].policy, strlen(refused[i].policy), &policy, &err),
            RULE_POLICY_E_FILE);
        assert_non_null(strstr(err.text, refused[i].words));
        assert_int_equal(err.line, refused[i].line);
        assert_int_equal(err.column, refused[i].column);
    }
}

#define TESTS "rule_files: [r.yml]\ntests:\n- alert_rule_test:\n"
#define FIRES \
    "  - {eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {severity: critical}}]}\n"
#define SILENT "  - {eval_time: 1m, alertname: Down}\n"

static const struct {
    const char *what, *tests, *rules, *want;
} tested[] = {
    {"both", TESTS FIRES SILENT, ALERT("severity: critical"), ""},
    {"it never fires", TESTS SILENT, ALERT("severity: critical"), "untested"},
    {"it is never silent", TESTS FIRES, ALERT("severity: critical"), "untested"},
    {"another severity fires", TESTS FIRES SILENT, ALERT("severity: warning"), "untested"},
    {"another name", TESTS FIRES SILENT, "  - alert: Up\n    expr: up == 1\n", "untested"},
    {"records need none", TESTS FIRES SILENT, RECORD("up"), ""},
};

static void test_untested(void **state)
{
    for (size_t i = 0; i < sizeof(tested) / sizeof(*tested); i++) {
        STR_AUTO struct str got = STR_INIT(1000);
        struct rule_findings findings = {0};
        struct rule_file *file = parse(tested[i].rules);
        struct unit_file *tests = NULL;
        struct err err = {0};

        row("%s", tested[i].what);
        if (unit_file_parse(tested[i].tests, strlen(tested[i].tests), &tests, &err))
            fail_msg("%u:%u: %s", err.line, err.column, err.text);
        rule_lint_tests(file, (const struct unit_file *const *)&tests, 1, &findings);
        take_ids(&findings, &got);
        assert_string_equal(str_text(&got), tested[i].want);
        unit_file_free(tests);
        rule_file_unref(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_untested),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
