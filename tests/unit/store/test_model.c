/*
 * The store against a plain table of samples: random series, late and double samples, replays,
 * sealing, restarts and days, read back bit for bit.
 *
 *   WATCHBILL_SEED=N test_model     the walk of that seed
 */

#include <time.h>

#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

enum {
    SERIES = 7,
    STEPS = 400,
    BATCH_MAX = 60,
    MODEL_MAX = STEPS * BATCH_MAX,
};

/* All that was stored, by series and time, the first write of each. */
struct model {
    struct sample *samples[SERIES];
    size_t n[SERIES];
    uint64_t seed;
};

static uint64_t next_random(struct model *model)
{
    uint64_t mix = model->seed += UINT64_C(0x9e3779b97f4a7c15);

    mix = (mix ^ mix >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mix = (mix ^ mix >> 27) * UINT64_C(0x94d049bb133111eb);
    return mix ^ mix >> 31;
}

static int64_t below(struct model *model, int64_t limit)
{
    return (int64_t)(next_random(model) % (uint64_t)limit);
}

static double any_value(struct model *model)
{
    static const uint64_t odd[] = {SAMPLE_STALE_BITS,
                                   0x7ff8000000000001,
                                   0xfff8dead00000000,
                                   0x8000000000000000,
                                   0x7ff0000000000000,
                                   0xfff0000000000000,
                                   1,
                                   0x000fffffffffffff};

    switch (below(model, 8)) {
    case 0: return sample_from_bits(odd[below(model, 8)]);
    case 1: return sample_from_bits(next_random(model));
    case 2: return (double)below(model, 1000) / 10;
    case 3: return 42;
    default: return (double)below(model, INT64_C(1) << 40);
    }
}

/* The place of t_ms in its series: where it is, or where it would go. */
static size_t place(const struct model *model, int series, int64_t t_ms)
{
    size_t low = 0;
    size_t high = model->n[series];

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (model->samples[series][middle].t_ms < t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether it is new. */
static bool model_add(struct model *model, int series, struct sample sample)
{
    struct sample *all = model->samples[series];
    size_t at = place(model, series, sample.t_ms);

    if (at < model->n[series] && all[at].t_ms == sample.t_ms)
        return false;
    memmove(&all[at + 1], &all[at], (model->n[series] - at) * sizeof(*all));
    all[at] = sample;
    model->n[series]++;
    return true;
}

static void push_random(struct fixture *fixture, struct model *model, uint64_t sequence)
{
    struct sample samples[BATCH_MAX];
    struct store_outcome outcome;
    struct store_batch batch = {
        .agent = "a", .epoch = 1, .sequence = sequence, .body_hash = sequence * 7};
    int series = (int)below(model, SERIES);
    size_t n = 1 + (size_t)below(model, BATCH_MAX);
    size_t stored = 0;
    bool late = below(model, 4) == 0;

    for (size_t i = 0; i < n; i++) {
        int64_t back_ms = late ? below(model, 23 * HOUR) : below(model, 600000);
        if (below(model, 2))
            back_ms -= back_ms % 15000;
        samples[i] = (struct sample){fixture_now_ms - back_ms, any_value(model)};
        stored += model_add(model, series, samples[i]);
    }
    if (below(model, 3) == 0)
        batch.agent = NULL;
    assert_int_equal(push_as(fixture, series, samples, n, &batch, &outcome), 0);
    assert_int_equal(outcome.stored, stored);
    assert_int_equal(outcome.duplicate, n - stored);
    if (below(model, 4) > 0)
        return;
    assert_int_equal(push_as(fixture, series, samples, n, &batch, &outcome), 0);
    assert_true(outcome.replayed == (batch.agent != NULL));
    assert_int_equal(outcome.stored, batch.agent ? stored : 0);
}

static void compare(
    struct fixture *fixture, struct model *model, int series, int64_t from_ms, int64_t to_ms)
{
    const struct source source = store_source(fixture->store);
    ARENA_AUTO struct arena arena;
    struct source_result result;
    struct matcher matcher;
    struct err err = {0};
    char value[16];
    size_t at = place(model, series, from_ms);
    size_t n = place(model, series, to_ms + 1) - at;

    arena_init(&arena, 1 << 26);
    (void)snprintf(value, sizeof(value), "%d", series);
    assert_int_equal(matcher_init(&matcher, MATCHER_EQUAL, "i", value, NULL), 0);
    if (source_read_all(&source, &(struct source_query){&matcher, 1, from_ms, to_ms, false},
                        MODEL_MAX, &arena, &result, &err) != 0)
        fail_msg("%s", err.text);
    matcher_done(&matcher);
    assert_int_equal(result.n_warnings, 0);
    assert_int_equal(result.n_samples, n);
    for (size_t k = 0; k < n; k++) {
        assert_true(result.series[0].t_ms[k] == model->samples[series][at + k].t_ms);
        assert_true(sample_bits(result.series[0].values[k]) ==
                    sample_bits(model->samples[series][at + k].value));
    }
}

static void compare_some(struct fixture *fixture, struct model *model)
{
    int64_t from_ms = fixture_now_ms - below(model, 40 * HOUR);

    compare(fixture, model, (int)below(model, SERIES), from_ms, from_ms + below(model, 10 * HOUR));
}

static void step(struct fixture *fixture, struct model *model, uint64_t number)
{
    switch (below(model, 12)) {
    case 0: fixture_reopen(fixture); break;
    case 1: fixture_now_ms += below(model, 2 * HOUR); break;
    case 2:
    case 3: assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0); break;
    case 4:
    case 5: compare_some(fixture, model); break;
    default: push_random(fixture, model, number + 1);
    }
    fixture_now_ms += below(model, 600000);
}

static void test_a_random_walk(void **state)
{
    const char *text = getenv("WATCHBILL_SEED"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    struct fixture fixture;
    struct model model = {.seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL)};

    print_message("# WATCHBILL_SEED=%llu\n", (unsigned long long)model.seed);
    for (int i = 0; i < SERIES; i++)
        model.samples[i] = mem_alloc(MODEL_MAX * sizeof(struct sample));
    fixture_init(&fixture, 60 * DAY);
    for (uint64_t number = 0; number < STEPS; number++)
        step(&fixture, &model, number);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < SERIES; i++)
            compare(&fixture, &model, i, INT64_MIN, INT64_MAX - 1);
        fixture_reopen(&fixture);
    }
    fixture_done(&fixture);
    for (int i = 0; i < SERIES; i++)
        free(model.samples[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_random_walk)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
