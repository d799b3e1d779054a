/*
 * Everything at once: pushes, selects, sealing, compaction, retention, lists and statistics, over
 * days that pass in seconds. What was acknowledged and is not over its retention is read; a
 * sanitizer for threads sees who touches what without asking.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/clock.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

enum {
    N_PUSHERS = 3,
    N_READERS = 2,
    SERIES_A_PUSHER = 4,
    STEP_MS = 60000,
    SAMPLES_A_PUSH = 60,
    N_PUSHES = 120, /* five days, an hour each */
    RETENTION_DAYS = 2,
};

/* The time is what the slowest pusher has reached. */
static _Atomic int64_t pushed_to_ms[N_PUSHERS];

static int64_t slowest_ms(void)
{
    int64_t least = INT64_MAX;

    for (int i = 0; i < N_PUSHERS; i++) {
        int64_t at_ms = atomic_load(&pushed_to_ms[i]);
        least = at_ms < least ? at_ms : least;
    }
    return least;
}

/* The clock of the store: what is pushed next is not ahead of it. */
static int64_t now_ms(void)
{
    return slowest_ms() + (int64_t)SAMPLES_A_PUSH * STEP_MS;
}

static double value_of(int series, int64_t t_ms)
{
    return (double)series + (double)(t_ms / STEP_MS % 1000) / 10;
}

struct worker {
    struct fixture *fixture;
    int number;
    size_t n_wrong;
    pthread_t thread;
};

static atomic_bool is_over;

static void *push_all(void *arg)
{
    struct worker *worker = arg;

    for (int n = 0; n < N_PUSHES; n++) {
        int64_t from_ms = NOON + (int64_t)n * SAMPLES_A_PUSH * STEP_MS;

        for (int k = 0; k < SERIES_A_PUSHER; k++) {
            int series = worker->number * SERIES_A_PUSHER + k;
            struct sample samples[SAMPLES_A_PUSH];
            struct store_outcome outcome = {0};

            for (int i = 0; i < SAMPLES_A_PUSH; i++)
                samples[i] = (struct sample){from_ms + (int64_t)i * STEP_MS,
                                             value_of(series, from_ms + (int64_t)i * STEP_MS)};
            if (push_as(worker->fixture, series, samples, SAMPLES_A_PUSH, &(struct store_batch){0},
                        &outcome) != 0 ||
                outcome.stored != SAMPLES_A_PUSH)
                worker->n_wrong++;
        }
        atomic_store(&pushed_to_ms[worker->number], from_ms + SAMPLES_A_PUSH * STEP_MS);
        while (atomic_load(&pushed_to_ms[worker->number]) > slowest_ms()) /* else it is too new */
            clock_sleep_ms(1);
    }
    return NULL;
}

/* What a select finds of one series in the last hours is whole and right. */
static size_t count_wrong(struct fixture *fixture, int series, int64_t from_ms, int64_t to_ms)
{
    const struct source source = store_source(fixture->store);
    struct matcher matcher;
    struct source_result result = {0};
    ARENA_AUTO struct arena arena;
    char value[16];
    size_t n_wrong = 0;

    (void)snprintf(value, sizeof(value), "%d", series);
    arena_init(&arena, 1 << 26);
    if (matcher_init(&matcher, MATCHER_EQUAL, "i", value, NULL) != 0)
        return 1;
    int r = source_read_all(&source, &(struct source_query){&matcher, 1, from_ms, to_ms, false},
                            1 << 20, &arena, &result, NULL);
    size_t n = result.n ? result.series[0].n : 0;
    n_wrong += r != 0 || result.n_warnings > 0 || n != (size_t)((to_ms - from_ms) / STEP_MS) + 1;
    for (size_t i = 0; i < n; i++)
        n_wrong += result.series[0].values[i] != value_of(series, result.series[0].t_ms[i]);
    matcher_done(&matcher);
    return n_wrong;
}

