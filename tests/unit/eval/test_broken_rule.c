/*
 * A rule that fails twice in a row is told about, with the rule's own labels.
 */

#include <string.h>

#include "alertd/eval/broken_rule.h"
#include "tests/lib/row.h"

static const char yaml[] =
    "groups:\n- name: g\n  rules:\n  - alert: Disk\n    expr: a / b\n"
    "    labels: {severity: critical, team: '{{ $labels.x }}'}\n"
    "    annotations: {runbook_url: https://x/disk}\n  - record: r\n    expr: a\n";

static struct rule_file *parse(void)
{
    struct rule_file *file = NULL;

    assert_int_equal(rule_file_parse("t", yaml, strlen(yaml), NULL, &file, NULL), 0);
    return file;
}

static void test_a_life(void **state)
{
    static const int64_t failures[] = {0, 1, 2, 3, 0, 1, 0, 1, 2};
    static const char want[] = "..F.R...F";
    struct rule_file *file = parse();
    struct alert_set set = {0};
    char got[16] = "";

    for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
        const struct broken_rule broken = {
            .group = &file->groups[0],
            .rule = &file->groups[0].rules[0],
            .rule_id = 5,
            .n_failures = failures[i],
            .words = "many-to-many matching",
            .now_ms = (int64_t)i * 1000,
        };
        struct alert_outcome outcome;

        broken_rule_step(&broken, &set, &outcome);
        got[i] = '.';
        assert_true(outcome.n_events <= 1);
        if (outcome.n_events) {
            const struct alert_event *event = &outcome.events[0];

            got[i] = "PFRC"[event->kind];
            assert_int_equal(event->rule_id, 5);
            assert_string_equal(event->rule_name, "RuleBroken");
            assert_string_equal(labels_get(event->labels, "alertname"), "RuleBroken");
            assert_string_equal(labels_get(event->labels, "rule"), "Disk");
            assert_string_equal(labels_get(event->labels, "severity"), "critical");
            assert_null(labels_get(event->labels, "team")); /* a template: unknown here */
            assert_string_equal(labels_get(event->annotations, "description"),
                                "many-to-many matching");
            assert_string_equal(labels_get(event->annotations, "runbook_url"), "https://x/disk");
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

static void test_without_a_severity_it_is_a_warning(void **state)
{
    struct rule_file *file = parse();
    const struct broken_rule broken = {.group = &file->groups[0],
                                       .rule = &file->groups[0].rules[1],
                                       .n_failures = 2,
                                       .words = "x"};
    const struct alert_set none = {0};
    struct alert_outcome outcome;

    broken_rule_step(&broken, &none, &outcome);
    assert_string_equal(labels_get(outcome.events[0].labels, "severity"), "warning");
    alert_outcome_done(&outcome);
    rule_file_unref(file);
}

/* Stored together under one rule, told apart when read back. */
static void test_split(void **state)
{
    static const struct label own[] = {{"alertname", "Disk"}, {"rule", "x"}};
    struct rule_file *file = parse();
    const struct broken_rule broken = {.group = &file->groups[0],
                                       .rule = &file->groups[0].rules[0],
                                       .n_failures = 2,
                                       .words = "x"};
    const struct alert_set none = {0};
    struct alert_outcome outcome;
    struct alert_entry entry = {ALERT_INIT, labels_new(own, 2), labels_empty(), 1};
    struct alert_set alerts, found;

    broken_rule_step(&broken, &none, &outcome);
    alerts = outcome.after;
    outcome.after = (struct alert_set){0};
    alert_set_add(&alerts, &entry);
    broken_rule_split(&alerts, BROKEN_RULE_NAME, &found);
    assert_int_equal(alerts.n, 1);
    assert_string_equal(labels_get(alerts.at[0].labels, "alertname"), "Disk");
    assert_int_equal(found.n, 1);
    labels_unref(entry.labels);
    alert_set_done(&alerts);
    alert_set_done(&found);
    alert_outcome_done(&outcome);
    rule_file_unref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_life),
        cmocka_unit_test(test_without_a_severity_it_is_a_warning),
        cmocka_unit_test(test_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
