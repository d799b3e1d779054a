/*
 * Samples whose regular times are left out (source.h) beside the same samples with their times: each query
 * gives the same points, whatever the step, the offset and the look-back.
 */

#include <string.h>

#include "alertd/promql/promql.h"
#include "lib/base/rng.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    BYTES = 16 << 20,
    SAMPLES_MAX = 300,
    ROUNDS = 2000,
};

/* A source that leaves times out where it may, its samples in the reader's room as the store's are. */
struct regular {
    struct source inner;
    size_t n_left_out;
};

static int select_inner(void *self,
                        const struct source_query *query,
                        struct arena *arena,
                        struct source_selection *ret_selection,
                        struct err *reterr)
{
    const struct regular *regular = self;

    return regular->inner.select(regular->inner.self, query, arena, ret_selection, reterr);
}

static int read_regular(void *self,
                        const struct source_query *query,
                        const struct source_match *match,
                        struct arena *arena,
                        struct source_columns *columns,
                        struct err *reterr)
{
    struct regular *regular = self;

    columns->step_ms = 0;
    int r = regular->inner.read(regular->inner.self, query, match, arena, columns, reterr);
    if (r != 0 || !query->regular || columns->n < 2)
        return r;
    int64_t step_ms = columns->t_ms[1] - columns->t_ms[0];
    for (size_t i = 1; i < columns->n; i++)
        if (columns->t_ms[i] - columns->t_ms[i - 1] != step_ms)
            return 0;
    columns->step_ms = step_ms;
    columns->first_ms = columns->t_ms[0];
    assert_true(source_columns_reserve(columns, arena, columns->n));
    memcpy(columns->value_room, columns->values, columns->n * sizeof(double));
    columns->values = columns->value_room;
    columns->t_ms = NULL;
    regular->n_left_out++;
    return 0;
}

static void fill(struct rng *rng, struct fake_source *fake)
{
    static const int64_t apart[] = {1000, 15000, 60000, 45000, 400000};
    int64_t step_ms = apart[rng_below(rng, sizeof(apart) / sizeof(*apart))];
    size_t n = 1 + rng_below(rng, SAMPLES_MAX);
    const struct labels *labels = series_text_labels("a{x=\"1\"}", &(const char *){NULL}, NULL);
    int64_t t_ms = (int64_t)rng_below(rng, 5000000);

    for (size_t i = 0; i < n; i++, t_ms += step_ms) {
        if (rng_below(rng, 900) == 0)
            t_ms += step_ms / 2;
        fake_source_put(fake, labels, t_ms, rng_below(rng, 20) ? (double)i : sample_stale());
    }
    labels_unref(labels);
}

static void check_same(const struct promql_value *plain, const struct promql_value *regular)
{
    assert_int_equal(plain->n, regular->n);
    for (size_t i = 0; i < plain->n; i++) {
        assert_int_equal(plain->series[i].n, regular->series[i].n);
        assert_memory_equal(plain->series[i].t_ms, regular->series[i].t_ms,
                            plain->series[i].n * sizeof(int64_t));
        assert_memory_equal(plain->series[i].values, regular->series[i].values,
                            plain->series[i].n * sizeof(double));
    }
}

static void evaluate(struct arena *arena,
                     const struct source *source,
                     const char *text,
                     const struct promql_query *query,
                     struct promql_value *ret)
{
    struct promql_expr *expr = NULL;
    struct err err = {0};

    *ret = (struct promql_value){0};
    arena_init(arena, BYTES);
    if (promql_parse(arena, text, &expr, &err) != 0 ||
        promql_eval(expr, source, query, arena, ret, &err) != 0)
        fail_msg("%s: %s", text, err.text);
}

static int copy_column(
    void *arg, const struct labels *labels, size_t first, double *values, size_t n)
{
    memcpy((double *)arg + first, values, n * sizeof(*values));
    return 0;
}

/* Given one by one, where they may stay where they were read. */
static void check_each(const struct source *source,
                       const struct promql_query *query,
                       const struct promql_value *plain)
{
    double values[SAMPLES_MAX];
    struct promql_expr *expr = NULL;
    struct arena arena;
    size_t n = 0;

    for (size_t i = 0; i < SAMPLES_MAX; i++)
        values[i] = sample_stale();
    arena_init(&arena, BYTES);
    assert_int_equal(promql_parse(&arena, "a", &expr, NULL), 0);
    assert_int_equal(promql_eval_each(expr, source, query, &arena, copy_column, values, NULL), 0);
    for (int64_t at_ms = query->start_ms, i = 0; at_ms <= query->end_ms;
         at_ms += query->step_ms, i++) {
        if (sample_is_stale(values[i]))
            continue;
        assert_true(plain->n == 1 && n < plain->series[0].n);
        assert_int_equal(plain->series[0].t_ms[n], at_ms);
        assert_true(plain->series[0].values[n++] == values[i]);
    }
    assert_int_equal(n, plain->n ? plain->series[0].n : 0);
    arena_reset(&arena);
}

static void test_times_left_out_change_nothing(void **state)
{
    static const char *const texts[] = {
        "a",        "a offset 37s",    "a offset -10m", "sum(a)", "timestamp(a)",
        "a @ 3000", "a + a offset 1m", "a > 20"};
    static const int64_t steps[] = {1000, 15000, 30000, 60000, 7000, 400000};
    struct rng rng = {rng_os_seed()};
    struct regular regular = {.n_left_out = 0};

    for (int round = 0; round < ROUNDS; round++) {
        struct fake_source fake = {0};
        struct arena arenas[2];
        struct promql_value values[2];
        row("round %d of seed %llu", round, (unsigned long long)rng.state);
        fill(&rng, &fake);
        const struct source plain = fake_source_of(&fake);
        regular.inner = plain;
        const struct source source = {select_inner, read_regular, &regular};
        int64_t step_ms = steps[rng_below(&rng, sizeof(steps) / sizeof(*steps))];
        int64_t start_ms = (int64_t)rng_below(&rng, 6000000);
        const struct promql_query query = {
            .start_ms = start_ms,
            .end_ms = start_ms + step_ms * (int64_t)rng_below(&rng, SAMPLES_MAX),
            .step_ms = step_ms,
            .limits.lookback_ms = rng_below(&rng, 2) ? 0 : 20000};
        const char *text = texts[rng_below(&rng, sizeof(texts) / sizeof(*texts))];
        evaluate(&arenas[0], &plain, text, &query, &values[0]);
        evaluate(&arenas[1], &source, text, &query, &values[1]);
        check_same(&values[0], &values[1]);
        if (strcmp(text, "a") == 0)
            check_each(&source, &query, &values[0]);
        arena_reset(&arenas[0]);
        arena_reset(&arenas[1]);
        fake_source_done(&fake);
    }
    assert_true(regular.n_left_out > ROUNDS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_left_out_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
