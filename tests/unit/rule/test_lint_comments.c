/*
 * Comments that turn findings off: where each reaches, and what a comment that does nothing
 * is told. A row is a whole rule file; `R` stands for a rule that has one finding.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/rule/lint.h"
#include "lib/base/clock.h"
#include "tests/lib/row.h"

#define HEAD       "groups:\n- name: g\n  rules:\n"
#define RULE(name) "  - record: " name "\n    expr: x{a=~\"b\"}\n" /* regex-literal */
#define DAY        "2026-12-01"

/* "5:regex-literal 9:bad-comment" at noon of 2026-11-26. */
static const char *findings_of(const char *written, struct str *out)
{
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;
    char *text = strdup(written);
    struct err err = {0};
    int64_t now_ms = 0;

    str_cut(out, 0);
    (void)rule_comments_blank(text);
    assert_int_equal(clock_parse_rfc3339("2026-11-26T12:00:00Z", &now_ms), 0);
    if (rule_file_parse("f.yml", text, strlen(text), NULL, &file, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
    rule_lint(file, &findings);
    rule_comments_apply(file, text, now_ms, &findings);
    for (size_t i = 0; i < findings.n; i++)
        str_addf(out, "%s%u:%s", i ? " " : "", findings.at[i].span.line, findings.at[i].id);
    rule_findings_done(&findings);
    rule_file_unref(file);
    free(text);
    return str_text(out);
}

static const struct {
    const char *what, *text, *want;
} rows[] = {
    {"none", HEAD RULE("a") RULE("b"), "5:regex-literal 7:regex-literal"},
    {"above a rule", HEAD "  # alertd disable regex-literal\n" RULE("a") RULE("b"),
     "8:regex-literal"},
    {"above a rule, with other comments and a gap",
     HEAD "  # alertd disable regex-literal\n  # b/c\n\n" RULE("a") RULE("b"), "10:regex-literal"},
    {"between two rules: the next one's",
     HEAD RULE("a") "  # alertd disable regex-literal\n" RULE("b"), "5:regex-literal"},
    {"inside a rule",
     HEAD "  - record: a\n    # alertd disable regex-literal\n    expr: x{a=~\"b\"}\n" RULE("b"),
     "8:regex-literal"},
    {"behind a value",
     HEAD "  - record: a # alertd disable regex-literal\n    expr: x{a=~\"b\"}\n" RULE("b"),
     "7:regex-literal"},
    {"as PromQL's comment",
     HEAD "  - record: a\n    expr: |\n      # alertd disable regex-literal\n      x{a=~\"b\"}\n",
     ""},
    {"another check", HEAD "  # alertd disable regex-anchor\n" RULE("a"), "6:regex-literal"},
    {"several", HEAD "  # alertd disable regex-anchor,regex-literal\n" RULE("a"), ""},
    {"several with spaces", HEAD "  # alertd disable regex-anchor, regex-literal\n" RULE("a"), ""},
    {"words behind it", HEAD "  # alertd disable regex-literal it is generated\n" RULE("a"), ""},
    {"the whole file", "# alertd file/disable regex-literal\n" HEAD RULE("a") RULE("b"), ""},
    {"the whole file, from its end",
     HEAD RULE("a") RULE("b") "# alertd file/disable regex-literal\n", ""},
    {"at the end of the file: the last rule's",
     HEAD RULE("a") RULE("b") "# alertd disable regex-literal\n", "5:regex-literal"},
    {"above a group: its head only",
     "groups:\n# alertd disable slow-group,regex-literal\n- name: g\n  interval: 10m\n  rules:\n" RULE(
         "a"),
     "7:regex-literal"},
    {"until a day to come", HEAD "  # alertd snooze " DAY " regex-literal\n" RULE("a"), ""},
    {"until a moment", HEAD "  # alertd snooze 2026-11-26T12:00:01Z regex-literal\n" RULE("a"), ""},
    {"until a day that has come", HEAD "  # alertd snooze 2026-11-26 regex-literal\n" RULE("a"),
     "6:regex-literal"},
    {"the file until a day",
     HEAD "# alertd file/snooze " DAY " regex-literal\n" RULE("a") RULE("b"), ""},

    {"pint's name", HEAD "  # pint disable promql/regexp\n" RULE("a") RULE("b"), "8:regex-literal"},
    {"pint's whole file", "# pint file/disable promql/regexp\n" HEAD RULE("a"), ""},
    {"pint's snooze", HEAD "  # pint snooze " DAY " promql/regexp\n" RULE("a"), ""},
    {"pint's name that means nothing here", HEAD "  # pint disable rule/owner\n" RULE("a"),
     "6:regex-literal"},
    {"pint's other comments", "# pint file/owner me\n" HEAD "  # pint rule/set x y\n" RULE("a"),
     "7:regex-literal"},
    {"ignore/line",
     HEAD "  - record: a\n    expr: x{a=~\"b\"} # pint ignore/line\n    {% if %} # pint "
          "ignore/line\n    expr: x\n",
     ""},
    {"ignore/next-line",
     HEAD "  - record: a\n    # pint ignore/next-line\n    {{ nonsense\n"
          "    expr: x{a=~\"b\"}\n",
     "7:regex-literal"},
    {"ignore/begin and end",
     HEAD "# pint ignore/begin\n{% raw %}\n" RULE("a") "# pint ignore/end\n" RULE("b"),
     "10:regex-literal"},
    {"ignore/file", "groups: []\n# pint ignore/file\n{% raw %}\n" RULE("a"), ""},

    {"unknown", HEAD "  # alertd disable regex-litteral\n" RULE("a"),
     "4:bad-comment 6:regex-literal"},
    {"unknown for pint's", HEAD "  # pint disable promql-regexp\n" RULE("a"),
     "4:bad-comment 6:regex-literal"},
    {"nothing named", HEAD "  # alertd disable\n" RULE("a"), "4:bad-comment 6:regex-literal"},
    {"no day", HEAD "  # alertd snooze regex-literal\n" RULE("a"), "4:bad-comment 6:regex-literal"},
    {"a slip of the pen", HEAD "  # alertd disabel regex-literal\n" RULE("a"),
     "4:bad-comment 6:regex-literal"},
    {"prose", HEAD "  # alertd evaluates these each minute\n" RULE("a"), "6:regex-literal"},
    {"not a comment",
     HEAD "  - record: a\n    expr: x{a=~\"b\",c=\"d# alertd disable regex-literal\"}\n",
     "5:regex-literal"},
};

static void test_comments(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str got = STR_INIT(1000);

        row("%s", rows[i].what);
        assert_string_equal(findings_of(rows[i].text, &got), rows[i].want);
    }
}

/* A file that does not load is refused whatever its comments say. */
static void test_errors_stay(void **state)
{
    static const char text[] = "# alertd file/disable promql-syntax\n" HEAD
                               "  - record: a\n    expr: sum(\n";
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;

    assert_int_equal(rule_file_parse("f.yml", text, strlen(text), &findings, &file, NULL),
                     RULE_E_FILE);
    assert_int_equal(findings.n, 1);
    assert_string_equal(findings.at[0].id, "promql-syntax");
    rule_findings_done(&findings);
}

static void test_how_many_lines_are_ignored(void **state)
{
    char text[] = "a\nb # pint ignore/line\n# pint ignore/begin\nc\nd\n# pint ignore/end\ne\n";

    assert_int_equal(rule_comments_blank(text), 3);
    assert_null(strchr(text, 'c'));
    assert_non_null(strstr(text, "\ne\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_errors_stay),
        cmocka_unit_test(test_how_many_lines_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
