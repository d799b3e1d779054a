/*
 * The rule that is written fires as often as the surface says: evaluated step by step, with the
 * ALERTS it wrote itself in sight.
 */

#include <math.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/tune/hysteresis.h"
#include "lib/base/rng.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 60000,
    STEPS = 200,
    ARENA_BYTES = 64 << 20,
    ROUNDS = 6,
};

static const char *const rules[] = {
    "a > 5",
    "a < 2",
    "a >= 4 and on (i) b < 9",
    "5 < a",
    "max by (i) (a > 4)",
    "sum by (i) (a) / 2 > 3",
    "a > 3 unless b > 8",
};

static void load(struct fake_source *fake, struct rng *rng)
{
    static const char *const names[] = {"a{i=\"1\",j=\"1\"}", "a{i=\"1\",j=\"2\"}",
                                        "a{i=\"2\",j=\"1\"}", "b{i=\"1\",j=\"1\"}",
                                        "b{i=\"2\",j=\"1\"}"};

    *fake = (struct fake_source){0};
    for (size_t s = 0; s < sizeof(names) / sizeof(*names); s++) {
        const struct labels *labels = series_text_labels(names[s], &(const char *){NULL}, NULL);
        double value = 0;
        assert_non_null(labels);
        for (int i = 0; i < STEPS; i++) {
            if (rng_below(rng, 3) == 0)
                value = rng_below(rng, 9) ? (double)rng_below(rng, 1000) / 100 : sample_stale();
            fake_source_put(fake, labels, (int64_t)i * STEP_MS, value);
        }
        labels_unref(labels);
    }
}

static struct promql_expr *parse(struct arena *arena, const char *text)
{
    struct promql_expr *expr = NULL;
    struct err err = {0};

