/*
 * What a query cost, node by node: shapes by hand, the clock told, every memory limit.
 */

#include <string.h>

#include "alertd/promql/explain.h"
#include "alertd/promql/promql.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

static const char *const data[] = {
    "x{l=\"b\"} 1+1x60",
    "x{l=\"a\"} 2+2x60",
    "y_total{l=\"a\"} 0+10x60",
    "gone 1 2 stale",
};

static int64_t clock_ns;

/* Each look at the clock takes one nanosecond, so that what nodes cost is countable. */
static int64_t a_clock(void)
{
    return ++clock_ns;
}

static const struct promql_query at_one_minute = {.start_ms = 60000, .end_ms = 60000};
static const struct promql_query one_minute = {.end_ms = 60000, .step_ms = 20000};

static void load(struct fake_source *fake)
{
    *fake = (struct fake_source){0};
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
        assert_true(fake_source_load(fake, 10000, data[i], NULL));
}

static int explain(struct fake_source *fake,
                   const char *text,
                   struct promql_query query,
                   struct arena *arena,
                   struct promql_explain *ret_explain)
{
    struct source source = fake_source_of(fake);
    struct promql_expr *expr = NULL;
    struct promql_value value;
    struct err err = {0};

    *ret_explain = (struct promql_explain){.now_ns = a_clock};
    query.explain = ret_explain;
    int r = promql_parse(arena, text, &expr, &err);
    if (!r)
        r = promql_eval(expr, &source, &query, arena, &value, &err);
    if (!r && !ret_explain->nodes)
        fail_msg("no nodes");
    return r;
}

/* One line for each node: depth, what it is, evaluations*steps, series/points, samples. */
static void print_nodes(const struct promql_explain *explain, struct str *out)
{
    for (size_t i = 0; i < explain->n; i++) {
        const struct promql_explain_node *node = &explain->nodes[i];

        str_addf(out, "%s%u ", i ? "; " : "", node->depth);
        promql_print_own(node->expr, out);
        str_addf(out, " %zu*%zu %zu/%zu %zu", node->evaluations, node->steps, node->series,
                 node->points, node->samples);
    }
}

static void test_nodes(void **state)
{
    static const struct {
        const char *text;
        bool range;
        const char *expected;
        size_t queryable;
    } rows[] = {
        {"1", false, "0 1 1*1 1/1 0", 0},
        {"x", false, "0 x 1*1 2/2 14", 2},
        {"((x))", false, "0 x 1*1 2/2 14", 2},
        {"x > 7", false, "0 > 1*1 1/1 14; 1 x 1*1 2/2 14; 1 7 1*1 1/1 0", 2},
        {"x", true, "0 x 1*4 2/8 14", 8},
        {"gone", true, "0 gone 1*4 1/1 3", 1},
        {"sum by (l) (rate(y_total[30s]))", false,
         "0 sum by (l) 1*1 1/1 3; 1 rate() 1*1 1/1 3; 2 y_total[30s] 1*1 1/3 3", 3},
        {"sum(rate(y_total[20s]))", true,
         "0 sum 1*4 1/3 7; 1 rate() 1*4 1/3 7; 2 y_total[20s] 1*4 1/7 7", 7},
        {"max_over_time(sum(x)[40s:20s])", false,
         "0 max_over_time() 1*1 1/1 14; 1 [40s:20s] 1*1 1/2 14; 2 sum 1*2 1/2 14; "
         "3 x 1*2 2/4 14",
         2},
        {"sum(x)[40s:20s]", false, "0 [40s:20s] 1*1 1/2 14; 1 sum 1*2 1/2 14; 2 x 1*2 2/4 14", 4},
        {"sum(x @ 30)", true, "0 sum 1*1 1/4 8; 1 x @ 30.000 1*1 2/2 8", 8},
        {"timestamp(x)", false, "0 timestamp() 1*1 2/2 14; 1 x 1*1 2/2 14", 2},
        {"topk(1, x)", false, "0 topk 1*1 1/1 14; 1 x 1*1 2/2 14; 1 1 1*1 1/1 0", 2},
        {"-x", false, "0 - 1*1 2/2 14; 1 x 1*1 2/2 14", 2},
        {"label_join(x, 'a', '-', 'l')", false,
         "0 label_join() 1*1 2/2 14; 1 x 1*1 2/2 14; 1 \"a\" 0*0 0/0 0; 1 \"-\" 0*0 0/0 0; "
         "1 \"l\" 0*0 0/0 0",
         2},
        {"x{l='a'} / on (l) group_left () y_total", false,
         "0 / on (l) group_left () 1*1 1/1 14; 1 x{l=\"a\"} 1*1 1/1 7; 1 y_total 1*1 1/1 7", 2},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str out = STR_INIT(2000);
        struct promql_explain explained;
        struct fake_source fake;

        row("%s", rows[i].text);
        load(&fake);
        arena_init(&arena, 1 << 20);
        assert_int_equal(explain(&fake, rows[i].text, rows[i].range ? one_minute : at_one_minute,
                                 &arena, &explained),
                         0);
        print_nodes(&explained, &out);
        assert_string_equal(str_text(&out), rows[i].expected);
        assert_int_equal(explained.queryable, rows[i].queryable);
        fake_source_done(&fake);
    }
}

