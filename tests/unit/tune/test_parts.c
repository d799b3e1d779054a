/*
 * A past read in parts at once beside the same past read in one: every cell, every alert, the thresholds, the
 * picture. On random series with NaN, markers and gaps, of rules whose series are apart and others.
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/promql.h"
#include "alertd/tune/tune.h"
#include "lib/base/mem.h"
#include "lib/base/parallel.h"
#include "lib/base/rng.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 60000,
    STEPS = 400,
    SERIES = 9,
    ROUNDS = 40,
    COLUMNS = 50,
    BYTES = 64 << 20,
    LONG_STEPS = 5000, /* more than the coarse reading takes */
};

struct how {
    bool in_parts;
    int steps;
    size_t piece_steps;
};

struct asked {
    struct arena arena;
    struct reading_source over;
    struct rule rule;
    struct tune_result result;
};

static void ask_past(struct asked *asked,
                     const struct source *source,
                     const char *expr,
                     struct how how)
{
    struct promql_expr *parsed = NULL;
    struct err err = {0};

    *asked = (struct asked){.over = {.source = source,
                                     .query_bytes = BYTES,
                                     .piece_steps = how.piece_steps,
                                     .at_once_fn = how.in_parts ? parallel_each : NULL}};
    arena_init(&asked->arena, BYTES);
    if (promql_parse(&asked->arena, expr, &parsed, &err) != 0)
        fail_msg("%s: %s", expr, err.text);
    asked->rule = (struct rule){
        .is_alert = true, .name = "Rule", .expr = parsed, .expr_text = expr};
    const struct tune_reader reader = reading_of_source(&asked->over);
    const struct tune_incident bad = {.begin_ms = 250 * STEP_MS, .end_ms = 260 * STEP_MS};
    const struct tune_ask ask = {.rule = &asked->rule,
                                 .interval_ms = STEP_MS,
                                 .from_ms = 70 * STEP_MS,
                                 .to_ms = (int64_t)how.steps * STEP_MS,
                                 .for_ms = 2 * STEP_MS,
                                 .whens = &bad,
                                 .n_incidents = 1,
                                 .columns = COLUMNS};
    if (tune_run(&reader, &ask, &asked->result, &err) != 0)
        fail_msg("%s: %s", expr, err.text);
}

static void asked_done(struct asked *asked)
{
    tune_result_done(&asked->result);
    arena_reset(&asked->arena);
}

static void fill(struct rng *rng, struct fake_source *fake, int steps)
{
    for (int s = 0; s < SERIES; s++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "a{i=\"%d\"}", s);
        const struct labels *labels = series_text_labels(name, &(const char *){NULL}, NULL);
        double value = 0;
        for (int i = 0; i < steps; i++) {
            value += (double)rng_below(rng, 21) / 10 - 1;
            uint64_t kind = rng_below(rng, 40);
            if (kind == 0)
                i += (int)rng_below(rng, 12); /* a gap */
            double shown = kind == 1 ? NAN : kind == 2 ? sample_stale() : value;
            fake_source_put(fake, labels, (int64_t)i * STEP_MS, shown);
        }
        labels_unref(labels);
    }
}

static void check_cells(const struct tune_result *one, const struct tune_result *parts)
{
    const struct surface *left = backtest_surface(one->backtest);
    const struct surface *right = backtest_surface(parts->backtest);

    assert_int_equal(one->n_thresholds, parts->n_thresholds);
    assert_memory_equal(one->thresholds, parts->thresholds, one->n_thresholds * sizeof(double));
    for (size_t j = 0; j < one->n_thresholds; j++)
        for (size_t k = 0; k < one->n_fors; k++) {
            const struct surface_cell a = surface_cell(left, j, k);
            const struct surface_cell b = surface_cell(right, j, k);
            assert_memory_equal(&a, &b, sizeof(a));
            assert_int_equal(surface_delay(left, 0, j, k), surface_delay(right, 0, j, k));
        }
    for (size_t off = 0; off < one->n_thresholds; off++)
        for (size_t on = off; on < one->n_thresholds; on++)
            assert_int_equal(surface_hysteresis(left, off, on), surface_hysteresis(right, off, on));
}

