/*
 * What was acknowledged is what is read: across order, replays, sealing, restarts,
 * days, damage and limits.
 */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

static void test_order_does_not_matter_and_the_first_write_wins(void **state)
{
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    assert_int_equal(push(&fixture, 1, NOON, 1).stored, 1);
    assert_int_equal(push(&fixture, 1, NOON + 20, 3).stored, 1);
    assert_int_equal(push(&fixture, 1, NOON + 10, 2).stored, 1);
    assert_int_equal(push(&fixture, 1, NOON - 10, 0).stored, 1);
    assert_int_equal(push(&fixture, 1, NOON + 5, 1.5).stored, 1);
    assert_int_equal(push(&fixture, 1, NOON + 10, 99).duplicate, 1);
    assert_int_equal(push(&fixture, 1, NOON + 20, 99).duplicate, 1);
    assert_int_equal(push(&fixture, 1, NOON - 10, 99).duplicate, 1);
    expect(&fixture, 1, -100, 100, "0@-10 1@0 1.5@5 2@10 3@20");
    expect(&fixture, 1, 0, 10, "1@0 1.5@5 2@10");
    expect(&fixture, 1, 6, 9, "");
    expect(&fixture, 2, -100, 100, "");
    fixture_reopen(&fixture);
    expect(&fixture, 1, -100, 100, "0@-10 1@0 1.5@5 2@10 3@20");
    assert_int_equal(push(&fixture, 1, NOON + 5, 99).duplicate, 1);
    fixture_done(&fixture);
}

static void test_a_batch_in_any_order_with_doubles(void **state)
{
    static const struct sample samples[] = {{NOON + 30, 3}, {NOON + 10, 1}, {NOON + 20, 2},
                                            {NOON + 10, 9}, {NOON, 0},      {NOON + 30, 9}};
    struct store_outcome outcome;
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    assert_int_equal(push_as(&fixture, 1, samples, 6, &(struct store_batch){0}, &outcome), 0);
    assert_int_equal(outcome.stored, 4);
    assert_int_equal(outcome.duplicate, 2);
    expect(&fixture, 1, 0, 100, "0@0 1@10 2@20 3@30");
    fixture_done(&fixture);
}

static void test_every_bit_is_kept(void **state)
{
    static const uint64_t bits[] = {SAMPLE_STALE_BITS, 0x7ff8000000000001, 0x8000000000000000, 1,
                                    0xfff0000000000000};
    struct fixture fixture;
    struct matcher matcher;

    fixture_init(&fixture, 15 * DAY);
    for (int k = 0; k < 5; k++)
        (void)push(&fixture, 1, NOON + k, sample_from_bits(bits[k]));
    fixture_reopen(&fixture);
    const struct source source = store_source(fixture.store);
    struct source_result result;
    ARENA_AUTO struct arena arena;
    arena_init(&arena, 1 << 20);
    assert_int_equal(matcher_init(&matcher, MATCHER_EQUAL, LABEL_NAME, "m", NULL), 0);
    assert_int_equal(source_read_all(&source,
                                     &(struct source_query){&matcher, 1, 0, INT64_MAX, false}, 100,
                                     &arena, &result, NULL),
                     0);
    assert_int_equal(result.series[0].n, 5);
    for (int k = 0; k < 5; k++)
        assert_true(sample_bits(result.series[0].values[k]) == bits[k]);
    arena_reset(&arena);
    assert_int_equal(source_read_all(&source,
                                     &(struct source_query){&matcher, 1, 0, INT64_MAX, false}, 4,
                                     &arena, &result, NULL),
                     SOURCE_E_LIMIT);
    arena_reset(&arena);
    arena.limit = 40;
    assert_int_equal(source_read_all(&source,
                                     &(struct source_query){&matcher, 1, 0, INT64_MAX, false}, 9,
                                     &arena, &result, NULL),
                     SOURCE_E_LIMIT);
    matcher_done(&matcher);
    fixture_done(&fixture);
}

