/*
 * Lives of one alert, as strings: what each evaluation saw against the state after it.
 *
 *   seen   x true   . false   ? no data   R a restart that missed two evaluations
 *   state  I inactive   P pending   F firing
 */

#include <string.h>

#include "alertd/alert/state.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 60000,
    MINUTE = 60000,
};

static char letter(enum alert_state state)
{
    return "IPF"[state];
}

static const struct {
    const char *name;
    struct alert_timing timing;
    const char *seen, *want;
} rows[] = {
    {"never true", {0}, "...", "III"},
    {"for 0: firing in the same evaluation", {0}, ".xx.", "IFFI"},
    {"for 2m", {.for_ms = 2 * MINUTE}, "xxxx.", "PPFFI"},
    {"for 2m: one false starts the wait again", {.for_ms = 2 * MINUTE}, "xx.xxx", "PPIPPF"},
    {"for between two steps counts to the next", {.for_ms = 90000}, "xxx", "PPF"},
    {"keep firing 2m", {.keep_firing_for_ms = 2 * MINUTE}, "x...x", "FFFIF"},
    {"keep firing: true again clears the wait",
     {.keep_firing_for_ms = 2 * MINUTE},
     "x.x...",
     "FFFFFI"},
    {"pending is not kept", {.for_ms = MINUTE, .keep_firing_for_ms = MINUTE}, "x.", "PI"},
    {"resolved, then true: from the start", {.for_ms = MINUTE}, "xx.xx", "PFIPF"},
    {"no hold: no data is false", {0}, "x?", "FI"},
    {"no data holds a firing alert", {.no_data_hold_ms = 3 * MINUTE}, "x???x.", "FFFFFI"},
    {"no data for longer than the hold", {.no_data_hold_ms = 2 * MINUTE}, "x???", "FFFI"},
    {"no data: a pending alert waits, and does not fire",
     {.for_ms = MINUTE, .no_data_hold_ms = 5 * MINUTE},
     "x??x",
     "PPPF"},
    {"no data starts nothing", {.no_data_hold_ms = 2 * MINUTE}, "??", "II"},
    {"the hold starts anew after data", {.no_data_hold_ms = 2 * MINUTE}, "x?x??.", "FFFFFI"},
    {"a restart does not count toward for", {.for_ms = 3 * MINUTE}, "xxRxx", "PPPPF"},
    {"a restart does not end a firing alert", {0}, "xRx.", "FFFI"},
    {"a restart does not use up keep firing",
     {.keep_firing_for_ms = 3 * MINUTE},
     "x.R...",
     "FFFFFI"},
};

static void test_lives(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct alert alert = ALERT_INIT;
        char got[16] = {0};
        int64_t now_ms = 0;

        row("%s", rows[i].name);
        for (size_t at = 0; rows[i].seen[at]; at++) {
            char seen = rows[i].seen[at];

            if (seen == 'R') {
                alert_skip(&alert, 2 * STEP_MS);
                now_ms += 2 * STEP_MS;
                got[at] = letter(alert.state);
                continue;
            }
            enum alert_state before = alert.state;
            bool changed = alert_step(&alert, &rows[i].timing,
                                      seen == 'x'   ? ALERT_SEEN_TRUE
                                      : seen == '?' ? ALERT_SEEN_NO_DATA
                                                    : ALERT_SEEN_FALSE,
                                      now_ms);
            assert_int_equal(changed, before != alert.state);
            got[at] = letter(alert.state);
            now_ms += STEP_MS;
        }
        assert_string_equal(got, rows[i].want);
    }
}

static void test_times_of_a_life(void **state)
{
    static const struct alert_timing timing = {.for_ms = MINUTE, .keep_firing_for_ms = MINUTE};
    struct alert alert = ALERT_INIT;

    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, 0);
    assert_int_equal(alert.active_at_ms, 0);
    assert_true(alert.fired_at_ms == ALERT_NEVER);
    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, MINUTE);
    assert_int_equal(alert.fired_at_ms, MINUTE);
    (void)alert_step(&alert, &timing, ALERT_SEEN_FALSE, 2 * MINUTE);
    assert_int_equal(alert.keep_firing_since_ms, 2 * MINUTE);
    assert_true(alert.resolved_at_ms == ALERT_NEVER);
    (void)alert_step(&alert, &timing, ALERT_SEEN_FALSE, 3 * MINUTE);
    assert_int_equal(alert.resolved_at_ms, 3 * MINUTE);
    assert_int_equal(alert.fired_at_ms, MINUTE);

    int64_t kept = 3 * MINUTE + ALERT_RESOLVED_KEPT_MS;
    assert_false(alert_is_forgotten(&alert, kept));
    assert_true(alert_is_forgotten(&alert, kept + 1));
}

