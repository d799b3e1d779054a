/*
 * How fast one integration may be told: never more than the buckets hold and take in, and
 * everything in the end.
 */

#include "alertd/incident/pace.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

static const struct pace_limits usual = {PACE_PER_SECOND, PACE_PER_MINUTE};

static void test_as_they_come(void **state)
{
    /* when one is wanted -> how long until it may go, how many go singly then */
    static const struct {
        int64_t at_ms, wait_ms;
        size_t singly;
    } rows[] = {
        {1000, 0, 20}, {1000, 0, 19},   {1000, 501, 18},
        {1501, 0, 18}, {1501, 500, 17}, {61501, 0, 20},
    };
    struct pace pace = {0};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct pace_room room = pace_look(&pace, &usual, rows[i].at_ms);

        if (room.wait_ms != rows[i].wait_ms || room.singly != rows[i].singly)
            fail_msg("row %zu: wait %d, singly %zu", i, (int)room.wait_ms, room.singly);
        if (room.wait_ms == 0)
            pace_take(&pace, &usual, rows[i].at_ms);
    }
}

static void test_without_limits(void **state)
{
    static const struct pace_limits none = {0, 0};
    static const struct pace_limits never_folded = {PACE_PER_SECOND, 0};
    struct pace pace = {0};

    for (size_t i = 0; i < 1000; i++) {
        struct pace_room room = pace_look(&pace, &none, 5);

        assert_int_equal(room.wait_ms, 0);
        assert_true(room.singly == SIZE_MAX);
        pace_take(&pace, &none, 5);
    }
    pace = (struct pace){0};
    assert_true(pace_look(&pace, &never_folded, 5).singly == SIZE_MAX);
}

/* Whoever waits as long as told is let through then, and no window holds more than it may. */
static void test_any_hour(void **state)
{
    enum {
        N = 2000
    };
    static int64_t taken_ms[N];
    struct rng rng = {.state = 7};
    struct pace pace = {0};
    int64_t now_ms = 1;

    for (size_t n = 0; n < N;) {
        struct pace_room room = pace_look(&pace, &usual, now_ms);

        if (room.wait_ms > 0) {
            now_ms += room.wait_ms;
            room = pace_look(&pace, &usual, now_ms);
            assert_int_equal(room.wait_ms, 0);
        }
        pace_take(&pace, &usual, now_ms);
        taken_ms[n++] = now_ms;
        if (rng_below(&rng, 10) == 0)
            now_ms += (int64_t)rng_below(&rng, 100000);
    }
    for (size_t from = 0; from < N; from++)
        for (size_t to = from; to < N && to < from + 200; to++) {
            double span_ms = (double)(taken_ms[to] - taken_ms[from]);
            double n = (double)(to - from + 1);

            assert_true(n <= PACE_PER_SECOND * (1 + span_ms / 1000) + 1e-6);
            assert_true(n <= PACE_PER_MINUTE * (1 + span_ms / 60000) + 1e-6);
        }
}

/* A clock that stands still lets nobody through by itself. */
static void test_no_time_passes(void **state)
{
    struct pace pace = {0};

    for (size_t i = 0; i < PACE_PER_SECOND; i++) {
        assert_int_equal(pace_look(&pace, &usual, 1000).wait_ms, 0);
        pace_take(&pace, &usual, 1000);
    }
    assert_true(pace_look(&pace, &usual, 1000).wait_ms > 0);
    assert_true(pace_look(&pace, &usual, 500).wait_ms > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_they_come),
        cmocka_unit_test(test_without_limits),
        cmocka_unit_test(test_any_hour),
        cmocka_unit_test(test_no_time_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