static void test_too_old_and_too_new_are_told_apart(void **state)
{
    static const struct sample samples[] = {
        {NOON - 24 * HOUR - 1, 1}, {NOON - 24 * HOUR, 2}, {NOON + 600000, 3}, {NOON + 600001, 4}};
    struct store_outcome outcome;
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    assert_int_equal(push_as(&fixture, 1, samples, 4, &(struct store_batch){0}, &outcome), 0);
    assert_int_equal(outcome.stored, 2);
    assert_int_equal(outcome.rejected_too_old, 1);
    assert_int_equal(outcome.rejected_too_new, 1);
    assert_non_null(strstr(outcome.first_rejection, "too old (more than 24 h): m{i=\"1\""));
    expect(&fixture, 1, -2 * DAY, DAY, "2@-86400000 3@600000");
    fixture_done(&fixture);
}

static void test_history_is_as_old_as_the_retention(void **state)
{
    static const struct sample samples[] = {{NOON - 15 * DAY - 1, 1},
                                            {NOON - 15 * DAY, 2},
                                            {NOON - 24 * HOUR - 1, 3},
                                            {NOON + 600001, 4}};
    struct store_outcome outcome;
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    assert_int_equal(
        push_as(&fixture, 1, samples, 4, &(struct store_batch){.history = true}, &outcome), 0);
    assert_int_equal(outcome.stored, 2);
    assert_int_equal(outcome.rejected_too_old, 1);
    assert_int_equal(outcome.rejected_too_new, 1);
    fixture_done(&fixture);
}

static void test_without_retention_any_age_is_taken(void **state)
{
    struct fixture fixture;

    fixture_init(&fixture, 0);
    assert_int_equal(push(&fixture, 1, 0, 1).stored, 1);
    assert_int_equal(push(&fixture, 1, -1, 0).stored, 1);
    assert_int_equal(push(&fixture, 1, INT64_C(4102444800000), 2).stored, 1);
    assert_int_equal(push(&fixture, 1, INT64_MAX, 3).rejected_invalid, 1);
    assert_int_equal(push(&fixture, 1, INT64_MIN, 3).rejected_invalid, 1);
    fixture_now_ms += DAY;
    assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
    fixture_reopen(&fixture);
    char *found = read_back(&fixture, 1, INT64_MIN, INT64_MAX, NULL);
    assert_string_equal(found, "0@-1700049600001 1@-1700049600000 2@2402395200000");
    free(found);
    fixture_done(&fixture);
}

static void test_a_replayed_batch_is_answered_again(void **state)
{
    static const struct sample samples[] = {{NOON, 1}, {NOON + 1, 2}, {NOON - 3 * DAY, 3}};
    struct store_batch batch = {.agent = "web-1", .epoch = 7, .sequence = 3, .body_hash = 11};
    struct store_outcome first;
    struct store_outcome again;
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    assert_int_equal(push_as(&fixture, 1, samples, 3, &batch, &first), 0);
    assert_int_equal(first.stored, 2);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(push_as(&fixture, 1, samples, 3, &batch, &again), 0);
        assert_true(again.replayed);
        assert_int_equal(again.stored, 2);
        assert_int_equal(again.rejected_too_old, 1);
        assert_string_equal(again.first_rejection, first.first_rejection);
        fixture_reopen(&fixture);
    }
    batch.body_hash = 12;
    assert_int_equal(push_as(&fixture, 1, samples, 3, &batch, &again), STORE_E_CONFLICT);
    batch.sequence = 2; /* lower, never seen: a spool drained behind live data */
    assert_int_equal(push_as(&fixture, 2, samples, 1, &batch, &again), 0);
    assert_int_equal(again.stored, 1);
    assert_false(again.replayed);
    fixture_done(&fixture);
}

