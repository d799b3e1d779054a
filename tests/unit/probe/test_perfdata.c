/*
 * What Nagios plugins print: items as "label=value[unit] w c m x".
 */

#include <string.h>

#include "agent/probe/perfdata.h"
#include "lib/base/float.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"

static void print_items(const char *text, struct str *out)
{
    struct perfdata_item item;
    char number[FLOAT_TEXT_MAX];

    while (perfdata_next(&text, &item)) {
        str_addf(out, "%s%s=", out->len ? " | " : "", item.label);
        str_addn(out, number, float_short(item.value, number));
        str_addf(out, "[%s]", item.unit);
        for (int i = 0; i < PERFDATA_N_BOUNDS; i++) {
            str_addc(out, ' ');
            if (item.has[i])
                str_addn(out, number, float_short(item.bound[i], number));
            else
                str_addc(out, '-');
        }
    }
}

static void test_items(void **state)
{
    static const struct {
        const char *name, *text, *expect;
    } rows[] = {
        {"nothing", "", ""},
        {"all of it", "load1=0.890;100.000;200.000;0;5", "load1=0.89[] 100 200 0 5"},
        {"a value alone", "users=3", "users=3[] - - - -"},
        {"an open end", "load1=1;2;3;0;", "load1=1[] 2 3 0 -"},
        {"gaps", "time=0.000322s;;;0.000000;10.000000", "time=0.000322[s] - - 0 10"},
        {"milliseconds", "rta=5ms;100;500;0;", "rta=0.005[s] 0.1 0.5 0 -"},
        {"bytes", "/=2MB;3;4;0;10", "/=2097152[B] 3145728 4194304 0 10485760"},
        {"per cent and a counter", "pl=20% n=7c", "pl=20[%] - - - - | n=7[c] - - - -"},
        {"a unit of its own", "temp=21C;30", "temp=21[] 30 - - -"},
        {"quotes around blanks", "'a b'=1 'it''s'=2", "a b=1[] - - - - | it's=2[] - - - -"},
        {"quotes around an equals sign", "'a=b'=1", "a=b=1[] - - - -"},
        {"not known", "a=U;1;2 b=1", "b=1[] - - - -"},
        {"negative and exponent", "a=-1.5e3;1e2", "a=-1500[] 100 - - -"},
        {"ranges: the upper end", "a=1;10:20;~:30", "a=1[] 20 30 - -"},
        {"ranges without one", "a=1;10:;@10:20", "a=1[] - - - -"},
        {"rubbish between", "this is not perfdata a=1 =2 b=x c=3", "a=1[] - - - - | c=3[] - - - -"},
        {"a quote that never ends", "'a=1 b=2", "b=2[] - - - -"},
        {"several lines", "a=1\nb=2\r\n c=3", "a=1[] - - - - | b=2[] - - - - | c=3[] - - - -"},
        {"not a number at all", "a=NaN b=Inf c=1", "c=1[] - - - -"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str out = STR_INIT(1000);

        row("%s", rows[i].name);
        print_items(rows[i].text, &out);
        assert_string_equal(str_text(&out), rows[i].expect);
    }
}

static void test_a_label_without_end_is_cut(void **state)
{
    char text[400];
    const char *at = text;
    struct perfdata_item item;

    memset(text, 'x', sizeof(text));
    memcpy(text + 395, "=1", 3);
    assert_true(perfdata_next(&at, &item));
    assert_int_equal(strlen(item.label), PERFDATA_LABEL_MAX - 1);
}

static void test_output_is_divided(void **state)
{
    static const struct {
        const char *name, *output, *words, *perfdata;
    } rows[] = {
        {"no perfdata", "OK\n", "OK", ""},
        {"one line", "OK - fine|a=1\n", "OK - fine", "a=1"},
        {"words on many lines", "OK|a=1\nmore\nwords\n", "OK", "a=1"},
        {"perfdata on many lines", "OK|a=1\nmore words|b=2\nc=3\n", "OK", "a=1 b=2\nc=3\n"},
        {"only the later lines have some", "OK\nmore|b=2\n", "OK", "b=2\n"},
        {"nothing at all", "", "", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char output[200];
        char *perfdata;

        row("%s", rows[i].name);
        (void)snprintf(output, sizeof(output), "%s", rows[i].output);
        assert_string_equal(perfdata_split(output, &perfdata), rows[i].words);
        assert_string_equal(perfdata, rows[i].perfdata);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_a_label_without_end_is_cut),
        cmocka_unit_test(test_output_is_divided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
