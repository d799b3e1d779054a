/*
 * Aggregations against the same done the long way, point by point, bit for bit: columns may
 * come one by one or all at once, groups may have one series or many, points may be missing,
 * and sums may overflow.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/promql/number.h"
#include "alertd/promql/promql.h"
#include "lib/base/rng.h"
#include "lib/model/sample.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    N_SERIES = 13, /* "a" to "m": in the order of their labels, which is that of sums */
    N_STEPS = 60,
    STEP_MS = 10000,
};

struct fixture {
    struct fake_source fake;
    double points[N_SERIES][N_STEPS]; /* stale: none */
};

/* One series is alone in its group. */
static char group_of(size_t series)
{
    return series == 0 ? 'x' : series % 3 ? 'y' : 'z';
}

static double some_value(struct rng *rng)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -0.0, 0.0, 1e308, 1e308, -1e308, 1e-308};

    switch (rng_below(rng, 6)) {
    case 0: return sample_stale();
    case 1: return odd[rng_below(rng, sizeof(odd) / sizeof(odd[0]))];
    case 2: return (double)rng_below(rng, 3);
    default: return (double)rng_below(rng, 100000) / 10 - 3000;
    }
}

static void load(struct fixture *fixture)
{
    struct rng rng = {11};

    for (size_t i = 0; i < N_SERIES; i++) {
        const char group[] = {group_of(i), '\0'};
        const char name[] = {(char)('a' + i), '\0'};
        const struct label pairs[] = {{LABEL_NAME, "m"}, {"a", name}, {"g", group}};
        const struct labels *labels = labels_new(pairs, 3);

        for (size_t step = 0; step < N_STEPS; step++) {
            fixture->points[i][step] = some_value(&rng);
            fake_source_put(&fixture->fake, labels, (int64_t)step * STEP_MS,
                            fixture->points[i][step]);
        }
        labels_unref(labels);
    }
}

static double mean_of(const double *values, size_t n)
{
    struct sum sum = {values[0], 0};
    size_t i = 1;

    for (; i < n; i++) {
        struct sum next = sum;

        sum_add(&next, values[i]);
        if (isinf(next.value))
            break;
        sum = next;
    }
    double count = (double)i;
    if (i == n)
        return sum.value / count + sum.lost / count;
    struct sum mean = {sum.value / count, sum.lost / count};
    for (; i < n; i++) {
        double share = count / (count + 1);

        mean = (struct sum){share * mean.value, share * mean.lost};
        count++;
        sum_add(&mean, values[i] / count);
    }
    return mean.value + mean.lost;
}

static double sum_of(const double *values, size_t n)
{
    struct sum sum = {values[0], 0};

    for (size_t i = 1; i < n; i++)
        sum_add(&sum, values[i]);
    return sum.value + sum.lost;
}

static double variance_of(const double *values, size_t n)
{
    double squares = isfinite(values[0]) ? 0 : NAN;
    double mean = values[0];

    for (size_t i = 1; i < n; i++) {
        double delta = values[i] - mean;

        mean += delta / (double)(i + 1);
        squares += delta * (values[i] - mean);
    }
    return squares / (double)n;
}

static double deviation_of(const double *values, size_t n)
{
    return sqrt(variance_of(values, n));
}

static double least_of(const double *values, size_t n)
{
    double least = values[0];

    for (size_t i = 1; i < n; i++)
        if (values[i] < least || isnan(least))
            least = values[i];
    return least;
}

static double greatest_of(const double *values, size_t n)
{
    double greatest = values[0];

    for (size_t i = 1; i < n; i++)
        if (values[i] > greatest || isnan(greatest))
            greatest = values[i];
    return greatest;
}

static double count_of(const double *values, size_t n)
{
    (void)values;
    return (double)n;
}

static double one_of(const double *values, size_t n)
{
    (void)values;
    (void)n;
    return 1;
}

static void ask(struct fixture *fixture,
                const char *text,
                struct arena *arena,
                struct promql_value *ret_value)
{
    const struct promql_query query = {
        .start_ms = 0, .end_ms = (int64_t)(N_STEPS - 1) * STEP_MS, .step_ms = STEP_MS};
    struct source source = fake_source_of(&fixture->fake);
    struct promql_expr *expr = NULL;

    row("%s", text);
    assert_int_equal(promql_parse(arena, text, &expr, NULL), 0);
    assert_int_equal(promql_eval(expr, &source, &query, arena, ret_value, NULL), 0);
}

/* The point of the series with this label at a step; stale: none. */
static double point_of(const struct promql_value *value, const char *name, char text, size_t step)
{
    for (size_t i = 0; i < value->n; i++) {
        const struct promql_series *series = &value->series[i];

        if (labels_get(series->labels, name)[0] != text)
            continue;
        for (size_t j = 0; j < series->n; j++)
            if (series->t_ms[j] == (int64_t)step * STEP_MS)
                return series->values[j];
    }
    return sample_stale();
}

