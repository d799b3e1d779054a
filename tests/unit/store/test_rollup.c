/*
 * Roll-ups against plain computation from a plain table of samples: random series, gaps, odd
 * values, days compacted, half compacted and not at all; late samples; damage.
 *
 *   WATCHBILL_SEED=N test_rollup     the walk of that seed
 */

#include <math.h>
#include <time.h>

#include "alertd/db/db.h"
#include "alertd/store/partition.h"
#include "alertd/store/rollup.h"
#include "lib/base/rng.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

#define MINUTE INT64_C(60000)
#define FIRST  (NOON - 12 * HOUR) /* a midnight */

enum {
    SERIES = 20, /* more than one slice of a compaction has */
    DAYS = 5,
    SAMPLES_MAX = DAYS * 2880 + 100,
};

struct model {
    struct sample *samples[SERIES];
    size_t n[SERIES];
    struct rng rng;
};

static double any_value(struct model *model, int series)
{
    static const uint64_t odd[] = {SAMPLE_STALE_BITS,  0x7ff8000000000001, 0x8000000000000000,
                                   0x7ff0000000000000, 0xfff0000000000000, 1};

    if (series % 5 == 4)
        return 7.25; /* a series that does not change */
    switch (rng_below(&model->rng, 16)) {
    case 0: return sample_from_bits(odd[rng_below(&model->rng, 6)]);
    case 1: return sample_from_bits(rng_next(&model->rng));
    case 2: return 0;
    default: return (double)rng_below(&model->rng, 100000) / 10 - (series % 3 ? 0 : 5000);
    }
}

static void model_init(struct model *model)
{
    const char *text = getenv("WATCHBILL_SEED"); // NOLINT(concurrency-mt-unsafe): nobody sets it

    *model = (struct model){.rng = {text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL)}};
    print_message("# WATCHBILL_SEED=%llu\n", (unsigned long long)model->rng.state);
    for (int i = 0; i < SERIES; i++)
        model->samples[i] = mem_alloc(SAMPLES_MAX * sizeof(struct sample));
}

static void model_done(struct model *model)
{
    for (int i = 0; i < SERIES; i++)
        free(model->samples[i]);
}

/* A day of a series, with gaps, at its own pace; some series have none. */
static void push_day(struct fixture *fixture, struct model *model, int series, int day)
{
    struct sample *samples = &model->samples[series][model->n[series]];
    int64_t pace_ms = 30000 + (int64_t)rng_below(&model->rng, 2) * 60000;
    struct store_outcome outcome;
    size_t n = 0;

    if (rng_below(&model->rng, 6) == 0)
        return;
    for (int64_t t_ms = FIRST + day * DAY; t_ms < FIRST + (day + 1) * DAY; t_ms += pace_ms) {
        if (rng_below(&model->rng, 200) == 0)
            t_ms += (int64_t)rng_below(&model->rng, 4) * HOUR;
        if (t_ms < FIRST + (day + 1) * DAY)
            samples[n++] = (struct sample){t_ms, any_value(model, series)};
    }
    fixture_now_ms = FIRST + (day + 1) * DAY - 1;
    assert_int_equal(push_as(fixture, series, samples, n, &(struct store_batch){0}, &outcome), 0);
    assert_int_equal(outcome.stored, n);
    model->n[series] += n;
}

/* Until what is due is done. */
static void maintain(struct fixture *fixture, int n)
{
    for (int k = 0; k < n; k++)
        assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0);
}

/* Sealed, cold and compacted as far as their age lets them. */
static void settle_until(struct fixture *fixture, int64_t now_ms)
{
    fixture_now_ms = now_ms;
    maintain(fixture, 60);
    fixture_reopen(fixture);
    maintain(fixture, 60);
    fixture_reopen(fixture);
}

/* --- plain computation --- */

static void plain_sum(double *sum, double *lost, double value)
{
    double total = *sum + value;

    if (isinf(total))
        *lost = 0;
    else if (fabs(*sum) >= fabs(value))
        *lost += (*sum - total) + value;
    else
        *lost += (value - total) + *sum;
    *sum = total;
}