static void *read_all(void *arg)
{
    struct worker *worker = arg;

    for (int n = 0; !atomic_load(&is_over); n++) {
        int64_t to_ms = slowest_ms() - STEP_MS;
        int64_t back_ms = (n % 3 == 0 ? 30 : 2) * HOUR;
        int64_t from_ms = to_ms - back_ms < NOON ? NOON : to_ms - back_ms;

        if (to_ms > NOON)
            worker->n_wrong += count_wrong(worker->fixture, n % (N_PUSHERS * SERIES_A_PUSHER),
                                           from_ms, to_ms);
    }
    return NULL;
}

static bool count_series(void *arg, const struct labels *labels)
{
    *(size_t *)arg += labels->n > 0;
    return true;
}

static void *look_after(void *arg)
{
    struct worker *worker = arg;
    struct store *store = worker->fixture->store;

    while (!atomic_load(&is_over)) {
        struct store_stats stats;
        size_t n = 0;

        worker->n_wrong += store_maintain(store, now_ms(), NULL) != 0;
        store_stats(store, &stats);
        worker->n_wrong += stats.quarantined > 0;
        clock_sleep_ms(1);
        worker->n_wrong += store_series(store, NULL, 0, INT64_MIN, INT64_MAX, count_series, &n,
                                        NULL) != 0;
    }
    return NULL;
}

static void test_everything_at_once(void **state)
{
    static struct worker workers[N_PUSHERS + N_READERS + 1];
    struct store_stats stats;
    struct fixture fixture;

    fixture_init(&fixture, RETENTION_DAYS * DAY);
    store_close(fixture.store);
    fixture.options.now_wall_ms = now_ms;
    for (int i = 0; i < N_PUSHERS; i++)
        atomic_store(&pushed_to_ms[i], NOON);
    fixture_open(&fixture);
    for (int i = 0; i < N_PUSHERS + N_READERS + 1; i++) {
        workers[i] = (struct worker){.fixture = &fixture, .number = i};
        void *(*run)(void *) = i < N_PUSHERS               ? push_all
                               : i < N_PUSHERS + N_READERS ? read_all
                                                           : look_after;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
    }
    for (int i = 0; i < N_PUSHERS + N_READERS + 1; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        atomic_store(&is_over, i + 1 >= N_PUSHERS);
        if (workers[i].n_wrong > 0)
            fail_msg("worker %d saw %zu wrong things", i, workers[i].n_wrong);
    }
    int64_t end_ms = NOON + (int64_t)N_PUSHES * SAMPLES_A_PUSH * STEP_MS - STEP_MS;
    assert_int_equal(store_maintain(fixture.store, end_ms, NULL), 0);
    store_stats(fixture.store, &stats);
    row("%llu partitions, %llu commits", (unsigned long long)stats.partitions,
        (unsigned long long)stats.commits);
    assert_true(stats.partitions <= RETENTION_DAYS + 2);
    for (int series = 0; series < N_PUSHERS * SERIES_A_PUSHER; series++)
        assert_int_equal(count_wrong(&fixture, series, end_ms - RETENTION_DAYS * DAY, end_ms), 0);
    fixture_done(&fixture);
}

/* --- selects of many slices, while series come, cool and are swept away --- */

enum {
    N_STEADY = 700,  /* a select of these lets the lock go in between */
    N_PASSING = 400, /* others each day */
    N_DAYS = 12,
    A_DAY = 4, /* samples of each */
};

static _Atomic int64_t wide_now_ms;

static int64_t wide_now(void)
{
    return atomic_load(&wide_now_ms);
}

/* One batch of n series from the first number on, at one time. */
static int push_wide(struct store *store, int first, int n, int64_t t_ms)
{
    struct store_entry *entries = mem_zalloc((size_t)n * sizeof(*entries));
    const struct sample sample = {t_ms, value_of(0, t_ms)};
    struct store_outcome outcome = {0};

    for (int i = 0; i < n; i++)
        entries[i] = (struct store_entry){
            .labels = series_of(first + i), .samples = &sample, .n = 1};
    int r = store_append(store, &(struct store_batch){.entries = entries, .n = (size_t)n}, &outcome,
                         NULL);
    for (int i = 0; i < n; i++)
        labels_unref(entries[i].labels);
    free(entries);
    return r != 0 || outcome.stored != (size_t)n;
}

