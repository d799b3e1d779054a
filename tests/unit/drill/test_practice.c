/*
 * Practice over time: runs out of rows, medians in which nobody counts twice, and one's last time.
 */

#include <string.h>

#include "alertd/drill/practice.h"
#include "tests/lib/row.h"

static const struct practice_row rows[] = {
    {1, 100, "ana", "ack", 60},          {1, 100, "ana", "mitigation", DRILL_NEVER},
    {2, 200, "ben", "ack", 90},          {2, 200, "ben", "mitigation", 500},
    {3, 300, "ana", "ack", 40},          {3, 300, "ana", "mitigation", DRILL_NEVER},
    {3, 300, "ana", "no such clock", 1}, {4, 400, "cid", "ack", DRILL_NEVER},
};

struct history {
    struct arena arena;
    struct practice_run *runs;
    size_t n;
};

static void begin(struct history *history)
{
    arena_init(&history->arena, 1024 * 1024);
    assert_true(practice_runs(&history->arena, rows, sizeof(rows) / sizeof(rows[0]), &history->runs,
                              &history->n));
}

static void test_runs(void **state)
{
    struct history history;
    begin(&history);

    assert_int_equal(history.n, 4);
    assert_string_equal(history.runs[2].player, "ana");
    assert_int_equal(history.runs[2].clocks[DRILL_ACK], 40);
    assert_true(history.runs[2].clocks[DRILL_MITIGATION] == DRILL_NEVER);
    assert_true(history.runs[3].clocks[DRILL_MITIGATION] == PRACTICE_UNKNOWN);
    arena_reset(&history.arena);
}

static void test_median(void **state)
{
    struct history history;
    begin(&history);

    /* ana's newest 40, ben 90, cid never */
    assert_int_equal(practice_median(history.runs, history.n, DRILL_ACK), 90);
    /* ben 500, ana never: the lower one of two */
    assert_int_equal(practice_median(history.runs, history.n, DRILL_MITIGATION), 500);
    assert_true(practice_median(history.runs, 1, DRILL_MITIGATION) == DRILL_NEVER);
    assert_true(practice_median(history.runs, 0, DRILL_ACK) == PRACTICE_UNKNOWN);
    assert_true(practice_median(history.runs, history.n, DRILL_TELL) == PRACTICE_UNKNOWN);
    arena_reset(&history.arena);
}

static void test_last(void **state)
{
    struct history history;
    begin(&history);

    assert_int_equal(practice_last(history.runs, history.n, "ana", 3)->session, 1);
    assert_int_equal(practice_last(history.runs, history.n, "ana", 9)->session, 3);
    assert_null(practice_last(history.runs, history.n, "cid", 4));
    assert_null(practice_last(history.runs, history.n, "dan", 1));
    arena_reset(&history.arena);
}

static void test_no_room(void **state)
{
    struct arena arena;
    struct practice_run *runs = NULL;
    size_t n = 0;

    arena_init(&arena, 64);
    assert_false(practice_runs(&arena, rows, sizeof(rows) / sizeof(rows[0]), &runs, &n));
    arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs), cmocka_unit_test(test_median),
                                       cmocka_unit_test(test_last), cmocka_unit_test(test_no_room)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
