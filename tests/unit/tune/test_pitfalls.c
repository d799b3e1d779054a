/*
 * Ways in which a backtest can be wrong, a test each, named by what goes wrong.
 */

#include <errno.h>
#include <math.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/tune/late.h"
#include "alertd/tune/tune.h"
#include "lib/base/mem.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 60000,
    ARENA_BYTES = 64 << 20,
    WARM_STEPS = 60, /* read before the counted time, and `for` */
};

struct past {
    struct fake_source fake;
    struct source source;
    struct reading_source over;
    struct tune_reader reader;
    struct arena arena;
    struct rule rule;
    struct tune_ask ask;
    struct tune_result result;
};

static void begin(struct past *past, const char *expr)
{
    struct promql_expr *parsed = NULL;

    *past = (struct past){0};
    arena_init(&past->arena, ARENA_BYTES);
    assert_int_equal(promql_parse(&past->arena, expr, &parsed, NULL), 0);
    past->rule = (struct rule){.is_alert = true, .name = "Rule", .expr = parsed, .expr_text = expr};
    past->ask = (struct tune_ask){.rule = &past->rule,
                                  .interval_ms = STEP_MS,
                                  .from_ms = WARM_STEPS * STEP_MS,
                                  .to_ms = 300 * STEP_MS};
}

static void put(struct past *past, const char *series, int64_t t_ms, double value)
{
    const struct labels *labels = series_text_labels(series, &(const char *){NULL}, NULL);

    fake_source_put(&past->fake, labels, t_ms, value);
    labels_unref(labels);
}

/* One value a step in [from, to). */
static void level(struct past *past, const char *series, int from, int to, double value)
{
    for (int i = from; i < to; i++)
        put(past, series, (int64_t)i * STEP_MS, value);
}

static const struct episode *look(struct past *past, size_t *ret_n)
{
    struct err err = {0};

    past->source = fake_source_of(&past->fake);
    past->over.source = &past->source;
    past->over.query_bytes = ARENA_BYTES;
    past->reader = reading_of_source(&past->over);
    past->ask.for_ms = past->rule.for_ms;
    if (tune_run(&past->reader, &past->ask, &past->result, &err) != 0)
        fail_msg("%s", err.text);
    return backtest_episodes(past->result.backtest, ret_n);
}

static void end(struct past *past)
{
    tune_result_done(&past->result);
    fake_source_done(&past->fake);
    arena_reset(&past->arena);
}

static void test_evaluation_phase_sees_other_samples(void **state)
{
    struct past past;
    size_t n;

    for (int phase_s = 0; phase_s < 60; phase_s += 30) {
        begin(&past, "a > 5");
        for (int i = 0; i < 600; i++) /* a sample each 30 s, every second one high: at :30 */
            put(&past, "a", (int64_t)i * 30000, i >= 200 && i < 260 && i % 2 ? 9 : 1);
        past.ask.phase_ms = phase_s * 1000;
        (void)look(&past, &n);
        row("phase %d s", phase_s);
        assert_int_equal(n, phase_s == 30);
        assert_int_equal(past.result.span.start_ms % STEP_MS, phase_s * 1000);
        end(&past);
    }
}

/* What was out is the monitoring, once when it could not be reached itself and once when it reached nobody. */
static void test_absent_fires_while_nothing_is_collected(void **state)
{
    static const struct {
        const char *expr;
        size_t n, n_blind, n_gaps;
    } cases[] = {
        {"absent(a)", 3, 2, 2},
        {"absent_over_time(a[10m]) or a > 5", 3, 2, 2},
        {"(sum(a) or vector(0)) < 1", 3, 2, 2},
        {"a > 5", 0, 0, 0},     /* does not fire on nothing: not even looked for */
        {"absent(b)", 0, 0, 2}, /* fired before, and ever since */
    };
    struct past past;
    size_t n;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        row("%s", cases[i].expr);
        begin(&past, cases[i].expr);
        past.over.lookback_ms = STEP_MS;
        for (int at = 0; at <= 300; at++) {
            bool is_out = at >= 120 && at < 140;
            bool reaches_nobody = at >= 200 && at < 220;
            if (!is_out)
                level(&past, "up{job=\"x\"}", at, at + 1, !reaches_nobody);
            if (!is_out && !reaches_nobody &&
                (at < 260 || at >= 280)) /* and once it was really gone */
                level(&past, "a", at, at + 1, 1);
        }
        (void)look(&past, &n);
        assert_int_equal(n, cases[i].n);
        assert_int_equal(tune_n_blind(&past.result), cases[i].n_blind);
        assert_int_equal(past.result.gaps.n, cases[i].n_gaps);
        if (cases[i].n_gaps) {
            assert_int_equal(past.result.gaps.at[0].begin_ms, 120 * STEP_MS);
            assert_int_equal(past.result.gaps.at[0].end_ms, 140 * STEP_MS);
        }
        end(&past);
    }
}

