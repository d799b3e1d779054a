/*
 * What was acknowledged waits, in order, until nobody wants it any more: over sealing, closing
 * and the end of the day.
 */

#include <errno.h>

#include "alertd/store/outbound.h"
#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

static void begin(struct fixture *fixture, bool keeps)
{
    fixture_init(fixture, 30 * DAY);
    store_close(fixture->store);
    fixture->options.keeps_outbound = keeps;
    fixture_open(fixture);
}

static void end(struct fixture *fixture)
{
    store_close(fixture->store);
    scratch_done(&fixture->scratch);
}

/* Everything that lies in the journal goes to chunks. */
static void seal(struct fixture *fixture)
{
    fixture_now_ms += 3 * HOUR;
    assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0);
    for (int k = 0; k < 20; k++) /* a slice goes before each */
        assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0);
}

struct heard {
    char text[2000];
    size_t n;
};

static void hear(void *arg, const struct labels *labels, struct sample sample)
{
    struct heard *heard = arg;
    size_t len = strlen(heard->text);

    assert_true(labels->n > 0);
    (void)snprintf(heard->text + len, sizeof(heard->text) - len, "%g ", sample.value);
    heard->n++;
}

/* The values of all rows of a day behind `after`, in order. */
static struct heard hear_all(struct fixture *fixture, int64_t day_ms, int64_t after)
{
    struct heard heard = {0};
    struct store_outbound_query query = {{day_ms, after}, 0, SIZE_MAX, hear, &heard};
    struct store_outbound_row row;

    while (store_outbound_read(fixture->store, &query, &row, NULL) == 0) {
        assert_true(row.number > query.after.last_row);
        assert_false(row.is_damaged);
        query.after.last_row = row.number;
    }
    return heard;
}

static int64_t last_row(struct fixture *fixture, int64_t day_ms)
{
    size_t n;
    struct store_outbound_day *days = store_outbound_days(fixture->store, &n);
    int64_t last = -1;

    for (size_t i = 0; i < n; i++)
        if (days[i].day_ms == day_ms)
            last = days[i].last_row;
    free(days);
    return last;
}

static void push_some(struct fixture *fixture, int from, int n)
{
    for (int k = from; k < from + n; k++) {
        fixture_now_ms += 1000;
        assert_int_equal(push(fixture, k % 3, fixture_now_ms, k).stored, 1);
    }
}

#define TODAY (NOON - 12 * HOUR)

static void test_rows_stay_in_order_over_sealing_and_a_restart(void **state)
{
    struct fixture fixture;

    begin(&fixture, true);
    push_some(&fixture, 0, 5);
    assert_string_equal(hear_all(&fixture, TODAY, 0).text, "0 1 2 3 4 ");
    seal(&fixture);
    push_some(&fixture, 5, 3);
    assert_string_equal(hear_all(&fixture, TODAY, 0).text, "0 1 2 3 4 5 6 7 ");
    fixture_reopen(&fixture);
    assert_string_equal(hear_all(&fixture, TODAY, 0).text, "0 1 2 3 4 5 6 7 ");
    assert_string_equal(hear_all(&fixture, TODAY, 6).text, "6 7 ");
    seal(&fixture);
    assert_string_equal(hear_all(&fixture, TODAY, 2).text, "2 3 4 5 6 7 ");
    end(&fixture);
}

static void test_what_is_not_wanted_goes_and_its_number_does_not_come_again(void **state)
{
    struct fixture fixture;
    struct store_outbound_row row;

    begin(&fixture, true);
    push_some(&fixture, 0, 6);
    store_outbound_hold(fixture.store, &(struct store_outbound_day){TODAY, 4});
    seal(&fixture);
    assert_string_equal(hear_all(&fixture, TODAY, 0).text, "4 5 ");
    store_outbound_hold(fixture.store, &(struct store_outbound_day){TODAY, 6});
    seal(&fixture);
    fixture_reopen(&fixture);
    assert_int_equal(last_row(&fixture, TODAY), 6);
    store_outbound_hold(fixture.store, &(struct store_outbound_day){TODAY, 6});
    push_some(&fixture, 6, 1);
    assert_int_equal(last_row(&fixture, TODAY), 7);
    assert_int_equal(
        store_outbound_read(fixture.store, &(struct store_outbound_query){{TODAY, 7}}, &row, NULL),
        -ENOENT);
    end(&fixture);
}

static void test_nothing_is_kept_when_nobody_asks(void **state)
{
    struct fixture fixture;

    begin(&fixture, false);
    push_some(&fixture, 0, 6);
    seal(&fixture);
    assert_int_equal(hear_all(&fixture, TODAY, 0).n, 0);
    fixture_reopen(&fixture);
    push_some(&fixture, 6, 1);
    assert_int_equal(last_row(&fixture, TODAY), 7); /* numbers go on all the same */
    end(&fixture);
}

static void test_a_part_of_a_row(void **state)
{
    struct fixture fixture;
    struct store_outcome outcome;
    struct sample samples[10];
    struct heard heard = {0};
    struct store_outbound_row row;

    begin(&fixture, true);
    for (int i = 0; i < 10; i++)
        samples[i] = (struct sample){NOON + i, i};
    assert_int_equal(push_as(&fixture, 0, samples, 10, &(struct store_batch){0}, &outcome), 0);
    assert_int_equal(
        store_outbound_read(fixture.store,
                            &(struct store_outbound_query){{TODAY, 0}, 3, 4, hear, &heard}, &row,
                            NULL),
        0);
    assert_string_equal(heard.text, "3 4 5 6 ");
    assert_int_equal(row.n_samples, 10);
    end(&fixture);
}

static void test_an_import_is_told_apart(void **state)
{
    struct fixture fixture;
    struct store_outbound_row row;
    struct store_outcome outcome;
    struct sample old = {NOON - 2 * DAY, 1};

    begin(&fixture, true);
    assert_int_equal(
        push_as(&fixture, 0, &old, 1, &(struct store_batch){.history = true}, &outcome), 0);
    push_some(&fixture, 0, 1);
    assert_int_equal(store_outbound_read(fixture.store,
                                         &(struct store_outbound_query){{TODAY - 2 * DAY, 0}}, &row,
                                         NULL),
                     0);
    assert_true(row.is_history);
    assert_int_equal(row.n_samples, 1);
    assert_int_equal(
        store_outbound_read(fixture.store, &(struct store_outbound_query){{TODAY, 0}}, &row, NULL),
        0);
    assert_false(row.is_history);
    fixture_reopen(&fixture); /* and is read back like any other */
    assert_true(hear_all(&fixture, TODAY - 2 * DAY, 0).n == 1);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_stay_in_order_over_sealing_and_a_restart),
        cmocka_unit_test(test_what_is_not_wanted_goes_and_its_number_does_not_come_again),
        cmocka_unit_test(test_nothing_is_kept_when_nobody_asks),
        cmocka_unit_test(test_a_part_of_a_row),
        cmocka_unit_test(test_an_import_is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
