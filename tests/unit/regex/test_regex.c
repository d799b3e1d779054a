/*
 * Patterns mean what they mean to Prometheus: RE2's syntax, Go's way with `$`.
 */

#include <string.h>

#include "lib/regex/regex.h"
#include "tests/lib/row.h"

static struct regex *make(const char *pattern)
{
    struct regex *regex = NULL;
    struct err err = {0};

    if (regex_new(pattern, &regex, &err))
        fail_msg("%s: %s", pattern, err.text);
    return regex;
}

static void test_matching(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool all, within;
    } rows[] = {
        {"a+", "aaa", true, true},          {"a+", "xaax", false, true},
        {"a.b", "a\nb", true, true},        {"(?-s)a.b", "a\nb", false, false},
        {"^a$", "a\n", false, false},       {"", "", true, true},
        {"(?i)error", "ERROR", true, true}, {".", "\xc3\xa4", true, true},
        {"[]a]+", "]a]", true, true},       {"[^]]", "]", false, false},
        {"(?<digit>\\d)", "7", true, true}, {"\\Q\\C\\E", "\\C", true, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct regex *regex = make(rows[i].pattern);

        row("%s on %s", rows[i].pattern, rows[i].text);
        assert_int_equal(regex_matches_all(regex, rows[i].text, strlen(rows[i].text)), rows[i].all);
        assert_int_equal(regex_matches_within(regex, rows[i].text, strlen(rows[i].text)),
                         rows[i].within);
        regex_free(regex);
    }
}

static void test_refused(void **state)
{
    static const char *const patterns[] = {"(", "a**", "(?=a)", "(a)\\1", "a++",     "(?>a)",
                                           "[", "\\C", "x\\C",  "[\\C]",  "x{1001}", "\\h"};
    static char longest[4098];

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct regex *regex = NULL;
        struct err err = {0};

        row("%s", patterns[i]);
        assert_int_equal(regex_new(patterns[i], &regex, &err), REGEX_E_SYNTAX);
        assert_true(err.text[0]);
        assert_null(regex);
    }
    struct regex *regex = NULL;
    memset(longest, 'a', sizeof(longest) - 1);
    assert_int_equal(regex_new(longest, &regex, NULL), REGEX_E_LIMIT);
    assert_int_equal(regex_new("((a{1000}){1000})", &regex, NULL), REGEX_E_SYNTAX);
    assert_null(regex);
}

static void test_expand(void **state)
{
    static const struct {
        const char *pattern, *text, *template, *expected; /* NULL: no match */
    } rows[] = {
        {"(.*):(\\d+)", "web:80", "$2-$1", "80-web"},
        {"(.*):(\\d+)", "web", "$1", NULL},
        {"(.*):.*", "web:80", "$1x", ""},
        {"(.*):.*", "web:80", "${1}x", "webx"},
        {"(?P<host>.*):.*", "web:80", "${host}/$host", "web/web"},
        {"(?<host>.*):.*", "web:80", "$host", "web"},
        {"a", "a", "$$1 $ ${ $-", "$1 $ ${ $-"},
        {"a", "a", "$0 $9 $00 $none", "a   "},
        {"(a)|(b)", "b", "[$1][$2]", "[][b]"},
        {"(?P<x>a)|(?P<y>b)", "b", "[$x][$y]", "[][b]"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str out = STR_INIT(100);
        struct regex *regex = make(rows[i].pattern);

        row("%s on %s to %s", rows[i].pattern, rows[i].text, rows[i].template);
        bool matched = regex_expand(regex, rows[i].text, rows[i].template, &out);
        assert_int_equal(matched, rows[i].expected != NULL);
        assert_string_equal(str_text(&out), rows[i].expected ? rows[i].expected : "");
        regex_free(regex);
    }
}

static void test_replace_all(void **state)
{
    static const struct {
        const char *pattern, *text, *template, *expected;
    } rows[] = {
        {"a(x*)b", "-ab-axxb-", "${1}W", "-W-xxW-"},
        {"x*", "abc", "-", "-a-b-c-"},
        {"b*", "abba", "-", "-a-a-"},
        {"\xc3\xa4*", "\xc3\xb6", "-", "-\xc3\xb6-"},
        {"", "", "x", "x"},
        {"z", "abc", "x", "abc"},
        {"^a", "aaa", "x", "xaa"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str out = STR_INIT(100);
        struct regex *regex = make(rows[i].pattern);

        row("%s on %s", rows[i].pattern, rows[i].text);
        regex_replace_all(regex, rows[i].text, rows[i].template, &out);
        assert_string_equal(str_text(&out), rows[i].expected);
        regex_free(regex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_replace_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
