/*
 * What is said of the time left, beside what it was: steps of one length behind a first that took longer.
 */

#include "lib/base/pace.h"
#include "tests/lib/row.h"

enum {
    HOUR = 3600,
    STEPS = 20,
    STEP_MS = 1000,
};

static void test_steps_alike_are_told_to_the_millisecond(void **state)
{
    static const int64_t firsts_ms[] = {1000, 15000};

    for (size_t k = 0; k < sizeof(firsts_ms) / sizeof(*firsts_ms); k++) {
        struct pace pace = {0};
        int64_t end_ms = 500 + firsts_ms[k] + (STEPS - 1) * STEP_MS;
        for (int64_t now_ms = 500; now_ms < end_ms; now_ms += 100) {
            int64_t since_ms = now_ms - 500 - firsts_ms[k];
            int64_t n = since_ms < 0 ? 0 : 1 + since_ms / STEP_MS;
            pace_note(&pace, 7 + n * HOUR, now_ms);
            row("%lld ms, at %lld", (long long)now_ms, (long long)n);
            assert_int_equal(pace_left_ms(&pace, 7 + STEPS * HOUR, now_ms),
                             n < 2 ? PACE_UNKNOWN : end_ms - now_ms);
        }
    }
}

static void test_a_step_that_takes_long_is_not_over(void **state)
{
    struct pace pace = {0};

    for (int64_t i = 0; i < 4; i++)
        pace_note(&pace, i, i * STEP_MS);
    assert_int_equal(pace_left_ms(&pace, 10, 3500), 6500);
    assert_int_equal(pace_left_ms(&pace, 10, 60000), 6000); /* of six steps behind it */
    assert_int_equal(pace_left_ms(&pace, 3, 3000), 0);
    assert_int_equal(pace_left_ms(&pace, 2, 3000), PACE_UNKNOWN); /* it is past it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_alike_are_told_to_the_millisecond),
        cmocka_unit_test(test_a_step_that_takes_long_is_not_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
