/*
 * Templates: what is printed, which lines vanish, and that nothing wrong stays silent.
 */

#include <string.h>

#include "alertd/postmortem/facts.h"
#include "alertd/postmortem/template.h"
#include "tests/lib/row.h"

static const struct template_file partials[] = {
    {"_greeting.md", "Hello {{name}}\n"},
    {"_self.md", "{{> self}}"},
    {"_wrong.md", "fine\n  {{naem}}\n"},
    {"_rows.md", "{{#rows}}\n| {{n}} |\n{{/rows}}\n"},
};

static const struct fact *make_facts(struct arena *arena)
{
    struct fact_maker maker = FACT_MAKER(arena);
    struct fact *root = fact_root(&maker);
    struct fact *mark = fact_group(&maker, root, "mark");
    struct fact *rows = fact_list(&maker, root, "rows");

    fact_text(&maker, root, "name", "ana");
    fact_text(&maker, root, "empty", "");
    fact_text(&maker, root, "pipe", "a|b\nc");
    fact_markdown(&maker, root, "link", "[x](/y)");
    fact_bool(&maker, root, "yes", true);
    fact_bool(&maker, root, "no", false);
    fact_bool(&maker, mark, "known", false);
    fact_text(&maker, mark, "text", "not known");
    (void)fact_list(&maker, root, "none");
    for (int i = 1; i <= 2; i++)
        fact_number(&maker, fact_group(&maker, rows, ""), "n", i);
    assert_false(maker.spent);
    return root;
}

static int render(const char *text, struct str *out, struct err *err)
{
    ARENA_AUTO struct arena arena;
    const struct template_set set = {partials, sizeof(partials) / sizeof(*partials)};
    const struct template_file file = {"test.md", text};
    struct template *template;

    arena_init(&arena, 1024 * 1024);
    *err = (struct err){0};
    str_cut(out, 0);
    int r = template_parse(&arena, &set, &file, &template, err);
    return r ? r : template_render(template, make_facts(&arena), out, err);
}