/* Self times add up to the root's total; the hottest node is the one with most of its own. */
static void test_times_add_up(void **state)
{
    static const char *const texts[] = {
        "1",
        "sum by (l) (rate(x[30s])) / on (l) group_left count without (z) (x) or topk(1, x)",
        "max_over_time(deriv(x[20s])[1m:10s]) > bool on (l) quantile_over_time(0.2, x[1m])",
        "sum(x @ 30) + timestamp((x))",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ARENA_AUTO struct arena arena;
        struct promql_explain explained;
        struct fake_source fake;
        int64_t sum_ns = 0;

        row("%s", texts[i]);
        load(&fake);
        arena_init(&arena, 1 << 20);
        assert_int_equal(explain(&fake, texts[i], one_minute, &arena, &explained), 0);
        if (!explained.nodes)
            continue;
        for (size_t at = 0; at < explained.n; at++) {
            const struct promql_explain_node *node = &explained.nodes[at];

            sum_ns += node->self_ns;
            assert_true(node->self_ns <= explained.nodes[explained.hottest].self_ns);
            assert_true(node->evaluations == 0 || node->self_ns > 0);
            assert_true(node->bytes <= explained.nodes[0].bytes);
            assert_true(at + node->n_below < explained.n);
        }
        assert_int_equal(sum_ns, explained.nodes[0].total_ns);
        assert_int_equal(explained.nodes[0].n_below + 1, explained.n);
        fake_source_done(&fake);
    }
}

/* Under every memory limit up to what it takes: an answer or the limit. */
static void test_every_memory_limit(void **state)
{
    static const char text[] = "max_over_time(deriv(x[20s])[1m:10s]) > bool on (l) x";
    struct fake_source fake;
    size_t limit = 0;
    int r;

    load(&fake);
    do {
        ARENA_AUTO struct arena arena;
        struct promql_explain explained;

        arena_init(&arena, limit);
        r = explain(&fake, text, one_minute, &arena, &explained);
        if (r)
            assert_int_equal(r, PROMQL_E_LIMIT);
        limit += 16;
    } while (r);
    assert_true(limit > 2000);
    fake_source_done(&fake);
}

static void test_spans(void **state)
{
    static const char text[] = "sum( x ) + 12";
    ARENA_AUTO struct arena arena;
    struct promql_explain explained;
    struct fake_source fake;
    size_t start;
    size_t end;

    load(&fake);
    arena_init(&arena, 1 << 20);
    assert_int_equal(explain(&fake, text, at_one_minute, &arena, &explained), 0);
    if (!explained.nodes)
        return;
    promql_span(explained.nodes[2].expr, &start, &end);
    assert_int_equal(start, 5);
    assert_int_equal(end, 6);
    promql_span(explained.nodes[3].expr, &start, &end);
    assert_string_equal(text + start, "12");
    assert_string_equal(promql_kind_name(explained.nodes[3].expr), "number");
    fake_source_done(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_times_add_up),
        cmocka_unit_test(test_every_memory_limit),
        cmocka_unit_test(test_spans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
