/*
 * Contributing factors read out of a document: what is one, and what it is about.
 */

#include <string.h>

#include "alertd/postmortem/factor.h"
#include "lib/base/str.h"
#include "tests/lib/row.h"

/* "words [capacity code]; words []" */
static void show(const char *markdown, struct str *out)
{
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, 1 << 20);
    const struct factor *factors = factor_find(&arena, markdown, "Contributing factors", &n);

    assert_non_null(factors);
    for (size_t i = 0; i < n; i++) {
        str_addf(out, "%s%s [", i ? "; " : "", factors[i].text);
        for (size_t k = 0; k < factors[i].n_tags; k++)
            str_addf(out, "%s%s", k ? " " : "", factors[i].tags[k]);
        str_addc(out, ']');
    }
}

#define HEAD "## Summary\n\n- no factor #code\n\n## Contributing factors\n\n"

static void test_what_is_one(void **state)
{
    static const struct {
        const char *name, *markdown, *want;
    } rows[] = {
        {"there is no such section", "## Summary\n\n- words #code\n", ""},
        {"nobody wrote it", HEAD "> To answer: Which?\n", ""},
        {"items", HEAD "- one #capacity\n* two\n3. three #code\n",
         "one [capacity]; two []; three [code]"},
        {"a paragraph, over two lines", HEAD "The batch\nhad no limit. #Capacity\n\nNext.\n",
         "The batch had no limit. [capacity]; Next. []"},
        {"an item goes on", HEAD "- one\n  and more #code\n  - below it #slo\n",
         "one and more [code]; below it [slo]"},
        {"two tags, one twice", HEAD "- #code a #capacity b #CODE\n", "a b [code capacity]"},
        {"what is no tag", HEAD "- see #12, a#b and # alone (#alerting)\n",
         "see #12, a#b and # alone () [alerting]"},
        {"boxes and what is quoted", HEAD "- [x] done #process\n> said #code\n", "done [process]"},
        {"a table is of facts", HEAD "| UTC | What |\n|---|---|\n| 10:00 | it #code |\n\n- one\n",
         "one []"},
        {"code is none", HEAD "- one\n\n```\n- two #code\n## Not a heading\n```\n- three\n",
         "one []; three []"},
        {"headings within it are none", HEAD "### Below\n- one\n", "one []"},
        {"up to the next section", HEAD "- one\n\n## Lessons\n- two\n", "one []"},
        {"an item without words", HEAD "- \n-\n- one\n", "one []"},
        {"the end without a line break", HEAD "- one #slo", "one [slo]"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str out = STR_INIT(10000);

        row("%s", rows[i].name);
        show(rows[i].markdown, &out);
        assert_string_equal(str_text(&out), rows[i].want);
    }
}

static void test_limits(void **state)
{
    STR_AUTO struct str text = STR_INIT(1 << 20);
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    str_add(&text, "## Contributing factors\n");
    for (int i = 0; i < 1000; i++)
        str_addf(&text, "- factor %d #a #b #c #d #e #f #%064d #x%064d\n", i, i, i);
    arena_init(&arena, 1 << 20);
    const struct factor *factors = factor_find(&arena, str_text(&text), "Contributing factors", &n);

    assert_int_equal(n, FACTORS_MAX);
    assert_int_equal(factors[0].n_tags, FACTOR_TAGS_MAX);
    ARENA_AUTO struct arena small;

    arena_init(&small, 4096);
    assert_null(factor_find(&small, str_text(&text), "Contributing factors", &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_one),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
