/*
 * Rule files: what loads, and what is refused at which place with which words.
 */

#include <string.h>

#include "alertd/rule/group.h"
#include "tests/lib/row.h"

#define HEAD "groups:\n- name: g\n  rules:\n"

static struct rule_file *parse(const char *text)
{
    struct rule_file *file = NULL;
    struct err err = {0};

    if (rule_file_parse("f.yml", text, strlen(text), NULL, &file, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    return file;
}

static void test_everything_a_file_can_say(void **state)
{
    struct rule_file *file = parse("groups:\n"
                                   "- name: g\n"
                                   "  interval: 30s\n"
                                   "  query_offset: 5s\n"
                                   "  limit: 3\n"
                                   "  labels: {team: a, severity: low}\n"
                                   "  rules:\n"
                                   "  - alert: Down\n"
                                   "    expr: |\n"
                                   "      up == 0\n"
                                   "    for: 1m30s\n"
                                   "    keep_firing_for: 2m\n"
                                   "    labels: {severity: page, empty: }\n"
                                   "    annotations: {summary: '{{ $labels.job }} is down'}\n"
                                   "  - record: job:up:sum\n"
                                   "    expr: sum by (job) (up)\n"
                                   "- name: empty\n"
                                   "  rules: []\n");

    assert_int_equal(file->n_groups, 2);
    assert_int_equal(file->n_rules, 2);
    const struct rule_group *group = &file->groups[0];
    assert_int_equal(group->interval_ms, 30000);
    assert_int_equal(group->query_offset_ms, 5000);
    assert_int_equal(group->limit, 3);
    const struct rule *down = &group->rules[0];
    assert_true(down->is_alert);
    assert_string_equal(down->expr_text, "up == 0");
    assert_int_equal(down->for_ms, 90000);
    assert_int_equal(down->keep_firing_for_ms, 120000);
    assert_int_equal(down->n_labels, 3);
    assert_string_equal(rule_text_find(down->labels, 3, "severity"), "page");
    assert_string_equal(rule_text_find(down->labels, 3, "team"), "a");
    assert_string_equal(rule_text_find(down->labels, 3, "empty"), "");
    assert_string_equal(down->annotations[0].name, "summary");
    assert_false(group->rules[1].is_alert);
    assert_string_equal(rule_text_find(group->rules[1].labels, 2, "severity"), "low");
    assert_int_equal(file->groups[1].interval_ms, RULE_INTERVAL_DEFAULT_MS);
    rule_file_unref(file);
}

static void test_no_groups(void **state)
{
    static const char *const texts[] = {"", "groups:\n", "groups: []\n"};

    for (size_t i = 0; i < 3; i++) {
        struct rule_file *file = parse(texts[i]);

        assert_int_equal(file->n_rules, 0);
        rule_file_unref(file);
    }
}

static const struct {
    const char *name, *text;
    unsigned line, column;
    const char *words;
} refused[] = {
    {"not YAML", "groups: [\n", 2, 1, "not YAML"},
    {"unknown key", "groups:\n- name: g\n  intervall: 1m\n", 3, 3,
     "unknown field \"intervall\": did you mean \"interval\"?"},
    {"unknown key of a rule", HEAD "  - alert: A\n    expr: x\n    fro: 5m\n", 6, 5,
     "group \"g\", rule 1: unknown field \"fro\": did you mean \"for\"?"},
    {"no name", "groups:\n- rules: []\n", 2, 3, "Groupname must not be empty"},
    {"a name twice", "groups:\n- name: g\n- name: g\n", 3, 3,
     "groupname: \"g\" is repeated in the same file"},
    {"groups is a map", "groups: {a: b}\n", 1, 9, "expected a list of groups, got a map"},
    {"neither", HEAD "  - expr: x\n", 4, 5, "one of 'record' or 'alert' must be set"},
    {"both", HEAD "  - alert: A\n    record: b\n    expr: x\n", 5, 5,
     "only one of 'record' and 'alert' must be set"},
    {"no expr", HEAD "  - alert: A\n", 4, 5,
     "group \"g\", rule 1, \"A\": field 'expr' must be set in rule"},
    {"bad expr", HEAD "  - alert: A\n    expr: sum(up) by\n", 5, 21,
     "could not parse expression: parse error"},
    {"bad expr in a block", HEAD "  - alert: A\n    expr: |\n      up\n        / /\n", 7, 11,
     "parse error"},
    {"a range vector", HEAD "  - alert: A\n    expr: up[5m]\n", 5, 11, "gives a range vector"},
    {"a string", HEAD "  - alert: A\n    expr: '\"x\"'\n", 5, 11, "gives a string"},
    {"bad duration", HEAD "  - alert: A\n    expr: x\n    for: soon\n", 6, 10,
     "field \"for\": not a valid duration: \"soon\""},
    {"record with for", HEAD "  - record: r\n    expr: x\n    for: 1m\n", 6, 5,
     "invalid field 'for' in recording rule"},
    {"record with annotations", HEAD "  - record: r\n    expr: x\n    annotations: {a: b}\n", 6, 5,
     "invalid field 'annotations' in recording rule"},
    {"record with braces", HEAD "  - record: r{a=\"b\"}\n    expr: x\n", 4, 13, "braces present"},
    {"label __name__", HEAD "  - alert: A\n    expr: x\n    labels: {__name__: y}\n", 6, 14,
     "invalid label name: \"__name__\""},
    {"a label that is a list", HEAD "  - alert: A\n    expr: x\n    labels: {a: [b]}\n", 6, 17,
     "expected text, got a list"},
    {"bad template in a label",
     HEAD "  - alert: A\n    expr: x\n    labels:\n      a: '{{ $label.b }}'\n", 7, 14,
     "label \"a\": template: undefined variable \"$label\": did you mean \"$labels\"?"},
    {"bad template in a block",
     HEAD
     "  - alert: A\n    expr: x\n    annotations:\n      d: |\n        one\n        {{ nope }}\n",
     9, 12, "annotation \"d\": template: unknown function \"nope\""},
    {"duplicate key", HEAD "  - alert: A\n    alert: B\n    expr: x\n", 5, 5, "stands here again"},
    {"limit is no number", "groups:\n- name: g\n  limit: many\n", 3, 10, "expected a whole number"},
};

static void test_refused(void **state)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct rule_file *file = NULL;
        struct err err = {0};

        row("%s", refused[i].name);
        assert_int_equal(
            rule_file_parse("f.yml", refused[i].text, strlen(refused[i].text), NULL, &file, &err),
            RULE_E_FILE);
        assert_null(file);
        if (!strstr(err.text, refused[i].words))
            fail_msg("got \"%s\", want \"%s\"", err.text, refused[i].words);
        assert_int_equal(err.line, refused[i].line);
        assert_int_equal(err.column, refused[i].column);
    }
}