static void test_for_is_over_at_the_first_evaluation_behind_it(void **state)
{
    struct past past;
    size_t n;

    begin(&past, "a > 5");
    level(&past, "a", 0, 300, 1);
    level(&past, "a", 100, 110, 9);
    past.rule.for_ms = 90000; /* a minute and a half is two */
    const struct episode *episodes = look(&past, &n);
    assert_int_equal(n, 1);
    assert_int_equal(tune_time_of(&past.result, episodes[0].active), 100 * STEP_MS);
    assert_int_equal(tune_time_of(&past.result, episodes[0].fired), 102 * STEP_MS);
    end(&past);
}

/* An evaluation sees what had come: the range is as long as ever, and its newest samples are not there. */
static void test_samples_come_late(void **state)
{
    static const struct {
        const char *expr;
        int64_t lag_s;
        size_t n;
        int64_t fired;
    } table[] = {
        {"a > 5", 0, 1, 100},
        {"a > 5", 120, 1, 102},
        {"a > 5", 59, 1, 101}, /* that of the minute before */
        {"a > 5", 301, 0, 0},  /* none lingers so long */
        {"sum_over_time(a[3m]) > 26", 0, 1, 102},
        {"sum_over_time(a[3m]) > 26", 60, 0, 0}, /* two of the three are there, ever */
        {"sum_over_time(a[3m]) > 17", 60, 1, 102},
        {"absent_over_time(a[3m])", 180, 1,
         60}, /* live, a range shorter than the lag is always empty */
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct past past;
        size_t n = 0;
        begin(&past, table[i].expr);
        level(&past, "a", 0, 300, 1);
        level(&past, "a", 100, 110, 9);
        const struct source source = fake_source_of(&past.fake);
        struct late late = {
            .source = &source, .limits.query_bytes = ARENA_BYTES, .lag_ms = table[i].lag_s * 1000};
        const struct tune_reader reader = late_reader(&late);
        row("%s, %lld s late", table[i].expr, (long long)table[i].lag_s);
        assert_int_equal(tune_run(&reader, &past.ask, &past.result, NULL), 0);
        const struct episode *episodes = backtest_episodes(past.result.backtest, &n);
        if (table[i].fired == 60) {
            assert_true(backtest_n_series(past.result.backtest) == 1 &&
                        n == 0); /* since before the first */
        } else {
            assert_int_equal(n, table[i].n);
            if (n > 0)
                assert_int_equal(tune_time_of(&past.result, episodes[0].fired),
                                 table[i].fired * STEP_MS);
        }
        end(&past);
    }
}

static int64_t an_hour_later(void)
{
    return 3600000;
}

static bool nobody_waits(const void *arg)
{
    return true;
}

static void test_a_late_past_has_an_end(void **state)
{
    static const struct {
        struct reading_source limits;
        int code;
    } table[] = {
        {{.query_bytes = ARENA_BYTES, .now_fn = an_hour_later, .deadline_ms = 7200000}, 0},
        {{.query_bytes = ARENA_BYTES, .now_fn = an_hour_later, .deadline_ms = 1800000}, -ETIMEDOUT},
        {{.query_bytes = ARENA_BYTES, .is_given_up_fn = nobody_waits}, -ECANCELED},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct past past;
        struct err err = {0};
        begin(&past, "vector(1) > 0"); /* reads nothing, at which the limits would be looked at */
        const struct source source = fake_source_of(&past.fake);
        struct late late = {.source = &source, .limits = table[i].limits, .lag_ms = STEP_MS};
        const struct tune_reader reader = late_reader(&late);
        row("number %zu", i);
        assert_int_equal(tune_run(&reader, &past.ask, &past.result, &err), table[i].code);
        end(&past);
    }
}