static void test_a_new_series_is_refused_before_an_old_one(void **state)
{
    static const struct sample sample = {NOON + 1, 1};
    struct store_outcome outcome;
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    store_close(fixture.store);
    fixture.options.max_series = 2;
    fixture_open(&fixture);
    (void)push(&fixture, 1, NOON, 1);
    (void)push(&fixture, 2, NOON, 1);
    assert_int_equal(push_as(&fixture, 3, &sample, 1, &(struct store_batch){0}, &outcome),
                     STORE_E_LIMIT);
    assert_int_equal(outcome.rejected_series_limit, 1);
    assert_string_equal(outcome.examples[STORE_SERIES_LIMIT], "m{i=\"3\", job=\"test\"}");
    assert_int_equal(push(&fixture, 2, NOON + 1, 1).stored, 1);
    assert_int_equal(
        push_as(&fixture, 3, &sample, 1, &(struct store_batch){.internal = true}, &outcome), 0);
    fixture_done(&fixture);
}

static void test_low_water_refuses_and_keeps(void **state)
{
    static const struct sample sample = {NOON + 1, 1};
    struct store_outcome outcome;
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    (void)push(&fixture, 1, NOON, 1);
    store_close(fixture.store);
    fixture.options.low_water_bytes = UINT64_MAX;
    fixture_open(&fixture);
    assert_int_equal(push_as(&fixture, 1, &sample, 1, &(struct store_batch){0}, &outcome),
                     STORE_E_FULL);
    expect(&fixture, 1, 0, 100, "1@0");
    fixture_done(&fixture);
}

/* --- sealing and days --- */

/* Every sample of push_hours() is there once, none else. */
static void check_hours(struct fixture *fixture, int series, int n_hours)
{
    const struct source source = store_source(fixture->store);
    struct matcher matchers[2];
    struct source_result result;
    ARENA_AUTO struct arena arena;
    char value[16];

    (void)snprintf(value, sizeof(value), "%d", series);
    arena_init(&arena, 1 << 26);
    assert_int_equal(matcher_init(&matchers[0], MATCHER_EQUAL, LABEL_NAME, "m", NULL), 0);
    assert_int_equal(matcher_init(&matchers[1], MATCHER_EQUAL, "i", value, NULL), 0);
    assert_int_equal(
        source_read_all(&source, &(struct source_query){matchers, 2, NOON, NOON + 10 * DAY, false},
                        1 << 20, &arena, &result, NULL),
        0);
    assert_int_equal(result.n, 1);
    assert_int_equal(result.n_warnings, 0);
    assert_int_equal(result.series[0].n, n_hours * 360);
    for (size_t k = 0; k < result.series[0].n; k++) {
        assert_int_equal(result.series[0].t_ms[k], NOON + (int64_t)k * 10000);
        assert_true(result.series[0].values[k] == (double)k);
    }
    matcher_done(&matchers[0]);
    matcher_done(&matchers[1]);
}

static void test_sealing_changes_nothing_that_is_read(void **state)
{
    struct store_stats stats;
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    push_hours(&fixture, 1, 30); /* over midnight, sealed every two hours */
    store_stats(fixture.store, &stats);
    assert_int_equal(stats.partitions, 2);
    assert_true(stats.samples_in_head < 4 * 360);
    check_hours(&fixture, 1, 30);
    expect(&fixture, 1, 0, 20000, "0@0 1@10000 2@20000");
    fixture_reopen(&fixture);
    check_hours(&fixture, 1, 30);
    fixture_now_ms = NOON + 30 * HOUR;
    assert_int_equal(push(&fixture, 1, NOON + 10 * HOUR, 99).duplicate, 1); /* sealed */
    assert_int_equal(push(&fixture, 1, NOON + 29 * HOUR, 99).duplicate, 1); /* journal */
    assert_int_equal(push(&fixture, 1, NOON + 10 * HOUR + 5, 7).stored, 1); /* late, between */
    expect(&fixture, 1, 10 * HOUR, 10 * HOUR + 10000, "3600@36000000 7@36000005 3601@36010000");
    fixture_done(&fixture);
}

