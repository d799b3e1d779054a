/*
 * Looks at two clocks, and the jumps found between them.
 */

#include "alertd/app/time_watch.h"
#include "tests/lib/row.h"

enum {
    LOOKS_MAX = 6,
    SECOND = 1000,
    HOUR = 3600 * SECOND,
};

static const struct {
    const char *name;
    int64_t wall_ms[LOOKS_MAX]; /* five seconds apart by the monotonic clock */
    int64_t jumps_ms[LOOKS_MAX];
} rows[] = {
    {"nothing is wrong", {0, 5000, 10000, 15000, 20000, 25000}, {0}},
    {"slewed, and late", {0, 5400, 9900, 15800, 20000, 26900}, {0}},
    {"an hour ahead, and back",
     {0, 5000, HOUR + 10000, HOUR + 15000, 20000, 25000},
     {0, 0, HOUR, 0, -HOUR, 0}},
    {"back again and again",
     {100000, 105000, 80000, 85000, 60000, 65000},
     {0, 0, -30000, 0, -30000, 0}},
    {"ahead in the first five seconds",
     {0, HOUR + 5000, HOUR + 10000, HOUR + 15000, HOUR + 20000, HOUR + 25000},
     {0, 0, HOUR, 0, 0, 0}},
    {"back in the first five seconds",
     {2 * HOUR, HOUR + 5000, HOUR + 10000, HOUR + 15000, HOUR + 20000, HOUR + 25000},
     {0, -HOUR, 0, 0, 0, 0}},
    {"a clock that goes 720 times as fast",
     {0, HOUR, 2 * HOUR, 3 * HOUR + 99, 4 * HOUR, 5 * HOUR},
     {0}},
};

static void test_jumps(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct time_watch watch = {0};

        row("%s", rows[i].name);
        for (size_t at = 0; at < LOOKS_MAX; at++)
            assert_int_equal(
                time_watch_look(&watch, rows[i].wall_ms[at], 7777 + 5000 * (int64_t)at),
                rows[i].jumps_ms[at]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jumps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
