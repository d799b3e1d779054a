/*
 * Numbers as Prometheus prints and reads them.
 */

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/base/float.h"
#include "tests/lib/row.h"

static const struct {
    double value;
    const char *plain;
    const char *brief, *go, *exponent;
} numbers[] = {
    {0, "0", "0", "0", "0e+00"},
    {-0.0, "-0", "-0", "-0", "-0e+00"},
    {1, "1", "1", "1", "1e+00"},
    {0.1, "0.1", "0.1", "0.1", "1e-01"},
    {999999.5, "999999.5", "999999.5", "999999.5", "9.999995e+05"},
    {1234567, "1234567", "1234567", "1.234567e+06", "1.234567e+06"},
    {1e21, "1000000000000000000000", "1e+21", "1e+21", "1e+21"},
    {1e20, "100000000000000000000", "100000000000000000000", "1e+20", "1e+20"},
    {1e23, "100000000000000000000000", "1e+23", "1e+23", "1e+23"},
    {-12345678901234567890.0, "-12345678901234567000", "-12345678901234567000",
     "-1.2345678901234567e+19", "-1.2345678901234567e+19"},
    {9007199254740993.0, "9007199254740992", "9007199254740992", "9.007199254740992e+15",
     "9.007199254740992e+15"},
    {0.00001, "0.00001", "1e-05", "1e-05", "1e-05"},
    {123456789.125, "123456789.125", "123456789.125", "1.23456789125e+08", "1.23456789125e+08"},
    {INFINITY, "+Inf", "+Inf", "+Inf", "+Inf"},
    {-INFINITY, "-Inf", "-Inf", "-Inf", "-Inf"},
    {NAN, "NaN", "NaN", "NaN", "NaN"},
};

static void test_print(void **state)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char text[FLOAT_TEXT_MAX];

        row("%s", numbers[i].plain);
        assert_int_equal(float_plain(numbers[i].value, text), strlen(numbers[i].plain));
        assert_string_equal(text, numbers[i].plain);
        (void)float_short(numbers[i].value, text);
        assert_string_equal(text, numbers[i].brief);
        (void)float_go(numbers[i].value, text);
        assert_string_equal(text, numbers[i].go);
        (void)float_exponent(numbers[i].value, text);
        assert_string_equal(text, numbers[i].exponent);
    }
}

static void test_the_longest_fit(void **state)
{
    char text[FLOAT_TEXT_MAX];

    assert_true(float_plain(-5e-324, text) < FLOAT_TEXT_MAX);
    assert_true(float_plain(-1.7976931348623157e308, text) < FLOAT_TEXT_MAX);
}

static void test_read(void **state)
{
    static const char *const bad[] = {"", "-", "+-1", "1x", "0x", " 1", "1 ", "e5", "--1", "nanx"};
    double value = 0;

    assert_int_equal(float_parse("-1.5e3", 6, &value), 0);
    assert_true(value == -1500);
    assert_int_equal(float_parse("+Inf", 4, &value), 0);
    assert_true(isinf(value));
    assert_int_equal(float_parse("NaN", 3, &value), 0);
    assert_true(isnan(value));
    assert_int_equal(float_parse("1e999", 5, &value), 0);
    assert_true(isinf(value));
    assert_int_equal(float_parse("1e-999", 6, &value), 0);
    assert_true(value == 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        row("'%s' is no number", bad[i]);
        assert_int_equal(float_parse(bad[i], strlen(bad[i]), &value), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_the_longest_fit),
        cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