static void test_a_late_sample_is_sealed_with_its_day(void **state)
{
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    push_hours(&fixture, 1, 14);
    assert_int_equal(push(&fixture, 1, NOON + 5, 7).stored, 1);
    for (int k = 0; k < 20; k++) { /* its day is over: sealed, then cooled */
        fixture_now_ms += 3 * HOUR;
        assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
    }
    struct store_stats stats;
    store_stats(fixture.store, &stats);
    assert_int_equal(stats.samples_in_head, 0);
    assert_int_equal(stats.series, 0); /* none in memory, all on disk */
    expect(&fixture, 1, 0, 10000, "0@0 7@5 1@10000");
    fixture_reopen(&fixture);
    expect(&fixture, 1, 0, 10000, "0@0 7@5 1@10000");
    fixture_done(&fixture);
}

static void test_retention_drops_whole_days(void **state)
{
    struct store_stats stats;
    struct fixture fixture;

    fixture_init(&fixture, 2 * DAY);
    (void)push(&fixture, 1, NOON, 1);
    fixture_now_ms = NOON + DAY;
    (void)push(&fixture, 1, NOON + DAY, 2);
    fixture_now_ms = NOON + 2 * DAY + 12 * HOUR; /* the first day ended two days ago */
    (void)push(&fixture, 1, NOON + 2 * DAY, 3);
    assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
    store_stats(fixture.store, &stats);
    assert_int_equal(stats.partitions, 2);
    expect(&fixture, 1, -DAY, 5 * DAY, "2@86400000 3@172800000");
    assert_int_not_equal(access(scratch_path(&fixture.scratch, "2023-11-15.db"), F_OK), 0);
    fixture_done(&fixture);
}

static void test_too_much_room_costs_the_oldest_days(void **state)
{
    struct store_stats stats;
    struct fixture fixture;

    fixture_init(&fixture, 90 * DAY);
    for (int day = 0; day < 4; day++) {
        fixture_now_ms = NOON + day * DAY;
        (void)push(&fixture, 1, fixture_now_ms, day);
        assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
    }
    for (int left = 3; left >= 1; left--) {
        fixture.options.retention_bytes = 0;
        fixture_reopen(&fixture); /* what the files take when nothing has been written yet */
        store_stats(fixture.store, &stats);
        fixture.options.retention_bytes = left == 1 ? 1 : stats.disk_bytes - 1;
        fixture_reopen(&fixture);
        assert_int_equal(store_maintain(fixture.store, fixture_now_ms, NULL), 0);
        store_stats(fixture.store, &stats);
        assert_int_equal(stats.partitions, left); /* today stays, however little there is */
        assert_int_equal(stats.oldest_ms, NOON - 12 * HOUR + (4 - left) * DAY);
    }
    expect(&fixture, 1, -DAY, 5 * DAY, "3@259200000");
    fixture_done(&fixture);
}

/* --- lists of series --- */

struct names {
    struct str text;
    size_t stop_after, n;
};

static bool note_name(void *arg, const struct labels *labels)
{
    struct names *names = arg;

    labels_print(labels, &names->text);
    return ++names->n < names->stop_after;
}

static void test_series_are_listed_from_memory_and_disk(void **state)
{
    struct names names = {.text = STR_INIT(1000), .stop_after = 10};
    struct fixture fixture;
    struct matcher matcher;

    fixture_init(&fixture, 15 * DAY);
    push_hours(&fixture, 1, 4);
    (void)push(&fixture, 2, fixture_now_ms, 1);
    fixture_reopen(&fixture);
    assert_int_equal(matcher_init(&matcher, MATCHER_REGEX, "i", "1|2", NULL), 0);
    assert_int_equal(
        store_series(fixture.store, &matcher, 1, NOON, NOON + DAY, note_name, &names, NULL), 0);
    assert_int_equal(names.n, 2);
    str_cut(&names.text, 0);
    names.n = 0;
    assert_int_equal(
        store_series(fixture.store, &matcher, 1, NOON, NOON + 1000, note_name, &names, NULL), 0);
    assert_string_equal(str_text(&names.text), "m{i=\"1\", job=\"test\"}");
    matcher_done(&matcher);
    str_done(&names.text);
    fixture_done(&fixture);
}

