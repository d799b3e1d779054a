/*
 * The text format out: escapes, numbers, types.
 */

#include <math.h>

#include "lib/wire/exposition_write.h"
#include "tests/lib/row.h"

static void test_samples(void **state)
{
    static const struct {
        const char *name;
        struct label labels[3];
        size_t n;
        double value;
        const char *expect;
    } rows[] = {
        {"a name alone", {{LABEL_NAME, "up"}}, 1, 1, "up 1\n"},
        {"labels in the order they come",
         {{"b", "2"}, {LABEL_NAME, "up"}, {"a", "1"}},
         3,
         0.5,
         "up{b=\"2\",a=\"1\"} 0.5\n"},
        {"what a path can hold",
         {{LABEL_NAME, "x"}, {"path", "C:\\a\"b\nc"}},
         2,
         -0.0,
         "x{path=\"C:\\\\a\\\"b\\nc\"} -0\n"},
        {"UTF-8 as it is",
         {{LABEL_NAME, "x"}, {"city", "K\xc3\xb6ln"}},
         2,
         1e21,
         "x{city=\"K\xc3\xb6ln\"} 1e+21\n"},
        {"not a number", {{LABEL_NAME, "x"}}, 1, (double)NAN, "x NaN\n"},
        {"no end", {{LABEL_NAME, "x"}}, 1, -(double)INFINITY, "x -Inf\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str out = STR_INIT(1000);

        row("%s", rows[i].name);
        exposition_sample(&out, rows[i].labels, rows[i].n, rows[i].value);
        assert_string_equal(str_text(&out), rows[i].expect);
    }
}

static void test_families(void **state)
{
    STR_AUTO struct str out = STR_INIT(1000);

    exposition_family(&out, "a_total", METRIC_COUNTER, "Lines\nand \\ and \"quotes\".");
    exposition_family(&out, "b", METRIC_UNKNOWN, NULL);
    exposition_family(&out, "c_info", METRIC_INFO, "");
    assert_string_equal(str_text(&out), "# HELP a_total Lines\\nand \\\\ and \"quotes\".\n"
                                        "# TYPE a_total counter\n"
                                        "# TYPE b untyped\n"
                                        "# TYPE c_info untyped\n");
}

static void test_openmetrics(void **state)
{
    static const struct {
        struct label labels[3];
        size_t n;
        struct sample sample;
        const char *expect;
    } rows[] = {
        {{{LABEL_NAME, "up"}}, 1, {1700000000123, 1}, "up 1 1700000000.123\n"},
        {{{LABEL_NAME, "a:b"}, {"c", "d\\\"\n"}},
         2,
         {1700000000000, -0.0},
         "a:b{c=\"d\\\\\\\"\\n\"} -0 1700000000.000\n"},
        {{{LABEL_NAME, "a name"}, {"b-c", "d"}},
         2,
         {1, 5e-324},
         "{\"a name\",\"b-c\"=\"d\"} 5e-324 0.001\n"},
        {{{LABEL_NAME, "1st"}}, 1, {-1, (double)INFINITY}, "{\"1st\"} +Inf -0.001\n"},
        {{{LABEL_NAME, "x"}}, 1, {-1500, (double)NAN}, "x NaN -1.500\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str out = STR_INIT(1000);

        row("%s", rows[i].expect);
        openmetrics_sample(&out, rows[i].labels, rows[i].n, rows[i].sample);
        assert_string_equal(str_text(&out), rows[i].expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openmetrics),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_families),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
