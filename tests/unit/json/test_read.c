/*
 * JSON in: what is refused, and that a refusal says where.
 */

#include <string.h>

#include "lib/base/str.h"
#include "lib/json/read.h"
#include "tests/lib/row.h"

static struct json *parsed(const char *text)
{
    struct json *root = NULL;
    struct err err = {0};

    if (json_parse(text, strlen(text), &root, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return root;
}

static void test_what_is_not_json_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *name, *text;
        unsigned line, column;
    } rows[] = {
        {"nothing", "", 1, 1},
        {"cut off", "{\"a\":", 1, 5},
        {"text behind it", "{} x", 1, 4},
        {"a key twice", "{\"a\":1,\n\"a\":2}", 2, 3},
        {"NaN", "[NaN]", 1, 4},
        {"a number too large", "[99999999999999999999]", 1, 21},
        {"a NUL in a string", "[\"\\u0000\"]", 1, 9},
        {"not UTF-8", "[\"\xff\"]", 1, 2},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct json *root = NULL;
        struct err err = {0};

        row("%s", rows[i].name);
        assert_int_equal(json_parse(rows[i].text, strlen(rows[i].text), &root, &err),
                         JSON_E_SYNTAX);
        assert_null(root);
        assert_int_equal(err.line, rows[i].line);
        assert_int_equal(err.column, rows[i].column);
        assert_non_null(strstr(err.text, "not JSON: "));
    }
}

static void test_size_and_depth_have_ceilings(void **state)
{
    STR_AUTO struct str text = STR_INIT(JSON_BODY_MAX + 16);
    struct json *root = NULL;
    struct err err = {0};

    for (int i = 0; i < 64; i++)
        str_addc(&text, '[');
    str_addc(&text, '1');
    for (int i = 0; i < 64; i++)
        str_addc(&text, ']');
    assert_int_equal(json_parse(str_text(&text), text.len, &root, &err), 0);
    json_free(root);

    str_cut(&text, 0);
    for (int i = 0; i < 65; i++)
        str_addc(&text, '[');
    str_addc(&text, '1');
    for (int i = 0; i < 65; i++)
        str_addc(&text, ']');
    root = NULL;
    assert_int_equal(json_parse(str_text(&text), text.len, &root, &err), JSON_E_SYNTAX);
    assert_string_equal(err.text, "JSON nested deeper than 64 levels");

    str_cut(&text, 0);
    while (text.len <= JSON_BODY_MAX)
        str_addc(&text, ' ');
    assert_int_equal(json_parse(str_text(&text), text.len, &root, &err), JSON_E_SYNTAX);
    assert_non_null(strstr(err.text, "262145 bytes"));
}

static void test_members_are_read_by_type(void **state)
{
    struct json *root = parsed(
        "{\"s\":\"x\",\"i\":7,\"f\":0.5,\"b\":true,\"n\":null,\"a\":[1],\"o\":{}}");
    const struct json *child;
    const char *text = NULL;
    int64_t whole = 0;
    double number = 0;
    bool flag = false;

    assert_int_equal(json_get_string(root, "s", &text, NULL), 0);
    assert_string_equal(text, "x");
    assert_int_equal(json_get_int(root, "i", &whole, NULL), 0);
    assert_int_equal(whole, 7);
    assert_int_equal(json_get_float(root, "f", &number, NULL), 0);
    assert_true(number == 0.5);
    assert_int_equal(json_get_float(root, "i", &number, NULL), 0);
    assert_true(number == 7);
    assert_int_equal(json_get_bool(root, "b", &flag, NULL), 0);
    assert_true(flag);
    assert_int_equal(json_get_array(root, "a", &child, NULL), 0);
    assert_int_equal(json_length(child), 1);
    assert_null(json_at(child, 1));
    assert_null(json_text(json_at(child, 0)));
    assert_int_equal(json_get_object(root, "o", &child, NULL), 0);
    assert_true(json_has(root, "s"));
    assert_false(json_has(root, "n"));
    assert_false(json_has(root, "missing"));
    assert_int_equal(json_get_string_or(root, "n", "fallback", &text, NULL), 0);
    assert_string_equal(text, "fallback");
    assert_int_equal(json_get_int_or(root, "missing", 3, &whole, NULL), 0);
    assert_int_equal(whole, 3);
    json_free(root);
}

static void test_an_error_names_the_field(void **state)
{
    struct json *root = parsed("{\"alerts\":[{\"labels\":{\"job\":1}}],\"big\":1.5,\"name\":null}");
    const struct json *alerts;
    const struct json *labels;
    const char *text = "untouched";
    int64_t whole = 42;
    bool flag;
    struct err err = {0};

    assert_int_equal(json_get_array(root, "alerts", &alerts, &err), 0);
    assert_int_equal(json_get_object(json_at(alerts, 0), "labels", &labels, &err), 0);
    assert_int_equal(json_get_string(labels, "job", &text, &err), JSON_E_TYPE);
    assert_string_equal(err.text, "alerts[0].labels.job: expected a string");
    assert_int_equal(json_get_string(root, "gone", &text, &err), JSON_E_TYPE);
    assert_string_equal(err.text, "gone: missing, expected a string");
    assert_string_equal(text, "untouched");
    assert_int_equal(json_get_int(root, "big", &whole, &err), JSON_E_TYPE);
    assert_string_equal(err.text, "big: expected a whole number");
    assert_int_equal(whole, 42);
    assert_int_equal(json_get_bool(root, "name", &flag, &err), JSON_E_TYPE);
    assert_int_equal(json_get_string_or(root, "big", "", &text, &err), JSON_E_TYPE);
    assert_int_equal(json_get_int(alerts, "x", &whole, &err), JSON_E_TYPE);
    assert_string_equal(err.text, "alerts: expected an object");
    json_free(root);

    root = parsed("3");
    assert_int_equal(json_get_string_or(root, "x", "", &text, &err), JSON_E_TYPE);
    assert_string_equal(err.text, "the body: expected an object");
    json_free(root);
}

static void test_a_walk_follows_the_text_and_strict_bodies_name_the_stranger(void **state)
{
    static const char *const known[] = {"z", "a", NULL};
    struct json *root = parsed("{\"z\":\"1\",\"a\":\"2\",\"m\":\"3\"}");
    const struct json *value;
    const char *key;
    struct err err = {0};
    char seen[8] = "";

    for (size_t i = 0; json_member(root, i, &key, &value); i++) {
        seen[2 * i] = key[0];
        seen[2 * i + 1] = json_text(value)[0];
    }
    assert_string_equal(seen, "z1a2m3");
    assert_int_equal(json_only(root, known, &err), JSON_E_TYPE);
    assert_string_equal(err.text, "m: unknown field");
    json_free(root);
    json_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_json_is_refused_with_its_place),
        cmocka_unit_test(test_size_and_depth_have_ceilings),
        cmocka_unit_test(test_members_are_read_by_type),
        cmocka_unit_test(test_an_error_names_the_field),
        cmocka_unit_test(test_a_walk_follows_the_text_and_strict_bodies_name_the_stranger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