static void test_matchers(void **state)
{
    static const struct {
        enum matcher_type type;
        const char *name, *value;
        size_t n;
    } rows[] = {
        {MATCHER_EQUAL, "i", "3", 1},       {MATCHER_NOT_EQUAL, "i", "3", 4},
        {MATCHER_REGEX, "i", "[12]", 2},    {MATCHER_NOT_REGEX, "i", "[12]", 3},
        {MATCHER_EQUAL, "gone", "", 5},     {MATCHER_REGEX, "i", ".*", 5},
        {MATCHER_REGEX, "i", ".+", 5},      {MATCHER_EQUAL, "i", "9", 0},
        {MATCHER_NOT_EQUAL, "gone", "", 0}, {MATCHER_EQUAL, "job", "test", 5},
    };
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    for (int i = 1; i <= 5; i++)
        (void)push(&fixture, i, NOON, i);
    for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
        struct names names = {.text = STR_INIT(1000), .stop_after = 100};
        struct matcher matcher;
        assert_int_equal(matcher_init(&matcher, rows[k].type, rows[k].name, rows[k].value, NULL),
                         0);
        row("%s %d %s", rows[k].name, (int)rows[k].type, rows[k].value);
        assert_int_equal(
            store_series(fixture.store, &matcher, 1, NOON, NOON, note_name, &names, NULL), 0);
        assert_int_equal(names.n, rows[k].n);
        matcher_done(&matcher);
        str_done(&names.text);
    }
    fixture_done(&fixture);
}

/* --- damage --- */