static void test_missed_evaluations_count_toward_nothing(void **state)
{
    struct past past;
    size_t n;

    begin(&past, "a > 5");
    level(&past, "a", 0, 300, 1);
    level(&past, "a", 100, 104, 9);
    level(&past, "done", 0, 102, 1);
    level(&past, "done", 122, 300, 1); /* nobody evaluated from 102 to 121 */
    level(&past, "a", 104, 125, 9);
    past.rule.for_ms = 3 * STEP_MS;
    past.ask.evaluated = "timestamp(done) == time()";
    const struct episode *episodes = look(&past, &n);
    assert_int_equal(n, 1);
    assert_int_equal(tune_time_of(&past.result, episodes[0].active), 100 * STEP_MS);
    assert_int_equal(tune_time_of(&past.result, episodes[0].fired), 123 * STEP_MS);
    assert_int_equal(tune_time_of(&past.result, episodes[0].resolved), 125 * STEP_MS);
    end(&past);
}

static void test_what_fired_before_is_not_counted_and_what_still_fires_is(void **state)
{
    struct past past;
    size_t n;

    begin(&past, "a > 5");
    level(&past, "a", 0, 100, 9);
    level(&past, "a", 100, 290, 1);
    level(&past, "a", 290, 301, 9);
    past.rule.for_ms = 2 * STEP_MS;
    const struct episode *episodes = look(&past, &n);
    assert_int_equal(n, 1);
    assert_int_equal(tune_time_of(&past.result, episodes[0].fired), 292 * STEP_MS);
    assert_int_equal(episodes[0].resolved, past.result.n_steps);
    const struct surface_cell cell = surface_cell(backtest_surface(past.result.backtest),
                                                  past.result.now.threshold,
                                                  past.result.now.for_index);
    assert_int_equal(cell.alerts, 1);
    assert_int_equal(cell.firing_steps, 40 + 9); /* the first one's counted time is time */
    end(&past);
}

static void test_a_stale_series_is_gone_at_once_another_lingers(void **state)
{
    struct past past;
    size_t n;

    begin(&past, "a > 5");
    level(&past, "a{i=\"marked\"}", 0, 100, 9);
    put(&past, "a{i=\"marked\"}", 100 * STEP_MS, sample_stale());
    level(&past, "a{i=\"silent\"}", 70, 100, 9);
    past.ask.from_ms = 65 * STEP_MS;
    level(&past, "a{i=\"marked\"}", 0, 66, 1);
    const struct episode *episodes = look(&past, &n);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        bool is_marked = strcmp(labels_get(episodes[i].labels, "i"), "marked") == 0;
        assert_int_equal(tune_time_of(&past.result, episodes[i].resolved),
                         (is_marked ? 100 : 104) * STEP_MS);
    }
    end(&past);
}

static void test_pieces_change_nothing(void **state)
{
    size_t n_first = 0;

    for (size_t piece = 1; piece < 400; piece = piece * 2 + 1) {
        struct past past;
        size_t n;
        begin(&past, "rate(a[5m]) > 0.5");
        double value = 0;
        for (int i = 0; i < 300; i++)
            put(&past, "a", (int64_t)i * STEP_MS, value += i / 7 % 3 == 0 ? 100 : 1);
        past.over.piece_steps = piece;
        (void)look(&past, &n);
        row("pieces of %zu", piece);
        n_first = n_first ? n_first : n;
        assert_true(n > 5);
        assert_int_equal(n, n_first);
        end(&past);
    }
}

static void test_a_changing_label_is_reported(void **state)
{
    struct past past;
    size_t n;
    char name[40];

    begin(&past, "a > 5");
    for (int i = 100; i < 160; i += 4) { /* four steps each, `for` wants six */
        (void)snprintf(name, sizeof(name), "a{pod=\"p%d\"}", i);
        level(&past, name, i, i + 4, 9);
        put(&past, name, (int64_t)(i + 4) * STEP_MS, sample_stale());
    }
    past.rule.for_ms = 6 * STEP_MS;
    (void)look(&past, &n);
    assert_int_equal(n, 0); /* it is bad for an hour, and nobody is told */
    const struct cell_churn churn = cell_churn(
        past.result.backtest, &(struct cell_setting){past.result.now.threshold, 6, 0});
    assert_string_equal(churn.label, "pod");
    assert_int_equal(churn.n_lost, 14);
    end(&past);
}

