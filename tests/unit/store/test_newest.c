/*
 * What a selector at an instant sees: the newest sample of a time, wherever it lies, in memory
 * or sealed, and whatever came later.
 */

#include "tests/unit/store/store_fixture.h"

int64_t fixture_now_ms;

/* "1@0": what a selector at an instant sees, the newest of series 1 within [from, to]. */
static char *newest(struct fixture *fixture, int64_t from_ms, int64_t to_ms)
{
    const struct source source = store_source(fixture->store);
    struct source_result result;
    struct matcher matcher;
    ARENA_AUTO struct arena arena;
    struct str text = STR_INIT(100);

    arena_init(&arena, 1 << 20);
    assert_int_equal(matcher_init(&matcher, MATCHER_EQUAL, LABEL_NAME, "m", NULL), 0);
    assert_int_equal(
        source_read_all(&source,
                        &(struct source_query){&matcher, 1, NOON + from_ms, NOON + to_ms, true},
                        1000, &arena, &result, NULL),
        0);
    matcher_done(&matcher);
    if (result.n == 0)
        return mem_strdup("none");
    const struct source_series *series = &result.series[0];
    str_addf(&text, "%g@%lld", series->values[series->n - 1],
             (long long)(series->t_ms[series->n - 1] - NOON));
    return str_take(&text);
}

static void expect_newest(struct fixture *fixture, int64_t from_ms, int64_t to_ms, const char *text)
{
    char *found = newest(fixture, from_ms, to_ms);

    assert_string_equal(found, text);
    free(found);
}

static void test_the_newest_sample_is_not_the_last_that_came(void **state)
{
    struct fixture fixture;
    int64_t last_ms = 30 * HOUR - 10000; /* of push_hours(), number 10799 */

    fixture_init(&fixture, 15 * DAY);
    push_hours(&fixture, 1, 30);
    fixture_now_ms = NOON + 30 * HOUR;
    assert_int_equal(store_maintain(fixture.store, fixture_now_ms + 3 * HOUR, NULL), 0);
    for (int i = 0; i < 20; i++)
        (void)store_maintain(fixture.store, fixture_now_ms + 3 * HOUR, NULL);
    row("all is sealed");
    expect_newest(&fixture, last_ms - 1000, last_ms + 5000, "10799@107990000");
    row("then an older one comes: a spool is drained");
    assert_int_equal(push(&fixture, 1, NOON + 29 * HOUR + 5, 7).stored, 1);
    expect_newest(&fixture, last_ms - 1000, last_ms + 5000, "10799@107990000");
    expect_newest(&fixture, 29 * HOUR + 1, 29 * HOUR + 6, "7@104400005");
    row("looking back at an instant between what memory has");
    assert_int_equal(push(&fixture, 1, NOON + last_ms + 20000, 8).stored, 1);
    expect_newest(&fixture, last_ms - 1000, last_ms + 5000, "10799@107990000");
    expect_newest(&fixture, last_ms - 1000, last_ms + 50000, "8@108010000");
    row("and after a restart");
    fixture_reopen(&fixture);
    expect_newest(&fixture, last_ms - 1000, last_ms + 5000, "10799@107990000");
    expect_newest(&fixture, last_ms - 1000, last_ms + 50000, "8@108010000");
    expect_newest(&fixture, 2 * HOUR, 2 * HOUR + 5000, "720@7200000");
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_sample_is_not_the_last_that_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