static void overwrite(struct fixture *fixture, const char *name, long from, long len)
{
    FILE *file = fopen(scratch_path(&fixture->scratch, name), "r+e");

    assert_non_null(file);
    assert_int_equal(fseek(file, from, SEEK_SET), 0);
    for (long k = 0; k < len; k++)
        assert_int_not_equal(fputc(0xa5, file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void test_a_damaged_day_is_set_aside_and_named(void **state)
{
    struct store_stats stats;
    struct fixture fixture;
    size_t n_warnings;

    fixture_init(&fixture, 15 * DAY);
    push_hours(&fixture, 1, 14);
    store_close(fixture.store);
    overwrite(&fixture, "2023-11-15.db", 0, 4096);
    for (int k = 0; k < 2; k++) { /* and still after another start */
        fixture_open(&fixture);
        store_stats(fixture.store, &stats);
        assert_int_equal(stats.quarantined, 1);
        char *found = read_back(&fixture, 1, NOON + 12 * HOUR, NOON + 12 * HOUR, &n_warnings);
        assert_string_equal(found, "4320@43200000");
        assert_int_equal(n_warnings, 0); /* that day is sound */
        free(found);
        found = read_back(&fixture, 1, NOON, NOON + 1000, &n_warnings);
        assert_string_equal(found, "");
        assert_int_equal(n_warnings, 1);
        free(found);
        store_close(fixture.store);
    }
    fixture_open(&fixture);
    assert_int_equal(push(&fixture, 1, NOON + 7, 1).stored, 1); /* the day begins anew */
    fixture_done(&fixture);
}

static void test_a_damaged_chunk_is_left_out_and_told(void **state)
{
    struct fixture fixture;
    size_t n_warnings;

    fixture_init(&fixture, 15 * DAY);
    push_hours(&fixture, 1, 13);
    store_close(fixture.store);
    /* flip bytes within a chunk, not within SQLite's pages: find it by its first bytes */
    FILE *file = fopen(scratch_path(&fixture.scratch, "2023-11-15.db"), "r+e");
    assert_non_null(file);
    static unsigned char bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof(bytes), file);
    size_t at = 0;
    for (size_t k = 0; k + 20 < n && !at; k++)
        if (bytes[k] == 3 && bytes[k + 9] == 0 && bytes[k + 10] == 0 && bytes[k + 17] == 0 &&
            bytes[k + 18] == 0 && memcmp(&bytes[k + 7], &bytes[k + 15], 2) == 0 &&
            bytes[k + 8] == 1)
            at = k + 24;
    assert_true(at > 0);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_int_not_equal(fputc(bytes[at] ^ 4, file), EOF);
    assert_int_equal(fclose(file), 0);
    fixture_open(&fixture);
    char *found = read_back(&fixture, 1, NOON, NOON + 13 * HOUR, &n_warnings);
    assert_int_equal(n_warnings, 1);
    assert_true(strlen(found) > 1000); /* the rest is there */
    free(found);
    fixture_done(&fixture);
}

static void test_backup_opens_as_a_store(void **state)
{
    struct fixture fixture;
    struct scratch copy;
    struct err err = {0};

    fixture_init(&fixture, 15 * DAY);
    push_hours(&fixture, 1, 14);
    assert_int_equal(scratch_init(&copy), 0);
    if (store_backup(fixture.store, copy.folder, &err) != 0)
        fail_msg("%s", err.text);
    store_close(fixture.store);
    fixture.options.folder = copy.folder;
    fixture_open(&fixture);
    check_hours(&fixture, 1, 14);
    fixture_done(&fixture);
    scratch_done(&copy);
}

/* --- many at once --- */

struct worker {
    struct fixture *fixture;
    pthread_t thread;
    int series;
    atomic_int acked;
    atomic_bool stop;
};

static void *push_many(void *arg)
{
    struct worker *worker = arg;

    for (int k = 0; k < 200; k++) {
        const struct sample sample = {NOON + k, k};
        struct store_outcome outcome;
        if (push_as(worker->fixture, worker->series, &sample, 1, &(struct store_batch){0},
                    &outcome) == 0)
            atomic_store(&worker->acked, k + 1);
    }
    return NULL;
}

static void test_pushers_and_readers_together(void **state)
{
    static struct worker workers[4];
    struct store_stats stats;
    struct fixture fixture;

    fixture_init(&fixture, 15 * DAY);
    for (int i = 0; i < 4; i++) {
        workers[i].fixture = &fixture;
        workers[i].series = i / 2; /* two on each series: one of them is second everywhere */
        atomic_store(&workers[i].acked, 0);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, push_many, &workers[i]), 0);
    }
    for (int k = 0; k < 50; k++) { /* whatever was acknowledged is read */
        int acked = atomic_load(&workers[0].acked);
        char *found = read_back(&fixture, 0, NOON, NOON + 1000, NULL);
        int n = found[0] ? 1 : 0;
        for (const char *at = found; *at; at++)
            n += *at == ' ';
        assert_true(n >= acked);
        free(found);
    }
    for (int i = 0; i < 4; i++)
        (void)pthread_join(workers[i].thread, NULL);
    store_stats(fixture.store, &stats);
    assert_int_equal(stats.samples_stored_total, 400);
    assert_int_equal(stats.samples_duplicate_total, 400);
    assert_true(stats.commits < 800);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_does_not_matter_and_the_first_write_wins),
        cmocka_unit_test(test_a_batch_in_any_order_with_doubles),
        cmocka_unit_test(test_every_bit_is_kept),
        cmocka_unit_test(test_too_old_and_too_new_are_told_apart),
        cmocka_unit_test(test_history_is_as_old_as_the_retention),
        cmocka_unit_test(test_without_retention_any_age_is_taken),
        cmocka_unit_test(test_a_replayed_batch_is_answered_again),
        cmocka_unit_test(test_a_new_series_is_refused_before_an_old_one),
        cmocka_unit_test(test_low_water_refuses_and_keeps),
        cmocka_unit_test(test_sealing_changes_nothing_that_is_read),
        cmocka_unit_test(test_a_late_sample_is_sealed_with_its_day),
        cmocka_unit_test(test_retention_drops_whole_days),
        cmocka_unit_test(test_too_much_room_costs_the_oldest_days),
        cmocka_unit_test(test_series_are_listed_from_memory_and_disk),
        cmocka_unit_test(test_matchers),
        cmocka_unit_test(test_a_damaged_day_is_set_aside_and_named),
        cmocka_unit_test(test_a_damaged_chunk_is_left_out_and_told),
        cmocka_unit_test(test_backup_opens_as_a_store),
        cmocka_unit_test(test_pushers_and_readers_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
