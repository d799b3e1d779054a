/*
 * The flight recorder: twenty evaluations, the newest first, the oldest overwritten.
 */

#include "alertd/eval/rule_history.h"
#include "tests/lib/row.h"

static void add(struct rule_history *history, int64_t at_ms, char *error)
{
    rule_history_add(history, &(struct rule_past){.at_ms = at_ms, .samples = 3, .error = error});
}

static void test_the_oldest_is_overwritten(void **state)
{
    struct rule_history history = {0};
    char words[] = "many-to-many";

    assert_null(rule_history_at(&history, 0));
    for (int64_t i = 1; i <= 2 * RULE_HISTORY_MAX + 3; i++) {
        add(&history, i, i % 2 ? words : NULL);
        assert_int_equal(rule_history_at(&history, 0)->at_ms, i);
        if (i > 1)
            assert_int_equal(rule_history_at(&history, 1)->at_ms, i - 1);
    }
    assert_int_equal(history.n, RULE_HISTORY_MAX);
    assert_int_equal(rule_history_at(&history, RULE_HISTORY_MAX - 1)->at_ms, RULE_HISTORY_MAX + 4);
    assert_null(rule_history_at(&history, RULE_HISTORY_MAX));
    assert_string_equal(rule_history_at(&history, 0)->error, "many-to-many");
    assert_ptr_not_equal(rule_history_at(&history, 0)->error, words);
    assert_null(rule_history_at(&history, 1)->error);
    rule_history_done(&history);
}

static void test_a_copy_stands_by_itself(void **state)
{
    for (int64_t n = 0; n < RULE_HISTORY_MAX + 5; n++) {
        struct rule_history history = {0};
        struct rule_history copy = {0};
        char words[] = "timed out";

        row("%d evaluations", (int)n);
        for (int64_t i = 0; i < n; i++)
            add(&history, i, words);
        rule_history_copy(&copy, &history);
        rule_history_done(&history);
        assert_int_equal(copy.n, n < RULE_HISTORY_MAX ? n : RULE_HISTORY_MAX);
        for (size_t i = 0; i < copy.n; i++) {
            assert_int_equal(rule_history_at(&copy, i)->at_ms, n - 1 - (int64_t)i);
            assert_string_equal(rule_history_at(&copy, i)->error, "timed out");
        }
        rule_history_done(&copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_oldest_is_overwritten),
        cmocka_unit_test(test_a_copy_stands_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
