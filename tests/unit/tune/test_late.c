/*
 * A past as it was known then, beside each evaluation alone over the samples that had come by then: the same
 * values in every bit, of expressions that are read in one go and of those that can't be.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "alertd/tune/late.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 60000,
    SAMPLE_MS = 15000,
    SAMPLES = 480,
    FIRST_STEP = 5,
    STEPS = 110,
    SERIES = 4,
    ROUNDS = 6,
    BYTES = 64 << 20,
};

static const struct {
    const char *expr;
    bool in_one_go;
} table[] = {
    {"a > 0", true},
    {"a", true},
    {"a offset 2m > 0", true},
    {"timestamp(a) > 0", true},
    {"count by (k) (a > 0) > 1", true},
    {"rate(a[5m]) > 0", true},
    {"rate(a[5m] offset 90s)", true},
    {"deriv(a[3m])", true},
    {"sum_over_time(a[4m])", true},
    {"max_over_time(a[10m]) - min_over_time(a[10m])", true},
    {"quantile_over_time(0.5, a[6m])", true},
    {"last_over_time(a[1m])", true},
    {"changes(a[7m]) + resets(a[7m])", true},
    {"absent(a{i=\"1\"})", true},
    {"absent_over_time(a[2m])", true},
    {"sum(a) / count(a) > 0", true},
    {"a > 0 and on (i) b < 0", true},
    {"a > 0 or b > 0", true},
    {"topk(2, a)", true},
    {"mad_over_time(a[5m])", true},
    {"double_exponential_smoothing(a[5m], 0.5, 0.5)", true},
    {"predict_linear(a[10m], 600)", true},
    {"time() - timestamp(a)", true},
    {"vector(1)", true},
    {"-a > -2", true},
    {"max_over_time(rate(a[3m])[10m:1m])", false},
    {"avg_over_time((a > 0)[5m:])", false},
    {"label_replace(a, \"k\", \"$1\", \"i\", \"(.*)\")", false},
};

static void fill(struct rng *rng, struct fake_source *fake)
{
    for (int s = 0; s < 2 * SERIES; s++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "%c{i=\"%d\",k=\"%d\"}", s < SERIES ? 'a' : 'b',
                       s % SERIES, s % 2);
        const struct labels *labels = series_text_labels(name, &(const char *){NULL}, NULL);
        double value = 0;
        int64_t off_ms = s % 3 == 0 ? 0 : (int64_t)rng_below(rng, SAMPLE_MS);
        for (int i = 0; i < SAMPLES; i++) {
            value += (double)rng_below(rng, 21) / 10 - 1;
            uint64_t kind = rng_below(rng, 60);
            if (kind == 0)
                i += (int)rng_below(rng, 40); /* a gap */
            double shown = kind == 1 ? NAN : kind == 2 ? sample_stale() : value;
            fake_source_put(fake, labels, (int64_t)i * SAMPLE_MS + off_ms, shown);
        }
        labels_unref(labels);
    }
}

/* --- values by the labels but the name, and by step --- */

struct values {
    const struct labels *labels[64];
    double at[64][STEPS];
    size_t n;
};

static double *values_of(struct values *values, const struct labels *labels)
{
    struct label kept[8];
    size_t n = 0;

    for (size_t i = 0; i < labels->n; i++)
        if (strcmp(labels->at[i].name, LABEL_NAME) != 0)
            kept[n++] = labels->at[i];
    const struct labels *own = labels_new(kept, n);
    size_t at = 0;
    while (at < values->n && !labels_equal(values->labels[at], own))
        at++;
    if (at < values->n) {
        labels_unref(own);
        return values->at[at];
    }
    assert_true(at < 64);
    values->labels[values->n++] = own;
    for (size_t i = 0; i < STEPS; i++)
        values->at[at][i] = NAN;
    return values->at[at];
}

static void values_done(struct values *values)
{
    for (size_t i = 0; i < values->n; i++)
        labels_unref(values->labels[i]);
}

static int take(void *arg,
                const struct labels *labels,
                uint32_t first,
                const double *values,
                size_t n,
                struct err *reterr)
{
    double *own = values_of(arg, labels);

    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            own[first + i] = values[i];
    return 0;
}