/* One bucket [t, t + resolution) of a series by looking at all its samples; count 0: none. */
static struct bucket plain_bucket(const struct model *model, int series, int64_t t, int64_t size)
{
    struct bucket bucket = {.t_ms = t};
    double sum = 0;
    double lost = 0;

    for (size_t i = 0; i < model->n[series]; i++) {
        struct sample sample = model->samples[series][i];

        if (sample.t_ms < t || sample.t_ms >= t + size || isnan(sample.value))
            continue;
        bucket.min = bucket.count && bucket.min <= sample.value ? bucket.min : sample.value;
        bucket.max = bucket.count && bucket.max >= sample.value ? bucket.max : sample.value;
        bucket.count++;
        plain_sum(&sum, &lost, sample.value);
    }
    bucket.sum = sum + lost;
    return bucket;
}

/* A step of several buckets. */
static struct bucket plain_step(const struct model *model, int series, int64_t t, int64_t step)
{
    int64_t size = store_rollup_resolution(step);
    struct bucket all = {.t_ms = t};
    double sum = 0;
    double lost = 0;

    for (int64_t at = t; at < t + step; at += size) {
        struct bucket one = plain_bucket(model, series, at, size);
        if (one.count == 0)
            continue;
        all.min = all.count && all.min <= one.min ? all.min : one.min;
        all.max = all.count && all.max >= one.max ? all.max : one.max;
        plain_sum(&sum, &lost, one.sum);
        all.count += one.count;
    }
    all.sum = sum + lost;
    return all;
}

static void ask(struct fixture *fixture,
                const char *series,
                int64_t from_ms,
                int64_t to_ms,
                int64_t step_ms,
                struct store_rollup *ret_rollup)
{
    struct matcher matchers[2];
    struct err err = {0};

    assert_int_equal(matcher_init(&matchers[0], MATCHER_EQUAL, LABEL_NAME, "m", NULL), 0);
    assert_int_equal(matcher_init(&matchers[1], MATCHER_EQUAL, "i", series ? series : "", NULL), 0);
    const struct store_rollup_query query = {.matchers = matchers,
                                             .n_matchers = series ? 2 : 1,
                                             .from_ms = from_ms,
                                             .to_ms = to_ms,
                                             .step_ms = step_ms,
                                             .bytes_max = 64 << 20};
    if (store_rollup(fixture->store, &query, ret_rollup, &err) != 0)
        fail_msg("%s", err.text);
    matcher_done(&matchers[0]);
    matcher_done(&matchers[1]);
}

static void expect_bucket(const struct bucket *found, const struct bucket *plain)
{
    if (found->t_ms != plain->t_ms || sample_bits(found->min) != sample_bits(plain->min) ||
        sample_bits(found->max) != sample_bits(plain->max) || found->count != plain->count ||
        !(sample_bits(found->sum) == sample_bits(plain->sum) ||
          (isnan(found->sum) && isnan(plain->sum))))
        fail_msg("at %lld: %.17g %.17g %.17g %llu, not %.17g %.17g %.17g %llu",
                 (long long)plain->t_ms, found->min, found->max, found->sum,
                 (unsigned long long)found->count, plain->min, plain->max, plain->sum,
                 (unsigned long long)plain->count);
}

/* Returns how many steps there were. */
static size_t compare(struct fixture *fixture,
                      const struct model *model,
                      int series,
                      int64_t from_ms,
                      int64_t to_ms,
                      int64_t step_ms)
{
    struct store_rollup rollup;
    char value[16];
    size_t n = 0;

    (void)snprintf(value, sizeof(value), "%d", series);
    ask(fixture, value, from_ms, to_ms, step_ms, &rollup);
    assert_int_equal(rollup.n_warnings, 0);
    for (int64_t t = buckets_floor(from_ms, step_ms); t < to_ms; t += step_ms) {
        const struct bucket plain = plain_step(model, series, t, step_ms);
        if (plain.count == 0)
            continue;
        assert_int_equal(rollup.n, 1);
        assert_true(n < rollup.series[0].steps.n);
        expect_bucket(&rollup.series[0].steps.at[n++], &plain);
    }
    assert_int_equal(rollup.n ? rollup.series[0].steps.n : 0, n);
    store_rollup_done(&rollup);
    return n;
}

