/*
 * Matchers: the quick ways around the engine must not be told from it.
 */

#include <string.h>

#include "lib/base/rng.h"
#include "lib/model/matcher.h"
#include "lib/model/pattern.h"
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

/* These need no engine; those behind them do. */
static void test_quick_patterns(void **state)
{
    static const struct {
        const char *text;
        bool quick;
    } rows[] = {
        {"", true},
        {"plain", true},
        {"a|b|c", true},
        {"(a|b)", true},
        {"(?:a|b)|c", true},
        {"foo.*", true},
        {".*foo", true},
        {".*foo.*", true},
        {".*", true},
        {".+", true},
        {"foo-(a|b)", true},
        {"(foo|bar).*", true},
        {"(a|b)-(c|(d|e)f)\\.g", true},
        {"5..", true},
        {"foo.*bar.+x", true},
        {"foo.*?", true},
        {"(?i)get|post", true},
        {"(?i)(a|b)-.*", true},
        {"(a|b)+", false},
        {"[ab]c", false},
        {"a{2}", false},
        {"^a$", false},
        {"\\d+", false},
        {"(?i)\xc3\xa4", false},
        {"(?P<name>a)", false},
        {"((((((((((((((((((a))))))))))))))))))", false},
        {"(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct matcher_pattern *pattern = pattern_new(rows[i].text, NULL);

        row("%s", rows[i].text);
        assert_non_null(pattern);
        assert_int_equal(pattern_is_quick(pattern), rows[i].quick);
        pattern_free(pattern);
    }
}

/* A text of a few pieces: patterns that are not RE2's among them. */
static void random_text(struct rng *rng, const char *const *pieces, size_t n, struct str *out)
{
    uint64_t length = rng_below(rng, 9);

    str_cut(out, 0);
    while (length-- > 0)
        str_add(out, pieces[rng_below(rng, n)]);
}

static const char *const in_pattern[] = {
    "a",  "b",   "A",  ".",  ".*",       ".+",  "(",  "(?:", ")",    "|",    "*",
    "-",  "\\.", "a|", "(a", "b|a)",     ")",   "|b", "?",   "[ab]", "\\",   "{2}",
    "^a", "$",   "k",  "s",  "\xc3\xa4", "\\d", "\n", ".*?", "x",    "(?i)", "\xff",
};
/* Beside others the Kelvin sign and the long s: a k and an s in another case. */
static const char *const in_value[] = {
    "a", "b",        "A", "B", "-", ".", "ab", "x", "\xc3\xa4", "\n", "k", "K", "\xe2\x84\xaa",
    "s", "\xc5\xbf",
};

struct tally {
    size_t n_quick, n_matches;
};

/* The pattern with our matcher and with RE2 alone, on random values. */
static void compare_pattern(struct rng *rng, const char *text, struct tally *tally)
{
    STR_AUTO struct str value = STR_INIT(1000);
    struct regex *regex = NULL;
    int r = regex_new(text, &regex, NULL);
    struct matcher_pattern *pattern = pattern_new(text, NULL);

    if ((r == 0) != (pattern != NULL))
        fail_msg("%s: only one of the two reads it", text);
    tally->n_quick += pattern && pattern_is_quick(pattern);
    for (int i = 0; pattern && i < 12; i++) {
        random_text(rng, in_value, sizeof(in_value) / sizeof(in_value[0]), &value);
        bool expected = regex_matches_all(regex, str_text(&value), value.len);

        tally->n_matches += expected;
        if (pattern_matches(pattern, str_text(&value)) != expected)
            fail_msg("%s on %s: RE2 says %d", text, str_text(&value), expected);
    }
    regex_free(regex);
    pattern_free(pattern);
}

/* Random patterns on random values: as the engine, whichever way they go. */
static void test_random_patterns(void **state)
{
    enum {
        PATTERNS = 40000
    };
    STR_AUTO struct str folded = STR_INIT(1000);
    STR_AUTO struct str text = STR_INIT(1000);
    struct rng rng = {20261126};
    struct tally tally = {0};

    for (int i = 0; i < PATTERNS; i++) {
        random_text(&rng, in_pattern, sizeof(in_pattern) / sizeof(in_pattern[0]), &text);
        if (rng_below(&rng, 8) == 0) { /* where it counts */
            str_cut(&folded, 0);
            str_addf(&folded, "(?i)%s", str_text(&text));
            compare_pattern(&rng, str_text(&folded), &tally);
        }
        compare_pattern(&rng, str_text(&text), &tally);
    }
    /* Both ways were gone, and both answers given. */
    assert_true(tally.n_quick > PATTERNS / 20);
    assert_true(tally.n_matches > PATTERNS / 20);
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

    /* Multiplied out these would be fine; as they are, each repeats nothing. Nor is RE2 for bytes
     * that are not UTF-8. */
    static const char *const texts[] = {".(*a)", "a(+)", "a(?:b|?)", "(|*)",     "a)",
                                        "a(b))", "\\",   "\xff",     "a|\xff.*", "(?i)\xff"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        row("%s", texts[i]);
        assert_int_equal(matcher_init(&matcher, MATCHER_REGEX, "l", texts[i], NULL),
                         MATCHER_E_REGEX);
    }
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
        cmocka_unit_test(test_as_the_engine),   cmocka_unit_test(test_quick_patterns),
        cmocka_unit_test(test_random_patterns), cmocka_unit_test(test_series),
        cmocka_unit_test(test_bad_pattern),     cmocka_unit_test(test_printed),
        cmocka_unit_test(test_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