/* The day's samples, some hours apart, with what maintenance does in between; then the next. */
static void *push_days(void *arg)
{
    struct worker *worker = arg;
    struct store *store = worker->fixture->store;

    for (int day = 0; day < N_DAYS; day++) {
        for (int k = 0; k < A_DAY; k++) {
            int64_t t_ms = NOON + day * DAY + k * 6 * HOUR;

            atomic_store(&wide_now_ms, t_ms);
            worker->n_wrong += (size_t)push_wide(store, 0, N_STEADY, t_ms);
            worker->n_wrong += (size_t)push_wide(store, N_STEADY + day * N_PASSING, N_PASSING,
                                                 t_ms);
            atomic_store(&pushed_to_ms[0], t_ms); /* acknowledged */
            for (int i = 0; i < 4; i++)
                worker->n_wrong += store_maintain(store, t_ms, NULL) != 0;
        }
    }
    return NULL;
}

/* Each steady series has all that was acknowledged before; of the others nothing is asked. */
static size_t count_gaps(struct fixture *fixture, int64_t from_ms, int64_t to_ms)
{
    const struct source source = store_source(fixture->store);
    struct source_result result = {0};
    struct matcher matcher;
    ARENA_AUTO struct arena arena;
    size_t n_expected = (size_t)((to_ms - from_ms) / (6 * HOUR)) + 1;
    size_t n_wrong = 0;
    size_t n_steady = 0;

    arena_init(&arena, 1 << 26);
    if (matcher_init(&matcher, MATCHER_REGEX, "i", ".+", NULL) != 0)
        return 1;
    n_wrong += source_read_all(&source, &(struct source_query){&matcher, 1, from_ms, to_ms, false},
                               1 << 20, &arena, &result, NULL) != 0;
    for (size_t i = 0; i < result.n; i++) {
        const char *number = labels_get(result.series[i].labels, "i");

        if (strtol(number, NULL, 10) >= N_STEADY)
            continue;
        n_steady++;
        n_wrong += result.series[i].n != n_expected;
    }
    matcher_done(&matcher);
    return n_wrong + (n_steady != N_STEADY);
}

static void *read_wide(void *arg)
{
    struct worker *worker = arg;

    for (int n = 0; !atomic_load(&is_over); n++) {
        int64_t to_ms = atomic_load(&pushed_to_ms[0]);
        int64_t from_ms = to_ms - (n % 4) * 18 * HOUR;

        if (to_ms > 0)
            worker->n_wrong += count_gaps(worker->fixture, from_ms < NOON ? NOON : from_ms, to_ms);
    }
    return NULL;
}

static void test_wide_selects_have_no_gaps(void **state)
{
    static struct worker workers[3];
    struct store_stats stats;
    struct fixture fixture;

    atomic_store(&is_over, false);
    atomic_store(&pushed_to_ms[0], 0);
    atomic_store(&wide_now_ms, NOON);
    fixture_init(&fixture, 10 * DAY);
    store_close(fixture.store);
    fixture.options.now_wall_ms = wide_now;
    fixture_open(&fixture);
    for (int i = 0; i < 3; i++) {
        workers[i] = (struct worker){.fixture = &fixture, .number = i};
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, i ? read_wide : push_days, &workers[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        atomic_store(&is_over, true);
        assert_int_equal(workers[i].n_wrong, 0);
    }
    store_stats(fixture.store, &stats);
    assert_true(stats.series < N_STEADY + N_PASSING * N_DAYS); /* days cooled */
    assert_int_equal(count_gaps(&fixture, NOON + 4 * DAY, atomic_load(&pushed_to_ms[0])), 0);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_at_once),
        cmocka_unit_test(test_wide_selects_have_no_gaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