static void test_all_errors_of_a_file_in_one_go(void **state)
{
    static const char text[] = HEAD "  - alert: A\n    expr: )\n"
                                    "  - alert: B\n    expr: x\n    for: soon\n"
                                    "  - expr: y\n";
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;
    struct err err = {0};

    assert_int_equal(rule_file_parse("f.yml", text, strlen(text), &findings, &file, &err),
                     RULE_E_FILE);
    assert_int_equal(findings.n, 3);
    assert_int_equal(findings.at[0].span.line, 5);
    assert_int_equal(findings.at[1].span.line, 8);
    assert_int_equal(findings.at[2].span.line, 9);
    assert_int_equal(err.line, 5); /* the first is what a caller without a list is told */
    rule_findings_done(&findings);
}

static void test_findings_are_capped(void **state)
{
    STR_AUTO struct str text = STR_INIT(1000000);
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;

    str_add(&text, HEAD);
    for (int i = 0; i < RULE_FINDINGS_MAX + 7; i++)
        str_add(&text, "  - expr: y\n");
    assert_int_equal(rule_file_parse("f.yml", text.text, text.len, &findings, &file, NULL),
                     RULE_E_FILE);
    assert_int_equal(findings.n, RULE_FINDINGS_MAX);
    assert_int_equal(findings.n_untold, 7);
    rule_findings_done(&findings);
}

/* What is printed is read back as the same: once printed, always printed alike. */
static void test_print_reads_back(void **state)
{
    static const char *const texts[] = {
        HEAD
        "  - alert: A\n    expr: up == 0\n    for: 90s\n    labels: {a: 'true', b: '5', c: x y}\n",
        HEAD "  - alert: 'a: b'\n    expr: |\n      up\n        == 0\n",
        HEAD "  - record: r\n    expr: sum(up)\n    labels: {a: \"q\\\"\\\\ \\n z\"}\n",
        "groups:\n- name: '2 #x'\n  interval: 1m\n  limit: 5\n  query_offset: 1s\n  rules: []\n",
        HEAD "  - alert: A\n    expr: x\n    annotations: {d: \"one\\ntwo\\n\\n  three\", e: ''}\n",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        STR_AUTO struct str first = STR_INIT(10000);
        STR_AUTO struct str second = STR_INIT(10000);
        const struct rule_export_choice all = {0};
        struct rule_file *file = parse(texts[i]);

        row("%s", texts[i]);
        (void)rule_export((const struct rule_file *const *)&file, 1, &all, &first);
        struct rule_file *again = parse(str_text(&first));
        (void)rule_export((const struct rule_file *const *)&again, 1, &all, &second);
        assert_string_equal(str_text(&second), str_text(&first));
        if (file->n_rules) {
            assert_string_equal(again->groups[0].rules[0].name, file->groups[0].rules[0].name);
            assert_string_equal(again->groups[0].rules[0].expr_text,
                                file->groups[0].rules[0].expr_text);
            for (size_t k = 0; k < file->groups[0].rules[0].n_labels; k++)
                assert_string_equal(again->groups[0].rules[0].labels[k].text,
                                    file->groups[0].rules[0].labels[k].text);
            for (size_t k = 0; k < file->groups[0].rules[0].n_annotations; k++)
                assert_string_equal(again->groups[0].rules[0].annotations[k].text,
                                    file->groups[0].rules[0].annotations[k].text);
        }
        rule_file_unref(file);
        rule_file_unref(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_a_file_can_say),
        cmocka_unit_test(test_no_groups),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_all_errors_of_a_file_in_one_go),
        cmocka_unit_test(test_findings_are_capped),
        cmocka_unit_test(test_print_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