static void evaluate_alone(const char *text, struct late *late, struct values *truth)
{
    for (uint32_t i = 0; i < STEPS; i++) {
        ARENA_AUTO struct arena arena;
        struct promql_expr *expr = NULL;
        struct promql_value value = {0};
        struct err err = {0};
        const int64_t at_ms = (int64_t)(FIRST_STEP + i) * STEP_MS;
        const struct promql_query query = {.start_ms = at_ms, .end_ms = at_ms, .step_ms = STEP_MS};
        const struct source known = late_source(late);
        arena_init(&arena, BYTES);
        late->known_until_ms = at_ms - late->lag_ms;
        assert_int_equal(promql_parse(&arena, text, &expr, &err), 0);
        if (promql_eval(expr, &known, &query, &arena, &value, &err) != 0)
            fail_msg("%s", err.text);
        for (size_t s = value.n; s-- > 0;) /* of two metrics the first one's value counts */
            (void)take(truth, value.series[s].labels, i, value.series[s].values, 1, NULL);
    }
}

/* --- how often it is asked --- */

struct counting {
    struct source source;
    size_t n_selects;
};

static int count_select(void *self,
                        const struct source_query *query,
                        struct arena *arena,
                        struct source_selection *ret_selection,
                        struct err *reterr)
{
    struct counting *counting = self;

    counting->n_selects++;
    return counting->source.select(counting->source.self, query, arena, ret_selection, reterr);
}

static int pass_read(void *self,
                     const struct source_query *query,
                     const struct source_match *match,
                     struct arena *arena,
                     struct source_columns *columns,
                     struct err *reterr)
{
    const struct counting *counting = self;

    return counting->source.read(counting->source.self, query, match, arena, columns, reterr);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static void check(struct fake_source *fake, const char *text, bool in_one_go, int64_t lag_ms)
{
    struct counting counting = {.source = fake_source_of(fake)};
    const struct source counted = {count_select, pass_read, &counting};
    struct late late = {.source = &counted, .limits.query_bytes = BYTES, .lag_ms = lag_ms};
    const struct tune_reader reader = late_reader(&late);
    const struct tune_span span = {FIRST_STEP * STEP_MS, STEP_MS, STEPS};
    MEM_AUTO struct values *truth = mem_zalloc(sizeof(*truth));
    MEM_AUTO struct values *seen = mem_zalloc(sizeof(*seen));
    struct err err = {0};

    row("%s, %lld ms late", text, (long long)lag_ms);
    if (reader.read(reader.reader, text, &span, false, take, seen, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(in_one_go ? counting.n_selects <= 4 : counting.n_selects >= STEPS);
    evaluate_alone(text, &late, truth);
    for (size_t i = 0; i < truth->n; i++)
        for (size_t k = 0; k < STEPS; k++) {
            double *own = values_of(seen, truth->labels[i]);
            row("step %zu: %.17g, it is %.17g", k, own[k], truth->at[i][k]);
            assert_true(isnan(own[k]) == isnan(truth->at[i][k]));
            assert_true(isnan(own[k]) || bits_of(own[k]) == bits_of(truth->at[i][k]));
        }
    assert_int_equal(seen->n, truth->n);
    values_done(truth);
    values_done(seen);
}

static void test_what_was_known_is_what_each_evaluation_alone_knew(void **state)
{
    static const int64_t lags[] = {0,     1,      15000,  20001,  60000,
                                   90000, 180000, 299999, 300000, 700000};
    struct rng rng = {rng_os_seed()};

    for (int round = 0; round < ROUNDS; round++) {
        struct fake_source fake = {0};
        row("seed %llu", (unsigned long long)rng.state);
        fill(&rng, &fake);
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
            for (size_t k = 0; k < sizeof(lags) / sizeof(*lags); k++)
                check(&fake, table[i].expr, table[i].in_one_go, lags[k]);
        fake_source_done(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_known_is_what_each_evaluation_alone_knew),
    };

    promql_allow_experimental();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
