/*
 * What could not be read, as it is told: once each, so many at most, and whoever reads at the same time.
 */

#include <stdio.h>

#include "alertd/promql/told.h"
#include "lib/base/parallel.h"
#include "tests/lib/row.h"

static void add_numbered(void *context, size_t index)
{
    char words[64];

    for (int i = 0; i < 40; i++) {
        (void)snprintf(words, sizeof(words), "day %02d is missing", i);
        told_add(context, words);
    }
}

static void test_each_is_told_once(void **state)
{
    struct told *told = told_new();
    const char *words[TOLD_LIST_MAX];

    assert_int_equal(told_list(told, words), 0);
    told_add(told, "b");
    told_add(told, "a");
    told_add(told, "b");
    assert_int_equal(told_list(told, words), 2);
    assert_string_equal(words[0], "a");
    assert_string_equal(words[1], "b");
    told_free(told);
}

static void test_those_who_read_at_the_same_time_share_it(void **state)
{
    struct told *told = told_new();
    const char *words[TOLD_LIST_MAX];

    parallel_each(8, 8, add_numbered, told);
    assert_int_equal(told_list(told, words), 40);
    assert_string_equal(words[0], "day 00 is missing");
    assert_string_equal(words[39], "day 39 is missing");
    told_free(told);
}

static void test_more_than_there_is_room_for(void **state)
{
    struct told *told = told_new();
    const char *words[TOLD_LIST_MAX];
    char text[64];

    for (int i = 0; i < TOLD_WORDS_MAX + 10; i++) {
        (void)snprintf(text, sizeof(text), "day %03d", i);
        told_add(told, text);
        assert_int_equal(told_list(told, words), i < TOLD_WORDS_MAX ? i + 1 : TOLD_WORDS_MAX + 1);
    }
    assert_string_equal(words[TOLD_WORDS_MAX - 1], "day 063");
    assert_string_equal(words[TOLD_WORDS_MAX], "more of it could not be read than is named here");
    told_free(told);
}

static void test_notes_hide_nothing_that_is_missing(void **state)
{
    struct told *told = told_new();
    const char *words[TOLD_LIST_MAX];
    char text[64];

    for (int k = 0; k < 2; k++)
        for (int i = 0; i < TOLD_NOTES_MAX; i++) {
            (void)snprintf(text, sizeof(text), "a bucket %d without le", i);
            told_add_note(told, text);
        }
    assert_int_equal(told_list(told, words), TOLD_NOTES_MAX);
    told_add_note(told, "a bucket more");
    told_add(told, "day 2 is missing");
    assert_int_equal(told_list(told, words), TOLD_NOTES_MAX + 2);
    assert_string_equal(words[0], "day 2 is missing");
    assert_string_equal(words[1], "a bucket 0 without le");
    assert_string_equal(words[TOLD_NOTES_MAX + 1], "PromQL warns of more than is named here");
    told_free(told);
}

static void test_as_many_as_there_can_be(void **state)
{
    struct told *told = told_new();
    const char *words[TOLD_LIST_MAX];
    char text[64];

    for (int i = 0; i < 2 * TOLD_WORDS_MAX; i++) {
        (void)snprintf(text, sizeof(text), "%03d", i);
        told_add(told, text);
        told_add_note(told, text);
    }
    assert_int_equal(told_list(told, words), TOLD_LIST_MAX);
    assert_string_equal(words[TOLD_WORDS_MAX + 1], "000");
    told_free(told);
}

static void test_nobody_asks(void **state)
{
    const char *words[TOLD_LIST_MAX];

    told_add(NULL, "a");
    told_add_note(NULL, "a");
    assert_int_equal(told_list(NULL, words), 0);
    told_free(NULL);
}

/* --- a source that warns --- */

static int select_some(void *self,
                       const struct source_query *query,
                       struct arena *arena,
                       struct source_selection *ret_selection,
                       struct err *reterr)
{
    static const char *warnings[] = {"day 1 is missing", "day 2 is missing"};

    *ret_selection = (struct source_selection){.warnings = warnings, .n_warnings = 2};
    return *(int *)self;
}

static void test_a_source_is_read_through_it(void **state)
{
    struct told *told = told_new();
    const char *words[TOLD_LIST_MAX];
    struct source_selection selection;
    int code = 0;
    const struct source warns = {.select = select_some, .self = &code};
    struct told_of of = {&warns, told};
    const struct source source = told_source(&of);
    const struct source_query query = {0};

    for (int i = 0; i < 3; i++)
        assert_int_equal(source.select(source.self, &query, NULL, &selection, NULL), 0);
    assert_int_equal(selection.n_warnings, 2);
    assert_int_equal(told_list(told, words), 2);
    assert_string_equal(words[1], "day 2 is missing");
    code = SOURCE_E_LIMIT;
    assert_int_equal(source.select(source.self, &query, NULL, &selection, NULL), SOURCE_E_LIMIT);
    assert_int_equal(told_list(told, words), 2);
    told_free(told);
}

static void check_said(const struct told *told, const char *expected)
{
    STR_AUTO struct str out = STR_INIT(200);

    told_say(told, " (missing: ", ")", &out);
    assert_string_equal(str_text(&out), expected);
}

static void test_it_is_said_in_a_sentence(void **state)
{
    struct told *told = told_new();

    check_said(NULL, "");
    check_said(told, "");
    told_add(told, "b");
    check_said(told, " (missing: b)");
    told_add(told, "a");
    told_add(told, "c");
    check_said(told, " (missing: a, and 2 more)");
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_told_once),
        cmocka_unit_test(test_those_who_read_at_the_same_time_share_it),
        cmocka_unit_test(test_more_than_there_is_room_for),
        cmocka_unit_test(test_notes_hide_nothing_that_is_missing),
        cmocka_unit_test(test_as_many_as_there_can_be),
        cmocka_unit_test(test_nobody_asks),
        cmocka_unit_test(test_it_is_said_in_a_sentence),
        cmocka_unit_test(test_a_source_is_read_through_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
