/*
 * The engine's manners: limits, errors, shapes of results. What the functions compute is
 * in tests/conformance/promql.
 */

#include <errno.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

static const char *const data[] = {
    "x{l=\"b\"} 1+1x60", "x{l=\"a\"} 2+2x60",         "y_total{l=\"a\"} 0+10x60",
    "gone 1 2 stale",    "h_bucket{le=\"1\"} 0+1x60", "h_bucket{le=\"+Inf\"} 0+2x60",
};

static void load(struct fake_source *fake)
{
    *fake = (struct fake_source){0};
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
        assert_true(fake_source_load(fake, 10000, data[i], NULL));
}

static const struct promql_query at_one_minute = {.start_ms = 60000, .end_ms = 60000};
static const struct promql_query one_minute = {.end_ms = 60000, .step_ms = 20000};

static int evaluate(struct fake_source *fake,
                    const char *text,
                    const struct promql_query *query,
                    struct arena *arena,
                    struct promql_value *ret_value,
                    struct err *err)
{
    struct source source = fake_source_of(fake);
    struct promql_expr *expr = NULL;
    int r = promql_parse(arena, text, &expr, err);

    return r ? r : promql_eval(expr, &source, query, arena, ret_value, err);
}

/* A result as text: `{l="a"} 1@60000 ...;` */
static void print_value(const struct promql_value *value, struct str *out)
{
    static const char *const types[] = {"scalar", "vector", "matrix", "string"};

    str_addf(out, "%s", types[value->type]);
    if (value->string)
        str_addf(out, " %s", value->string);
    for (size_t i = 0; i < value->n; i++) {
        str_add(out, i ? "; " : " ");
        labels_print(value->series[i].labels, out);
        for (size_t j = 0; j < value->series[i].n; j++)
            str_addf(out, " %g@%lld", value->series[i].values[j],
                     (long long)value->series[i].t_ms[j] / 1000);
    }
}

