/*
 * Times, durations, limits and numbers of the query API, as Prometheus reads and writes
 * them.
 */

#include <math.h>

#include "lib/base/float.h"
#include "lib/wire/prom_param.h"
#include "tests/lib/row.h"

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
        const char *words; /* NULL: it can be read */
    } rows[] = {
        {"1729728900", 1729728900000, NULL},
        {"1729728900.5", 1729728900500, NULL},
        {"1729728900.1234", 1729728900123, NULL},
        {"0", 0, NULL},
        {"-1.5", -1500, NULL},
        {"1e3", 1000000, NULL},
        {"2024-10-24T00:15:00Z", 1729728900000, NULL},
        {"2024-10-24T02:15:00.5+02:00", 1729728900500, NULL},
        {"", 0, "cannot parse \"\" to a valid timestamp"},
        {"tomorrow", 0, "cannot parse \"tomorrow\" to a valid timestamp"},
        {"1e300", 0, "cannot parse \"1e300\" to a valid timestamp"},
        {"NaN", 0, "cannot parse \"NaN\" to a valid timestamp"},
        {"Inf", 0, "cannot parse \"Inf\" to a valid timestamp"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = {0};
        int64_t ms = 0;

        row("%s", rows[i].text);
        int r = prom_param_time(rows[i].text, &ms, &err);
        assert_int_equal(r, rows[i].words ? PROM_PARAM_E_BAD : 0);
        assert_true(ms == rows[i].ms);
        assert_string_equal(err.text, rows[i].words ? rows[i].words : "");
    }
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
        const char *words;
    } rows[] = {
        {"30", 30000, NULL},
        {"0.5", 500, NULL},
        {"-5", -5000, NULL},
        {"5m", 300000, NULL},
        {"1h30m", 5400000, NULL},
        {"", 0, "cannot parse \"\" to a valid duration"},
        {"x", 0, "cannot parse \"x\" to a valid duration"},
        {"5m5m", 0, "cannot parse \"5m5m\" to a valid duration"},
        {"1e20", 0, "cannot parse \"1e20\" to a valid duration. It overflows int64"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = {0};
        int64_t ms = 0;

        row("%s", rows[i].text);
        int r = prom_param_duration(rows[i].text, &ms, &err);
        assert_int_equal(r, rows[i].words ? PROM_PARAM_E_BAD : 0);
        assert_true(ms == rows[i].ms);
        assert_string_equal(err.text, rows[i].words ? rows[i].words : "");
    }
}

static void test_limits(void **state)
{
    struct err err = {0};
    size_t limit = 7;

    assert_int_equal(prom_param_limit("25", &limit, &err), 0);
    assert_int_equal(limit, 25);
    assert_int_equal(prom_param_limit("-1", &limit, &err), PROM_PARAM_E_BAD);
    assert_string_equal(err.text, "limit must be non-negative");
    assert_int_equal(prom_param_limit("ten", &limit, &err), PROM_PARAM_E_BAD);
    assert_int_equal(limit, 25);
}

static void test_numbers(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1.0 / 3, "0.3333333333333333"},
        {1e300, "1e+300"},
        {-1e-300, "-1e-300"},
        {1e21, "1e+21"},
        {1e20, "100000000000000000000"},
        {1e-6, "0.000001"},
        {1e-7, "1e-07"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {NAN, "NaN"},
        {1729728900, "1729728900"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[FLOAT_TEXT_MAX + 1];

        row("%s", rows[i].text);
        text[prom_float_text(rows[i].value, text)] = '\0';
        assert_string_equal(text, rows[i].text);
    }
}

static void test_written_times(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0"},
        {1729728900000, "1729728900"},
        {1729728900500, "1729728900.500"},
        {7, "0.007"},
        {-1500, "-1.500"},
        {-1000, "-1"},
        {INT64_MIN, "-9223372036854775.808"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str out = STR_INIT(40);

        row("%s", rows[i].text);
        prom_add_time(&out, rows[i].ms);
        assert_string_equal(str_text(&out), rows[i].text);
    }
}

static void test_escaped_names(void **state)
{
    static const struct {
        const char *text, *name;
    } rows[] = {
        {"job", "job"},
        {"U__a_2e_b", "a.b"},
        {"U__a__b", "a_b"},
        {"U___e4__20ac_", "\xc3\xa4\xe2\x82\xac"},
        {"U___1f600_", "\xf0\x9f\x98\x80"},
        {"U__a_zz_b", "U__a_zz_b"},
        {"U__a_d800_b", "U__a_d800_b"},
        {"U__a_", "U__a_"},
        {"U__a_0_", "U__a_0_"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str out = STR_INIT(40);

        row("%s", rows[i].text);
        prom_unescape_name(rows[i].text, &out);
        assert_string_equal(str_text(&out), rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),         cmocka_unit_test(test_durations),
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_written_times), cmocka_unit_test(test_escaped_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
