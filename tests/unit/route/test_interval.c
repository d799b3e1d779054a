/*
 * Recurring times: when they hold, and what is refused.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/route/interval.h"
#include "lib/base/clock.h"
#include "tests/lib/row.h"

static int read_interval(const char *text,
                         struct arena *arena,
                         struct zones *zones,
                         struct route_interval *ret,
                         struct err *err)
{
    struct yaml *yaml = NULL;
    int r;

    assert_int_equal(yaml_parse(text, strlen(text), &yaml, err), 0);
    r = route_interval_read(arena, zones, yaml_root(yaml), ret, err);
    yaml_free(yaml);
    return r;
}

static void test_when_it_holds(void **state)
{
    static const struct {
        const char *text, *at;
        bool holds;
    } rows[] = {
        {"- {}", "2026-11-27T12:00:00Z", true},
        {"- {times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-11-27T09:00:00Z", true},
        {"- {times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-11-27T16:59:59Z", true},
        {"- {times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-11-27T17:00:00Z", false},
        {"- {times: [{start_time: '22:00', end_time: '24:00'}]}", "2026-11-27T23:59:59Z", true},
        {"- {weekdays: ['monday:friday']}", "2026-11-27T23:00:00Z", true},
        {"- {weekdays: ['monday:friday']}", "2026-11-28T00:00:00Z", false},
        {"- {weekdays: ['monday:friday']}\n- {weekdays: [saturday]}", "2026-11-28T00:00:00Z", true},
        {"- {days_of_month: ['-1']}", "2028-02-29T12:00:00Z", true},
        {"- {days_of_month: ['-1']}", "2028-02-28T12:00:00Z", false},
        {"- {days_of_month: ['30:31']}", "2026-02-28T12:00:00Z", false},
        {"- {days_of_month: ['-3:-1']}", "2026-02-26T00:00:00Z", true},
        {"- {days_of_month: ['-3:-1']}", "2026-02-25T23:59:59Z", false},
        {"- {months: ['november:december'], years: ['2026']}", "2026-11-27T12:00:00Z", true},
        {"- {months: ['11:12'], years: ['2027:2030']}", "2026-11-27T12:00:00Z", false},
        /* summer in Berlin is two hours ahead, winter one */
        {"- {times: [{start_time: '09:00', end_time: '10:00'}], location: Europe/Berlin}",
         "2026-07-01T07:30:00Z", true},
        {"- {times: [{start_time: '09:00', end_time: '10:00'}], location: Europe/Berlin}",
         "2026-12-01T07:30:00Z", false},
        {"- {times: [{start_time: '09:00', end_time: '10:00'}], location: Europe/Berlin}",
         "2026-12-01T08:30:00Z", true},
        /* clocks go back: 02:30 comes twice, and both are meant */
        {"- {times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}",
         "2026-10-25T00:30:00Z", true},
        {"- {times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}",
         "2026-10-25T01:30:00Z", true},
        /* clocks go forward: 02:30 does not come */
        {"- {times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}",
         "2026-03-29T01:00:00Z", false},
        /* Saturday there, Friday here */
        {"- {weekdays: [saturday], location: Pacific/Auckland}", "2026-11-27T12:00:00Z", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ARENA_AUTO struct arena arena;
        struct zones zones = {0};
        struct route_interval interval = {0};
        struct err err = {0};
        int64_t at_ms = 0;

        row("%s at %s", rows[i].text, rows[i].at);
        arena_init(&arena, 64 * 1024);
        assert_int_equal(read_interval(rows[i].text, &arena, &zones, &interval, &err), 0);
        assert_int_equal(clock_parse_rfc3339(rows[i].at, &at_ms), 0);
        assert_int_equal(route_interval_holds(&interval, at_ms), rows[i].holds);
        zones_done(&zones);
    }
}

static void test_what_is_refused(void **state)
{
    static const char *const texts[] = {
        "- {times: [{start_time: '17:00', end_time: '09:00'}]}",
        "- {times: [{start_time: '9:00', end_time: '24:01'}]}",
        "- {times: [{start_time: '09:00'}]}",
        "- {weekdays: ['friday:monday']}",
        "- {weekdays: [someday]}",
        "- {days_of_month: ['0']}",
        "- {days_of_month: ['32']}",
        "- {days_of_month: ['-1:-3']}",
        "- {months: ['13']}",
        "- {years: ['2030:2026']}",
        "- {location: Europe/Nowhere}",
        "- {hours: ['1']}",
        "a: b",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        ARENA_AUTO struct arena arena;
        struct zones zones = {0};
        struct route_interval interval = {0};
        struct err err = {0};

        row("%s", texts[i]);
        arena_init(&arena, 64 * 1024);
        assert_true(read_interval(texts[i], &arena, &zones, &interval, &err) != 0);
        assert_true(err.line == 1 && err.column > 0 && err.text[0]);
        zones_done(&zones);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_it_holds),
        cmocka_unit_test(test_what_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