static void test_what_is_printed(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"words are copied", "a { b } {c} }}", "a { b } {c} }}"},
        {"a name", "Hi {{name}}!", "Hi ana!"},
        {"spaces in a tag", "{{  name }}", "ana"},
        {"dotted", "{{mark.text}}", "not known"},
        {"signs and line breaks are made harmless", "{{pipe}}", "a\\|b c"},
        {"Markdown printed raw", "{{&link}}", "[x](/y)"},
        {"Markdown printed as text is escaped", "{{link}}", "\\[x\\](/y)"},
        {"truths", "{{yes}} {{no}}", "yes no"},
        {"a list", "{{#rows}}<{{n}}>{{/rows}}", "<1><2>"},
        {"the item itself", "{{#rows}}{{#n}}{{.}},{{/n}}{{/rows}}", "1,2,"},
        {"an empty list", "{{#none}}x{{/none}}{{^none}}none{{/none}}", "none"},
        {"an empty text is untrue", "{{#empty}}x{{/empty}}{{^empty}}y{{/empty}}", "y"},
        {"a group that is not known", "{{#mark}}x{{/mark}}{{^mark}}y{{/mark}}", "y"},
        {"outer names inside a list", "{{#rows}}{{name}}{{n}} {{/rows}}", "ana1 ana2 "},
        {"a section's line vanishes", "a\n{{#yes}}\nb\n{{/yes}}\nc\n", "a\nb\nc\n"},
        {"indented, too", "a\n  {{#yes}}  \nb\n\t{{/yes}}\nc", "a\nb\nc"},
        {"at the end without a line break", "a\n{{#yes}}\nb\n{{/yes}}", "a\nb\n"},
        {"with carriage returns", "a\r\n{{! x }}\r\nb", "a\r\nb"},
        {"two tags on a line stay", "{{#yes}}{{/yes}}\nb", "\nb"},
        {"a comment of two lines", "a\n{{! one\ntwo }}\nb", "a\nb"},
        {"a comment amid words", "a {{! x }}b", "a b"},
        {"a name alone keeps its line", "{{name}}\nb", "ana\nb"},
        {"a table stays a table", "|h|\n|---|\n{{#rows}}\n|{{n}}|\n{{/rows}}\n",
         "|h|\n|---|\n|1|\n|2|\n"},
        {"a partial", "{{> greeting}}\nbye", "Hello ana\nbye"},
        {"a partial within a list", "{{#rows}}\n{{> greeting}}\n{{/rows}}\n",
         "Hello ana\nHello ana\n"},
        {"a partial's own sections", "{{> rows}}", "| 1 |\n| 2 |\n"},
        {"a prompt", "x\n\n{{! ask What\n surprised us? }}\n\ny",
         "x\n\n> To answer: What  surprised us?\n\ny"},
        {"the title is only a comment", "{{! title: Quick }}\nx", "x"},
    };
    STR_AUTO struct str out = STR_INIT(4096);
    struct err err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        row("%s", rows[i].name);
        assert_int_equal(render(rows[i].text, &out, &err), 0);
        assert_string_equal(str_text(&out), rows[i].want);
    }
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *name, *text;
        int code;
        unsigned line, column;
        const char *words;
    } rows[] = {
        {"unknown name", "a\n  {{naem}}", TEMPLATE_E_NAME, 2, 3,
         "unknown name \"naem\"; at hand here: mark"},
        {"unknown member says what there is", "{{mark.utc}}", TEMPLATE_E_NAME, 1, 1,
         "mark has: known, text"},
        {"a member of a text", "{{name.x}}", TEMPLATE_E_NAME, 1, 1, "\"name\" has no members"},
        {"a dotted name does not look outwards", "{{#rows}}{{mark.n}}{{/rows}}", TEMPLATE_E_NAME, 1,
         10, "mark.n"},
        {"an unknown section", "{{#x}}{{/x}}", TEMPLATE_E_NAME, 1, 1, "unknown name \"x\""},
        {"a group printed", "{{mark}}", TEMPLATE_E_NAME, 1, 1,
         "is a group and can not be printed; it has: known"},
        {"a list printed", "{{rows}}", TEMPLATE_E_NAME, 1, 1, "is a list"},
        {"text printed raw", "{{&name}}", TEMPLATE_E_NAME, 1, 1, "not Markdown: write {{name}}"},
        {"no such partial", "\n{{> nope}}", TEMPLATE_E_NAME, 2, 1, "no such partial"},
        {"wrong name in a partial", "{{> wrong}}", TEMPLATE_E_NAME, 2, 3,
         "_wrong.md: unknown name"},
        {"a partial that names itself", "{{> self}}", TEMPLATE_E_LIMIT, 1, 1,
         "does it name itself"},
        {"never closed", "x\n{{#yes}}\ny", TEMPLATE_E_SYNTAX, 2, 1, "never closed: {{#yes}}"},
        {"closed by another", "{{#yes}}{{/no}}", TEMPLATE_E_SYNTAX, 1, 9, "closes no open section"},
        {"closed by a longer name", "{{#no}}{{/none}}", TEMPLATE_E_SYNTAX, 1, 8,
         "closes no open section"},
        {"closed twice", "{{/yes}}", TEMPLATE_E_SYNTAX, 1, 1, "closes no open section"},
        {"open braces", "abc {{name", TEMPLATE_E_SYNTAX, 1, 5, "without its closing braces"},
        {"no name", "{{}}", TEMPLATE_E_SYNTAX, 1, 1, "not a name"},
        {"a bad name", "{{a..b}}", TEMPLATE_E_SYNTAX, 1, 1, "not a name"},
        {"a name with spaces", "{{a b}}", TEMPLATE_E_SYNTAX, 1, 1, "not a name"},
        {"three braces", "{{{name}}}", TEMPLATE_E_SYNTAX, 1, 1, "three braces"},
        {"delimiters", "{{=<% %>=}}", TEMPLATE_E_SYNTAX, 1, 1, "delimiters"},
    };
    STR_AUTO struct str out = STR_INIT(4096);
    struct err err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        row("%s", rows[i].name);
        assert_int_equal(render(rows[i].text, &out, &err), rows[i].code);
        (void)fprintf(stderr, "# %u:%u %s\n", err.line, err.column, err.text);
        assert_int_equal(err.line, rows[i].line);
        assert_int_equal(err.column, rows[i].column);
        assert_non_null(strstr(err.text, rows[i].words));
    }
}

static void test_escapes(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"INC-2026-0012", "INC-2026-0012"},
        {"node_cpu_seconds_total", "node_cpu_seconds_total"},
        {"_under_", "\\_under\\_"},
        {"# not a heading", "\\# not a heading"},
        {"- not a list", "\\- not a list"},
        {"> not a quote", "\\> not a quote"},
        {"12. not a list", "12\\. not a list"},
        {"12.5 is a number", "12.5 is a number"},
        {"    not code", "not code"},
        {"<b>&amp;", "\\<b>\\&amp;"},
        {"![x](javascript:y)", "!\\[x\\](javascript:y)"},
        {"a\n\n\nb\x01"
         "c",
         "a b c"},
        {"tail  ", "tail"},
    };
    STR_AUTO struct str out = STR_INIT(4096);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        row("%s", rows[i].text);
        str_cut(&out, 0);
        template_escape(rows[i].text, &out);
        assert_string_equal(str_text(&out), rows[i].want);
    }
}

