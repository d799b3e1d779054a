/*
 * What waits for a target: order over midnight, parts of rows, the bound, days that go.
 */

#include "alertd/forward/queue.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

struct setup {
    struct fixture fixture;
    struct forward_config config;
    atomic_bool stopping;
    struct queue queue;
};

static void begin(struct setup *setup, size_t per_send, uint64_t bytes)
{
    *setup = (struct setup){0};
    fixture_init(&setup->fixture, 30 * DAY);
    store_close(setup->fixture.store);
    setup->fixture.options.keeps_outbound = true;
    fixture_open(&setup->fixture);
    setup->config.max_samples_per_send = per_send;
    setup->config.queue_bytes = bytes;
    setup->queue.store = setup->fixture.store;
    setup->queue.config = &setup->config;
    setup->queue.stopping = &setup->stopping;
}

static void end(struct setup *setup)
{
    queue_done(&setup->queue);
    fixture_done(&setup->fixture);
}

/* Batch after batch: "0 1 2|3 4|". */
static void expect_batches(struct setup *setup, const char *expect)
{
    STR_AUTO struct str text = STR_INIT(10000);

    for (;;) {
        assert_int_equal(queue_refresh(&setup->queue, NULL), 0);
        assert_int_equal(queue_fill(&setup->queue, NULL), 0);
        if (setup->queue.n == 0)
            break;
        for (size_t i = 0; i < setup->queue.n; i++)
            str_addf(&text, "%s%g", i ? " " : "", setup->queue.batch[i].sample.value);
        str_add(&text, "|");
        queue_settle(&setup->queue);
    }
    assert_string_equal(str_text(&text), expect);
    assert_int_equal(setup->queue.stats.samples, 0);
    assert_int_equal(setup->queue.stats.bytes, 0);
}

static void push_many(struct setup *setup, int series, int64_t t_ms, int from, int n)
{
    struct sample samples[200];
    struct store_outcome outcome;

    for (int i = 0; i < n; i++)
        samples[i] = (struct sample){t_ms + i, from + i};
    assert_int_equal(
        push_as(&setup->fixture, series, samples, (size_t)n, &(struct store_batch){0}, &outcome),
        0);
}

static void test_days_and_rows_go_oldest_first_in_parts(void **state)
{
    struct setup setup;

    begin(&setup, 3, 1 << 30);
    push_many(&setup, 0, NOON, 0, 7);
    fixture_now_ms = NOON + 13 * HOUR;
    push_many(&setup, 0, NOON + 13 * HOUR, 20, 2); /* the next day */
    push_many(&setup, 0, NOON + 1000, 10, 2);      /* late, of the day before */
    expect_batches(&setup, "0 1 2|3 4 5|6 10 11|20 21|");
    push_many(&setup, 1, NOON + 13 * HOUR, 30, 1);
    expect_batches(&setup, "30|");
    end(&setup);
}

static void test_what_is_not_settled_comes_again(void **state)
{
    struct setup setup;

    begin(&setup, 4, 1 << 30);
    push_many(&setup, 0, NOON, 0, 6);
    assert_int_equal(queue_refresh(&setup.queue, NULL), 0);
    assert_int_equal(setup.queue.stats.samples, 6);
    assert_int_equal(queue_fill(&setup.queue, NULL), 0);
    assert_int_equal(setup.queue.n, 4);
    assert_int_equal(cursor_find(&setup.queue.cursor, NOON - 12 * HOUR)->row, 0);
    assert_int_equal(cursor_find(&setup.queue.cursor, NOON - 12 * HOUR)->samples, 0);
    queue_settle(&setup.queue);
    assert_int_equal(cursor_find(&setup.queue.cursor, NOON - 12 * HOUR)->samples, 4);

    struct cursor saved = {0}; /* as after a kill: from the cursor */
    cursor_copy(&saved, &setup.queue.cursor);
    queue_done(&setup.queue);
    setup.queue = (struct queue){.store = setup.fixture.store,
                                 .config = &setup.config,
                                 .stopping = &setup.stopping,
                                 .cursor = saved};
    cursor_copy(&setup.queue.next, &setup.queue.cursor);
    expect_batches(&setup, "4 5|");
    end(&setup);
}

static void test_a_new_target_begins_now(void **state)
{
    struct setup setup;

    begin(&setup, 10, 1 << 30);
    push_many(&setup, 0, NOON, 0, 3);
    queue_begin_now(&setup.queue);
    push_many(&setup, 0, NOON + 100, 50, 2);
    expect_batches(&setup, "50 51|");
    end(&setup);
}

static void test_over_the_bound_the_oldest_go(void **state)
{
    struct setup setup;

    begin(&setup, 10, 5000);
    for (int i = 0; i < 10; i++)
        push_many(&setup, 0, NOON + i * 1000, 100 * i, 100); /* about 1,000 bytes each */
    assert_int_equal(queue_refresh(&setup.queue, NULL), 0);
    assert_true(setup.queue.stats.bytes <= 5000);
    assert_true(setup.queue.stats.dropped_full > 0);
    assert_int_equal(setup.queue.stats.dropped_full + setup.queue.stats.samples, 1000);
    assert_int_equal(queue_fill(&setup.queue, NULL), 0);
    assert_true(setup.queue.batch[0].sample.value ==
                (double)setup.queue.stats.dropped_full); /* and what is left begins right behind */

    /* the batch at hand is the oldest then */
    for (int i = 10; i < 14; i++)
        push_many(&setup, 0, NOON + i * 1000, 100 * i, 100);
    assert_int_equal(queue_refresh(&setup.queue, NULL), 0);
    assert_int_equal(setup.queue.n, 0);
    assert_true(setup.queue.stats.bytes <= 5000);
    assert_int_equal(queue_fill(&setup.queue, NULL), 0);
    assert_true(setup.queue.batch[0].sample.value == (double)setup.queue.stats.dropped_full);
    end(&setup);
}

static void test_a_day_that_goes_takes_what_waits_along_and_is_counted(void **state)
{
    struct setup setup;

    begin(&setup, 10, 1 << 30);
    push_many(&setup, 0, NOON, 0, 5);
    assert_int_equal(queue_refresh(&setup.queue, NULL), 0);
    assert_int_equal(setup.queue.stats.samples, 5);
    fixture_now_ms = NOON + 40 * DAY;
    for (int k = 0; k < 20; k++)
        assert_int_equal(store_maintain(setup.fixture.store, fixture_now_ms, NULL), 0);
    push_many(&setup, 0, fixture_now_ms, 7, 1);
    expect_batches(&setup, "7|");
    assert_int_equal(setup.queue.stats.dropped_retention, 5);
    assert_int_equal(setup.queue.cursor.n, 1);
    end(&setup);
}

static void test_a_day_that_began_anew_is_read_from_its_beginning(void **state)
{
    struct setup setup;

    begin(&setup, 10, 1 << 30);
    push_many(&setup, 0, NOON, 0, 2);
    cursor_at(&setup.queue.cursor, NOON - 12 * HOUR)->row = 500;
    cursor_copy(&setup.queue.next, &setup.queue.cursor);
    expect_batches(&setup, "0 1|");
    end(&setup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_and_rows_go_oldest_first_in_parts),
        cmocka_unit_test(test_what_is_not_settled_comes_again),
        cmocka_unit_test(test_a_new_target_begins_now),
        cmocka_unit_test(test_over_the_bound_the_oldest_go),
        cmocka_unit_test(test_a_day_that_goes_takes_what_waits_along_and_is_counted),
        cmocka_unit_test(test_a_day_that_began_anew_is_read_from_its_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
