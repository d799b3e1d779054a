/*
 * JSON out: whatever the text, what is written is JSON.
 */

#include <string.h>

#include "lib/json/write.h"
#include "tests/lib/row.h"

static void test_strings(void **state)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01", "\"\\n\\t\\u0001\""},
        {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"a\xc3", "\"a\xef\xbf\xbd\""},
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xe0\x80\x80z", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        STR_AUTO struct str text = STR_INIT(200);
        struct json_out out = JSON_OUT(&text);

        row("%s", rows[i].json);
        json_string(&out, rows[i].text);
        assert_string_equal(str_text(&text), rows[i].json);
    }
}

/* Any byte at any place of a text that is looked through eight bytes at a time. */
static void test_a_byte_among_others(void **state)
{
    static const char around[] = "twenty bytes around.";

    for (int c = 1; c < 256; c++)
        for (size_t at = 0; at < sizeof(around) - 1; at++) {
            STR_AUTO struct str text = STR_INIT(200);
            STR_AUTO struct str alone = STR_INIT(200);
            STR_AUTO struct str expected = STR_INIT(200);
            struct json_out out = JSON_OUT(&text);
            struct json_out of_one = JSON_OUT(&alone);
            char put[sizeof(around)];

            row("byte %d at %zu", c, at);
            memcpy(put, around, sizeof(put));
            put[at] = (char)c;
            json_string(&out, put);
            json_stringn(&of_one, &put[at], 1);
            str_addc(&expected, '"');
            str_addn(&expected, around, at);
            str_addn(&expected, str_text(&alone) + 1, strlen(str_text(&alone)) - 2);
            str_add(&expected, around + at + 1);
            str_addc(&expected, '"');
            assert_string_equal(str_text(&text), str_text(&expected));
        }
}

static void test_nesting_and_commas(void **state)
{
    STR_AUTO struct str text = STR_INIT(200);
    struct json_out out = JSON_OUT(&text);

    json_open(&out, '{');
    json_kv_int(&out, "n", -1);
    json_key(&out, "list");
    json_open(&out, '[');
    json_bool(&out, true);
    json_string(&out, NULL);
    json_open(&out, '{');
    json_close(&out, '}');
    json_close(&out, ']');
    json_kv_float(&out, "f", 0.5);
    json_close(&out, '}');
    assert_string_equal(str_text(&text), "{\"n\":-1,\"list\":[true,null,{}],\"f\":0.5}");
}

static void test_several_strings(void **state)
{
    static const char *const texts[] = {"a", "\"b\""};
    STR_AUTO struct str text = STR_INIT(200);
    struct json_out out = JSON_OUT(&text);

    json_open(&out, '{');
    json_kv_strings(&out, "some", texts, 2);
    json_kv_strings(&out, "none", NULL, 0);
    json_close(&out, '}');
    assert_string_equal(str_text(&text), "{\"some\":[\"a\",\"\\\"b\\\"\"],\"none\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_a_byte_among_others),
        cmocka_unit_test(test_nesting_and_commas),
        cmocka_unit_test(test_several_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