static void check_alerts(const struct tune_result *one, const struct tune_result *parts)
{
    size_t n = 0;
    size_t n_parts = 0;
    const struct episode *left = backtest_episodes(one->backtest, &n);
    const struct episode *right = backtest_episodes(parts->backtest, &n_parts);

    assert_int_equal(n, n_parts);
    assert_int_equal(backtest_n_series(one->backtest), backtest_n_series(parts->backtest));
    for (size_t i = 0; i < n; i++) {
        assert_true(labels_equal(left[i].labels, right[i].labels));
        assert_int_equal(left[i].active, right[i].active);
        assert_int_equal(left[i].fired, right[i].fired);
        assert_int_equal(left[i].resolved, right[i].resolved);
        assert_int_equal(left[i].is_true, right[i].is_true);
    }
}

static void check_picture(const struct tune_result *one, const struct tune_result *parts)
{
    size_t n = picture_sort(one->picture, one->now.threshold);

    assert_int_equal(n, picture_sort(parts->picture, parts->now.threshold));
    for (size_t i = 0; i < n; i++) {
        const struct picture_series a = picture_series(one->picture, i);
        const struct picture_series b = picture_series(parts->picture, i);
        assert_true(labels_equal(a.labels, b.labels));
        assert_int_equal(a.n_bytes, b.n_bytes);
        assert_memory_equal(a.runs, b.runs, a.n_bytes);
        assert_memory_equal(a.least, b.least, COLUMNS * sizeof(float));
    }
    const struct picture_series all = picture_all(one->picture);
    const struct picture_series all_parts = picture_all(parts->picture);
    assert_memory_equal(all.least, all_parts.least, COLUMNS * sizeof(float));
    assert_memory_equal(all.greatest, all_parts.greatest, COLUMNS * sizeof(float));
}

static void test_parts_are_the_whole(void **state)
{
    static const char *const rules[] = {
        "a > 1",
        "a <= -0.5",
        "max_over_time(a[5m]) >= 1.5",
        "abs(a) > 2",
        "a * 2 > 3",
        "rate(a[5m]) > 0",
        "max(a) > 1",
        "a > on () group_left () max(a) * 0.5",
    };
    struct rng rng = {rng_os_seed()};

    for (int round = 0; round < ROUNDS; round++) {
        struct fake_source fake = {0};
        row("round %d of seed %llu", round, (unsigned long long)rng.state);
        fill(&rng, &fake, STEPS);
        const struct source source = fake_source_of(&fake);
        for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
            struct asked one;
            struct asked parts;
            ask_past(&one, &source, rules[i], (struct how){false, STEPS, 0});
            ask_past(&parts, &source, rules[i], (struct how){true, STEPS, 0});
            check_cells(&one.result, &parts.result);
            check_alerts(&one.result, &parts.result);
            check_picture(&one.result, &parts.result);
            asked_done(&one);
            asked_done(&parts);
        }
        fake_source_done(&fake);
    }
}

struct counted {
    struct source of;
    int n_selects;
};

static int select_counted(void *self,
                          const struct source_query *query,
                          struct arena *arena,
                          struct source_selection *ret_selection,
                          struct err *reterr)
{
    struct counted *counted = self;

    counted->n_selects++;
    return counted->of.select(counted->of.self, query, arena, ret_selection, reterr);
}

static int read_counted(void *self,
                        const struct source_query *query,
                        const struct source_match *match,
                        struct arena *arena,
                        struct source_columns *columns,
                        struct err *reterr)
{
    const struct counted *counted = self;

    return counted->of.read(counted->of.self, query, match, arena, columns, reterr);
}

