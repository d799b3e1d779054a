/*
 * The exported file: whole, self-contained, and from facts to HTML in one go.
 */

#include <string.h>

#include "alertd/postmortem/document.h"
#include "alertd/postmortem/facts.h"
#include "alertd/postmortem/template.h"
#include "tests/lib/row.h"

static void draft(const char *name, struct arena *arena, struct str *markdown)
{
    const struct template_set set = {template_builtin, template_n_builtin};
    const struct fact *facts;
    struct template *template;
    struct err err;

    assert_int_equal(postmortem_facts_example(arena, &facts, &err), 0);
    assert_int_equal(template_parse(arena, &set, template_find(&set, name), &template, &err), 0);
    assert_int_equal(template_render(template, facts, markdown, &err), 0);
}

static void test_shipped_templates_export(void **state)
{
    static const char *const names[] = {"quick.md", "standard.md"};
    static const struct markdown_graph graph = {12, "<svg></svg>", "probe_success"};

    for (size_t i = 0; i < 2; i++) {
        ARENA_AUTO struct arena arena;
        STR_AUTO struct str markdown = STR_INIT(1024 * 1024);
        STR_AUTO struct str html = STR_INIT(1024 * 1024);
        struct document document = {
            .title = "<Shop> down",
            .incident_key = "INC-2023-0012",
            .status = "in_review",
            .updated_by = "ana",
            .updated_at_ms = 1700000000000,
            .revision = 3,
            .graphs = &graph,
            .n_graphs = 1,
        };
        struct markdown *body;
        struct err err;

        row("%s", names[i]);
        arena_init(&arena, MARKDOWN_TREE_MAX);
        draft(names[i], &arena, &markdown);
        assert_int_equal(markdown_parse(&arena, markdown.text, markdown.len, &body, &err), 0);
        document.body = body;
        assert_int_equal(document_html(&document, &html, &err), 0);

        assert_int_equal(strncmp(html.text, "<!doctype html>", 15), 0);
        assert_non_null(strstr(html.text, "<title>&lt;Shop&gt; down</title>"));
        assert_non_null(strstr(html.text, "<figure><svg></svg>"));
        assert_non_null(
            strstr(html.text, "in review \xc2\xb7 revision 3, <time>2023-11-14 22:13 UTC</time>"));
        assert_non_null(strstr(html.text, "default-src 'none'"));
        assert_non_null(strstr(html.text, "<blockquote class=\"prompt\">"));
        row("no table fell apart, no tag was left");
        assert_null(strstr(html.text, "|--"));
        assert_null(strstr(html.text, "{{"));
        assert_null(strstr(html.text, "src="));
        assert_null(strstr(html.text, "url("));
        assert_null(strstr(html.text, "@import"));
    }
}

static void test_too_large(void **state)
{
    STR_AUTO struct str html = STR_INIT(2000);
    const struct markdown body = {.kind = MARKDOWN_DOCUMENT};
    const struct document document = {"t", "INC-1", "draft", "", 0, 1, &body, NULL, 0};
    struct err err;

    assert_int_equal(document_html(&document, &html, &err), DOCUMENT_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_templates_export),
        cmocka_unit_test(test_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
