/*
 * Matchers: the quick ways around the engine must not be told from it.
 */

#include <string.h>

#include "lib/model/matcher.h"
#include "lib/model/quote.h"
#include "lib/regex/regex.h"
#include "tests/lib/row.h"

static const char *const values[] = {
    "",     "a",     "b",         "c",   "ab",   "foo",  "foobar", "barfoo", "xfoox",
    "foo.", "foo\n", "\nfoo",     "500", "503",  "5xx",  "a|b",    "(a",     "foofoo",
    ".*",   "a.b",   "\xc3\xa4z", "axb", "eth0", "eth1", "veth0",  "foo-x",  "GET",
};

/* Every pattern against every value, with our matcher and with RE2 alone. */
static void test_as_the_engine(void **state)
{
    static const char *const patterns[] = {
        "",           "a",         "a|b",         "a|b|",      "|",      "(a|b)",     "(?:a|b)",
        "foo.*",      ".*foo",     ".*foo.*",     "foo.+",     ".+foo",  ".+foo.+",   ".+",
        ".*",         ".+foo.*",   "a\\.b",       "a.b",       "5..",    "foo|bar.*", ".*foo|a",
        "(foo|bar)",  "(a)|(b)",   "a\\|b",       "\\(a",      "[ab]",   "[a|b]",     "foo.*?",
        "foo.*bar",   "foo?",      "a{1}",        "a$",        "^a",     "(?i)get",   "foo.*.*",
        ".*.*",       "(foo|b).*", "eth[0-9]",    "eth0|eth1", "\\.\\*", "(|a)",      "a||b",
        "\xc3\xa4.*", ".{1,3}",    "foo.+|.+foo",
    };

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct matcher is;
        struct matcher is_not;
        struct regex *regex = NULL;

        assert_int_equal(regex_new(patterns[i], &regex, NULL), 0);
        assert_int_equal(matcher_init(&is, MATCHER_REGEX, "l", patterns[i], NULL), 0);
        assert_int_equal(matcher_init(&is_not, MATCHER_NOT_REGEX, "l", patterns[i], NULL), 0);
        for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            bool expected = regex_matches_all(regex, values[j], strlen(values[j]));

            row("%s on %s", patterns[i], values[j]);
            assert_int_equal(matcher_matches(&is, values[j]), expected);
            assert_int_equal(matcher_matches(&is_not, values[j]), !expected);
        }
        regex_free(regex);
        matcher_done(&is);
        matcher_done(&is_not);
    }
}

static void test_series(void **state)
{
    static const struct label pairs[] = {{"job", "node"}, {"instance", "a:1"}};
    const struct labels *series = labels_new(pairs, 2);
    struct matcher matchers[2];

    assert_int_equal(matcher_init(&matchers[0], MATCHER_EQUAL, "job", "node", NULL), 0);
    assert_int_equal(matcher_init(&matchers[1], MATCHER_NOT_EQUAL, "absent", "x", NULL), 0);
    assert_true(matchers_match(matchers, 2, series));
    matcher_done(&matchers[1]);
    assert_int_equal(matcher_init(&matchers[1], MATCHER_EQUAL, "absent", "", NULL), 0);
    assert_true(matchers_match(matchers, 2, series));
    matcher_done(&matchers[1]);
    assert_int_equal(matcher_init(&matchers[1], MATCHER_REGEX, "absent", ".+", NULL), 0);
    assert_false(matchers_match(matchers, 2, series));
    matcher_done(&matchers[0]);
    matcher_done(&matchers[1]);
    labels_unref(series);
}

static void test_bad_pattern(void **state)
{
    struct matcher matcher;
    struct err err = {0};

    assert_int_equal(matcher_init(&matcher, MATCHER_REGEX, "l", "a(", &err), MATCHER_E_REGEX);
    assert_string_equal(err.text, "missing ): a(");
}

static void test_literals(void **state)
{
    struct matcher matcher;
    size_t n = 0;

    assert_int_equal(matcher_init(&matcher, MATCHER_REGEX, "l", "(c|a|b)", NULL), 0);
    const char *const *found = matcher_literals(&matcher, &n);
    assert_int_equal(n, 3);
    assert_string_equal(found[0], "a");
    assert_string_equal(found[2], "c");
    matcher_done(&matcher);
    assert_int_equal(matcher_init(&matcher, MATCHER_REGEX, "l", "a|b.*", NULL), 0);
    assert_null(matcher_literals(&matcher, &n));
    matcher_done(&matcher);
    assert_int_equal(matcher_init(&matcher, MATCHER_NOT_REGEX, "l", "a|b", NULL), 0);
    assert_null(matcher_literals(&matcher, &n));
    matcher_done(&matcher);
}

static void test_printed(void **state)
{
    static const struct {
        enum matcher_type type;
        const char *name, *value, *expected;
    } rows[] = {
        {MATCHER_EQUAL, "a", "b", "a=\"b\""},
        {MATCHER_NOT_EQUAL, "a", "b\"\\\n", "a!=\"b\\\"\\\\\\n\""},
        {MATCHER_REGEX, "a.b", "x.*", "\"a.b\"=~\"x.*\""},
        {MATCHER_NOT_REGEX, "a:b", "\xc3\xa4\x01", "\"a:b\"!~\"\xc3\xa4\\x01\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str out = STR_INIT(100);
        struct matcher matcher;

        row("%s", rows[i].expected);
        assert_int_equal(matcher_init(&matcher, rows[i].type, rows[i].name, rows[i].value, NULL),
                         0);
        matcher_print(&matcher, &out);
        assert_string_equal(str_text(&out), rows[i].expected);
        matcher_done(&matcher);
    }
}

static void test_quoted(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", "\"\""},
        {"\a\b\f\n\r\t\v", "\"\\a\\b\\f\\n\\r\\t\\v\""},
        {"\x7f\x1b", "\"\\x7f\\x1b\""},
        {"a\xff\xc3", "\"a\\xff\\xc3\""},
        {"\xe2\x80\xa8", "\"\\u2028\""},
        {"\xf4\x8f\xbf\xbf", "\"\\U0010ffff\""},
        {"\xe2\x9c\x93 ok", "\"\xe2\x9c\x93 ok\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str out = STR_INIT(100);

        row("%s", rows[i].expected);
        quote_add(&out, rows[i].text, strlen(rows[i].text));
        assert_string_equal(str_text(&out), rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_the_engine), cmocka_unit_test(test_series),
        cmocka_unit_test(test_bad_pattern),   cmocka_unit_test(test_literals),
        cmocka_unit_test(test_printed),       cmocka_unit_test(test_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
