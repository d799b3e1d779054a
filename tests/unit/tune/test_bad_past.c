/*
 * Pasts that are not what one hoped for: nothing in them, too much, a source that dies in the middle, nobody
 * who waits any more. Each ends with words, whenever it happens.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/tune/tune.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 60000,
    STEPS = 300,
    SERIES = 5,
    ARENA_BYTES = 64 << 20,
    ENDS_MAX = 200, /* far more readings than there are */
};

/* Dies, or is given up, at reading number `ends_at`. */
struct frail {
    struct source under;
    size_t n_reads, ends_at;
    size_t n_looks, gives_up_at;
};

struct past {
    struct fake_source fake;
    struct frail frail;
    struct source source;
    struct reading_source over;
    struct arena arena;
    struct rule rule;
    struct tune_result result;
};

static int frail_select(void *self,
                        const struct source_query *query,
                        struct arena *arena,
                        struct source_selection *ret_selection,
                        struct err *reterr)
{
    struct frail *frail = self;

    return frail->under.select(frail->under.self, query, arena, ret_selection, reterr);
}

static int frail_read(void *self,
                      const struct source_query *query,
                      const struct source_match *match,
                      struct arena *arena,
                      struct source_columns *columns,
                      struct err *reterr)
{
    struct frail *frail = self;

    if (frail->n_reads++ == frail->ends_at)
        return err_set(reterr, -EIO, "the disk is gone");
    return frail->under.read(frail->under.self, query, match, arena, columns, reterr);
}

static bool gives_up(const void *arg)
{
    struct frail *frail = (struct frail *)(uintptr_t)arg;

    return frail->n_looks++ == frail->gives_up_at;
}

static void begin(struct past *past, const char *expr)
{
    struct promql_expr *parsed = NULL;

    *past = (struct past){.frail = {.ends_at = SIZE_MAX, .gives_up_at = SIZE_MAX}};
    arena_init(&past->arena, ARENA_BYTES);
    assert_int_equal(promql_parse(&past->arena, expr, &parsed, NULL), 0);
    past->rule = (struct rule){.is_alert = true, .name = "Rule", .expr = parsed, .expr_text = expr};
}

static void fill(struct past *past)
{
    for (int k = 0; k < SERIES; k++) {
        char text[40];

        (void)snprintf(text, sizeof(text), "a{i=\"%d\"}", k);
        const struct labels *labels = series_text_labels(text, &(const char *){NULL}, NULL);
        for (int i = 0; i < STEPS; i++)
            fake_source_put(&past->fake, labels, (int64_t)i * STEP_MS, i % 20 < k ? 9 : 1);
        labels_unref(labels);
    }
}

static int look(struct past *past, struct err *reterr)
{
    const struct tune_ask ask = {.rule = &past->rule,
                                 .interval_ms = STEP_MS,
                                 .from_ms = 100 * STEP_MS,
                                 .to_ms = STEPS * STEP_MS};

    past->frail.under = fake_source_of(&past->fake);
    past->source = (struct source){frail_select, frail_read, &past->frail};
    past->over = (struct reading_source){.source = &past->source,
                                         .query_bytes = ARENA_BYTES,
                                         .piece_steps = 50,
                                         .is_given_up_fn = gives_up,
                                         .given_up_arg = &past->frail};
    const struct tune_reader reader = reading_of_source(&past->over);
    return tune_run(&reader, &ask, &past->result, reterr);
}

static void end(struct past *past)
{
    tune_result_done(&past->result);
    fake_source_done(&past->fake);
    arena_reset(&past->arena);
}

static const char *const ways[] = {"a > 5", "a == 9", "a > 5 and on (i) a < 10",
                                   "count(a > 5) > 1"};

static void test_a_source_that_dies_in_the_middle(void **state)
{
    for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
        size_t n_failed = 0;
        bool fails = true;

        for (size_t at = 0; fails && at < 100 * ENDS_MAX; at++) {
            struct past past;
            struct err err = {0};

            row("%s, reading %zu", ways[w], at);
            begin(&past, ways[w]);
            fill(&past);
            past.frail.ends_at = at;
            int r = look(&past, &err);
            fails = past.frail.n_reads > at;
            assert_true(fails == (r != 0));
            if (fails)
                assert_non_null(strstr(err.text, "the disk is gone"));
            n_failed += fails;
            end(&past);
        }
        assert_in_range(n_failed, 2 * SERIES, 100 * ENDS_MAX - 1);
    }
}

static void test_nobody_waits_any_more(void **state)
{
    for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
        size_t n_ended = 0;
        bool ends = true;

        for (size_t at = 0; ends && at < 100 * ENDS_MAX; at++) {
            struct past past;
            struct err err = {0};

            row("%s, look %zu", ways[w], at);
            begin(&past, ways[w]);
            fill(&past);
            past.frail.gives_up_at = at;
            int r = look(&past, &err);
            ends = past.frail.n_looks > at;
            assert_int_equal(r, ends ? -ECANCELED : 0);
            assert_true(!ends || past.frail.n_looks == at + 1);
            n_ended += ends;
            end(&past);
        }
        assert_in_range(n_ended, 2, 100 * ENDS_MAX - 1);
    }
}

static void test_over_nothing(void **state)
{
    for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
        struct past past;
        struct err err = {0};
        size_t n = 0;

        row("%s", ways[w]);
        begin(&past, ways[w]);
        assert_int_equal(look(&past, &err), 0);
        (void)backtest_episodes(past.result.backtest, &n);
        assert_int_equal(n, 0);
        assert_int_equal(backtest_n_series(past.result.backtest), 0);
        assert_false(past.result.has_suggestion);
        assert_in_range(past.result.n_thresholds, 1, SURFACE_THRESHOLDS_MAX);
        end(&past);
    }
}

static void test_more_series_than_there_may_be(void **state)
{
    const double threshold = 1;
    const uint32_t for_steps = 0;
    const struct backtest_plan plan = {.grid = {.op = SURFACE_ABOVE,
                                                .thresholds = &threshold,
                                                .n_thresholds = 1,
                                                .for_steps = &for_steps,
                                                .n_fors = 1},
                                       .n_steps = 10,
                                       .setting = {.threshold = 1},
                                       .keeps_crossings = true};
    const double values[] = {0, 2, 0};
    struct backtest *backtest = NULL;
    struct err err = {0};
    size_t n = 0;
    int r = 0;

    assert_int_equal(backtest_new(&plan, &backtest, &err), 0);
    while (r == 0 && n <= 2 * BACKTEST_SERIES_MAX) {
        char name[20];
        const struct label pair = {"i", name};

        (void)snprintf(name, sizeof(name), "%zu", n++);
        const struct labels *labels = labels_new(&pair, 1);
        r = backtest_add(backtest, labels, 0, values, 3, &err);
        labels_unref(labels);
    }
    assert_int_equal(r, BACKTEST_E_LIMIT);
    assert_int_equal(n, BACKTEST_SERIES_MAX + 1);
    assert_non_null(strstr(err.text, "more than 100000 series"));
    backtest_free(backtest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_source_that_dies_in_the_middle),
        cmocka_unit_test(test_nobody_waits_any_more),
        cmocka_unit_test(test_over_nothing),
        cmocka_unit_test(test_more_series_than_there_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
