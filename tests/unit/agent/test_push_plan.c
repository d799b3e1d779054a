/*
 * When to send what.
 */

#include "agent/push_plan.h"
#include "tests/lib/row.h"

static void test_what_a_status_means(void **state)
{
    static const struct {
        int status;
        enum push_outcome expect;
    } rows[] = {
        {200, PUSH_ACCEPTED}, {204, PUSH_ACCEPTED}, {400, PUSH_REJECTED}, {409, PUSH_REJECTED},
        {413, PUSH_REJECTED}, {415, PUSH_REJECTED}, {422, PUSH_REJECTED}, {401, PUSH_FAILED},
        {403, PUSH_FAILED},   {404, PUSH_FAILED},   {408, PUSH_FAILED},   {429, PUSH_FAILED},
        {302, PUSH_FAILED},   {500, PUSH_FAILED},   {503, PUSH_FAILED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%d", rows[i].status);
        assert_int_equal(push_outcome_of(rows[i].status), rows[i].expect);
    }
}

static void test_live_goes_before_backlog(void **state)
{
    struct push_plan plan = {.interval_ms = 1000};
    int64_t wake_ms = 0;

    assert_int_equal(push_plan_next(&plan, true, true, 0, &wake_ms), PUSH_SEND_LIVE);
    assert_int_equal(push_plan_next(&plan, false, true, 0, &wake_ms), PUSH_SEND_BACKLOG);
    assert_int_equal(push_plan_next(&plan, false, false, 0, &wake_ms), PUSH_WAIT);
    assert_int_equal(wake_ms, INT64_MAX);
}

static void test_the_backlog_is_at_most_four_times_as_fast_as_time(void **state)
{
    struct push_plan plan = {.interval_ms = 1000};
    struct rng rng = {7};
    int n_sent = 0;

    for (int64_t now_ms = 0; now_ms < 60000; now_ms++) {
        int64_t wake_ms;

        if (push_plan_next(&plan, false, true, now_ms, &wake_ms) != PUSH_SEND_BACKLOG)
            continue;
        n_sent++;
        push_plan_ended(&plan, PUSH_SEND_BACKLOG, PUSH_ACCEPTED, -1, &rng, now_ms);
        /* live batches are not held up by the pause */
        assert_int_equal(push_plan_next(&plan, true, true, now_ms, &wake_ms), PUSH_SEND_LIVE);
    }
    assert_in_range(n_sent, 60 * 2, 60 * PUSH_BACKLOG_RATE);
}

static void test_backoff_grows_is_shaken_and_has_a_ceiling(void **state)
{
    for (unsigned k = 1; k <= 12; k++) {
        int64_t ceiling_ms = k < 6 ? (int64_t)PUSH_BACKOFF_MIN_MS << k : PUSH_BACKOFF_MAX_MS;
        int64_t least_ms = INT64_MAX;
        int64_t most_ms = 0;

        row("failure %u", k);
        for (uint64_t seed = 0; seed < 200; seed++) {
            struct push_plan plan = {.interval_ms = 1000, .n_failures = k - 1};
            struct rng rng = {seed * 1000003};

            push_plan_ended(&plan, PUSH_SEND_LIVE, PUSH_FAILED, -1, &rng, 0);
            assert_in_range(plan.retry_ms, 0, ceiling_ms - 1);
            least_ms = plan.retry_ms < least_ms ? plan.retry_ms : least_ms;
            most_ms = plan.retry_ms > most_ms ? plan.retry_ms : most_ms;
        }
        assert_true(least_ms < ceiling_ms / 10);    /* full jitter: from nothing ... */
        assert_true(most_ms > ceiling_ms * 9 / 10); /* ... to all of it */
    }
}

static void test_retry_after_wins_within_reason(void **state)
{
    static const struct {
        const char *name;
        int64_t wish_ms, least_ms, most_ms;
    } rows[] = {
        {"7 s", 7000, 7000, 7700},
        {"now", 0, 0, 0},
        {"an hour is five minutes", 3600000, 300000, 330000},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct push_plan plan = {.interval_ms = 1000, .n_failures = 9};
        struct rng rng = {3};

        row("%s", rows[i].name);
        push_plan_ended(&plan, PUSH_SEND_LIVE, PUSH_FAILED, rows[i].wish_ms, &rng, 0);
        assert_in_range(plan.retry_ms, rows[i].least_ms, rows[i].most_ms);
    }
}

static void test_success_forgets_the_failures(void **state)
{
    struct push_plan plan = {.interval_ms = 1000, .n_failures = 9, .retry_ms = 50000};
    struct rng rng = {3};
    int64_t wake_ms = 0;

    assert_int_equal(push_plan_next(&plan, true, true, 100, &wake_ms), PUSH_WAIT);
    assert_int_equal(wake_ms, 50000);
    push_plan_ended(&plan, PUSH_SEND_LIVE, PUSH_ACCEPTED, -1, &rng, 50000);
    assert_int_equal(plan.n_failures, 0);
    assert_int_equal(push_plan_next(&plan, true, true, 50000, &wake_ms), PUSH_SEND_LIVE);
    push_plan_ended(&plan, PUSH_SEND_LIVE, PUSH_REJECTED, -1, &rng,
                    50000); /* its fault, not the server's */
    assert_int_equal(plan.n_failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_status_means),
        cmocka_unit_test(test_live_goes_before_backlog),
        cmocka_unit_test(test_the_backlog_is_at_most_four_times_as_fast_as_time),
        cmocka_unit_test(test_backoff_grows_is_shaken_and_has_a_ceiling),
        cmocka_unit_test(test_retry_after_wins_within_reason),
        cmocka_unit_test(test_success_forgets_the_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