static void test_shapes(void **state)
{
    static const struct {
        const char *text;
        bool range;
        const char *expected;
    } rows[] = {
        {"1 + 1", false, "scalar {} 2@60"},
        {"'words'", false, "string words"},
        {"x", false, "vector x{l=\"b\"} 7@60; x{l=\"a\"} 14@60"},
        {"sort_desc(x)", false, "vector x{l=\"a\"} 14@60; x{l=\"b\"} 7@60"},
        {"x{l='a'}[25s]", false, "matrix x{l=\"a\"} 10@40 12@50 14@60"},
        {"x[15s]", false, "matrix x{l=\"a\"} 12@50 14@60; x{l=\"b\"} 6@50 7@60"},
        {"x{l='a'}[25s] offset 10s", false, "matrix x{l=\"a\"} 8@30 10@40 12@50"},
        {"(x{l='a'}[30s:15s])", false, "matrix x{l=\"a\"} 10@45 14@60"},
        {"absent(nothing[1m:])", false, NULL},
        {"nothing", false, "vector"},
        {"x", true, "matrix x{l=\"a\"} 2@0 6@20 10@40 14@60; x{l=\"b\"} 1@0 3@20 5@40 7@60"},
        {"gone", true, "matrix gone 1@0"},
        {"time()", true, "matrix {} 0@0 20@20 40@40 60@60"},
        {"nothing", true, "matrix"},
        {"rate(y_total[20s]) * step()", true, NULL},
        {"count_over_time(x{l='a'}[2 * 10s])", true, "matrix {l=\"a\"} 1@0 2@20 2@40 2@60"},
        {"x[1m]", true, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str out = STR_INIT(1000);
        struct fake_source fake;
        struct promql_value value;

        row("%s", rows[i].text);
        load(&fake);
        arena_init(&arena, 1 << 20);
        int r = evaluate(&fake, rows[i].text, rows[i].range ? &one_minute : &at_one_minute, &arena,
                         &value, NULL);
        assert_int_equal(r == 0, rows[i].expected != NULL);
        if (!r) {
            print_value(&value, &out);
            assert_string_equal(str_text(&out), rows[i].expected);
        }
        fake_source_done(&fake);
    }
}

static void test_notes_name_the_place(void **state)
{
    ARENA_AUTO struct arena arena;
    struct fake_source fake;
    struct promql_value value = {0};

    load(&fake);
    arena_init(&arena, 1 << 20);
    assert_int_equal(
        evaluate(&fake, "rate(x[1m])\n+ quantile(7, x)", &at_one_minute, &arena, &value, NULL), 0);
    assert_int_equal(value.n_infos, 1);
    assert_string_equal(value.infos ? value.infos[0] : "",
                        "PromQL info: metric might not be a counter, name does not end in "
                        "_total/_sum/_count/_bucket: \"x\" (1:6)");
    assert_int_equal(value.n_warnings, 1);
    assert_string_equal(value.warnings ? value.warnings[0] : "",
                        "PromQL warning: quantile value should be between 0 and 1, got 7 (2:12)");
    fake_source_done(&fake);
}

static int64_t a_late_clock(void)
{
    return 1000;
}

static void test_limits(void **state)
{
    static const struct {
        const char *text;
        struct promql_query query;
        const char *words;
    } rows[] = {
        {"x",
         {.end_ms = 100000, .step_ms = 1, .limits = {.max_points = 100000}},
         "exceeded maximum resolution of 100000 points per timeseries. Try increasing the value "
         "of the step parameter"},
        {"x",
         {.end_ms = 11000, .step_ms = 1},
         "exceeded maximum resolution of 11000 points per timeseries. Try increasing the value "
         "of the step parameter"},
        {"x + x",
         {.end_ms = 60000, .step_ms = 10000, .limits = {.max_samples = 20}},
         "the query reads more than 20 samples; select fewer series or a shorter time"},
        {"sum(sum(sum(abs(x))))",
         {.end_ms = 600000, .step_ms = 100, .limits = {.deadline_ms = 999, .now_fn = a_late_clock}},
         NULL},
        {"count_over_time(vector(1)[100y:1s])", {.start_ms = 60000}, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        struct fake_source fake;
        struct promql_value value;
        struct err err = {0};

        row("%s", rows[i].text);
        load(&fake);
        arena_init(&arena, 1 << 20);
        int r = evaluate(&fake, rows[i].text, &rows[i].query, &arena, &value, &err);
        fake_source_done(&fake);
        if (!rows[i].words && !r)
            continue; /* small enough to be done before anybody looks */
        assert_int_equal(r, PROMQL_E_LIMIT);
        if (rows[i].words)
            assert_string_equal(err.text, rows[i].words);
    }
}

/* Sixty-four series are enough for a look at the clock. */
static void test_the_deadline_ends_a_query(void **state)
{
    ARENA_AUTO struct arena arena;
    struct fake_source fake = {0};
    struct promql_value value;
    struct err err = {0};
    struct promql_query query = {.limits = {.deadline_ms = 999, .now_fn = a_late_clock}};

    for (int i = 0; i < 100; i++) {
        char line[64];

        (void)snprintf(line, sizeof(line), "x{l=\"%d\"} 1", i);
        assert_true(fake_source_load(&fake, 1000, line, NULL));
    }
    arena_init(&arena, 1 << 20);
    assert_int_equal(evaluate(&fake, "x", &query, &arena, &value, &err), PROMQL_E_LIMIT);
    assert_string_equal(err.text, "query timed out in expression evaluation");
    query.end_ms = 1000000;
    query.step_ms = 1000;
    assert_int_equal(/* one series, long windows */
                     evaluate(&fake, "stddev_over_time(vector(1)[1h:1s])", &query, &arena, &value,
                              &err),
                     PROMQL_E_LIMIT);
    query.step_ms = 0;
    query.limits.deadline_ms = 1001;
    assert_int_equal(evaluate(&fake, "x", &query, &arena, &value, &err), 0);
    fake_source_done(&fake);
}

/* Under every memory limit up to what it takes: an answer or the limit, no leak. */
static void test_every_memory_limit(void **state)
{
    static const char *const texts[] = {
        "sum by (l) (rate(x[30s])) / on (l) group_left count without (z) (x) or topk(1, x)",
        "label_replace(quantile(0.5, x), 'a', '$1', 'l', '(.*)') unless absent(y_total)",
        "histogram_quantile(0.9, h_bucket) + on () count_values('v', x{l='a'})",
        "max_over_time(deriv(x[20s])[1m:10s]) > bool on (l) quantile_over_time(0.2, x[1m])",
        "label_join(sort(clamp(x, 1, 5)), 'j', '-', 'l', 'l') and x",
        "avg by (l) (rate(x[30s]) >= 0) + on (l) bottomk(1, x != 0.5)",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct fake_source fake;
        size_t limit = 0;
        int r;

        row("%s", texts[i]);
        load(&fake);
        do {
            ARENA_AUTO struct arena arena;
            struct promql_value value;

            arena_init(&arena, limit);
            struct err err = {0};
            r = evaluate(&fake, texts[i], &one_minute, &arena, &value, &err);
            if (r && r != PROMQL_E_LIMIT)
                fail_msg("%zu bytes: %s", limit, err.text);
            limit += 16;
        } while (r);
        assert_true(limit > 2000);
        fake_source_done(&fake);
    }
}

/* The innermost node that failed is the one that is told. */
static void test_errors_have_a_place(void **state)
{
    static const struct {
        const char *text;
        unsigned line, column;
    } rows[] = {
        {"sum({l=~'a|b'}\n  + on () vector(1))", 2, 3},
        {"1 +\n  abs(label_replace(x, 'a', '', 'l', '('))", 2, 7},
        {"x + rate(x[step()])", 1, 10},
        {"topk(1e300, x)", 1, 1},
        {"x + (topk(1e300, x))", 1, 6},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        struct fake_source fake;
        struct promql_value value;
        struct err err = {0};

        row("%s", rows[i].text);
        load(&fake);
        arena_init(&arena, 1 << 20);
        assert_int_equal(evaluate(&fake, rows[i].text, &at_one_minute, &arena, &value, &err),
                         PROMQL_E_EVAL);
        assert_int_equal(err.line, rows[i].line);
        assert_int_equal(err.column, rows[i].column);
        fake_source_done(&fake);
    }
}

static void test_a_failing_source(void **state)
{
    ARENA_AUTO struct arena arena;
    struct fake_source fake = {.fail_with = -EIO};
    struct promql_value value;
    struct err err = {0};

    arena_init(&arena, 1 << 20);
    assert_int_equal(evaluate(&fake, "sum(x)", &at_one_minute, &arena, &value, &err), -EIO);
    assert_string_equal(err.text, "the source failed");
}

static void test_native_histograms_are_refused_by_name(void **state)
{
    ARENA_AUTO struct arena arena;
    struct fake_source fake;
    struct promql_value value;
    struct err err = {0};

    load(&fake);
    fake.kind = SAMPLE_HISTOGRAM;
    arena_init(&arena, 1 << 20);
    assert_int_equal(evaluate(&fake, "sum(rate(x[1m]))", &at_one_minute, &arena, &value, &err),
                     PROMQL_E_EVAL);
    assert_string_equal(err.text, "a series of native histograms, which are not supported");
    fake_source_done(&fake);
}

static void test_evaluation_errors(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *words;
    } rows[] = {
        {"label_replace(x, 'a', '', 'l', '(')", PROMQL_E_EVAL,
         "invalid regular expression in label_replace(): ("},
        {"label_replace(x, '', '', 'l', '.*')", PROMQL_E_EVAL,
         "invalid destination label name in label_replace(): "},
        {"label_join(x, 'a', '-', '')", PROMQL_E_EVAL,
         "invalid source label name in label_join(): "},
        {"count_values('', x)", PROMQL_E_EVAL, "invalid label name \"\""},
        {"topk(1e300, x)", PROMQL_E_EVAL, "Scalar value 1e+300 overflows int64"},
        {"rate(x[step()])", PROMQL_E_EVAL, "duration must be greater than 0"},
        {"{l=~'a|b'} + on () vector(1)", PROMQL_E_EVAL,
         "multiple matches for labels: many-to-one matching must be explicit "
         "(group_left/group_right)"},
        {"{__name__=~'x|y_total', l='a'} * 2", PROMQL_E_EVAL,
         "vector cannot contain metrics with the same labelset"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        struct fake_source fake;
        struct promql_value value;
        struct err err = {0};

        row("%s", rows[i].text);
        load(&fake);
        arena_init(&arena, 1 << 20);
        assert_int_equal(evaluate(&fake, rows[i].text, &at_one_minute, &arena, &value, &err),
                         rows[i].code);
        assert_string_equal(err.text, rows[i].words);
        fake_source_done(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_notes_name_the_place),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_the_deadline_ends_a_query),
        cmocka_unit_test(test_every_memory_limit),
        cmocka_unit_test(test_errors_have_a_place),
        cmocka_unit_test(test_a_failing_source),
        cmocka_unit_test(test_native_histograms_are_refused_by_name),
        cmocka_unit_test(test_evaluation_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
