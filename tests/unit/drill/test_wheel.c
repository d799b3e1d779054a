/*
 * The Wheel of Misfortune's JSON as drills of text: each can be read and played, and asks for
 * nothing that a game master has to judge.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/drill/check.h"
#include "alertd/drill/headless.h"
#include "alertd/drill/wheel.h"
#include "tests/lib/row.h"

static const char wheel[] =
    "[{\"ID\": 1, \"title\": \"Checkout is \\\"slow\\\"\", \"scenario\": \"Monday.\\nCustomers call.\","
    " \"inkstory\": \"\"},"
    " {\"ID\": 2, \"title\": \"The cache\", \"inkstory\": \"stories/cache.json\"}]";

static void test_drills(void **state)
{
    static const char *const names[] = {"01-checkout-is-slow", "02-the-cache"};
    const struct json *list = NULL;
    struct json *root = NULL;
    struct err err = {0};

    assert_int_equal(wheel_read(wheel, strlen(wheel), &root, &list, &err), 0);
    assert_int_equal(json_length(list), 2);
    for (size_t i = 0; i < 2; i++) {
        STR_AUTO struct str text = STR_INIT(DRILL_BYTES_MAX);
        char name[WHEEL_NAME_MAX];
        struct drill *drill = NULL;
        struct drill_case *made = NULL;
        struct drill_findings findings = {0};
        struct drill_played played;

        row("%s", names[i]);
        assert_int_equal(wheel_drill(json_at(list, i), i, name, &text, &err), 0);
        assert_string_equal(name, names[i]);
        if (drill_parse(str_text(&text), text.len, &drill, &err) != 0 ||
            drill_case_new(drill, NULL, NULL, &made, &err) != 0)
            fail_msg("%u:%u: %s\n%s", err.line, err.column, err.text, str_text(&text));
        drill_check(made, NULL, NULL, &findings);
        assert_int_equal(findings.n, 0);
        drill_play(made, NULL, 1, &played);
        assert_int_equal(played.n_failed, 0);
        assert_int_equal(drill_world_paged_ms(played.world), DRILL_NOT_YET);
        if (i == 0) {
            assert_string_equal(drill->title, "Checkout is \"slow\"");
            assert_string_equal(drill->brief, "Monday.\nCustomers call.");
        } else {
            assert_string_equal(drill->sources[0], "stories/cache.json");
        }
        drill_played_done(&played);
        drill_findings_done(&findings);
        drill_case_free(made);
    }
    json_free(root);
}

static const struct {
    const char *name, *text;
} rows[] = {
    {"no JSON", "[{"},
    {"a text", "\"a\""},
    {"an object without a list", "{\"a\": 1}"},
};

static void test_errors(void **state)
{
    const struct json *list = NULL;
    struct json *root = NULL;
    STR_AUTO struct str text = STR_INIT(1000);
    char name[WHEEL_NAME_MAX];
    struct err err = {0};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%s", rows[i].name);
        assert_int_not_equal(wheel_read(rows[i].text, strlen(rows[i].text), &root, &list, &err), 0);
    }
    assert_int_equal(wheel_read("[{\"title\": 3}]", 14, &root, &list, &err), 0);
    assert_int_equal(wheel_drill(json_at(list, 0), 0, name, &text, &err), JSON_E_TYPE);
    json_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_drills),
                                       cmocka_unit_test(test_errors)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
