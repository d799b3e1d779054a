/*
 * Faults in copies of samples: each kind, that what is outside stays, and that faults in the
 * samples of a selector are those in its values. The smallest outage a rule catches.
 */

#include <math.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "alertd/tune/detect.h"
#include "lib/base/rng.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 60000,
    ARENA_BYTES = 64 << 20,
};

/* 10 11 12 13 14 15 16 17, a fault of magnitude 4 in the steps 2 to 5. */
static const struct {
    enum fault_kind kind;
    bool persists;
    double values[8]; /* NaN: gone */
} table[] = {
    {FAULT_SET, false, {10, 11, 4, 4, 4, 4, 16, 17}},
    {FAULT_ADD, false, {10, 11, 16, 17, 18, 19, 16, 17}},
    {FAULT_ADD, true, {10, 11, 16, 17, 18, 19, 20, 21}},
    {FAULT_SCALE, false, {10, 11, 48, 52, 56, 60, 16, 17}},
    {FAULT_SCALE, true, {10, 11, 15, 19, 23, 27, 28, 29}},
    {FAULT_RAMP, false, {10, 11, 12, 14, 16, 18, 16, 17}},
    {FAULT_RAMP, true, {10, 11, 12, 14, 16, 18, 20, 21}},
    {FAULT_SPIKE, false, {10, 11, 16, 13, 14, 15, 16, 17}},
    {FAULT_FREEZE, false, {10, 11, 11, 11, 11, 11, 16, 17}},
    {FAULT_DROP, false, {10, 11, NAN, NAN, NAN, NAN, 16, 17}},
    {FAULT_GAP, false, {10, 11, NAN, NAN, NAN, NAN, 16, 17}},
    {FAULT_RESET, false, {10, 11, 1, 2, 3, 4, 5, 6}},
};

static bool is_alike(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void test_each_kind_on_values(void **state)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const struct fault fault = {.kind = table[i].kind,
                                    .magnitude = 4,
                                    .begin_ms = 2,
                                    .end_ms = 6,
                                    .persists = table[i].persists};
        double values[] = {10, 11, 12, 13, 14, 15, 16, 17};
        enum fault_kind found;
        row("%s%s", fault_kind_name(fault.kind), fault.persists ? ", persists" : "");
        fault_values(&fault, values, 8);
        for (size_t k = 0; k < 8; k++)
            assert_true(is_alike(values[k], table[i].values[k]));
        assert_true(fault_kind_find(fault_kind_name(fault.kind), &found) && found == fault.kind);
    }
    assert_false(fault_kind_find("meteor", &(enum fault_kind){0}));
}

/* --- in samples --- */

static void load(struct fake_source *fake, struct rng *rng, int n)
{
    static const char *const names[] = {"a{i=\"1\"}", "a{i=\"2\"}", "b{i=\"1\"}"};

    *fake = (struct fake_source){0};
    for (size_t s = 0; s < 3; s++) {
        const struct labels *labels = series_text_labels(names[s], &(const char *){NULL}, NULL);
        double value = 0;
        for (int i = 0; i < n; i++) {
            value += (double)rng_below(rng, 100) / 64;
            fake_source_put(fake, labels, (int64_t)i * STEP_MS, value);
        }
        labels_unref(labels);
    }
}

struct got {
    double values[3][200];
};

static int take(void *arg,
                const struct labels *labels,
                uint32_t first,
                const double *values,
                size_t n,
                struct err *reterr)
{
    struct got *got = arg;
    bool is_b = strcmp(labels_get(labels, LABEL_NAME), "b") == 0;
    size_t at = is_b ? 2 : (size_t)(*labels_get(labels, "i") - '1');

    memcpy(got->values[at] + first, values, n * sizeof(*values));
    return 0;
}

static void read_all(const struct source *source, uint32_t n, struct got *ret)
{
    struct reading_source over = {.source = source, .query_bytes = ARENA_BYTES, .piece_steps = 7};
    const struct tune_reader reader = reading_of_source(&over);
    const struct tune_span span = {0, STEP_MS, n};
    struct err err = {0};

    for (size_t s = 0; s < 3; s++)
        for (size_t i = 0; i < 200; i++)
            ret->values[s][i] = NAN;
    if (reader.read(reader.reader, "{__name__=~\"a|b\"}", &span, false, take, ret, &err) != 0)
        fail_msg("%s", err.text);
}

