/*
 * All alerts of one rule. A row is a story: at each evaluation the letters of the alerts
 * that are true, against the events told ("P a, F b": pending a, firing b) in that step.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alert/series.h"
#include "alertd/alert/set.h"
#include "lib/base/str.h"
#include "lib/model/sample.h"
#include "tests/lib/row.h"

enum {
    MINUTE = 60000,
    STEPS_MAX = 8,
};

static const struct labels *one_label(const char *name, const char *value)
{
    const struct label pair = {name, value};

    return labels_new(&pair, 1);
}

struct story {
    struct alert_set set;
    int64_t now_ms;
    int r;
    char told[100];
    char series[400];
};

static int compare_words(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void tell(struct story *story, const struct alert_outcome *outcome)
{
    char words[16][8];

    for (size_t i = 0; i < outcome->n_events; i++) {
        const struct alert_event *event = &outcome->events[i];

        assert_int_equal(event->at_ms, story->now_ms);
        assert_int_equal(event->fingerprint, event->labels->hash);
        (void)snprintf(words[i], sizeof(words[i]), "%c%s", "PFRC"[event->kind],
                       labels_get(event->labels, "x"));
    }
    qsort(words, outcome->n_events, sizeof(*words), compare_words);
    story->told[0] = '\0';
    for (size_t i = 0; i < outcome->n_events; i++)
        (void)snprintf(story->told + strlen(story->told), sizeof(words[0]) + 1, "%s%s",
                       i ? " " : "", words[i]);
}

static void step(struct story *story, const struct alert_rule *rule, const char *are_true)
{
    struct alert_input inputs[8] = {0};
    size_t n = strlen(are_true);
    struct alert_outcome outcome = {0};
    const struct alert_step_options options = {.rule = rule, .now_ms = story->now_ms};

    for (size_t i = 0; i < n; i++) {
        const char value[2] = {are_true[i], '\0'};

        inputs[i] = (struct alert_input){one_label("x", value), labels_empty(), (double)i};
    }
    story->told[0] = '\0';
    story->r = alert_set_step(&story->set, inputs, n, &options, &outcome, NULL);
    for (size_t i = 0; i < n; i++)
        labels_unref(inputs[i].labels);
    if (!story->r) {
        tell(story, &outcome);
        struct alert_set before = story->set;
        story->set = outcome.after;
        outcome.after = before; /* freed with the outcome */
    }
    alert_outcome_done(&outcome);
    story->now_ms += MINUTE;
}