    if (promql_parse(arena, text, &expr, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return expr;
}

static void check_pair(const struct source *source,
                       const struct rule *rule,
                       const struct tune_result *result,
                       size_t off,
                       size_t on)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str text = STR_INIT(PROMQL_TEXT_MAX);
    struct hysteresis_labels labels;
    struct rule written = *rule;
    struct hysteresis_ran ran;
    struct err err = {0};

    arena_init(&arena, ARENA_BYTES);
    assert_true(hysteresis_labels(rule, result, &labels));
    hysteresis_text(rule, result->choice, result->thresholds[on], result->thresholds[off], &labels,
                    &text);
    row("%s", str_text(&text));
    written.expr = parse(&arena, str_text(&text));
    written.for_ms = 0;
    const struct hysteresis_over over = {.source = source};
    if (hysteresis_run(&over, &written, &result->span, &ran, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(ran.alerts, surface_hysteresis(backtest_surface(result->backtest), off, on));
    assert_int_equal(ran.n, ran.alerts);
    hysteresis_ran_done(&ran);
}

static void check_rule(struct fake_source *fake, const char *text, struct rng *rng)
{
    ARENA_AUTO struct arena arena;
    const struct source source = fake_source_of(fake);
    struct reading_source over = {.source = &source, .query_bytes = ARENA_BYTES};
    const struct tune_reader reader = reading_of_source(&over);
    struct rule rule = {
        .is_alert = true, .name = "Odd \"name\"", .expr_text = text, .for_ms = 60000};
    struct tune_result result;
    struct err err = {0};

    arena_init(&arena, ARENA_BYTES);
    rule.expr = parse(&arena, text);
    const struct tune_ask ask = {.rule = &rule,
                                 .interval_ms = STEP_MS,
                                 .from_ms = 62 * STEP_MS,
                                 .to_ms = (STEPS - 1) * STEP_MS,
                                 .for_ms = rule.for_ms};
    if (tune_run(&reader, &ask, &result, &err) != 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < 6; i++) {
        size_t on = rng_below(rng, result.n_thresholds);
        check_pair(&source, &rule, &result, rng_below(rng, on + 1), on);
    }
    tune_result_done(&result);
}

static void test_the_written_rule_fires_as_often_as_counted(void **state)
{
    struct rng rng = {rng_os_seed()};

    for (int round = 0; round < ROUNDS; round++) {
        struct fake_source fake;
        row("seed %llu", (unsigned long long)rng.state);
        load(&fake, &rng);
        for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
            check_rule(&fake, rules[i], &rng);
        fake_source_done(&fake);
    }
}

static void test_a_pair_for_a_rule_that_flaps(void **state)
{
    ARENA_AUTO struct arena arena;
    struct fake_source fake = {0};
    struct rule rule = {.is_alert = true, .name = "Flaps", .expr_text = "a > 5"};
    const struct labels *labels = series_text_labels("a{job=\"x\"}", &(const char *){NULL}, NULL);
    struct hysteresis_pair pair;
    struct tune_result result;

    arena_init(&arena, ARENA_BYTES);
    rule.expr = parse(&arena, "a > 5");
    for (int i = 0; i < STEPS; i++) /* between 4 and 6 for an hour, else at 1 to 2 */
        fake_source_put(&fake, labels, (int64_t)i * STEP_MS,
                        i >= 100 && i < 160 ? 4 + 2 * (i % 2) : 1 + i % 2);
    const struct source source = fake_source_of(&fake);
    struct reading_source over = {.source = &source, .query_bytes = ARENA_BYTES};
    const struct tune_reader reader = reading_of_source(&over);
    const struct tune_ask ask = {
        .rule = &rule, .interval_ms = STEP_MS, .from_ms = 62 * STEP_MS, .to_ms = STEPS * STEP_MS};
    assert_int_equal(tune_run(&reader, &ask, &result, NULL), 0);
    assert_true(hysteresis_choose(&result, 10, &pair));
    assert_int_equal(pair.alerts, 1);
    assert_true(result.thresholds[pair.on] == 5);
    assert_true(result.thresholds[pair.off] < 4);
    check_pair(&source, &rule, &result, pair.off, pair.on);
    tune_result_done(&result);
    labels_unref(labels);
    fake_source_done(&fake);
}

/* Usually 2 to 3 by turns, flapping about 5 in an incident: above 2, clearing at 1, it would fire once, and for ever. */
static void test_a_pair_that_is_never_over_is_none(void **state)
{
    ARENA_AUTO struct arena arena;
    struct fake_source fake = {0};
    struct rule rule = {.is_alert = true, .name = "Flaps", .expr_text = "a > 5"};
    const struct labels *labels = series_text_labels("a{job=\"x\"}", &(const char *){NULL}, NULL);
    const struct tune_incident bad = {.begin_ms = (int64_t)100 * STEP_MS,
                                      .end_ms = (int64_t)130 * STEP_MS};
    struct hysteresis_pair pair;
    struct tune_result result;

    arena_init(&arena, ARENA_BYTES);
    rule.expr = parse(&arena, "a > 5");
    for (int i = 0; i < STEPS; i++)
        fake_source_put(&fake, labels, (int64_t)i * STEP_MS,
                        i >= 100 && i < 130 && i != 110 && i != 120 ? 4 + 2 * (i % 2)
                                                                    : 2.04 + i % 2);
    const struct source source = fake_source_of(&fake);
    struct reading_source over = {.source = &source, .query_bytes = ARENA_BYTES};
    const struct tune_reader reader = reading_of_source(&over);
    const struct tune_ask ask = {.rule = &rule,
                                 .interval_ms = STEP_MS,
                                 .from_ms = 62 * STEP_MS,
                                 .to_ms = STEPS * STEP_MS,
                                 .whens = &bad,
                                 .n_incidents = 1};
    assert_int_equal(tune_run(&reader, &ask, &result, NULL), 0);
    assert_true(hysteresis_choose(&result, 10, &pair));
    row("above %g, over below %g", result.thresholds[pair.on], result.thresholds[pair.off]);
    assert_true(result.thresholds[pair.off] >= 3);
    assert_int_equal(pair.alerts, 3); /* it was quiet for a moment twice */
    tune_result_done(&result);
    labels_unref(labels);
    fake_source_done(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_written_rule_fires_as_often_as_counted),
        cmocka_unit_test(test_a_pair_for_a_rule_that_flaps),
        cmocka_unit_test(test_a_pair_that_is_never_over_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