static void expect_same(const char *text, size_t step, double found, double wanted)
{
    bool same = isnan(found) && isnan(wanted) ? sample_is_stale(found) == sample_is_stale(wanted)
                                              : sample_bits(found) == sample_bits(wanted);

    if (!same)
        fail_msg("%s at step %zu: %.17g, not %.17g", text, step, found, wanted);
}

/* The same points: from a selector, from windows and through filters columns come one by one,
 * from other operators all at once. */
static const char *const vectors[] = {"m", "last_over_time(m[9s])", "m != 0.05", "0.05 != m", "+m"};

enum {
    N_VECTORS = sizeof(vectors) / sizeof(vectors[0])
};

static void test_groups_are_folded(void **state)
{
    static const struct {
        const char *name;
        double (*of)(const double *values, size_t n);
    } operators[] = {
        {"sum", sum_of},     {"avg", mean_of},  {"min", least_of},       {"max", greatest_of},
        {"count", count_of}, {"group", one_of}, {"stdvar", variance_of}, {"stddev", deviation_of},
    };
    struct fixture fixture = {0};

    load(&fixture);
    for (size_t k = 0; k < N_VECTORS * sizeof(operators) / sizeof(operators[0]); k++) {
        ARENA_AUTO struct arena arena;
        struct promql_value value;
        char text[80];

        arena_init(&arena, 1 << 24);
        (void)snprintf(text, sizeof(text), "%s by (g) (%s)", operators[k / N_VECTORS].name,
                       vectors[k % N_VECTORS]);
        ask(&fixture, text, &arena, &value);
        assert_int_equal(value.n, 3);
        for (size_t step = 0; step < N_STEPS; step++)
            for (const char *group = "xyz"; *group; group++) {
                double values[N_SERIES];
                size_t n = 0;

                for (size_t i = 0; i < N_SERIES; i++)
                    if (group_of(i) == *group && !sample_is_stale(fixture.points[i][step]))
                        values[n++] = fixture.points[i][step];
                expect_same(text, step, point_of(&value, "g", *group, step),
                            n ? operators[k / N_VECTORS].of(values, n) : sample_stale());
            }
    }
    fake_source_done(&fixture.fake);
}

/* NaN is last in both; of equals the first comes first. */
static bool is_before(bool top, const struct fixture *fixture, size_t a, size_t b, size_t step)
{
    double left = fixture->points[a][step];
    double right = fixture->points[b][step];

    if (isnan(left) || isnan(right))
        return isnan(left) && isnan(right) ? a < b : isnan(right);
    if (left == right)
        return a < b;
    return top ? left > right : left < right;
}

static bool is_among(bool top, const struct fixture *fixture, size_t series, size_t step, size_t k)
{
    size_t n_before = 0;

    for (size_t i = 0; i < N_SERIES; i++)
        n_before += group_of(i) == group_of(series) && !sample_is_stale(fixture->points[i][step]) &&
                    is_before(top, fixture, i, series, step);
    return n_before < k;
}

static void test_the_best_are_found(void **state)
{
    struct fixture fixture = {0};

    load(&fixture);
    for (size_t k = 0; k <= 8; k++)
        for (size_t form = 0; form < 2 * N_VECTORS; form++) {
            ARENA_AUTO struct arena arena;
            struct promql_value value;
            bool top = form < N_VECTORS;
            char text[80];

            arena_init(&arena, 1 << 24);
            (void)snprintf(text, sizeof(text), "%s by (g) (%zu, %s)", top ? "topk" : "bottomk", k,
                           vectors[form % N_VECTORS]);
            ask(&fixture, text, &arena, &value);
            for (size_t step = 0; step < N_STEPS; step++)
                for (size_t i = 0; i < N_SERIES; i++) {
                    double point = fixture.points[i][step];
                    bool kept = !sample_is_stale(point) && is_among(top, &fixture, i, step, k);

                    expect_same(text, step, point_of(&value, "a", (char)('a' + i), step),
                                kept ? point : sample_stale());
                }
        }
    fake_source_done(&fixture.fake);
}

/* How many are wanted may change from step to step. */
static void test_as_many_as_each_step_wants(void **state)
{
    ARENA_AUTO struct arena arena;
    struct fixture fixture = {0};
    struct promql_value value;

    load(&fixture);
    arena_init(&arena, 1 << 24);
    ask(&fixture, "topk by (g) (time() / 100, m)", &arena, &value);
    for (size_t step = 0; step < N_STEPS; step++)
        for (size_t i = 0; i < N_SERIES; i++) {
            double point = fixture.points[i][step];
            bool kept = !sample_is_stale(point) && is_among(true, &fixture, i, step, step / 10);

            expect_same("topk", step, point_of(&value, "a", (char)('a' + i), step),
                        kept ? point : sample_stale());
        }
    fake_source_done(&fixture.fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_are_folded),
        cmocka_unit_test(test_the_best_are_found),
        cmocka_unit_test(test_as_many_as_each_step_wants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
