/*
 * Templates cut into sections, and sections made a document again.
 */

#include <string.h>

#include "alertd/postmortem/facts.h"
#include "alertd/postmortem/section.h"
#include "tests/lib/row.h"

static int split(
    struct arena *arena, const char *text, struct section **sections, size_t *n, struct err *err)
{
    static struct template_file file;

    file = (struct template_file){"test.md", text};
    *err = (struct err){0};
    return section_split(arena, &file, sections, n, err);
}

static void test_split(void **state)
{
    ARENA_AUTO struct arena arena;
    struct section *sections;
    struct err err;
    size_t n;

    arena_init(&arena, 1 << 20);
    row("head, a generated one, a required one");
    assert_int_equal(split(&arena,
                           "# {{doc.title}}\n\n{{! section id=marks mode=generated }}\n## Marks\n\n"
                           "{{> marks}}\n{{! section id=why mode=human required }}\n## Why\n\nx\n",
                           &sections, &n, &err),
                     0);
    assert_int_equal(n, 3);
    assert_string_equal(sections[0].id, "head");
    assert_true(sections[0].is_generated);
    assert_string_equal(sections[1].title, "Marks");
    assert_true(sections[1].is_generated && !sections[1].required);
    assert_int_equal(sections[1].part.line, 4);
    assert_true(!sections[2].is_generated && sections[2].required);
    assert_string_equal(sections[2].part.text, "\n\nx\n");

    row("without headers it is one");
    assert_int_equal(split(&arena, "# x\n\n## y\n", &sections, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_true(sections[0].whole);

    static const struct {
        const char *text, *words;
        unsigned line;
    } wrong[] = {
        {"a\n{{! section mode=human }}\n", "without id=", 2},
        {"{{! section id=A }}\n", "a-z", 1},
        {"{{! section id=a }}\n\n{{! section id=a }}\n", "taken", 3},
        {"{{! section id=a mode=both }}\n", "mode=generated or mode=human", 1},
        {"{{! section id=a mode=generated required }}\n", "always there", 1},
        {"\n{{! section id=a", "closing braces", 2},
        {"{{! section id=a }}\n\n## {{x}}\n", "plain words", 3},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        row("%s", wrong[i].text);
        assert_int_equal(split(&arena, wrong[i].text, &sections, &n, &err), SECTION_E_SYNTAX);
        assert_non_null(strstr(err.text, wrong[i].words));
        assert_int_equal(err.line, wrong[i].line);
    }
}

static int lint(const char *text, struct err *err)
{
    ARENA_AUTO struct arena arena;
    const struct template_set set = {template_builtin, template_n_builtin};
    const struct template_file file = {"mine.md", text};

    arena_init(&arena, 16 << 20);
    *err = (struct err){0};
    return section_lint(&arena, &set, &file, err);
}

static void test_lint(void **state)
{
    struct err err;

    for (size_t i = 0; i < template_n_builtin; i++) {
        row("%s ships", template_builtin[i].name);
        if (template_builtin[i].name[0] != '_' && lint(template_builtin[i].text, &err))
            fail_msg("%u:%u %s", err.line, err.column, err.text);
    }
    row("a name that no fact has, in a section further down");
    assert_int_not_equal(
        lint("# x\n\n{{! section id=a mode=human }}\n## A\n\n{{incident.naem}}\n", &err), 0);
    assert_int_equal(err.line, 6);
    assert_non_null(strstr(err.text, "incident.naem"));
    row("a prompt among facts");
    assert_int_not_equal(lint("{{! section id=a mode=generated }}\n{{! ask why? }}\n", &err), 0);
    assert_non_null(strstr(err.text, "has a prompt"));
    row("a tag that reaches into the next section");
    assert_int_not_equal(
        lint("{{! section id=a }}\n{{#alerts}}\n{{! section id=b }}\n{{/alerts}}\n", &err), 0);
}

static void test_join(void **state)
{
    static const struct {
        const char *name, *title, *generated, *body, *want;
    } rows[] = {
        {"facts and words", "T", "\n\nfacts\n\n\n\nmore\n", "\nwords\n\n",
         "## T\n\nfacts\n\nmore\n\nwords\n"},
        {"facts alone", "T", "facts\n", "\n", "## T\n\nfacts\n"},
        {"words alone", "T", "", "words", "## T\n\nwords\n"},
        {"neither leaves nothing", "T", "\n", " \n", ""},
        {"no heading", "", "# x\n", "", "# x\n"},
        {"code keeps its blank lines", "", "", "```\na\n\n\nb\n```\n", "```\na\n\n\nb\n```\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        STR_AUTO struct str out = STR_INIT(4096);

        row("%s", rows[i].name);
        section_join(rows[i].title, rows[i].generated, rows[i].body, &out);
        assert_string_equal(str_text(&out), rows[i].want);
    }
    STR_AUTO struct str two = STR_INIT(4096);

    section_join("A", "x", "", &two);
    section_join("B", "", "", &two);
    section_join("C", "", "y", &two);
    assert_string_equal(str_text(&two), "## A\n\nx\n\n## C\n\ny\n");
}

static void test_prompts(void **state)
{
    assert_int_equal(section_open_prompts("> To answer: a\n\n> To answer: b\n"), 2);
    assert_int_equal(section_open_prompts("x > To answer: a\n"), 0);
    assert_true(section_is_unwritten(""));
    assert_true(section_is_unwritten("> To answer: a\n \n"));
    assert_false(section_is_unwritten("> To answer: a\nbecause\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_lint),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_prompts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
