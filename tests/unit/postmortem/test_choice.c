/*
 * Small decisions about documents: which template, which words are worth a look, whose name
 * becomes which role, what a tar holds.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/postmortem/archive.h"
#include "alertd/postmortem/choice.h"
#include "alertd/postmortem/hint.h"
#include "alertd/postmortem/roles.h"
#include "tests/lib/row.h"

enum {
    MINUTE_MS = 60 * 1000
};

static void test_choice(void **state)
{
    static const struct {
        const char *name;
        struct choice_input input;
        const char *want;
    } rows[] = {
        {"a short page",
         {.severity = "critical", .was_paged = true, .duration_ms = 5 * MINUTE_MS},
         "quick"},
        {"a page of an hour",
         {.severity = "warning", .was_paged = true, .duration_ms = 60 * MINUTE_MS},
         "standard"},
        {"an hour that paged nobody",
         {.severity = "warning", .duration_ms = 60 * MINUTE_MS},
         "quick"},
        {"sev2", {.severity = "sev2"}, "standard"},
        {"sev1", {.severity = "sev1"}, "major"},
        {"critical for hours", {.severity = "critical", .duration_ms = 121 * MINUTE_MS}, "major"},
        {"two scopes", {.severity = "warning", .n_scopes = 2}, "major"},
        {"it happened before", {.severity = "info", .is_recurrence = true}, "major"},
        {"lost data", {.severity = "info", .data_was_lost = true}, "major"},
        {"a drill, whatever else",
         {.severity = "sev1", .origin = "drill", .n_scopes = 3},
         "debrief"},
        {"a near miss", {.severity = "sev1", .origin = "near_miss"}, "near-miss"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct choice choice = choice_make(&rows[i].input, &choice_builtin);

        row("%s", rows[i].name);
        assert_string_equal(choice.template_name, rows[i].want);
        assert_true(choice.due_ms > 0 && *choice.why);
    }

    row("a table of a team's own, and what it does not say");
    static const struct choice_rule rule = {{"major", 1, "we say so"}, .severities = "high urgent"};
    const struct choice_table own = {&rule, 1};

    assert_string_equal(choice_make(&(struct choice_input){.severity = "URGENT"}, &own).why,
                        "we say so");
    assert_string_equal(choice_make(&(struct choice_input){.severity = "sev1"}, &own).template_name,
                        "quick");
    assert_string_equal(choice_make(&(struct choice_input){.severity = "urge"}, &own).template_name,
                        "quick");
}

static void test_hints(void **state)
{
    ARENA_AUTO struct arena arena;
    size_t n;

    arena_init(&arena, 1 << 20);
    struct hint *hints = hint_find(
        &arena, &hint_builtin,
        "Ana forgot it.\n\n`human error` is a word\n> should have\n"
        "They should Have seen\n```\ncareless\n```\nunforgotten, forgotten\n",
        &n);

    assert_int_equal(n, 2);
    assert_string_equal(hints[0].kind, "blame");
    assert_int_equal(hints[0].line, 1);
    assert_string_equal(hints[1].phrase, "should have");
    assert_int_equal(hints[1].line, 5);
    assert_non_null(hint_find(&arena, &hint_builtin, "The root cause was the deploy.", &n));
    assert_int_equal(n, 1);
}

static void test_roles(void **state)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str out = STR_INIT(4096);
    struct roles roles;

    arena_init(&arena, 1 << 20);
    struct fact_maker maker = FACT_MAKER(&arena);
    struct fact *root = fact_root(&maker);
    struct fact *doc = fact_group(&maker, root, "doc");
    struct fact *list = fact_list(&maker, root, "responders");

    fact_text(&maker, doc, "owner", "eve");
    fact_text(&maker, fact_group(&maker, list, ""), "name", "Ana");
    fact_text(&maker, fact_group(&maker, list, ""), "name", "Ana Lund");
    (void)fact_list(&maker, root, "people");
    assert_true(roles_of(&arena, root, &roles));
    roles_replace(&roles, "Ana Lund asked Ana, not Anabel; eve (event) wrote.", &out);
    assert_string_equal(str_text(&out), "responder 2 asked responder 1, not Anabel; the owner of"
                                        " this document (event) wrote.");
    str_cut(&out, 0);
    assert_true(roles_add(&arena, &roles, "eve", "Eve Mark"));
    assert_true(roles_add(&arena, &roles, "rect", "Ada Line"));
    roles_replace(&roles, "EVE, Mark and MARK set a mark; ada? Ada Line; a line.", &out);
    assert_string_equal(str_text(&out),
                        "the owner of this document, the owner of this document and the owner of "
                        "this document set a mark; ada? a colleague; a line.");
    str_cut(&out, 0);
    roles_replace_markup(&roles,
                         "<svg aria-label=\"Ana\" class=\"rect\"><style>.rect{}</style>"
                         "<rect id=\"Ana\"/><text title=\"of rect\">Ana</text></svg>",
                         &out);
    assert_string_equal(
        str_text(&out),
        "<svg aria-label=\"responder 1\" class=\"rect\"><style>.rect{}</style>"
        "<rect id=\"Ana\"/><text title=\"of a colleague\">responder 1</text></svg>");
}

static void test_archive(void **state)
{
    STR_AUTO struct str out = STR_INIT(1 << 16);

    archive_add(&out, "a.txt", "hello", 5, 1700000000000);
    archive_end(&out);
    assert_int_equal(out.len, 512 + 512 + 1024);
    assert_string_equal(out.text, "a.txt");
    assert_string_equal(out.text + 124, "00000000005");
    assert_memory_equal(out.text + 257,
                        "ustar\0"
                        "00",
                        8);
    unsigned long sum = 0;

    for (int i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)out.text[i];
    assert_int_equal(strtoul(out.text + 148, NULL, 8), sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_archive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