/* The coarse reading, and the whole one: all in one piece, or in some that each look for their own. */
static void test_what_is_found_serves_both_readings(void **state)
{
    static const char *const rules[] = {"a > 1", "max_over_time(a[5m]) > 1", "a offset 7m < 0"};
    static const size_t piece_steps[] = {0, 1000};
    struct rng rng = {rng_os_seed()};
    struct fake_source fake = {0};

    row("seed %llu", (unsigned long long)rng.state);
    fill(&rng, &fake, LONG_STEPS);
    struct counted counted = {.of = fake_source_of(&fake)};
    const struct source source = {.select = select_counted, .read = read_counted, .self = &counted};
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        for (size_t k = 0; k < sizeof(piece_steps) / sizeof(*piece_steps); k++) {
            struct asked one;
            struct asked parts;
            ask_past(&one, &source, rules[i], (struct how){false, LONG_STEPS, piece_steps[k]});
            counted.n_selects = 0;
            ask_past(&parts, &source, rules[i], (struct how){true, LONG_STEPS, piece_steps[k]});
            assert_int_equal(counted.n_selects, piece_steps[k] == 0 ? 1 : 2 + 5);
            check_cells(&one.result, &parts.result);
            check_alerts(&one.result, &parts.result);
            asked_done(&one);
            asked_done(&parts);
        }
    fake_source_done(&fake);
}

static void test_which_series_are_apart(void **state)
{
    static const struct {
        const char *expr;
        bool are_apart;
    } rows[] = {
        {"a", true},
        {"a{x=\"1\"} offset 5m * 2 + time()", true},
        {"-rate(a[5m])", true},
        {"quantile_over_time(0.9, a[1h:5m]) > 3", true},
        {"{x=\"1\"}", false}, /* two metrics may give the same labels */
        {"sum(a)", false},
        {"a / b", false},
        {"a - a offset 1d", false},
        {"a > scalar(a)", false},
        {"absent(a)", false},
        {"absent_over_time(a[5m])", false},
        {"label_replace(a, \"x\", \"\", \"x\", \"\")", false},
        {"histogram_quantile(0.9, a)", false},
        {"vector(1)", false},
        {"a or vector(0)", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct promql_expr *expr = NULL;
        struct arena arena;
        row("%s", rows[i].expr);
        arena_init(&arena, 1 << 20);
        assert_int_equal(promql_parse(&arena, rows[i].expr, &expr, NULL), 0);
        assert_int_equal(promql_series_are_apart(expr), rows[i].are_apart);
        arena_reset(&arena);
    }
}

static int fail_late(void *self,
                     const struct source_query *query,
                     const struct source_match *match,
                     struct arena *arena,
                     struct source_columns *columns,
                     struct err *reterr)
{
    return err_set(reterr, -EIO, "the disk is gone");
}

static void test_a_part_that_fails_is_no_result(void **state)
{
    struct fake_source fake = {0};
    struct rng rng = {1};
    struct promql_expr *parsed = NULL;
    struct tune_result result;
    struct arena arena;
    struct err err = {0};

    fill(&rng, &fake, STEPS);
    struct source source = fake_source_of(&fake);
    source.read = fail_late;
    arena_init(&arena, BYTES);
    assert_int_equal(promql_parse(&arena, "a > 1", &parsed, NULL), 0);
    struct rule rule = {.is_alert = true, .name = "Rule", .expr = parsed, .expr_text = "a > 1"};
    struct reading_source over = {
        .source = &source, .query_bytes = BYTES, .at_once_fn = parallel_each};
    const struct tune_reader reader = reading_of_source(&over);
    const struct tune_ask ask = {
        .rule = &rule, .interval_ms = STEP_MS, .to_ms = STEPS * STEP_MS, .is_alone = true};
    assert_int_equal(tune_run(&reader, &ask, &result, &err), -EIO);
    assert_non_null(strstr(err.text, "the disk is gone"));
    tune_result_done(&result);
    arena_reset(&arena);
    fake_source_done(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_the_whole),
        cmocka_unit_test(test_what_is_found_serves_both_readings),
        cmocka_unit_test(test_which_series_are_apart),
        cmocka_unit_test(test_a_part_that_fails_is_no_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
