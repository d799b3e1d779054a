/*
 * What is due when: runs as a line of time, one character per 100 ms.
 */

#include <string.h>

#include "agent/schedule.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 100
};

/* Plays `steps` steps; every run takes run_ms. '|' where a run starts, '-' while it goes. */
static void play(struct schedule *schedule, size_t watched, int steps, int64_t run_ms, char *line)
{
    int64_t ends_ms[8] = {0};

    for (int step = 0; step < steps; step++) {
        int64_t now_ms = (int64_t)step * STEP_MS;
        bool started = false;
        size_t i;

        for (i = 0; i < schedule->n; i++)
            if (schedule->entries[i].is_running && ends_ms[i] <= now_ms)
                schedule_finish(schedule, i);
        while (schedule_take(schedule, now_ms, &i)) {
            ends_ms[i] = now_ms + run_ms;
            started = started || i == watched;
        }
        line[step] = started ? '|' : schedule->entries[watched].is_running ? '-' : '.';
    }
    line[steps] = '\0';
}

static void test_lives(void **state)
{
    static const struct {
        const char *name;
        int64_t interval_ms, run_ms;
        uint64_t hash; /* modulo the interval it is the phase */
        const char *expect;
        uint64_t n_skipped;
    } rows[] = {
        {"at once, then on the grid", 500, 100, 0, "|....|....|....|", 0},
        {"the phase shifts the grid", 500, 100, 300, "|..|....|....|..", 0},
        {"a point too near to the first run is left out", 500, 100, 100, "|.....|....|....", 0},
        {"a run that fills the interval follows itself", 300, 300, 0, "|--|--|--|--|--|", 0},
        {"a run longer than the interval skips, and keeps the grid", 300, 400, 0,
         "|---..|---..|---", 3},
        {"as often as steps", 100, 50, 0, "||||||||||||||||", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct schedule schedule;
        struct rng rng = {1};
        char line[20];

        row("%s", rows[i].name);
        schedule_init(&schedule, 1);
        schedule_set(&schedule, 0, rows[i].interval_ms, rows[i].hash, &rng, 0);
        schedule.entries[0].due_ms = 0; /* the spread of the first run has its own test */
        play(&schedule, 0, 16, rows[i].run_ms, line);
        assert_string_equal(line, rows[i].expect);
        assert_int_equal(schedule.entries[0].n_skipped, rows[i].n_skipped);
        schedule_done(&schedule);
    }
}

static void test_the_first_runs_are_spread(void **state)
{
    struct schedule schedule;
    struct rng rng = {42};
    int64_t first_ms = INT64_MAX;
    int64_t last_ms = 0;

    schedule_init(&schedule, 100);
    for (size_t i = 0; i < 100; i++) {
        schedule_set(&schedule, i, 3600000, i * 7919, &rng, 5000);
        int64_t due_ms = schedule.entries[i].due_ms;

        assert_in_range(due_ms, 5000, 5000 + SCHEDULE_SPREAD_MS - 1);
        first_ms = due_ms < first_ms ? due_ms : first_ms;
        last_ms = due_ms > last_ms ? due_ms : last_ms;
    }
    assert_true(last_ms - first_ms > SCHEDULE_SPREAD_MS / 2);
    assert_int_equal(schedule_next_ms(&schedule), first_ms);
    schedule_done(&schedule);
}

static void test_one_that_hangs_holds_up_nobody(void **state)
{
    struct schedule schedule;
    struct rng rng = {1};
    size_t i;

    schedule_init(&schedule, 2);
    for (i = 0; i < 2; i++) {
        schedule_set(&schedule, i, 1000, 0, &rng, 0);
        schedule.entries[i].due_ms = 0;
    }
    assert_true(schedule_take(&schedule, 0, &i));
    assert_int_equal(i, 0); /* and never finishes */
    for (int64_t now_ms = 0; now_ms < 10000; now_ms += 1000) {
        row("at %lld ms", (long long)now_ms);
        assert_true(schedule_take(&schedule, now_ms, &i));
        assert_int_equal(i, 1);
        schedule_finish(&schedule, 1);
        assert_false(schedule_take(&schedule, now_ms, &i));
    }
    assert_int_equal(schedule.entries[0].n_runs, 1);
    assert_int_equal(schedule.entries[0].n_skipped, 9);
    schedule_done(&schedule);
}

static void test_a_clock_that_leaps_makes_up_for_nothing(void **state)
{
    struct schedule schedule;
    struct rng rng = {1};
    size_t i;

    schedule_init(&schedule, 1);
    schedule_set(&schedule, 0, 1000, 0, &rng, 0);
    assert_true(schedule_take(&schedule, 1000, &i));
    schedule_finish(&schedule, 0);
    assert_true(schedule_take(&schedule, 3600000, &i)); /* the machine slept for an hour */
    schedule_finish(&schedule, 0);
    assert_false(schedule_take(&schedule, 3600000, &i));
    assert_int_equal(schedule_next_ms(&schedule), 3601000);
    schedule_done(&schedule);
}

static void test_nothing_at_all(void **state)
{
    struct schedule schedule;
    size_t i;

    schedule_init(&schedule, 0);
    assert_false(schedule_take(&schedule, 0, &i));
    assert_int_equal(schedule_next_ms(&schedule), INT64_MAX);
    schedule_done(&schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives),
        cmocka_unit_test(test_the_first_runs_are_spread),
        cmocka_unit_test(test_one_that_hangs_holds_up_nobody),
        cmocka_unit_test(test_a_clock_that_leaps_makes_up_for_nothing),
        cmocka_unit_test(test_nothing_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
