/*
 * Instants as text and back, over leap days and far years.
 */

#include <stdbool.h>

#include "lib/base/clock.h"
#include "tests/lib/row.h"

static const struct {
    int64_t at_ms;
    const char *text;
} instants[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {951782400123, "2000-02-29T00:00:00.123Z"},
    {1709164799000, "2024-02-28T23:59:59.000Z"},
    {4102444800000, "2100-01-01T00:00:00.000Z"},
};

static void test_text_and_back(void **state)
{
    for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
        char text[CLOCK_TEXT_MAX];
        int64_t back = 0;

        row("%s", instants[i].text);
        assert_string_equal(clock_rfc3339(instants[i].at_ms, text), instants[i].text);
        assert_int_equal(clock_parse_rfc3339(text, &back), 0);
        assert_int_equal(back, instants[i].at_ms);
    }
}

static void test_zones_and_fractions(void **state)
{
    int64_t at_ms = 0;

    assert_int_equal(clock_parse_rfc3339("1970-01-01T01:00:00+01:00", &at_ms), 0);
    assert_int_equal(at_ms, 0);
    assert_int_equal(clock_parse_rfc3339("1970-01-01T00:00:00.123456789Z", &at_ms), 0);
    assert_int_equal(at_ms, 123);
    assert_true(clock_parse_rfc3339("1970-01-01", &at_ms) < 0);
    assert_true(clock_parse_rfc3339("1970-13-01T00:00:00Z", &at_ms) < 0);
    assert_true(clock_parse_rfc3339("1970-01-01T00:00:00Zx", &at_ms) < 0);
}

static void test_days_that_there_are(void **state)
{
    static const struct {
        const char *text;
        bool is_one;
    } days[] = {
        {"2026-02-28", true},  {"2026-02-29", false}, {"2024-02-29", true},  {"2024-02-30", false},
        {"2000-02-29", true},  {"1900-02-29", false}, {"2026-04-30", true},  {"2026-04-31", false},
        {"2026-12-31", true},  {"2026-12-32", false}, {"2026-01-00", false}, {"2026-00-10", false},
        {"2026-11-31", false},
    };

    for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
        char text[CLOCK_TEXT_MAX];
        int64_t at_ms = 0;

        row("%s", days[i].text);
        (void)snprintf(text, sizeof(text), "%sT12:00:00Z", days[i].text);
        assert_int_equal(clock_parse_rfc3339(text, &at_ms) == 0, days[i].is_one);
    }
}

static void test_zones_there_are(void **state)
{
    int64_t at_ms = 0;

    assert_int_equal(clock_parse_rfc3339("2026-01-01T00:00:00+14:00", &at_ms), 0);
    assert_int_equal(clock_parse_rfc3339("2026-01-01T00:00:00-23:59", &at_ms), 0);
    assert_true(clock_parse_rfc3339("2026-01-01T00:00:00+24:00", &at_ms) < 0);
    assert_true(clock_parse_rfc3339("2026-01-01T00:00:00+01:60", &at_ms) < 0);
}

static void test_calendar(void **state)
{
    struct clock_utc utc = clock_split_utc(951782400123);

    assert_int_equal(utc.weekday, 2); /* a Tuesday */
    assert_int_equal(utc.yearday, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_back),
        cmocka_unit_test(test_zones_and_fractions),
        cmocka_unit_test(test_days_that_there_are),
        cmocka_unit_test(test_zones_there_are),
        cmocka_unit_test(test_calendar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
