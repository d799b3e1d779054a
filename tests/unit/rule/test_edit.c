/*
 * A rule file with one rule changed: what stays, what is written anew, and what is refused.
 */

#include <string.h>

#include "alertd/rule/edit.h"
#include "tests/lib/row.h"

static const char before[] = "# the shop's\n"
                             "groups:\n"
                             "  - name: shop # all of it\n"
                             "    labels: {team: web}\n"
                             "    rules:\n"
                             "      - alert: Busy # a guess\n"
                             "        expr: load > 3  # per core\n"
                             "        for: 5m\n"
                             "        labels: {severity: page}\n"
                             "\n"
                             "      # another\n"
                             "      - alert: Folded\n"
                             "        expr: >-\n"
                             "          rate(errors[5m])\n"
                             "            > 0.5\n"
                             "      - record: a:b\n"
                             "        expr: sum(b)\n";

struct change {
    const char *name, *rule, *expr;
    int64_t for_ms, keep_ms;
    const char *from, *to; /* what of the file is other: a piece of text for another */
};

static const struct change changes[] = {
    {"the threshold alone", "Busy", "load > 4.5", 300000, 0, "load > 3  #", "load > 4.5  #"},
    {"for alone", "Busy", "load > 3", 600000, 0, "for: 5m", "for: 10m"},
    {"both", "Busy", "load > 40", 60000, 0, "load > 3  # per core\n        for: 5m",
     "load > 40  # per core\n        for: 1m"},
    {"digits that are shared are one number", "Busy", "load > 30", 300000, 0, "load > 3 ",
     "load > 30 "},
    {"in a folded expression", "Folded", "rate(errors[5m])\n  > 0.75", 0, 0, "> 0.5", "> 0.75"},
    {"nothing", "Busy", "load > 3", 300000, 0, "", ""},
    {"of a recording rule", "a:b", "sum(c)", 0, 0, "sum(b)", "sum(c)"},
    {"a field that was not there: the rule is written whole", "Busy", "load > 3", 300000, 120000,
     "      - alert: Busy # a guess\n"
     "        expr: load > 3  # per core\n"
     "        for: 5m\n"
     "        labels: {severity: page}\n",
     "      - alert: Busy\n"
     "        expr: load > 3\n"
     "        for: 5m\n"
     "        keep_firing_for: 2m\n"
     "        labels:\n"
     "          severity: page\n"
     "          team: web\n"},
};

static const struct rule *find(const struct rule_file *file, const char *name)
{
    for (size_t i = 0; i < file->groups[0].n_rules; i++)
        if (strcmp(file->groups[0].rules[i].name, name) == 0)
            return &file->groups[0].rules[i];
    return NULL;
}

static void add_replaced(const char *text, const char *from, const char *to, struct str *out)
{
    const char *at = strstr(text, from);

    assert_non_null(at);
    str_addn(out, text, (size_t)(at - text));
    str_add(out, to);
    str_add(out, at + strlen(from));
}

static void test_changes(void **state)
{
    struct rule_file *file = NULL;
    struct err err = {0};

    assert_int_equal(rule_file_parse("a.yml", before, strlen(before), NULL, &file, &err), 0);
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        const struct change *change = &changes[i];
        STR_AUTO struct str out = STR_INIT(1 << 20);
        STR_AUTO struct str expected = STR_INIT(1 << 20);
        row("%s", change->name);
        const struct rule *rule = find(file, change->rule);
        if (!rule) {
            fail_msg("no rule");
            return;
        }
        struct rule wanted = *rule;
        wanted.expr_text = change->expr;
        wanted.for_ms = change->for_ms;
        wanted.keep_firing_for_ms = change->keep_ms;
        assert_int_equal(rule_edit(file, before, rule, &wanted, &out, &err), 0);
        add_replaced(before, change->from, change->to, &expected);
        assert_string_equal(str_text(&out), str_text(&expected));
    }
    rule_file_unref(file);
}

static void test_an_alias_is_left_alone(void **state)
{
    static const char aliased[] = "groups:\n"
                                  "  - name: a\n"
                                  "    rules:\n"
                                  "      - &busy {alert: Busy, expr: load > 3, for: 5m}\n"
                                  "      - <<: *busy\n"
                                  "        alert: Other\n";
    STR_AUTO struct str out = STR_INIT(1 << 20);
    struct rule_file *file = NULL;
    struct err err = {0};

    assert_int_equal(rule_file_parse("a.yml", aliased, strlen(aliased), NULL, &file, &err), 0);
    const struct rule *rule = find(file, "Busy");
    if (!rule) {
        fail_msg("no rule");
        return;
    }
    struct rule wanted = *rule;
    wanted.expr_text = "load > 4";
    assert_int_equal(rule_edit(file, aliased, rule, &wanted, &out, &err), RULE_EDIT_E_NOT_POSSIBLE);
    assert_non_null(strstr(err.text, "alias"));
    assert_int_equal(out.len, 0);
    rule_file_unref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_an_alias_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