static void test_limits(void **state)
{
    ARENA_AUTO struct arena facts;
    STR_AUTO struct str out = STR_INIT(4096);
    const struct template_set set = {partials, sizeof(partials) / sizeof(*partials)};
    const struct template_file file = {"t.md", "{{#rows}}{{> greeting}}{{n}}{{/rows}}{{! ask x }}"};
    struct template *template;
    struct err err;
    size_t limit = 0;
    int r;

    arena_init(&facts, 64 * 1024);
    const struct fact *root = make_facts(&facts);

    row("every memory limit is a clean end");
    do {
        ARENA_AUTO struct arena arena;

        arena_init(&arena, limit);
        str_cut(&out, 0);
        r = template_parse(&arena, &set, &file, &template, &err);
        if (!r)
            r = template_render(template, root, &out, &err);
        assert_true(r == 0 || r == TEMPLATE_E_LIMIT);
        limit += 16;
    } while (r);
    assert_string_equal(str_text(&out), "Hello ana\n1Hello ana\n2> To answer: x\n");

    row("output past its limit");
    out.limit = 8;
    assert_int_equal(render(file.text, &out, &err), TEMPLATE_E_LIMIT);
    assert_non_null(strstr(err.text, "too large"));

    row("sections nested seventeen deep");
    STR_AUTO struct str deep = STR_INIT(4096);

    for (int i = 0; i < TEMPLATE_DEPTH_MAX + 1; i++)
        str_add(&deep, "{{#yes}}");
    for (int i = 0; i < TEMPLATE_DEPTH_MAX + 1; i++)
        str_add(&deep, "{{/yes}}");
    assert_int_equal(render(str_text(&deep), &out, &err), TEMPLATE_E_LIMIT);
}

static void test_check_walks_what_a_run_skips(void **state)
{
    static const char *const wrong[] = {"{{#no}}{{x}}{{/no}}", "{{^yes}}{{x}}{{/yes}}",
                                        "{{#mark}}{{x}}{{/mark}}"};
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str out = STR_INIT(100);
    const struct template_set set = {NULL, 0};
    struct err err;

    arena_init(&arena, 1024 * 1024);
    for (size_t i = 0; i < 3; i++) {
        const struct template_file file = {"t.md", wrong[i]};
        const struct fact *facts = make_facts(&arena);
        struct template *template;

        row("%s", wrong[i]);
        assert_int_equal(template_parse(&arena, &set, &file, &template, &err), 0);
        assert_int_equal(template_render(template, facts, &out, &err), 0);
        assert_int_equal(template_check(template, facts, &err), TEMPLATE_E_NAME);
    }
}

static void test_titles(void **state)
{
    const struct template_file titled = {"a.md", "{{! title: Quick: one page }}\n# x"};
    const struct template_file plain = {"own.md", "# x"};
    STR_AUTO struct str title = STR_INIT(100);

    template_title(&titled, &title);
    assert_string_equal(str_text(&title), "Quick: one page");
    str_cut(&title, 0);
    template_title(&plain, &title);
    assert_string_equal(str_text(&title), "own");
}

/* The shipped templates name only what exists, whatever an incident has or lacks. */
static void test_shipped_templates(void **state)
{
    const struct template_set set = {template_builtin, template_n_builtin};
    ARENA_AUTO struct arena arena;
    const struct fact *example;
    struct err err = {0};

    arena_init(&arena, 4 * 1024 * 1024);
    assert_int_equal(postmortem_facts_example(&arena, &example, &err), 0);
    for (size_t i = 0; i < set.n; i++) {
        struct template *template;

        row("%s", set.files[i].name);
        int r = template_parse(&arena, &set, &set.files[i], &template, &err);
        if (!r)
            r = template_check(template, example, &err);
        if (r)
            (void)fprintf(stderr, "# %u:%u: %s\n", err.line, err.column, err.text);
        assert_int_equal(r, 0);
    }
    assert_non_null(template_find(&set, "quick.md"));
    assert_non_null(template_find(&set, "standard.md"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_printed),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_check_walks_what_a_run_skips),
        cmocka_unit_test(test_titles),
        cmocka_unit_test(test_shipped_templates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
