/*
 * Reasons by name, and what becomes of a notification that waits when the next is due.
 */

#include "alertd/route/reason.h"
#include "tests/lib/row.h"

static void test_what_becomes_of_one_that_waits(void **state)
{
    static const struct {
        const char *name;
        enum route_reason waiting;
        unsigned attempts;
        enum route_reason next;
        enum route_merge merge;
    } rows[] = {
        {"nothing waits", ROUTE_NOTHING, 0, ROUTE_NEW_ALERTS, ROUTE_MERGE_ADD},
        {"an untried page tells the news too", ROUTE_FIRST, 0, ROUTE_NEW_ALERTS,
         ROUTE_MERGE_COVERED},
        {"a tried one may have arrived without them", ROUTE_FIRST, 1, ROUTE_NEW_ALERTS,
         ROUTE_MERGE_SUPERSEDE},
        {"the end tells the beginning", ROUTE_FIRST, 0, ROUTE_RESOLVED, ROUTE_MERGE_SUPERSEDE},
        {"also after failures", ROUTE_NEW_ALERTS, 9, ROUTE_RESOLVED, ROUTE_MERGE_SUPERSEDE},
        {"a reminder does not stand for news", ROUTE_REPEAT, 0, ROUTE_NEW_ALERTS,
         ROUTE_MERGE_SUPERSEDE},
        {"no reminder of what was not told yet", ROUTE_FIRST, 3, ROUTE_REPEAT, ROUTE_MERGE_COVERED},
        {"opened again before the end was told", ROUTE_RESOLVED, 0, ROUTE_FIRST,
         ROUTE_MERGE_SUPERSEDE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].name);
        assert_int_equal(route_merge(rows[i].waiting, rows[i].attempts, rows[i].next),
                         rows[i].merge);
    }
}

static void test_names_of_reasons(void **state)
{
    for (unsigned i = ROUTE_FIRST; i <= ROUTE_REPEAT; i++)
        assert_int_equal(route_reason_parse(route_reason_name((enum route_reason)i)), i);
    assert_int_equal(route_reason_parse("some"), ROUTE_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_becomes_of_one_that_waits),
        cmocka_unit_test(test_names_of_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
