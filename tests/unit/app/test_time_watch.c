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

/* Looks of one process; what is left out between two of them is nobody's time. */
static const struct {
    const char *name;
    struct {
        int64_t wall_ms, mono_ms;
    } looks[LOOKS_MAX];
    int64_t want_ms; /* away in all */
} aways[] = {
    {"all is well",
     {{0, 0}, {500, 500}, {1000, 1000}, {1500, 1500}, {2000, 2000}, {2500, 2500}},
     0},
    {"a busy machine: looks come late, but come",
     {{0, 0}, {500, 500}, {1000, 1000}, {10500, 10500}, {20000, 20000}, {29999, 29999}},
     0},
    {"the process stood still",
     {{0, 0}, {500, 500}, {1000, 1000}, {43000, 43000}, {43500, 43500}, {44000, 44000}},
     42000},
    {"the machine was suspended: only one of the clocks went",
     {{0, 0},
      {500, 500},
      {1000, 1000},
      {HOUR + 1500, 1500},
      {HOUR + 2000, 2000},
      {HOUR + 2500, 2500}},
     HOUR},
    {"set an hour ahead, and back",
     {{0, 0}, {500, 500}, {1000, 1000}, {HOUR + 1500, 1500}, {HOUR + 1600, 1600}, {2000, 2000}},
     0},
    {"set while it stood still",
     {{0, 0},
      {500, 500},
      {1000, 1000},
      {HOUR + 21000, 21000},
      {HOUR + 21500, 21500},
      {HOUR + 22000, 22000}},
     HOUR + 20000},
    {"two looks in the same moment learn nothing of a pace",
     {{0, 0}, {9, 0}, {500, 500}, {501, 500}, {1000, 1000}, {1500, 1500}},
     0},
    {"set between two looks of one millisecond, two groups' turns",
     {{0, 0}, {500, 500}, {1000, 1000}, {1500, 1500}, {HOUR + 1500, 1500}, {HOUR + 2000, 2000}},
     HOUR},
    {"a clock that goes 4,320 times as fast, on a busy machine",
     {{0, 0},
      {500 * 4320, 500},
      {1000 * 4320, 1000},
      {1003 * 4320, 1001},
      {5000 * 4320, 4998},
      {9000 * 4320, 9000}},
     0},
};

static void test_aways(void **state)
{
    for (size_t i = 0; i < sizeof(aways) / sizeof(*aways); i++) {
        struct time_away away = {0};
        int64_t total_ms = 0;

        row("%s", aways[i].name);
        for (size_t at = 0; at < LOOKS_MAX; at++)
            total_ms = time_away_look(&away, aways[i].looks[at].wall_ms,
                                      7777 + aways[i].looks[at].mono_ms);
        assert_int_equal(total_ms, aways[i].want_ms);
    }
}

/* An hour ahead between the first two looks is told by the third, and not before. */
static void test_sure(void **state)
{
    static const struct {
        int64_t wall_ms, mono_ms, away_ms;
        bool is_sure;
    } looks[] = {{0, 0, 0, false},
                 {HOUR + 100, 100, 0, false},
                 {HOUR + 300, 300, 0, false},
                 {HOUR + 400, 400, 0, false},
                 {HOUR + 600, 600, HOUR, true}};
    struct time_away away = {0};

    assert_false(time_away_is_sure(&away));
    for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
        row("look %zu", i);
        assert_int_equal(time_away_look(&away, looks[i].wall_ms, looks[i].mono_ms),
                         looks[i].away_ms);
        assert_int_equal(time_away_is_sure(&away), looks[i].is_sure);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_aways),
        cmocka_unit_test(test_sure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