static void test_a_longer_for_takes_a_firing_alert_back(void **state)
{
    struct alert_timing timing = {.for_ms = MINUTE};
    struct alert alert = ALERT_INIT;

    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, 0);
    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, MINUTE);
    assert_int_equal(alert.state, ALERT_FIRING);
    timing.for_ms = 5 * MINUTE;
    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, 2 * MINUTE);
    assert_int_equal(alert.state, ALERT_PENDING);
    assert_int_equal(alert.active_at_ms, 0);
    assert_true(alert.fired_at_ms == ALERT_NEVER);
    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, 5 * MINUTE);
    assert_int_equal(alert.state, ALERT_FIRING);
}

/* It stood firing for less than `for` of the new clock's time: that is no reason to take it back. */
static void test_a_clock_that_is_set_back_ends_no_alert(void **state)
{
    const struct alert_timing timing = {.for_ms = 10 * MINUTE};
    static const int64_t back_to[] = {105 * MINUTE, 100 * MINUTE, 50 * MINUTE, -MINUTE};

    for (size_t i = 0; i < sizeof(back_to) / sizeof(*back_to); i++) {
        struct alert alert = ALERT_INIT;

        row("back to %lld ms", (long long)back_to[i]);
        (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, 100 * MINUTE);
        (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, 110 * MINUTE);
        assert_int_equal(alert.state, ALERT_FIRING);
        assert_false(alert_step(&alert, &timing, ALERT_SEEN_TRUE, back_to[i]));
        assert_int_equal(alert.state, ALERT_FIRING);
        assert_int_equal(alert.fired_at_ms, back_to[i]);
        assert_false(alert_step(&alert, &timing, ALERT_SEEN_TRUE, back_to[i] + MINUTE));
        assert_true(alert_step(&alert, &timing, ALERT_SEEN_FALSE, back_to[i] + 2 * MINUTE));
    }
}

/* 30 s back every 10 s: what is told of each step waits its `for` all the same. */
static void test_a_clock_that_keeps_going_back(void **state)
{
    const struct alert_timing timing = {.for_ms = MINUTE};
    struct alert alert = ALERT_INIT;
    int64_t now_ms = 100 * MINUTE;
    size_t steps = 0;

    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, now_ms);
    while (alert.state == ALERT_PENDING && steps < 20) {
        now_ms += 10000 - 30000;
        alert_skip(&alert, -30000);
        (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, now_ms);
        steps++;
    }
    assert_int_equal(steps, 6);
}

static void test_a_clock_that_is_set_back(void **state)
{
    const struct alert_timing timing = {.for_ms = 2 * MINUTE};
    struct alert alert = ALERT_INIT;

    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, 1000 * MINUTE);
    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, 10 * MINUTE);
    assert_int_equal(alert.state, ALERT_PENDING);
    assert_int_equal(alert.active_at_ms, 10 * MINUTE);
    (void)alert_step(&alert, &timing, ALERT_SEEN_TRUE, 12 * MINUTE);
    assert_int_equal(alert.state, ALERT_FIRING);
    (void)alert_step(&alert, &timing, ALERT_SEEN_FALSE, 13 * MINUTE);
    (void)alert_step(&alert, &timing, ALERT_SEEN_FALSE, MINUTE);
    assert_false(alert_is_forgotten(&alert, MINUTE + ALERT_RESOLVED_KEPT_MS));
    assert_true(alert_is_forgotten(&alert, MINUTE + ALERT_RESOLVED_KEPT_MS + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives),
        cmocka_unit_test(test_times_of_a_life),
        cmocka_unit_test(test_a_clock_that_is_set_back),
        cmocka_unit_test(test_a_clock_that_is_set_back_ends_no_alert),
        cmocka_unit_test(test_a_clock_that_keeps_going_back),
        cmocka_unit_test(test_a_longer_for_takes_a_firing_alert_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
