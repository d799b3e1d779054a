/*
 * A rule whose selectors match nothing for a day is told about, unless nothing is its good news.
 */

#include <string.h>

#include "alertd/eval/dead_rule.h"
#include "tests/lib/row.h"

static const char yaml[] =
    "groups:\n- name: g\n  rules:\n"
    "  - alert: Disk\n    expr: a > 1\n    labels: {severity: critical, team: db, to: '{{ $labels.x }}'}\n"
    "  - record: r\n    expr: sum(a)\n"
    "  - alert: Gone\n    expr: absent(a)\n"
    "  - alert: GoneLong\n    expr: absent_over_time(a[5m]) or a == 0\n"
    "  - alert: Storm\n    expr: count(ALERTS{alertstate=\"firing\"}) > 10\n"
    "  - alert: Watchdog\n    expr: vector(1)\n"
    "  - alert: Both\n    expr: a and on() ALERTS\n"
    "  - alert: AnyName\n    expr: '{job=\"x\"} == 0'\n";

static struct rule_file *parse(void)
{
    struct rule_file *file = NULL;

    assert_int_equal(rule_file_parse("t", yaml, strlen(yaml), NULL, &file, NULL), 0);
    return file;
}

static void test_which(void **state)
{
    static const bool want[] = {true, true, false, false, false, false, true, true};
    struct rule_file *file = parse();

    assert_int_equal(file->groups[0].n_rules, sizeof(want) / sizeof(*want));
    for (size_t i = 0; i < file->groups[0].n_rules; i++)
        if (dead_rule_applies(&file->groups[0].rules[i]) != want[i])
            fail_msg("%s", file->groups[0].rules[i].name);
    rule_file_unref(file);
}

static void test_a_life(void **state)
{
    /* hours since it matched */
    static const int64_t hours[] = {0, 1, 23, 24, 25, 0, 3};
    static const char want[] = "...F.R.";
    struct rule_file *file = parse();
    struct alert_set set = {0};
    char got[16] = "";

    for (size_t i = 0; i < sizeof(hours) / sizeof(*hours); i++) {
        int64_t now_ms = ((int64_t)i + 100) * 3600 * 1000;
        const struct dead_rule dead = {
            .group = &file->groups[0],
            .rule = &file->groups[0].rules[0],
            .rule_id = 5,
            .matched_ms = now_ms - hours[i] * 3600 * 1000,
            .now_ms = now_ms,
        };
        struct alert_outcome outcome;

        dead_rule_step(&dead, &set, &outcome);
        got[i] = '.';
        assert_true(outcome.n_events <= 1);
        if (outcome.n_events) {
            const struct alert_event *event = &outcome.events[0];

            got[i] = "PFRC"[event->kind];
            assert_int_equal(event->rule_id, 5);
            assert_string_equal(event->rule_name, "RuleDead");
            assert_string_equal(labels_get(event->labels, "alertname"), "RuleDead");
            assert_string_equal(labels_get(event->labels, "rule"), "Disk");
            assert_string_equal(labels_get(event->labels, "rule_group"), "g");
            assert_string_equal(labels_get(event->labels, "severity"), "warning");
            assert_string_equal(labels_get(event->labels, "team"), "db");
            assert_null(labels_get(event->labels, "to")); /* a template: unknown here */
        }
        alert_set_done(&set);
        set = outcome.after;
        outcome.after = (struct alert_set){0};
        alert_outcome_done(&outcome);
    }
    assert_string_equal(got, want);
    alert_set_done(&set);
    rule_file_unref(file);
}

static void test_nothing_to_read(void **state)
{
    struct rule_file *file = parse();
    const struct alert_set none = {0};
    struct alert_outcome outcome;

    dead_rule_step(&(struct dead_rule){.group = &file->groups[0],
                                       .rule = &file->groups[0].rules[2],
                                       .now_ms = INT64_C(9) * 24 * 3600 * 1000},
                   &none, &outcome);
    assert_int_equal(outcome.n_events, 0);
    alert_outcome_done(&outcome);
    rule_file_unref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which),
        cmocka_unit_test(test_a_life),
        cmocka_unit_test(test_nothing_to_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
