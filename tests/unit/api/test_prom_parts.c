/*
 * A range query in parts answers what it answers whole, to the bit, and with the same warnings.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/api/prom_parts.h"
#include "lib/base/rng.h"
#include "lib/model/sample.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    N_HOSTS = 40,
    N_SAMPLES = 6000, /* of each series: together more than is done in one part */
    STEP_MS = 60 * 1000,
    BYTES_MAX = 256 << 20,
};

static void put(struct fake_source *fake, const char *name, int host, int64_t t_ms, double value)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "h%d", host);
    const struct label pairs[] = {{LABEL_NAME, name}, {"host", text}};
    const struct labels *labels = labels_new(pairs, 2);
    fake_source_put(fake, labels, t_ms, value);
    labels_unref(labels);
}

/* Some hosts come late, some end early, most have gaps. */
static void fill(struct fake_source *fake, struct rng *rng)
{
    for (int host = 0; host < N_HOSTS; host++) {
        int from = host % 3 == 1 ? (int)rng_below(rng, N_SAMPLES) : 0;
        int to = host % 3 == 2 ? (int)rng_below(rng, N_SAMPLES) : N_SAMPLES;
        double count = 0;

        for (int i = from; i < to; i++) {
            count = rng_below(rng, 900) ? count + (double)rng_below(rng, 50) : 0;
            if (rng_below(rng, 200) == 0)
                continue;
            put(fake, "requests_total", host, i * INT64_C(10000), count);
            put(fake, "load", host, i * INT64_C(10000),
                rng_below(rng, 500) ? (double)rng_below(rng, 700) / 100 : sample_stale());
        }
    }
}

static void check_same(const struct promql_value *whole, const struct promql_value *parts)
{
    assert_int_equal(parts->n, whole->n);
    for (size_t i = 0; i < whole->n; i++) {
        const struct promql_series *a = &whole->series[i];
        const struct promql_series *b = &parts->series[i];

        assert_true(labels_equal(a->labels, b->labels));
        assert_int_equal(b->n, a->n);
        assert_memory_equal(b->t_ms, a->t_ms, a->n * sizeof(*a->t_ms));
        assert_memory_equal(b->values, a->values, a->n * sizeof(*a->values));
    }
    assert_int_equal(parts->n_warnings, whole->n_warnings);
    assert_int_equal(parts->n_infos, whole->n_infos);
}

static void check_query(struct fake_source *fake, const char *text, unsigned workers)
{
    ARENA_AUTO struct arena arena;
    struct source source = fake_source_of(fake);
    struct promql_query query = {
        .start_ms = 7000, .end_ms = N_SAMPLES * INT64_C(10000) + 120000, .step_ms = STEP_MS};
    struct prom_parts parts = {.workers = workers};
    struct promql_value whole = {0};
    struct promql_value joined = {0};
    struct promql_expr *expr = NULL;
    struct err err = {0};

    arena_init(&arena, BYTES_MAX);
    assert_int_equal(promql_parse(&arena, text, &expr, &err), 0);
    int r = promql_eval(expr, &source, &query, &arena, &whole, &err);
    struct err others = {0};
    assert_int_equal(prom_parts_eval(&parts, expr, &source, &query, &arena, &joined, &others), r);
    row("%s: %zu series, %zu parts", text, whole.n, parts.n);
    if (r == 0)
        check_same(&whole, &joined);
    else
        assert_string_equal(others.text, err.text);
    assert_int_equal(parts.n, promql_steps_are_apart(expr) ? workers : 0);
    prom_parts_done(&parts);
}

static void test_parts_are_the_whole(void **state)
{
    static const char *const texts[] = {
        "load",
        "rate(requests_total[5m])",
        "sum by (host) (rate(requests_total[5m])) / on (host) load > 3",
        "topk(3, rate(requests_total[5m]))",
        "avg_over_time(load[1h])",
        "quantile_over_time(0.9, load[30m] offset 10m)",
        "max_over_time(load[10m] @ end()) + load",
        "load - load @ start()",
        "absent(load{host=\"h1\"}) or load",
        "avg_over_time(load[5m:1m])",
        "count_values(\"v\", floor(load))",
        "stddev(load) + time() - scalar(sum(load))",
        "rate(load[5m])", /* an info: not a counter's name */
        "histogram_quantile(2, load)",
        "load + on () requests_total", /* many to many: an error */
        "sum by (host) ({host=~\".+\"})",
        /* may not be taken apart */
        "label_replace(load, \"host\", \"x\", \"host\", \"h[0-4]\")",
        "sum by (host) (rate({host=~\".+\"}[5m]))",
        "-(load or requests_total)",
    };
    struct fake_source fake = {0};
    struct rng rng = {5};

    fill(&fake, &rng);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        for (unsigned workers = 2; workers <= 5; workers += 3)
            check_query(&fake, texts[i], workers);
    fake_source_done(&fake);
}

static void test_all_parts_together_keep_the_limit(void **state)
{
    ARENA_AUTO struct arena arena;
    struct fake_source fake = {0};
    struct source source = fake_source_of(&fake);
    struct promql_query query = {
        .end_ms = N_SAMPLES * INT64_C(10000), .step_ms = STEP_MS, .limits.max_samples = 100000};
    struct prom_parts parts = {.workers = 4};
    struct promql_value value = {0};
    struct promql_expr *expr = NULL;
    struct rng rng = {6};
    struct err err = {0};

    fill(&fake, &rng);
    arena_init(&arena, BYTES_MAX);
    assert_int_equal(promql_parse(&arena,
                                  "rate({__name__=\"load\"}[5m]) + rate(requests_total[5m])", &expr,
                                  NULL),
                     0);
    assert_int_equal(prom_parts_eval(&parts, expr, &source, &query, &arena, &value, &err),
                     PROMQL_E_LIMIT);
    assert_non_null(strstr(err.text, "more than 100000 samples"));
    prom_parts_done(&parts);
    fake_source_done(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_the_whole),
        cmocka_unit_test(test_all_parts_together_keep_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