static void compare_some(struct fixture *fixture, struct model *model)
{
    static const int64_t steps[] = {5 * MINUTE,  5 * MINUTE, HOUR,        HOUR,
                                    10 * MINUTE, 6 * HOUR,   90 * MINUTE, DAY};
    size_t n = 0;

    for (int k = 0; k < 24; k++) {
        int64_t step_ms = steps[rng_below(&model->rng, 8)];
        int64_t from_ms = FIRST + (int64_t)rng_below(&model->rng, DAYS * DAY);
        int64_t to_ms = from_ms + (int64_t)rng_below(&model->rng, 2 * (uint64_t)DAY) + 1;

        n += compare(fixture, model, (int)rng_below(&model->rng, SERIES), from_ms, to_ms, step_ms);
    }
    assert_true(n > 0);
}

/* --- what lies in the files --- */

/* A number of a day's file. */
static int64_t file_number(struct fixture *fixture, const char *day, const char *sql)
{
    struct partition *partition = NULL;
    struct db_conn *conn = NULL;
    int64_t number = -1;
    int64_t day_ms;

    assert_true(partition_day_parse(day, &day_ms));
    store_close(fixture->store);
    assert_int_equal(partition_open(fixture->options.folder, day_ms, false, &partition, NULL), 0);
    assert_int_equal(db_read_begin(partition->db, &conn, NULL), 0);
    struct db_stmt *stmt = db_prepare(conn, sql);
    if (db_step(stmt))
        number = db_int(stmt, 0);
    assert_int_equal(db_done(stmt, NULL), 0);
    db_read_end(partition->db, conn);
    partition_close(partition);
    fixture_open(fixture);
    return number;
}

/* arg: statements, then NULL. */
static int change_job(struct db_conn *conn, void *arg, struct err *reterr)
{
    int r = 0;

    for (const char *const *sql = arg; *sql && r == 0; sql++)
        r = db_run(db_prepare(conn, *sql), reterr);
    return r;
}

/* Changes a day's file behind the store's back, by up to three statements. */
static void change_file(struct fixture *fixture, const char *day, const char *const sql[3])
{
    const char *statements[4] = {sql[0], sql[1], sql[2], NULL};
    struct partition *partition = NULL;
    int64_t day_ms;

    assert_true(partition_day_parse(day, &day_ms));
    store_close(fixture->store);
    assert_int_equal(partition_open(fixture->options.folder, day_ms, false, &partition, NULL), 0);
    assert_int_equal(db_write(partition->db, change_job, statements, NULL), 0);
    partition_close(partition);
    fixture_open(fixture);
}

#define DAY_1    "2023-11-15.db"
#define N_ROWS   "SELECT count(*) FROM rollup"
#define FLIPPED  "CAST(substr(body, 1, 25) || x'7b5c3a19' || substr(body, 30) AS BLOB) "
#define IS_READY "SELECT min(is_rolled) FROM sealed"

/* --- tests --- */

static void test_the_same_as_computed_from_all_samples(void **state)
{
    struct fixture fixture;
    struct model model;

    model_init(&model);
    fixture_init(&fixture, 90 * DAY);
    for (int day = 0; day < DAYS; day++) {
        for (int i = 0; i < SERIES; i++)
            push_day(&fixture, &model, i, day);
        compare_some(&fixture, &model); /* nothing compacted of the newer days */
        if (rng_below(&model.rng, 2))
            settle_until(&fixture, FIRST + (day + 1) * DAY + (int64_t)rng_below(&model.rng, DAY));
        compare_some(&fixture, &model);
    }
    settle_until(&fixture, FIRST + (DAYS + 3) * DAY);
    assert_true(file_number(&fixture, DAY_1, N_ROWS) > 0);
    assert_int_equal(file_number(&fixture, DAY_1, IS_READY), 1);
    for (int k = 0; k < 4; k++)
        compare_some(&fixture, &model);
    for (int i = 0; i < SERIES; i++)
        (void)compare(&fixture, &model, i, FIRST - DAY, FIRST + (DAYS + 1) * DAY, HOUR);
    fixture_done(&fixture);
    model_done(&model);
}

