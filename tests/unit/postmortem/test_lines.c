/*
 * What changed between two texts: applying the edit to the one gives the other, always.
 */

#include <string.h>

#include "alertd/postmortem/lines.h"
#include "lib/base/rng.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"

static void show(const char *before, const char *after, struct str *out, size_t *ret_changes)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str left = STR_INIT(1 << 20);
    STR_AUTO struct str right = STR_INIT(1 << 20);
    struct lines_edit *edits = NULL;
    size_t n = 0;

    arena_init(&arena, 64 << 20);
    *ret_changes = 0;
    assert_int_equal(lines_diff(&arena, before, after, &edits, &n, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        str_addc(out, " -+"[edits[i].kind]);
        str_addn(out, edits[i].text, edits[i].len);
        *ret_changes += edits[i].kind != LINES_SAME;
        if (edits[i].kind != LINES_ADDED) {
            str_addn(&left, edits[i].text, edits[i].len);
            str_addc(&left, '\n');
        }
        if (edits[i].kind != LINES_REMOVED) {
            str_addn(&right, edits[i].text, edits[i].len);
            str_addc(&right, '\n');
        }
    }
    assert_string_equal(str_text(&left), before);
    assert_string_equal(str_text(&right), after);
}

static void test_by_hand(void **state)
{
    static const struct {
        const char *name, *before, *after, *want;
    } rows[] = {
        {"equal", "a\nb\n", "a\nb\n", " a b"},
        {"both empty", "", "", ""},
        {"from nothing", "", "a\n", "+a"},
        {"to nothing", "a\n", "", "-a"},
        {"in the middle", "a\nb\nc\n", "a\nx\nc\n", " a-b+x c"},
        {"put in", "a\nc\n", "a\nb\nc\n", " a+b c"},
        {"taken out", "a\nb\nc\n", "a\nc\n", " a-b c"},
        {"the classic", "a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str out = STR_INIT(4096);
        size_t n;

        row("%s", rows[i].name);
        show(rows[i].before, rows[i].after, &out, &n);
        if (rows[i].want)
            assert_string_equal(str_text(&out), rows[i].want);
        else
            assert_int_equal(n, 5);
    }
}

/* Small alphabets make many ways; each must be true. */
static void test_random(void **state)
{
    struct rng rng = {.state = 7};

    for (int round = 0; round < 400; round++) {
        STR_AUTO struct str a = STR_INIT(4096);
        STR_AUTO struct str b = STR_INIT(4096);
        STR_AUTO struct str out = STR_INIT(1 << 16);
        size_t n;

        for (int i = (int)(rng_next(&rng) % 30); i > 0; i--)
            str_addf(&a, "%c\n", 'a' + (int)(rng_next(&rng) % 4));
        for (int i = (int)(rng_next(&rng) % 30); i > 0; i--)
            str_addf(&b, "%c\n", 'a' + (int)(rng_next(&rng) % 4));
        show(str_text(&a), str_text(&b), &out, &n);
    }
}

static void test_too_different(void **state)
{
    STR_AUTO struct str a = STR_INIT(1 << 20);
    STR_AUTO struct str b = STR_INIT(1 << 20);
    STR_AUTO struct str out = STR_INIT(1 << 20);
    size_t n;

    for (int i = 0; i < 2000; i++) {
        str_addf(&a, "a%d\n", i);
        str_addf(&b, "b%d\n", i);
    }
    show(str_text(&a), str_text(&b), &out, &n);
    assert_int_equal(n, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_too_different),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
