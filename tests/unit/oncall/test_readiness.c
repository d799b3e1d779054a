/*
 * The checklist: the built-in one can be read, mistakes are told with their place, and the gate
 * is over a share of at least so many.
 */

#include <string.h>

#include "alertd/oncall/readiness.h"
#include "tests/lib/row.h"

enum {
    MEMORY = 1 << 20
};

static void test_builtin(void **state)
{
    static const char *const areas[] = {"paging path", "dashboards",    "runbooks",   "systems",
                                        "escalation",  "communication", "postmortems"};
    ARENA_AUTO struct arena arena;
    struct readiness list;
    struct err err = {0};
    const char *text = readiness_builtin[0].text;

    arena_init(&arena, MEMORY);
    if (readiness_parse(text, strlen(text), &arena, &list, &err))
        fail_msg("%s", err.text);
    assert_int_equal(list.gate.pages, 10);
    assert_true(list.gate.sense == 0.8);
    assert_int_equal(list.n_areas, sizeof(areas) / sizeof(areas[0]));
    for (size_t i = 0; i < list.n_areas; i++) {
        const struct readiness_area *area = NULL;

        assert_string_equal(list.areas[i].name, areas[i]);
        for (size_t j = 0; j < list.areas[i].n_items; j++) {
            assert_true(list.areas[i].items[j].question[0] != '\0');
            assert_non_null(readiness_find(&list, list.areas[i].items[j].name, &area));
            assert_ptr_equal(area, &list.areas[i]);
        }
    }
    assert_null(readiness_find(&list, "nothing", NULL));
}

static const struct {
    const char *text, *words;
} mistakes[] = {
    {"", "areas: expected a list"},
    {"- a\n", "1:1: "},
    {"areas: [", "did not find"},
    {"areas: []\n", "1:8: areas: expected a list"},
    {"gate: {pages: 0}\nareas: [{area: a, items: [{item: i, text: t}]}]\n", "pages: expected 1"},
    {"gate: {sense: 1}\nareas: [{area: a, items: [{item: i, text: t}]}]\n", "sense: expected a"},
    {"gate: {sense: x}\nareas: [{area: a, items: [{item: i, text: t}]}]\n", "1:15: "},
    {"areas:\n  - area: a\n", "2:5: items: expected a list"},
    {"areas:\n  - items: [{item: i, text: t}]\n", "expected a name: area"},
    {"areas: [{area: a, items: [{text: t}]}]\n", "expected a name: item"},
    {"areas: [{area: a, items: [{item: i}]}]\n", "expected a sentence: text"},
    {"areas: [{area: a, items: [{item: I, text: t}]}]\n", "item: expected a name of a-z"},
    {"areas: [{area: a, items: [{item: i, text: t, txt: t}]}]\n", "unknown field \"txt\""},
    {"areas: [{area: a, items: [{item: i, text: t}, {item: i, text: t}]}]\n", "there already"},
    {"areas: [{area: a, items: [{item: i, text: t}]}, {area: b, items: [{item: i, text: t}]}]\n",
     "1:67: item: that name stands there already"},
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        ARENA_AUTO struct arena arena;
        struct readiness list;
        struct err err = {0};

        row("%s", mistakes[i].text);
        arena_init(&arena, MEMORY);
        assert_int_equal(
            readiness_parse(mistakes[i].text, strlen(mistakes[i].text), &arena, &list, &err),
            READINESS_E_WRONG);
        if (!strstr(err.text, mistakes[i].words))
            fail_msg("%s\nsays: %s\nnot:  %s", mistakes[i].text, err.text, mistakes[i].words);
    }
}

static void test_gate(void **state)
{
    static const struct {
        unsigned answered, made_sense;
        bool passes;
    } rows[] = {{0, 0, false},  {9, 9, false},    {10, 8, false}, {10, 9, true},
                {10, 10, true}, {100, 80, false}, {100, 81, true}};
    const struct readiness_gate gate = {.pages = 10, .sense = 0.8};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row("%u of %u", rows[i].made_sense, rows[i].answered);
        assert_int_equal(readiness_passes(&gate, rows[i].answered, rows[i].made_sense),
                         rows[i].passes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_gate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