static void test_stories(void **state)
{
    static const struct {
        const char *name;
        struct alert_timing timing;
        const char *are_true[STEPS_MAX];
        const char *want[STEPS_MAX];
    } rows[] = {
        {"for 0: firing without a pending before", {0}, {"a", "ab", "b"}, {"Fa", "Fb", "Ra"}},
        {"for 1m", {.for_ms = MINUTE}, {"ab", "a", ""}, {"Pa Pb", "Cb Fa", "Ra"}},
        {"nothing new is no event", {0}, {"a", "a", "a"}, {"Fa", "", ""}},
        {"again after a resolve", {0}, {"a", "", "a", ""}, {"Fa", "Ra", "Fa", "Ra"}},
        {"many, any order", {0}, {"cab", "bda", "d"}, {"Fa Fb Fc", "Fd Rc", "Ra Rb"}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct alert_rule rule = {.name = "A", .timing = rows[i].timing};
        struct story story = {0};

        row("%s", rows[i].name);
        for (size_t at = 0; at < STEPS_MAX && rows[i].are_true[at]; at++) {
            step(&story, &rule, rows[i].are_true[at]);
            assert_int_equal(story.r, 0);
            assert_string_equal(story.told, rows[i].want[at]);
        }
        alert_set_done(&story.set);
    }
}

static void test_a_resolved_alert_is_remembered_for_15_minutes(void **state)
{
    const struct alert_rule rule = {.name = "A"};
    struct story story = {0};

    step(&story, &rule, "a");
    step(&story, &rule, "");
    for (int minute = 0; minute < 15; minute++)
        step(&story, &rule, "");
    assert_int_equal(story.set.n, 1);
    step(&story, &rule, "");
    assert_int_equal(story.set.n, 0);
}

static void test_duplicates_and_limit_touch_nothing(void **state)
{
    const struct alert_rule rule = {.name = "A", .limit = 2};
    struct story story = {0};

    step(&story, &rule, "ab");
    assert_int_equal(story.r, 0);
    step(&story, &rule, "aa");
    assert_int_equal(story.r, ALERT_SET_E_DUPLICATE);
    step(&story, &rule, "abc");
    assert_int_equal(story.r, ALERT_SET_E_LIMIT);
    assert_int_equal(alert_set_count(&story.set, ALERT_FIRING), 2);
    step(&story, &rule, "b");
    assert_string_equal(story.told, "Ra");
    alert_set_done(&story.set);
}

static bool only_b_has_data(void *arg, const struct labels *labels)
{
    ++*(int *)arg;
    return strcmp(labels_get(labels, "x"), "b") == 0;
}

static void test_no_data_is_asked_for_each_missing_alert(void **state)
{
    const struct alert_rule rule = {.name = "A", .timing = {.no_data_hold_ms = 10 * MINUTE}};
    int asked = 0;
    struct alert_outcome outcome = {0};
    struct story story = {0};

    step(&story, &rule, "ab");
    const struct alert_step_options options = {&rule, MINUTE, only_b_has_data, &asked};
    assert_int_equal(alert_set_step(&story.set, NULL, 0, &options, &outcome, NULL), 0);
    assert_int_equal(asked, 2);
    assert_int_equal(outcome.n_events, 1);
    assert_int_equal(outcome.events[0].kind, ALERT_EVENT_RESOLVED);
    assert_string_equal(labels_get(outcome.events[0].labels, "x"), "b");
    alert_outcome_done(&outcome);
    alert_set_done(&story.set);
}

static void test_read_back(void **state)
{
    struct alert_set set = {0};
    static const char *const values[] = {"c", "a", "b", "a"};

    for (size_t i = 0; i < 4; i++) {
        struct alert_entry entry = {ALERT_INIT, one_label("x", values[i]), labels_empty(),
                                    (double)i};

        alert_set_add(&set, &entry);
        labels_unref(entry.labels);
    }
    assert_int_equal(set.n, 3);
    for (size_t i = 1; i < set.n; i++)
        assert_true(set.at[i - 1].labels->hash < set.at[i].labels->hash);
    const struct labels *a = one_label("x", "a");
    assert_true(alert_set_find(&set, a)->value == 3);
    labels_unref(a);
    a = one_label("x", "z");
    assert_null(alert_set_find(&set, a));
    labels_unref(a);
    alert_set_done(&set);
}

static void test_series(void **state)
{
    const struct alert_rule rule = {.name = "A", .timing = {.for_ms = MINUTE}};
    struct alert_series_list list = {0};
    struct story story = {0};
    STR_AUTO struct str text = STR_INIT(1000);
    struct alert_set none = {0};

    step(&story, &rule, "a");
    alert_series_add(&none, &story.set, &list);
    assert_int_equal(list.n, 2);
    labels_print(list.at[0].labels, &text);
    assert_string_equal(str_text(&text), "ALERTS{alertstate=\"pending\", x=\"a\"}");
    assert_true(list.at[0].value == 1);
    str_cut(&text, 0);
    labels_print(list.at[1].labels, &text);
    assert_string_equal(str_text(&text), "ALERTS_FOR_STATE{x=\"a\"}");
    assert_true(list.at[1].value == 0);
    alert_series_done(&list);

    struct alert_set pending = story.set;
    story.set = (struct alert_set){0};
    for (size_t i = 0; i < pending.n; i++)
        alert_set_add(&story.set, &pending.at[i]);
    step(&story, &rule, "a");
    alert_series_add(&pending, &story.set, &list); /* firing, for state, stale pending */
    assert_int_equal(list.n, 3);
    assert_string_equal(labels_get(list.at[0].labels, "alertstate"), "firing");
    assert_string_equal(labels_get(list.at[2].labels, "alertstate"), "pending");
    assert_true(sample_is_stale(list.at[2].value));
    alert_series_done(&list);

    alert_series_add(&story.set, &none, &list); /* over: both go stale */
    assert_int_equal(list.n, 2);
    assert_true(sample_is_stale(list.at[0].value) && sample_is_stale(list.at[1].value));
    alert_series_done(&list);
    alert_set_done(&pending);
    alert_set_done(&story.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_a_resolved_alert_is_remembered_for_15_minutes),
        cmocka_unit_test(test_duplicates_and_limit_touch_nothing),
        cmocka_unit_test(test_no_data_is_asked_for_each_missing_alert),
        cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_series),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
