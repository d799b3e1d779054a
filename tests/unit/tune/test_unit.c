/*
 * A unit test made of what happened passes, and says of the alert what it did: over samples at odd times, with gaps
 * and ends, with ranges, by the clock; and where none can be made that is said.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "alertd/promql/series_text.h"
#include "alertd/tune/unit.h"
#include "lib/base/rng.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    INTERVAL_MS = 60000,
    DISTANCE_MS = 15000,
    STEPS = 400,
    BYTES = 16 << 20,
};

static void put(struct fake_source *fake, const char *series, int64_t t_ms, double value)
{
    const struct labels *labels = series_text_labels(series, &(const char *){NULL}, NULL);

    fake_source_put(fake, labels, t_ms, value);
    labels_unref(labels);
}

/* Every 15 s and a little: quiet, bad from minute 100 to minute 130, quiet. */
static void load(struct fake_source *fake, const char *series, double quiet, double bad)
{
    for (int i = 0; i < STEPS; i++) {
        int64_t t_ms = (int64_t)i * DISTANCE_MS + 3721;
        double minute = (double)t_ms / 60000;
        if (i % 97 != 5) /* one is missing now and then */
            put(fake, series, t_ms, minute >= 50 && minute < 65 ? bad : quiet);
    }
}

static int write_of(const struct fake_source *fake,
                    const char *expr,
                    const char *labels,
                    int64_t fired_minute,
                    struct str *out,
                    struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct fake_source mine = *fake;
    const struct source source = fake_source_of(&mine);
    struct promql_expr *parsed = NULL;
    struct rule rule = {
        .is_alert = true, .name = "Bad \"one\"", .expr_text = expr, .for_ms = 120000};
    const struct labels *of = series_text_labels(labels, &(const char *){NULL}, NULL);

    arena_init(&arena, BYTES);
    assert_int_equal(promql_parse(&arena, expr, &parsed, NULL), 0);
    rule.expr = parsed;
    const struct unit_ask ask = {.source = &source,
                                 .rule = &rule,
                                 .interval_ms = INTERVAL_MS,
                                 .file = "alerts.yml",
                                 .active_ms = (fired_minute - 2) * INTERVAL_MS,
                                 .fired_ms = fired_minute * INTERVAL_MS,
                                 .resolved_ms = 66 * INTERVAL_MS,
                                 .labels = of};
    int r = unit_write(&ask, out, reterr);
    labels_unref(of);
    return r;
}

static void assert_has(const struct str *text, const char *words)
{
    if (!strstr(str_text(text), words))
        fail_msg("no %s in\n%s", words, str_text(text));
}

static void test_one_of_several_series(void **state)
{
    struct fake_source fake = {0};
    STR_AUTO struct str text = STR_INIT(BYTES);
    struct err err = {0};

    load(&fake, "a{i=\"1\"}", 1, 9);
    load(&fake, "a{i=\"2\"}", 1, 1);
    if (write_of(&fake, "a > 5", "{i=\"1\"}", 53, &text, &err) != 0)
        fail_msg("%s", err.text);
    assert_has(&text, "rule_files: [\"alerts.yml\"]\nevaluation_interval: 1m\n");
    assert_has(&text, "    interval: 15s\n"); /* as the samples lay */
    assert_has(&text, "series: \"a{i=\\\"1\\\"}\"");
    assert_null(strstr(str_text(&text), "i=\\\"2\\\"")); /* of the other one nothing depends */
    assert_null(strstr(str_text(&text), "start_timestamp"));
    /* quiet, firing, over */
    const char *quiet = strstr(str_text(&text), "exp_alerts: []");
    const char *fires = strstr(str_text(&text), "exp_labels: {\"i\": \"1\"}");
    assert_true(quiet && fires && quiet < fires && strstr(fires, "exp_alerts: []"));
    assert_has(&text, "alertname: \"Bad \\\"one\\\"\"");
    fake_source_done(&fake);
}

static void test_by_the_clock(void **state)
{
    struct fake_source fake = {0};
    STR_AUTO struct str text = STR_INIT(BYTES);
    struct err err = {0};

    load(&fake, "a{i=\"1\"}", 1, 9);
    if (write_of(&fake, "a > 5 and on () hour() < 1", "{i=\"1\"}", 53, &text, &err) != 0)
        fail_msg("%s", err.text);
    assert_has(&text, "start_timestamp: 1970-01-01T00:4");
    fake_source_done(&fake);
}

/* Where what is like the alert is not enough, everything is taken. */
static void test_labels_made_anew(void **state)
{
    struct fake_source fake = {0};
    STR_AUTO struct str text = STR_INIT(BYTES);
    struct err err = {0};

    load(&fake, "a{i=\"1\"}", 1, 9);
    const char *expr = "label_replace(a, \"i\", \"x$1\", \"i\", \"(.*)\") > 5";
    if (write_of(&fake, expr, "{i=\"x1\"}", 53, &text, &err) != 0)
        fail_msg("%s", err.text);
    assert_has(&text, "series: \"a{i=\\\"1\\\"}\"");
    fake_source_done(&fake);
}

static void test_none_can_be_made(void **state)
{
    struct fake_source fake = {0};
    STR_AUTO struct str text = STR_INIT(BYTES);
    struct err err = {0};

    load(&fake, "a{i=\"1\"}", 1, 1);
    assert_int_equal(write_of(&fake, "a > 5", "{i=\"1\"}", 53, &text, &err), UNIT_E_NONE);
    assert_non_null(strstr(err.text, "it does not fire then"));
    assert_int_equal(write_of(&fake, "a @ 100 > 5", "{i=\"1\"}", 53, &text, &err), UNIT_E_NONE);
    assert_int_equal(text.len, 0);
    for (int i = 0; i < UNIT_SERIES_MAX + 1; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "b{i=\"%d\"}", i);
        put(&fake, name, 50 * INTERVAL_MS, 9);
    }
    assert_int_equal(write_of(&fake, "sum(b) > 5", "{}", 53, &text, &err), UNIT_E_NONE);
    assert_non_null(strstr(err.text, "more than 200 series"));
    fake_source_done(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_of_several_series),
        cmocka_unit_test(test_by_the_clock),
        cmocka_unit_test(test_labels_made_anew),
        cmocka_unit_test(test_none_can_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