static void test_faults_in_samples_are_faults_in_values(void **state)
{
    struct rng rng = {rng_os_seed()};
    ARENA_AUTO struct arena arena;
    const struct matcher *matchers = NULL;
    size_t n_matchers = 0;

    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(promql_parse_selector(&arena, "a{i=\"2\"}", &matchers, &n_matchers, NULL), 0);
    for (int round = 0; round < 200; round++) {
        struct fake_source fake;
        struct got before;
        struct got after;
        row("round %d of seed %llu", round, (unsigned long long)rng.state);
        load(&fake, &rng, 60);
        const struct source plain = fake_source_of(&fake);
        int64_t begin = (int64_t)rng_below(&rng, 50);
        struct fault fault = {.kind = (enum fault_kind)rng_below(&rng, FAULT_KINDS),
                              .magnitude = (double)rng_below(&rng, 9) / 4,
                              .begin_ms = begin,
                              .end_ms = begin + 1 + (int64_t)rng_below(&rng, 20),
                              .persists = rng_below(&rng, 2)};
        row("%s from %lld to %lld", fault_kind_name(fault.kind), (long long)fault.begin_ms,
            (long long)fault.end_ms);
        read_all(&plain, 60, &before);
        fault_values(&fault, before.values[1], 60); /* the one that is matched */
        struct fault in_ms = fault;
        in_ms.begin_ms *= STEP_MS;
        in_ms.end_ms *= STEP_MS;
        in_ms.matchers = matchers;
        in_ms.n_matchers = n_matchers;
        struct fault_source faulty = {&plain, &in_ms, 1};
        const struct source wrapped = fault_source_of(&faulty);
        read_all(&wrapped, 60, &after);
        for (size_t s = 0; s < 3; s++)
            for (int64_t i = 0; i < 60; i++) {
                bool lingers = fault.kind == FAULT_GAP && s == 1 && i >= begin && i < begin + 5;
                if (!lingers)
                    assert_true(is_alike(before.values[s][i], after.values[s][i]));
            }
        fake_source_done(&fake);
    }
}

/* --- what is caught --- */

static struct detect_ask ask_of(const double *magnitudes, const uint32_t *durations)
{
    return (struct detect_ask){.expression = "a",
                               .op = SURFACE_ABOVE,
                               .threshold = 10,
                               .for_steps = 5,
                               .span = {0, STEP_MS, 150},
                               .kind = FAULT_ADD,
                               .magnitudes = magnitudes,
                               .n_magnitudes = 4,
                               .durations = durations,
                               .n_durations = 4,
                               .n_offsets = 40,
                               .seed = 7};
}

static void test_the_smallest_outage(void **state)
{
    static const double magnitudes[] = {2, 6, 9.5, 20};
    static const uint32_t durations[] = {3, 5, 6, 20};
    struct fake_source fake = {0};
    struct detect_map map;
    struct detect_map again;
    size_t least = 99;

    assert_true(fake_source_load(&fake, STEP_MS, "a{i=\"1\"} 1x200", NULL));
    assert_true(fake_source_load(&fake, STEP_MS, "a{i=\"2\"} 5x200", NULL));
    const struct source source = fake_source_of(&fake);
    struct reading_source over = {.source = &source, .query_bytes = ARENA_BYTES};
    const struct tune_reader reader = reading_of_source(&over);
    struct detect_ask ask = ask_of(magnitudes, durations);
    assert_int_equal(detect(&reader, &ask, &map, NULL), 0);
    assert_int_equal(map.n_offsets, 40);
    for (size_t k = 0; k < 4; k++)
        assert_int_equal(map.cells[0][k].n_caught, 0); /* 5 + 2 is not above 10 */
    for (size_t j = 0; j < 4; j++) {
        assert_int_equal(map.cells[j][0].n_caught, 0);
        assert_int_equal(map.cells[j][1].n_caught, 0); /* `for` 5 holds six evaluations */
    }
    assert_true(map.cells[1][2].n_caught > 5 && map.cells[1][2].n_caught < 35); /* i="2" only */
    assert_int_equal(map.cells[2][2].n_caught, 40);
    assert_int_equal(map.cells[2][2].median_delay, 5);
    assert_int_equal(map.cells[2][3].p90_delay, 5);
    assert_false(detect_least(&map, &ask, 1, &least));
    assert_true(detect_least(&map, &ask, 2, &least));
    assert_int_equal(least, 2);
    assert_int_equal(detect(&reader, &ask, &again, NULL), 0);
    assert_memory_equal(&map, &again, sizeof(map)); /* the seed decides */
    ask.threshold = 4;                              /* i="2" fires all the time: it is not asked */
    assert_int_equal(detect(&reader, &ask, &map, NULL), 0);
    assert_true(map.n_offsets < 40);
    ask.span.n_steps = 20;
    struct err err = {0};
    assert_true(detect(&reader, &ask, &map, &err) < 0);
    assert_non_null(strstr(err.text, "longer"));
    fake_source_done(&fake);
}

