/*
 * What is remembered of one instant: the same answers as without, from fewer reads.
 */

#include "alertd/promql/memo.h"
#include "alertd/promql/promql.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

static void load(struct fake_source *fake)
{
    static const char *const data[] = {
        "x{l=\"b\",i=\"1\"} 1+1x60",
        "x{l=\"a\",i=\"1\"} 2+2x60",
        "x{l=\"a\",i=\"2\"} 5+1x60",
        "q{l=\"a\"} 0x60",
    };

    *fake = (struct fake_source){0};
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
        assert_true(fake_source_load(fake, 10000, data[i], NULL));
}

/* The answer as text; "answer 3" when it is none. */
static void ask(struct fake_source *fake,
                const char *text,
                int64_t at_ms,
                struct promql_memo *memo,
                struct str *out)
{
    const struct promql_query query = {.start_ms = at_ms, .end_ms = at_ms, .memo = memo};
    struct source source = fake_source_of(fake);
    struct promql_expr *expr;
    struct promql_value value;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 1 << 20);
    assert_int_equal(promql_parse(&arena, text, &expr, NULL), 0);
    int r = promql_eval(expr, &source, &query, &arena, &value, NULL);
    if (r) {
        str_addf(out, "answer %d", r);
        return;
    }
    for (size_t i = 0; i < value.n; i++) {
        labels_print(value.series[i].labels, out);
        str_addf(out, " %g ", value.series[i].values[0]);
    }
    str_addf(out, "%zu warnings, %zu infos, %zu samples of %zu", value.n_warnings, value.n_infos,
             value.n_samples, value.n_series_read);
}

static const char *const questions[] = {
    "sum by (l) (x)",
    "-sum by (l) (x)", /* works in place on what it is given */
    "sum by (l) (x) + on (l) group_left () sum by (l, i) (x)",
    "sum by (l) (x) > 20",
    "sum(sum by (l) (x))",
    "topk(1, x)",
    "topk by (l) (1, x)",
    "count_values(\"v\", x)",
    "max by (l) (max_over_time(x[30s])) / sum by (l) (x)",
    "sum by (l) (max_over_time(sum by (l) (x)[30s:10s]))",
    "sum by (l) (nothing)",
    "avg(quantile_over_time(2, q[1m]))", /* with a warning */
    "sum by (l) (x @ 10)",
    "x + on () group_left () max(x)",
};

static void test_the_same_answers(void **state)
{
    struct promql_memo *memo = promql_memo_new(1 << 20);
    struct fake_source fake;

    load(&fake);
    for (size_t i = 0; i < 4 * sizeof(questions) / sizeof(questions[0]); i++) {
        const char *question = questions[i % (sizeof(questions) / sizeof(questions[0]))];
        int64_t at_ms = i / (sizeof(questions) / sizeof(questions[0])) < 2 ? 60000 : 90000;
        STR_AUTO struct str plain = STR_INIT(4000);
        STR_AUTO struct str remembered = STR_INIT(4000);

        row("%s @ %lld", question, (long long)at_ms);
        ask(&fake, question, at_ms, NULL, &plain);
        ask(&fake, question, at_ms, memo, &remembered);
        assert_string_equal(str_text(&remembered), str_text(&plain));
    }
    promql_memo_free(memo);
    fake_source_done(&fake);
}

static void test_until_it_is_forgotten(void **state)
{
    static const struct label pairs[] = {{LABEL_NAME, "x"}, {"l", "b"}, {"i", "1"}};
    struct promql_memo *memo = promql_memo_new(1 << 20);
    const struct labels *labels = labels_new(pairs, 3);
    STR_AUTO struct str before = STR_INIT(4000);
    STR_AUTO struct str known = STR_INIT(4000);
    STR_AUTO struct str other = STR_INIT(4000);
    STR_AUTO struct str after = STR_INIT(4000);
    struct fake_source fake;

    load(&fake);
    ask(&fake, "max by (l) (x)", 60000, memo, &before);
    fake_source_put(&fake, labels, 60000, 1000);
    ask(&fake, "1 * max by (l) (x)", 60000, memo, &known); /* is not read again */
    assert_string_equal(str_text(&known), str_text(&before));
    ask(&fake, "max  by (l) (x)", 60000, memo, &other); /* other words */
    assert_non_null(strstr(str_text(&other), "1000"));
    promql_memo_forget(memo);
    ask(&fake, "max by (l) (x)", 60000, memo, &after);
    assert_string_equal(str_text(&after), str_text(&other));
    labels_unref(labels);
    promql_memo_free(memo);
    fake_source_done(&fake);
}

/* Whatever fits: no answer changes. */
static void test_every_limit(void **state)
{
    STR_AUTO struct str plain = STR_INIT(4000);
    struct fake_source fake;

    load(&fake);
    ask(&fake, questions[2], 60000, NULL, &plain);
    for (size_t limit = 0; limit < 3000; limit += 16) {
        struct promql_memo *memo = promql_memo_new(limit);

        for (int k = 0; k < 2; k++) {
            STR_AUTO struct str remembered = STR_INIT(4000);

            ask(&fake, questions[2], 60000, memo, &remembered);
            assert_string_equal(str_text(&remembered), str_text(&plain));
        }
        promql_memo_free(memo);
    }
    fake_source_done(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_answers),
        cmocka_unit_test(test_until_it_is_forgotten),
        cmocka_unit_test(test_every_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
