/*
 * Matchers as Alertmanager reads them: what each grammar takes, and where they differ.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/route/matchers.h"
#include "tests/lib/row.h"

/* What the matchers print as; "error" when they are refused. */
static void check(const char *text, enum route_grammar grammar, const char *expected)
{
    STR_AUTO struct str got = STR_INIT(4096);
    struct route_matchers found = {0};
    struct err err = {0};

    row("%s", text);
    if (route_matchers_parse(text, grammar, &found, NULL, &err)) {
        assert_string_equal("error", expected);
        assert_true(err.text[0] != '\0');
        assert_int_equal(found.n, 0);
        return;
    }
    route_matchers_print(found.at, found.n, &got);
    assert_string_equal(str_text(&got), expected);
    route_matchers_done(&found);
}

static void test_each_grammar(void **state)
{
    static const struct {
        const char *text, *classic, *utf8;
    } rows[] = {
        {"a=b", "{a=\"b\"}", "{a=\"b\"}"},
        {"{a=\"b\", c!~\"d|e\"}", "{a=\"b\",c!~\"d|e\"}", "{a=\"b\",c!~\"d|e\"}"},
        {"a=", "{a=\"\"}", "error"},
        {"a = \"b c\"", "{a=\"b c\"}", "{a=\"b c\"}"},
        {"a=b c", "{a=\"b c\"}", "error"},
        {"\"no ascii: ü\"=b", "error", "{\"no ascii: ü\"=\"b\"}"},
        {"a=~\"(\"", "error", "error"},
        {"=b", "error", "error"},
        {"a", "error", "error"},
        {"{a=b", "{a=\"b\"}", "error"}, /* a brace of two is enough for the classic one */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        check(rows[i].text, ROUTE_GRAMMAR_CLASSIC, rows[i].classic);
        check(rows[i].text, ROUTE_GRAMMAR_UTF8, rows[i].utf8);
    }
}

static void test_both_take_what_one_takes(void **state)
{
    (void)state;
    check("a=", ROUTE_GRAMMAR_BOTH, "{a=\"\"}");
    check("\"ü\"=b", ROUTE_GRAMMAR_BOTH, "{ü=\"b\"}");
    check("{a=b", ROUTE_GRAMMAR_BOTH, "{a=\"b\"}");
    check("a", ROUTE_GRAMMAR_BOTH, "error");
}

static void test_what_only_the_classic_one_takes_is_told(void **state)
{
    STR_AUTO struct str warning = STR_INIT(4096);
    struct route_matchers found = {0};

    (void)state;
    assert_int_equal(route_matchers_parse("a=b", ROUTE_GRAMMAR_BOTH, &found, &warning, NULL), 0);
    assert_int_equal(route_matchers_parse("\"ü\"=b", ROUTE_GRAMMAR_BOTH, &found, &warning, NULL),
                     0);
    assert_string_equal(str_text(&warning), "");
    assert_int_equal(route_matchers_parse("a=b c", ROUTE_GRAMMAR_BOTH, &found, &warning, NULL), 0);
    assert_string_equal(str_text(&warning),
                        "the matcher a=b c is read by the classic grammar only: quote its value");
    assert_int_equal(found.n, 3);
    route_matchers_done(&found);
}

static void test_failure_keeps_what_was_there(void **state)
{
    struct route_matchers found = {0};
    STR_AUTO struct str got = STR_INIT(4096);
    STR_AUTO struct str many = STR_INIT(4096);

    (void)state;
    assert_int_equal(route_matchers_parse("b=1", ROUTE_GRAMMAR_BOTH, &found, NULL, NULL), 0);
    assert_int_equal(route_matchers_parse("c=1,d=~\"(\"", ROUTE_GRAMMAR_BOTH, &found, NULL, NULL),
                     ROUTE_MATCHERS_E_SYNTAX);
    for (size_t i = 0; i < 64; i++)
        str_addf(&many, "%sa%zu=1", i ? "," : "", i);
    assert_int_equal(route_matchers_parse(str_text(&many), ROUTE_GRAMMAR_BOTH, &found, NULL, NULL),
                     ROUTE_MATCHERS_E_MANY);
    assert_int_equal(route_matchers_parse("a=2", ROUTE_GRAMMAR_BOTH, &found, NULL, NULL), 0);
    route_matchers_sort(found.at, found.n);
    route_matchers_print(found.at, found.n, &got);
    assert_string_equal(str_text(&got), "{a=\"2\",b=\"1\"}");
    route_matchers_done(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_grammar),
        cmocka_unit_test(test_both_take_what_one_takes),
        cmocka_unit_test(test_what_only_the_classic_one_takes_is_told),
        cmocka_unit_test(test_failure_keeps_what_was_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