static void push_to_model(struct fixture *fixture, struct model *model, int series, int64_t t_ms)
{
    size_t at = model->n[series]++;

    for (; at > 0 && model->samples[series][at - 1].t_ms > t_ms; at--)
        model->samples[series][at] = model->samples[series][at - 1];
    model->samples[series][at] = (struct sample){t_ms, 1e6};
    assert_int_equal(push(fixture, series, t_ms, 1e6).stored, 1);
}

/* A compacted day and a model of it: two days of all series. */
static void make_compacted(struct fixture *fixture, struct model *model, int64_t retention_ms)
{
    model_init(model);
    fixture_init(fixture, retention_ms);
    for (int day = 0; day < 2; day++)
        for (int i = 0; i < SERIES; i++)
            push_day(fixture, model, i, day);
    settle_until(fixture, FIRST + 6 * DAY);
    assert_int_equal(file_number(fixture, DAY_1, IS_READY), 1);
}

static void compare_day_1(struct fixture *fixture, const struct model *model)
{
    for (int i = 0; i < SERIES; i++) {
        (void)compare(fixture, model, i, FIRST, FIRST + DAY, 5 * MINUTE);
        (void)compare(fixture, model, i, FIRST, FIRST + DAY, HOUR);
    }
}

/* Taken without retention, when our own, or as history: a roll-up that does not know it is
 * never shown. */
static void test_a_sample_after_the_roll_up(void **state)
{
    struct fixture fixture;
    struct model model;

    make_compacted(&fixture, &model, 0);
    push_to_model(&fixture, &model, 3, FIRST + 5 * HOUR + 17);
    row("in the journal");
    compare_day_1(&fixture, &model);
    fixture_reopen(&fixture);
    row("read back from the journal");
    compare_day_1(&fixture, &model);
    fixture_now_ms += 3 * HOUR;
    assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
    row("sealed");
    assert_int_equal(file_number(&fixture, DAY_1, IS_READY), 0);
    compare_day_1(&fixture, &model);
    row("rolled up again");
    settle_until(&fixture, fixture_now_ms + 3 * HOUR);
    assert_int_equal(file_number(&fixture, DAY_1, IS_READY), 1);
    compare_day_1(&fixture, &model);
    fixture_done(&fixture);
    model_done(&model);
}

/* As a day was left by a program before roll-ups, and by one killed between two series. */
static void test_a_day_of_an_older_program(void **state)
{
    struct fixture fixture;
    struct model model;

    make_compacted(&fixture, &model, 90 * DAY);
    int64_t n_rows = file_number(&fixture, DAY_1, N_ROWS);
    change_file(&fixture, DAY_1,
                (const char *[3]){"DROP TABLE rollup", "ALTER TABLE sealed DROP COLUMN is_rolled",
                                  "DELETE FROM schema_migration WHERE version = 3"});
    row("not yet rolled up");
    compare_day_1(&fixture, &model);
    assert_int_equal(file_number(&fixture, DAY_1, N_ROWS), 0);
    settle_until(&fixture, fixture_now_ms + HOUR);
    assert_int_equal(file_number(&fixture, DAY_1, N_ROWS), n_rows);
    compare_day_1(&fixture, &model);
    change_file(
        &fixture, DAY_1,
        (const char *[3]){"DELETE FROM rollup WHERE id > 40", "UPDATE sealed SET is_rolled = 0"});
    row("half rolled up");
    compare_day_1(&fixture, &model);
    settle_until(&fixture, fixture_now_ms + HOUR);
    assert_int_equal(file_number(&fixture, DAY_1, N_ROWS), n_rows);
    compare_day_1(&fixture, &model);
    fixture_done(&fixture);
    model_done(&model);
}