static void test_nan_passes_nothing_and_infinity_all(void **state)
{
    struct past past;
    size_t n;

    begin(&past, "a / b > 5");
    level(&past, "a", 0, 300, 0);
    level(&past, "b", 0, 300, 0);   /* 0 / 0 is NaN */
    level(&past, "a", 100, 105, 1); /* 1 / 0 is infinity */
    const struct episode *episodes = look(&past, &n);
    assert_int_equal(n, 1);
    assert_int_equal(tune_time_of(&past.result, episodes[0].fired), 100 * STEP_MS);
    assert_int_equal(tune_time_of(&past.result, episodes[0].resolved), 105 * STEP_MS);
    for (size_t j = 0; j < past.result.n_thresholds; j++)
        assert_true(isfinite(past.result.thresholds[j]));
    end(&past);
}

static void test_nights_are_the_walls(void **state)
{
    struct zone *zone = NULL;
    struct past past;
    size_t n;

    /* The night in which Berlin's clocks go back: 05:30 UTC is 07:30 before and 06:30 behind. */
    assert_int_equal(zone_open("Europe/Berlin", &zone, NULL), 0);
    const int64_t change_ms = INT64_C(1792890000000); /* 2026-10-25T01:00Z */
    for (int day = -1; day <= 1; day++) {
        begin(&past, "a > 5");
        int64_t at_ms = change_ms + (int64_t)day * 86400000 + 4 * 3600000 + 1800000;
        put(&past, "a", at_ms, 9);
        put(&past, "a", at_ms + STEP_MS, 1);
        past.ask.from_ms = at_ms - 3600000;
        past.ask.to_ms = at_ms + 3600000;
        past.ask.zone = zone;
        past.ask.night_weight = 3;
        const struct episode *episodes = look(&past, &n);
        row("day %d", day);
        assert_int_equal(n, 1);
        assert_int_equal(past.result.is_night[episodes[0].fired], day >= 0);
        const struct surface_cell cell = surface_cell(backtest_surface(past.result.backtest),
                                                      past.result.now.threshold,
                                                      past.result.now.for_index);
        assert_int_equal(cell.weight, day >= 0 ? 3 : 1);
        end(&past);
    }
    zone_free(zone);
}

/* Two outages alike and a third unlike them: what the two suggest does not find the third. */
static void test_a_suggestion_tuned_to_yesterday_is_told(void **state)
{
    struct past past;
    size_t n;
    const struct tune_incident incidents[] = {
        {100 * STEP_MS, 119 * STEP_MS, "one", NULL, 0},
        {160 * STEP_MS, 179 * STEP_MS, "two", NULL, 0},
        {220 * STEP_MS, 221 * STEP_MS, "short", NULL, 0},
    };

    begin(&past, "a > 3");
    for (int i = 0; i < 300; i++) /* noise of one step to 6 */
        put(&past, "a", (int64_t)i * STEP_MS, i % 9 == 0 ? 6 : 1);
    level(&past, "a", 100, 120, 9);
    level(&past, "a", 160, 180, 9);
    level(&past, "a", 220, 222, 6.5); /* shorter and lower than the others */
    past.ask.whens = incidents;
    past.ask.n_incidents = 3;
    (void)look(&past, &n);
    assert_true(past.result.has_suggestion);
    assert_int_equal(past.result.n_checked, 3);
    assert_true(past.result.n_check_found >= 2 && past.result.n_check_found <= 3);
    assert_int_not_equal(surface_delay(backtest_surface(past.result.backtest), 2,
                                       past.result.suggestion.threshold,
                                       past.result.suggestion.for_index),
                         SURFACE_MISSED);
    end(&past);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluation_phase_sees_other_samples),
        cmocka_unit_test(test_absent_fires_while_nothing_is_collected),
        cmocka_unit_test(test_for_is_over_at_the_first_evaluation_behind_it),
        cmocka_unit_test(test_samples_come_late),
        cmocka_unit_test(test_a_late_past_has_an_end),
        cmocka_unit_test(test_missed_evaluations_count_toward_nothing),
        cmocka_unit_test(test_what_fired_before_is_not_counted_and_what_still_fires_is),
        cmocka_unit_test(test_a_stale_series_is_gone_at_once_another_lingers),
        cmocka_unit_test(test_pieces_change_nothing),
        cmocka_unit_test(test_a_changing_label_is_reported),
        cmocka_unit_test(test_nan_passes_nothing_and_infinity_all),
        cmocka_unit_test(test_nights_are_the_walls),
        cmocka_unit_test(test_a_suggestion_tuned_to_yesterday_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
