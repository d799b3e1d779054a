/*
 * A range query answers what an instant query at each of its steps answers, bit for bit,
 * although it looks at all windows of a series together: a rule that is tried over the past
 * must page when the live one did.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "lib/base/rng.h"
#include "lib/model/sample.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    N_SAMPLES = 300,
    STEP_MS = 30000,
};

/* What values a series may have. */
static double small_whole(struct rng *rng)
{
    return (double)rng_below(rng, 20);
}

static double large_whole(struct rng *rng)
{
    return (double)(rng_next(rng) >> 10);
}

static double fraction(struct rng *rng)
{
    return (double)rng_below(rng, 1000) / 10 - 50;
}

static double odd(struct rng *rng)
{
    static const double values[] = {NAN, INFINITY, -INFINITY, -0.0, 0.0, 1, 1, 2, 1e300, -1e300};

    return values[rng_below(rng, sizeof(values) / sizeof(values[0]))];
}

static double zero_of_some_sign(struct rng *rng)
{
    return rng_below(rng, 2) ? 0.0 : -0.0;
}

static double level(struct rng *rng)
{
    (void)rng;
    return 0.1; /* a mean of it is not always 0.1 */
}

/* Every 10 s, with gaps and, sometimes, ends. */
static void fill(struct fake_source *fake, double (*value)(struct rng *rng), struct rng *rng)
{
    const struct label pair = {LABEL_NAME, "x"};
    const struct labels *labels = labels_new(&pair, 1);
    int64_t t_ms = 0;

    for (int i = 0; i < N_SAMPLES; i++) {
        t_ms += rng_below(rng, 20) ? 10000 : (int64_t)rng_below(rng, 400) * 1000 + 1;
        fake_source_put(fake, labels, t_ms, rng_below(rng, 40) ? value(rng) : sample_stale());
    }
    labels_unref(labels);
}

static int ask(struct fake_source *fake,
               const char *text,
               const struct promql_query *query,
               struct arena *arena,
               struct promql_value *ret_value)
{
    struct source source = fake_source_of(fake);
    struct promql_expr *expr = NULL;

    assert_int_equal(promql_parse(arena, text, &expr, NULL), 0);
    return promql_eval(expr, &source, query, arena, ret_value, NULL);
}

/* The point of the range query at t_ms; false when it has none. */
static bool point_at(const struct promql_value *range, int64_t t_ms, double *ret_value)
{
    for (size_t i = 0; range->n && i < range->series[0].n; i++)
        if (range->series[0].t_ms[i] == t_ms) {
            *ret_value = range->series[0].values[i];
            return true;
        }
    return false;
}

static void compare(struct fake_source *fake, const char *text)
{
    const struct promql_query all = {
        .start_ms = 0, .end_ms = (int64_t)N_SAMPLES * 20000, .step_ms = STEP_MS};
    ARENA_AUTO struct arena arena;
    struct promql_value range;

    arena_init(&arena, 1 << 26);
    assert_int_equal(ask(fake, text, &all, &arena, &range), 0);
    for (int64_t t_ms = all.start_ms; t_ms <= all.end_ms; t_ms += STEP_MS) {
        const struct promql_query one = {.start_ms = t_ms, .end_ms = t_ms};
        ARENA_AUTO struct arena scratch;
        struct promql_value instant;
        double found = 0;

        arena_init(&scratch, 1 << 24);
        assert_int_equal(ask(fake, text, &one, &scratch, &instant), 0);
        bool is_there = point_at(&range, t_ms, &found);
        if (is_there != (instant.n == 1) ||
            (is_there && sample_bits(found) != sample_bits(instant.series[0].values[0])))
            fail_msg("%s at %lld: %.17g in the range query, %.17g alone", text, (long long)t_ms,
                     is_there ? found : NAN, instant.n ? instant.series[0].values[0] : NAN);
    }
}

static void test_all_windows_are_as_one(void **state)
{
    static const struct {
        const char *name;
        double (*value)(struct rng *rng);
    } kinds[] = {
        {"small whole numbers", small_whole},
        {"large whole numbers", large_whole},
        {"fractions", fraction},
        {"what is no number", odd},
        {"zeros of both signs", zero_of_some_sign},
        {"always 0.1", level},
    };
    /* before the range, and behind it */
    static const char *const texts[][2] = {
        {"sum_over_time(x[", "])"},
        {"avg_over_time(x[", "])"},
        {"min_over_time(x[", "])"},
        {"max_over_time(x[", "])"},
        {"quantile_over_time(0.9, x[", "])"},
        {"quantile_over_time(0.3, x[", "] offset 1m)"},
        {"rate(x[", "])"},
        {"increase(x[", "] offset 3s)"},
        {"delta(x[", "])"},
        {"irate(x[", "])"},
        {"sum by (l) (rate(x[", "]))"},
        {"count_over_time(x[", "])"},
        {"changes(x[", "])"},
        {"stddev_over_time(x[", "])"},
        {"last_over_time(x[", "] offset 7s)"},
    };
    static const char *const ranges[] = {"25s", "5m", "20m"};
    struct rng rng = {7};

    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        struct fake_source fake = {0};

        fill(&fake, kinds[kind].value, &rng);
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
            for (size_t j = 0; j < sizeof(ranges) / sizeof(ranges[0]); j++) {
                char text[100];

                (void)snprintf(text, sizeof(text), "%s%s%s", texts[i][0], ranges[j], texts[i][1]);
                row("%s: %s", kinds[kind].name, text);
                compare(&fake, text);
            }
        fake_source_done(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_windows_are_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