/* A damaged roll-up is named, and computed from what it was made of. */
static void test_damage_is_named(void **state)
{
    static const char *const damages[] = {
        ("UPDATE rollup SET body = " FLIPPED "WHERE id = (SELECT min(id) FROM rollup)"),
        "DELETE FROM rollup WHERE id = (SELECT min(id) FROM rollup)",
        ("UPDATE rollup SET body = (SELECT body FROM rollup ORDER BY length(body) LIMIT 1) "
         "WHERE id = (SELECT id FROM rollup WHERE id % 8 = 3 ORDER BY id LIMIT 1)"),
    };
    struct fixture fixture;
    struct model model;

    for (size_t k = 0; k < sizeof(damages) / sizeof(*damages); k++) {
        struct store_rollup rollup;
        struct store_rollup before;

        row("%s", damages[k]);
        make_compacted(&fixture, &model, 90 * DAY);
        ask(&fixture, NULL, FIRST, FIRST + DAY, 5 * MINUTE, &before);
        change_file(&fixture, DAY_1, (const char *[3]){damages[k]});
        ask(&fixture, NULL, FIRST, FIRST + DAY, 5 * MINUTE, &rollup);
        assert_int_equal(rollup.n_warnings, 1);
        assert_string_equal(
            rollup.warnings[0],
            "partition 2023-11-15: 1 damaged roll-ups were computed from their samples");
        assert_int_equal(rollup.n, before.n);
        for (size_t i = 0; i < rollup.n; i++) {
            assert_int_equal(rollup.series[i].steps.n, before.series[i].steps.n);
            for (size_t j = 0; j < rollup.series[i].steps.n; j++)
                expect_bucket(&rollup.series[i].steps.at[j], &before.series[i].steps.at[j]);
        }
        store_rollup_done(&before);
        store_rollup_done(&rollup);
        fixture_done(&fixture);
        model_done(&model);
    }
}

/* A damaged chunk leaves its series without roll-ups, and is named as in any query. */
static void test_a_damaged_chunk_is_not_rolled_up(void **state)
{
    struct fixture fixture;
    struct model model;
    struct store_rollup rollup;

    make_compacted(&fixture, &model, 90 * DAY);
    change_file(&fixture, DAY_1,
                (const char *[3]){"UPDATE pack SET body = " FLIPPED
                                  "WHERE id = (SELECT min(pack) FROM place)",
                                  "UPDATE sealed SET is_rolled = 0"});
    settle_until(&fixture, fixture_now_ms + HOUR);
    assert_int_equal(file_number(&fixture, DAY_1, IS_READY), 1);
    ask(&fixture, NULL, FIRST, FIRST + DAY, HOUR, &rollup);
    assert_int_equal(rollup.n_warnings, 1);
    assert_string_equal(rollup.warnings[0], "partition 2023-11-15: 1 damaged chunks were left out");
    store_rollup_done(&rollup);
    fixture_done(&fixture);
    model_done(&model);
}

static void test_limits(void **state)
{
    struct fixture fixture;
    struct store_rollup rollup;
    struct store_rollup_query query = {
        .from_ms = NOON, .to_ms = NOON + DAY, .step_ms = 5 * MINUTE, .bytes_max = 4096};
    struct err err = {0};

    fixture_init(&fixture, 90 * DAY);
    push_hours(&fixture, 1, 12);
    assert_int_equal(store_rollup(fixture.store, &query, &rollup, &err), SOURCE_E_LIMIT);
    store_rollup_done(&rollup);
    query.bytes_max = 1 << 20;
    query.now_fn = fixture_now;
    query.deadline_ms = fixture_now_ms - 1;
    assert_int_equal(store_rollup(fixture.store, &query, &rollup, &err), STORE_E_TIMEOUT);
    store_rollup_done(&rollup);
    query.deadline_ms = fixture_now_ms;
    assert_int_equal(store_rollup(fixture.store, &query, &rollup, &err), 0);
    assert_int_equal(rollup.n, 1);
    store_rollup_done(&rollup);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_as_computed_from_all_samples),
        cmocka_unit_test(test_a_sample_after_the_roll_up),
        cmocka_unit_test(test_a_day_of_an_older_program),
        cmocka_unit_test(test_damage_is_named),
        cmocka_unit_test(test_a_damaged_chunk_is_not_rolled_up),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
