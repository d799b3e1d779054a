/*
 * The word that was probably meant.
 */

#include "lib/base/near.h"
#include "tests/lib/row.h"

static void test_near(void **state)
{
    static const char *const known[] = {"alert", "annotations", "expr", "for", "labels", NULL};
    static const struct {
        const char *word;
        const char *want;
    } rows[] = {
        {"alert", "alert"}, {"alret", "alert"},  {"anotations", "annotations"},
        {"exp", "expr"},    {"label", "labels"}, {"fro", "for"},
        {"severity", NULL}, {"", NULL},          {"annotationsss", "annotations"},
        {"x", NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *got = near_word(rows[i].word, known);

        row("%s", rows[i].word);
        if (rows[i].want)
            assert_string_equal(got ? got : "(none)", rows[i].want);
        else
            assert_null(got);
    }
}

static void test_a_very_long_word_matches_nothing(void **state)
{
    static const char *const known[] = {"a", NULL};
    char word[200] = {0};

    for (size_t i = 0; i + 1 < sizeof(word); i++)
        word[i] = 'a';
    assert_null(near_word(word, known));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_a_very_long_word_matches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
