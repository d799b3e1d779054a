/*
 * Text under construction, with a ceiling.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/lib/row.h"

static void test_it_grows_and_is_taken(void **state)
{
    struct str text = STR_INIT(1000);

    for (int i = 0; i < 100; i++)
        str_addf(&text, "%d,", i);
    assert_int_equal(text.len, 290);
    char *taken = str_take(&text);
    assert_int_equal(strlen(taken), 290);
    assert_string_equal(str_text(&text), "");
    free(taken);
    str_done(&text);
}

static void test_past_the_ceiling_it_stays_full(void **state)
{
    STR_AUTO struct str text = STR_INIT(4);

    str_add(&text, "abc");
    str_add(&text, "de");
    assert_true(text.full);
    str_addc(&text, 'd'); /* would fit, but what came before is missing */
    assert_string_equal(str_text(&text), "abc");
    str_cut(&text, 1);
    str_add(&text, "xyz");
    assert_string_equal(str_text(&text), "axyz");
    assert_false(text.full);
}

static void test_room_is_written_behind_the_text(void **state)
{
    STR_AUTO struct str text = STR_INIT(8);

    str_reserve(&text, 1000); /* as much as the ceiling lets */
    assert_string_equal(str_text(&text), "");
    assert_true(text.capacity >= 9);
    str_add(&text, "ab");
    char *room = str_room(&text, 6);
    assert_non_null(room);
    memcpy(room, "cdefgh", 6);
    str_grow(&text, 3);
    assert_string_equal(str_text(&text), "abcde");
    assert_null(str_room(&text, 4));
    assert_true(text.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_grows_and_is_taken),
        cmocka_unit_test(test_past_the_ceiling_it_stays_full),
        cmocka_unit_test(test_room_is_written_behind_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
