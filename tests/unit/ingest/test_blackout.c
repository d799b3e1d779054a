/*
 * Many agents gone at once are one page; a few are hosts.
 */

#include "alertd/ingest/blackout.h"
#include "tests/lib/row.h"

enum {
    N = 50,
    INTERVAL_MS = 10000,
    STARTED_MS = 1000000,
    NOW_MS = STARTED_MS + 3600000,
};

/* Both clocks are one here. */
#define AT(started_ms, now_ms) (&(struct agents_now){now_ms, now_ms, started_ms})

static void fill(struct agent *agents, size_t n_silent, int64_t silent_since_ms)
{
    for (size_t i = 0; i < N; i++)
        agents[i] = (struct agent){.interval_ms = INTERVAL_MS,
                                   .last_push_ms = i < n_silent ? silent_since_ms : NOW_MS,
                                   .pushed_mono_ms = i < n_silent ? silent_since_ms : NOW_MS};
}

static void test_how_many(void **state)
{
    static const struct {
        const char *name;
        size_t n_silent;
        int64_t silent_ms;
        bool want;
    } rows[] = {
        {"all are there", 0, 0, false},
        {"two hosts", 2, 31000, false},
        {"just not a third", 15, 31000, false},
        {"more than 30 %", 16, 31000, true},
        {"all", 50, 31000, true},
        {"late only: nobody is lost yet", 50, 20000, false},
        {"lost long ago, one by one", 40, 300000, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct agent agents[N];
        struct blackout blackout = {0};

        fill(agents, rows[i].n_silent, NOW_MS - rows[i].silent_ms);
        blackout_step(&blackout, agents, N, AT(STARTED_MS, NOW_MS));
        if (blackout.is_on != rows[i].want)
            fail_msg("%s", rows[i].name);
    }
}

static void test_the_late_count_beside_the_first_that_is_lost(void **state)
{
    struct agent agents[N];
    struct blackout blackout = {0};

    fill(agents, 20, NOW_MS - 31000);
    for (size_t i = 1; i < 20; i++)
        agents[i].interval_ms = 20000; /* lost in 29 s */
    blackout_step(&blackout, agents, N, AT(STARTED_MS, NOW_MS));
    assert_true(blackout.is_on);
    assert_int_equal(blackout.n_gone, 1);
    assert_true(blackout_has(&blackout, &agents[0], AT(STARTED_MS, NOW_MS)));
    assert_false(blackout_has(&blackout, &agents[1], AT(STARTED_MS, NOW_MS)));
    assert_true(blackout_has(&blackout, &agents[1], AT(STARTED_MS, NOW_MS + 30000)));
}

static void test_a_life(void **state)
{
    struct agent agents[N];
    struct blackout blackout = {0};

    fill(agents, 20, NOW_MS - 31000);
    blackout_step(&blackout, agents, N, AT(STARTED_MS, NOW_MS));
    assert_true(blackout.is_on);
    fill(agents, 15, NOW_MS - 31000); /* five are back */
    blackout_step(&blackout, agents, N, AT(STARTED_MS, NOW_MS));
    assert_false(blackout.is_on);

    /* nobody comes back: an hour later they are dead hosts, and stay so */
    fill(agents, 20, NOW_MS - 31000);
    for (int64_t minute = 0; minute < 90; minute++) {
        int64_t now_ms = NOW_MS + minute * 60000;

        for (size_t i = 20; i < N; i++)
            agents[i].last_push_ms = agents[i].pushed_mono_ms = now_ms;
        blackout_step(&blackout, agents, N, AT(STARTED_MS, now_ms));
        assert_int_equal(blackout.is_on, minute < 60);
    }
}

static void test_a_start_pages_nobody_at_once(void **state)
{
    struct agent agents[N];
    struct blackout blackout = {0};

    fill(agents, N, NOW_MS - 7200000);
    blackout_step(&blackout, agents, N, AT(NOW_MS, NOW_MS + 1000));
    assert_false(blackout.is_on);
    blackout_step(&blackout, agents, N, AT(NOW_MS, NOW_MS + 2 * INTERVAL_MS));
    assert_true(blackout.is_on); /* the grace is over, and nobody is there */
    assert_int_equal(blackout.n_gone, N);
}

static void test_a_restart_forgets_none(void **state)
{
    struct agent agents[N];
    struct blackout blackout = {0};

    /* in the grace it is neither over nor begun anew; when most are back it is over */
    fill(agents, 20, AGENT_NOT_YET);
    for (size_t i = 0; i < 20; i++)
        agents[i].last_push_ms = NOW_MS - 120000;
    blackout_resume(&blackout, true, 90000, NOW_MS);
    blackout_step(&blackout, agents, N, AT(NOW_MS, NOW_MS + 1000));
    assert_true(blackout.is_on);
    assert_int_equal(blackout.n_gone, 20);
    assert_int_equal(blackout.n_known, N);
    blackout_step(&blackout, agents, N, AT(NOW_MS, NOW_MS + 2 * INTERVAL_MS));
    assert_true(blackout.is_on);
    assert_int_equal(blackout.n_gone, 20);
    fill(agents, 5, AGENT_NOT_YET);
    blackout_step(&blackout, agents, N, AT(NOW_MS, NOW_MS + 1000));
    assert_false(blackout.is_on);

    /* one that ended by time is not told a second time */
    fill(agents, 20, AGENT_NOT_YET);
    for (size_t i = 0; i < 20; i++)
        agents[i].last_push_ms = NOW_MS - 7200000;
    blackout_resume(&blackout, false, BLACKOUT_MAX_MS, NOW_MS);
    for (int64_t second = 1; second < 60; second++) {
        for (size_t i = 20; i < N; i++)
            agents[i].last_push_ms = agents[i].pushed_mono_ms = NOW_MS + second * 1000;
        blackout_step(&blackout, agents, N, AT(NOW_MS, NOW_MS + second * 1000));
        assert_false(blackout.is_on);
    }

    /* an hour is an hour, whoever was there */
    blackout_resume(&blackout, true, BLACKOUT_MAX_MS - 30000, NOW_MS);
    blackout_step(&blackout, agents, N, AT(NOW_MS, NOW_MS + 29000));
    assert_true(blackout.is_on);
    blackout_step(&blackout, agents, N, AT(NOW_MS, NOW_MS + 31000));
    assert_false(blackout.is_on);
}

static void test_a_few_are_hosts(void **state)
{
    struct agent agents[N];
    struct blackout blackout = {0};

    fill(agents, 2, NOW_MS - 31000);
    blackout_step(&blackout, agents, 2, AT(STARTED_MS, NOW_MS));
    assert_false(blackout.is_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_many),
        cmocka_unit_test(test_the_late_count_beside_the_first_that_is_lost),
        cmocka_unit_test(test_a_life),
        cmocka_unit_test(test_a_start_pages_nobody_at_once),
        cmocka_unit_test(test_a_restart_forgets_none),
        cmocka_unit_test(test_a_few_are_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
