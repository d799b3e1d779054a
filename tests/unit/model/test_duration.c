/*
 * Durations as Prometheus reads and prints them.
 */

#include <string.h>

#include "lib/model/duration.h"
#include "tests/lib/row.h"

static const struct {
    const char *text;
    int64_t ms;
    const char *printed;
    const char *human;
} good[] = {
    {"0", 0, "0s", "0 ms"},
    {"5m", 300000, "5m", "5 min"},
    {"1h30m", 5400000, "1h30m", "1 h 30 min"},
    {"90m", 5400000, "1h30m", "1 h 30 min"},
    {"1d", 86400000, "1d", "1 d"},
    {"7d", 604800000, "1w", "7 d"},
    {"1y", 31536000000, "1y", "365 d"},
    {"250ms", 250, "250ms", "250 ms"},
    {"1m1s1ms", 61001, "1m1s1ms", "1 min 1 s"},
};

static void test_good(void **state)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char text[DURATION_TEXT_MAX];
        int64_t ms = -1;

        row("%s", good[i].text);
        assert_int_equal(duration_parse(good[i].text, strlen(good[i].text), &ms), 0);
        assert_int_equal(ms, good[i].ms);
        assert_string_equal(duration_print(ms, text), good[i].printed);
        assert_string_equal(duration_human(ms, text), good[i].human);
    }
}

static void test_bad(void **state)
{
    static const char *const bad[] = {"",    "5",    "m",   "1m1h", "1m1m",
                                      "-1m", "1.5h", "1 m", "1M",   "99999999999999999999y"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms;

        row("'%s' is no duration", bad[i]);
        assert_true(duration_parse(bad[i], strlen(bad[i]), &ms) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
