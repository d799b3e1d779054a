/*
 * A rule's life over samples in memory: what it writes and what it tells, slot by slot.
 */

#include <string.h>

#include "alertd/eval/rule_eval.h"
#include "lib/model/sample.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 60000
};

struct life {
    struct fake_source fake;
    struct rule_file *file;
    struct alert_set alerts;
    struct rule_output output;
};

static void begin(struct life *life, const char *yaml)
{
    struct err err = {0};

    *life = (struct life){0};
    if (rule_file_parse("test.yml", yaml, strlen(yaml), NULL, &life->file, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
}

static void load(struct life *life, const char *line)
{
    struct err err = {0};

    if (!fake_source_load(&life->fake, STEP_MS, line, &err))
        fail_msg("%s: %s", line, err.text);
}

static int step(struct life *life, int slot, struct rule_eval_result *result, struct err *err)
{
    static const struct promql_limits limits;
    struct source source = fake_source_of(&life->fake);
    const struct rule_eval eval = {
        .group = &life->file->groups[0],
        .rule = &life->file->groups[0].rules[0],
        .rule_id = 7,
        .source = &source,
        .now_ms = (int64_t)slot * STEP_MS,
        .limits = &limits,
        .external_url = "http://watchbill.test",
        .alerts = &life->alerts,
        .output = &life->output,
    };

    return rule_eval(&eval, result, err);
}

/* The state moves on, as a caller that stored the result does. */
static void adopt(struct life *life, struct rule_eval_result *result)
{
    alert_set_done(&life->alerts);
    life->alerts = result->alerts.after;
    result->alerts.after = (struct alert_set){0};
    rule_output_done(&life->output);
    life->output = result->output;
    result->output = (struct rule_output){0};
    rule_eval_result_done(result);
}

static void end(struct life *life)
{
    alert_set_done(&life->alerts);
    rule_output_done(&life->output);
    rule_file_unref(life->file);
    fake_source_done(&life->fake);
}

static void printed(const struct alert_series_list *series, struct str *out)
{
    str_cut(out, 0);
    for (size_t i = 0; i < series->n; i++) {
        labels_print(series->at[i].labels, out);
        str_addf(out, sample_is_stale(series->at[i].value) ? " stale\n" : " %g\n",
                 series->at[i].value);
    }
}

static void test_an_alert_from_pending_to_over(void **state)
{
    static const char *const events[] = {"P", "", "F", "R"};
    static const char letters[] = {'P', 'F', 'R', 'C'};
    struct life life;

    begin(
        &life,
        "groups:\n- name: g\n  rules:\n  - alert: Down\n    expr: up == 0\n    for: 2m\n"
        "    labels: {severity: critical, zone: ''}\n"
        "    annotations: {summary: '{{ $labels.instance }} of {{ $labels.zone }} is {{ $value }}'}\n");
    load(&life, "up{instance=\"a\",zone=\"z1\"} 0 0 0 1");
    load(&life, "up{instance=\"b\",zone=\"z1\"} 1x3");
    for (int slot = 0; slot < 4; slot++) {
        struct rule_eval_result result;
        char told[8] = "";

        row("slot %d", slot);
        assert_int_equal(step(&life, slot, &result, NULL), 0);
        for (size_t i = 0; i < result.alerts.n_events; i++)
            told[i] = letters[result.alerts.events[i].kind];
        assert_string_equal(told, events[slot]);
        if (slot == 2) {
            const struct alert_event *event = &result.alerts.events[0];

            assert_int_equal(event->rule_id, 7);
            assert_int_equal(event->active_at_ms, 0);
            assert_int_equal(event->fired_at_ms, 2 * STEP_MS);
            assert_string_equal(labels_get(event->labels, "severity"), "critical");
            assert_null(labels_get(event->labels, "zone")); /* an empty label deletes */
            assert_string_equal(labels_get(event->annotations, "summary"), "a of z1 is 0");
        }
        adopt(&life, &result);
    }
    end(&life);
}

static void test_the_series_of_an_alert(void **state)
{
    STR_AUTO struct str text = STR_INIT(4096);
    struct rule_eval_result result;
    struct life life;

    begin(&life, "groups:\n- name: g\n  rules:\n  - alert: Down\n    expr: up == 0\n    for: 1m\n");
    load(&life, "up{instance=\"a\"} 0 0 1");
    assert_int_equal(step(&life, 0, &result, NULL), 0);
    printed(&result.series, &text);
    assert_string_equal(str_text(&text),
                        "ALERTS{alertname=\"Down\", alertstate=\"pending\", instance=\"a\"} 1\n"
                        "ALERTS_FOR_STATE{alertname=\"Down\", instance=\"a\"} 0\n");
    adopt(&life, &result);
    assert_int_equal(step(&life, 1, &result, NULL), 0);
    printed(&result.series, &text);
    assert_non_null(strstr(str_text(&text), "alertstate=\"firing\", instance=\"a\"} 1\n"));
    assert_non_null(strstr(str_text(&text), "alertstate=\"pending\", instance=\"a\"} stale\n"));
    adopt(&life, &result);
    end(&life);
}

static void test_a_failed_evaluation_changes_nothing(void **state)
{
    struct rule_eval_result result;
    struct err err = {0};
    struct life life;

    begin(&life, "groups:\n- name: g\n  rules:\n  - alert: Down\n    expr: up == 0\n"
                 "    labels: {instance: same}\n");
    load(&life, "up{instance=\"a\"} 0x9");
    assert_int_equal(step(&life, 0, &result, NULL), 0);
    adopt(&life, &result);
    assert_int_equal(life.alerts.n, 1);
    load(&life, "up{instance=\"b\"} 0x9"); /* now two elements end in one label set */
    assert_int_equal(step(&life, 1, &result, &err), RULE_EVAL_E_FAILED);
    assert_non_null(strstr(err.text, "label"));
    assert_int_equal(life.alerts.n, 1);
    life.fake.fail_with = -5;
    assert_int_equal(step(&life, 2, &result, &err), RULE_EVAL_E_FAILED);
    end(&life);
}

static void test_a_recording_rule_and_what_it_leaves(void **state)
{
    STR_AUTO struct str text = STR_INIT(4096);
    struct rule_eval_result result;
    struct life life;

    begin(&life,
          "groups:\n- name: g\n  rules:\n  - record: job:up:sum\n    expr: sum by (job) (up)\n"
          "    labels: {by: us}\n");
    load(&life, "up{job=\"x\",i=\"1\"} 1 1");
    load(&life, "up{job=\"x\",i=\"2\"} 1 1");
    load(&life, "up{job=\"y\",i=\"1\"} 1 stale");
    assert_int_equal(step(&life, 0, &result, NULL), 0);
    printed(&result.series, &text);
    assert_non_null(strstr(str_text(&text), "job:up:sum{by=\"us\", job=\"x\"} 2\n"));
    assert_non_null(strstr(str_text(&text), "job:up:sum{by=\"us\", job=\"y\"} 1\n"));
    adopt(&life, &result);
    assert_int_equal(step(&life, 1, &result, NULL), 0);
    printed(&result.series, &text);
    assert_string_equal(str_text(&text), "job:up:sum{by=\"us\", job=\"x\"} 2\n"
                                         "job:up:sum{by=\"us\", job=\"y\"} stale\n");
    adopt(&life, &result);
    end(&life);
}

static void test_a_template_asks_the_source(void **state)
{
    struct rule_eval_result result;
    struct life life;

    begin(
        &life,
        "groups:\n- name: g\n  rules:\n  - alert: Down\n    expr: up == 0\n    annotations:\n"
        "      also: '{{ with query \"load\" }}{{ . | first | value }}{{ end }} at {{ $externalURL }}'\n"
        "      broken: '{{ query \"up{\" | first | value }}'\n");
    load(&life, "up 0");
    load(&life, "load 4.5");
    assert_int_equal(step(&life, 0, &result, NULL), 0);
    assert_string_equal(labels_get(result.alerts.events[0].annotations, "also"),
                        "4.5 at http://watchbill.test");
    assert_non_null(strstr(labels_get(result.alerts.events[0].annotations, "broken"),
                           "<error expanding template:"));
    adopt(&life, &result);
    end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_alert_from_pending_to_over),
        cmocka_unit_test(test_the_series_of_an_alert),
        cmocka_unit_test(test_a_failed_evaluation_changes_nothing),
        cmocka_unit_test(test_a_recording_rule_and_what_it_leaves),
        cmocka_unit_test(test_a_template_asks_the_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
