/*
 * A label set: sorted, unique, without empty values, equal when its pairs are.
 */

#include "lib/model/labels.h"
#include "tests/lib/row.h"

static const char *printed(const struct labels *labels, struct str *text)
{
    str_cut(text, 0);
    labels_print(labels, text);
    return str_text(text);
}

static void test_order_duplicates_and_empty_values(void **state)
{
    static const struct label pairs[] = {
        {"job", "old"}, {LABEL_NAME, "up"}, {"gone", ""}, {"instance", "a:1"}, {"job", "node"},
    };
    static const struct label same[] = {{LABEL_NAME, "up"}, {"instance", "a:1"}, {"job", "node"}};
    STR_AUTO struct str text = STR_INIT(200);
    const struct labels *a = labels_new(pairs, 5);
    const struct labels *b = labels_new(same, 3);

    assert_string_equal(printed(a, &text), "up{instance=\"a:1\", job=\"node\"}");
    assert_true(labels_equal(a, b));
    assert_string_equal(labels_get(a, "job"), "node");
    assert_null(labels_get(a, "gone"));
    labels_unref(a);
    labels_unref(b);
}

static void test_quoting(void **state)
{
    static const struct label pairs[] = {{LABEL_NAME, "a.b"}, {"path", "C:\\x\"\n"}};
    STR_AUTO struct str text = STR_INIT(200);
    const struct labels *labels = labels_new(pairs, 2);

    assert_string_equal(printed(labels, &text), "{__name__=\"a.b\", path=\"C:\\\\x\\\"\\n\"}");
    labels_unref(labels);
    assert_string_equal(printed(labels_empty(), &text), "{}");
}

static void test_builder_and_arena(void **state)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    ARENA_AUTO struct arena arena;

    labels_builder_set(&builder, "a", "1");
    labels_builder_set(&builder, "b", "2");
    labels_builder_delete(&builder, "a");
    const struct labels *made = labels_builder_finish(&builder);
    assert_int_equal(made->n, 1);

    arena_init(&arena, 1024);
    assert_true(labels_equal(made, labels_in_arena(&arena, made->at, made->n)));
    arena_reset(&arena);
    arena.limit = 16;
    assert_null(labels_in_arena(&arena, made->at, made->n));
    labels_unref(made);
}

static void test_text(void **state)
{
    assert_true(labels_text_ok("caf\xc3\xa9 \xf0\x9f\x94\xa5", 10));
    assert_false(labels_text_ok("\xff", 1));
    assert_false(labels_text_ok("\xc0\x80", 2));
    assert_false(labels_text_ok("\xed\xa0\x80", 3));
    assert_false(labels_text_ok("a\0b", 3));
    assert_false(labels_text_ok("\xe2\x82", 2));
}

static void test_the_empty_set_hashes_as_made(void **state)
{
    static const struct label none[] = {{"a", ""}};
    const struct labels *made = labels_new(none, 1);

    assert_true(labels_equal(made, labels_empty()));
    labels_unref(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_duplicates_and_empty_values),
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_builder_and_arena),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_the_empty_set_hashes_as_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
