/*
 * Series by parts, with their regular times left out, and by several threads, beside all of them with their times:
 * from memory, from journals, from sealed and from compacted days.
 */

#include "lib/base/rng.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

enum {
    SERIES = 6,
    DAYS = 4,
    STEP_MS = 60000,
    WINDOWS = 60,
    BYTES = 64 << 20,
    SAMPLES_MAX = DAYS * 86400000 / STEP_MS,
};

/* Series 0 is whole, 1 has gaps, 2 jitters, the others come and go. */
static void push_day(struct fixture *fixture, struct rng *rng, int64_t day_ms)
{
    static struct sample samples[86400000 / STEP_MS];

    for (int s = 0; s < SERIES; s++) {
        size_t n = 0;
        for (int64_t t_ms = day_ms; t_ms < day_ms + DAY; t_ms += STEP_MS) {
            if ((s == 1 && rng_below(rng, 300) == 0) || (s > 2 && t_ms / HOUR % (s + 1) == 0))
                continue;
            samples[n++] = (struct sample){t_ms + (s == 2 ? (int64_t)rng_below(rng, 2) : 0),
                                           (double)rng_below(rng, 1000) / 10};
        }
        struct store_outcome outcome;
        assert_int_equal(push_as(fixture, s, samples, n, &(struct store_batch){0}, &outcome), 0);
        assert_int_equal(outcome.stored, n);
    }
}

static const struct source_series *series_with(const struct source_result *all,
                                               const struct labels *labels)
{
    for (size_t i = 0; i < all->n; i++)
        if (labels_equal(all->series[i].labels, labels))
            return &all->series[i];
    return NULL;
}

/* Returns how many had no times of their own. */
static size_t check_part(const struct source *source,
                         const struct source_query *query,
                         const struct source_result *all,
                         size_t *n_found)
{
    struct source_selection selection = {0};
    struct source_columns columns = {0};
    ARENA_AUTO struct arena arena;
    size_t n_regular = 0;

    arena_init(&arena, BYTES);
    assert_int_equal(source->select(source->self, query, &arena, &selection, NULL), 0);
    for (size_t i = 0; i < selection.n; i++) {
        const struct source_match *match = &selection.matches[i];
        assert_true(source_query_counts(query, match->labels->hash));
        assert_int_equal(source->read(source->self, query, match, &arena, &columns, NULL), 0);
        if (columns.n == 0)
            continue;
        const struct source_series *whole = series_with(all, match->labels);
        if (!whole || columns.n != whole->n)
            fail_msg("another series, or another number of samples");
        assert_memory_equal(columns.values, whole->values, whole->n * sizeof(double));
        for (size_t k = 0; k < columns.n; k++)
            assert_int_equal(columns.step_ms ? columns.first_ms + (int64_t)k * columns.step_ms
                                             : columns.t_ms[k],
                             whole->t_ms[k]);
        n_regular += columns.step_ms != 0;
        ++*n_found;
    }
    return n_regular;
}

static size_t check_windows(const struct fixture *fixture, struct rng *rng)
{
    const struct source source = store_source(fixture->store);
    struct matcher matcher;
    size_t n_regular = 0;

    assert_int_equal(matcher_init(&matcher, MATCHER_EQUAL, LABEL_NAME, "m", NULL), 0);
    for (int i = 0; i < WINDOWS; i++) {
        ARENA_AUTO struct arena arena;
        struct source_result all;
        size_t n_found = 0;
        int64_t from_ms = fixture_now_ms - (int64_t)rng_below(rng, (uint64_t)(DAYS + 2) * DAY);
        struct source_query query = {.matchers = &matcher,
                                     .n_matchers = 1,
                                     .from_ms = from_ms,
                                     .to_ms = from_ms + (int64_t)rng_below(rng, 3 * DAY)};
        arena_init(&arena, BYTES);
        assert_int_equal(source_read_all(&source, &query, SIZE_MAX, &arena, &all, NULL), 0);
        query.regular = true;
        query.n_at_once = (uint32_t)rng_below(rng, 4);
        query.n_parts = 1 + (uint32_t)rng_below(rng, 3);
        for (; query.part < query.n_parts; query.part++)
            n_regular += check_part(&source, &query, &all, &n_found);
        assert_int_equal(n_found, all.n);
    }
    matcher_done(&matcher);
    return n_regular;
}

static void test_parts_and_times_left_out(void **state)
{
    struct fixture fixture;
    struct rng rng = {rng_os_seed()};

    row("seed %llu", (unsigned long long)rng.state);
    fixture_init(&fixture, 60 * DAY);
    fixture_now_ms = NOON / DAY * DAY;
    for (int day = 0; day < DAYS; day++) {
        fixture_now_ms += DAY;
        push_day(&fixture, &rng, fixture_now_ms - DAY);
        (void)check_windows(&fixture, &rng);
        fixture_now_ms += HOUR; /* compacts what is over, a step a time */
        for (int k = 0; k < 40; k++, fixture_now_ms += 60000)
            assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
        fixture_now_ms = fixture_now_ms / DAY * DAY;
        if (day % 2)
            fixture_reopen(&fixture);
    }
    fixture_now_ms += 3 * DAY;
    for (int k = 0; k < 60; k++, fixture_now_ms += 660000)
        assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
    assert_true(check_windows(&fixture, &rng) > 0);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_and_times_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