/* Without matchers faults are in all series; one series is there, so both ways are the same. */
static void test_in_samples_it_catches_the_same(void **state)
{
    static const double magnitudes[] = {0.5, 1, 2, 4};
    static const uint32_t durations[] = {3, 6, 9, 20};
    struct rng rng = {rng_os_seed()};

    for (int round = 0; round < 10; round++) {
        struct fake_source fake = {0};
        struct detect_map fast;
        struct detect_map slow;
        const struct labels *labels = series_text_labels("a", &(const char *){NULL}, NULL);
        row("seed %llu", (unsigned long long)rng.state);
        for (int i = 0; i < 150; i++)
            fake_source_put(&fake, labels, (int64_t)i * STEP_MS,
                            8 + (double)rng_below(&rng, 200) / 100);
        const struct source source = fake_source_of(&fake);
        struct reading_source over = {.source = &source, .query_bytes = ARENA_BYTES};
        const struct tune_reader reader = reading_of_source(&over);
        struct detect_ask ask = ask_of(magnitudes, durations);
        ask.kind = (enum fault_kind[]){FAULT_ADD, FAULT_SCALE, FAULT_RAMP}[rng_below(&rng, 3)];
        assert_int_equal(detect(&reader, &ask, &fast, NULL), 0);
        ask.source = &source;
        ask.query_bytes = ARENA_BYTES;
        assert_int_equal(detect(&reader, &ask, &slow, NULL), 0);
        assert_memory_equal(&fast, &slow, sizeof(fast));
        labels_unref(labels);
        fake_source_done(&fake);
    }
}

/* A counter's rate over five minutes rises as its window fills: later than in the values. */
static void test_windows_fill(void **state)
{
    static const double magnitudes[] = {0, 1, 2, 4};
    static const uint32_t durations[] = {10, 15, 20, 30};
    struct fake_source fake = {0};
    struct detect_map map;
    const struct labels *labels = series_text_labels("a", &(const char *){NULL}, NULL);

    for (int i = 0; i < 200; i++)
        fake_source_put(&fake, labels, (int64_t)i * STEP_MS, i * 60.0); /* one a second */
    const struct source source = fake_source_of(&fake);
    struct reading_source over = {.source = &source, .query_bytes = ARENA_BYTES};
    const struct tune_reader reader = reading_of_source(&over);
    struct detect_ask ask = ask_of(magnitudes, durations);
    ask.expression = "rate(a[5m])";
    ask.threshold = 2.5;
    ask.for_steps = 1;
    ask.kind = FAULT_RAMP;
    ask.is_counter = true;
    ask.source = &source;
    ask.query_bytes = ARENA_BYTES;
    ask.tail_steps = 5;
    assert_int_equal(detect(&reader, &ask, &map, NULL), 0);
    assert_true(map.n_offsets > 30);
    assert_int_equal(map.cells[1][3].n_caught, 0);                 /* 1 + 1 a second */
    assert_int_equal(map.cells[3][0].n_caught, map.cells[3][0].n); /* 1 + 4 */
    assert_true(map.cells[3][0].median_delay > 1); /* a value would be caught after one step */
    assert_true(map.cells[2][3].median_delay > map.cells[3][3].median_delay);
    labels_unref(labels);
    fake_source_done(&fake);
}

static void test_magnitudes(void **state)
{
    double magnitudes[DETECT_MAGNITUDES_MAX];

    size_t n = detect_magnitudes(0.01, 0.05, magnitudes, DETECT_MAGNITUDES_MAX);
    assert_int_equal(n, 10);
    assert_true(magnitudes[0] == 0.01 && magnitudes[3] == 0.04);
    n = detect_magnitudes(90, 10, magnitudes, DETECT_MAGNITUDES_MAX); /* downwards */
    assert_true(n > 5 && magnitudes[3] == -80);
    assert_true(detect_magnitudes(NAN, 0, magnitudes, DETECT_MAGNITUDES_MAX) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_on_values),
        cmocka_unit_test(test_faults_in_samples_are_faults_in_values),
        cmocka_unit_test(test_the_smallest_outage),
        cmocka_unit_test(test_in_samples_it_catches_the_same),
        cmocka_unit_test(test_windows_fill),
        cmocka_unit_test(test_magnitudes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
