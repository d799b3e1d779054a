/*
 * Rule files read, printed and read again: nothing that means something may get lost.
 *
 *     rule_round_trip FILE...
 *
 *   text --parse--> A --print--> text' --parse--> B     A and B are compared field by field,
 *                                                       and B prints as A did
 *
 * Files that do not load are counted, not judged: rule_files.py does that.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/group.h"
#include "lib/base/fs.h"

enum {
    PRINTED_MAX = 64 * 1024 * 1024
};

/* Where the two differ, "" when they do not. */
static const char *compare_texts(const struct rule_text *a,
                                 size_t n_a,
                                 const struct rule_text *b,
                                 size_t n_b)
{
    if (n_a != n_b)
        return "how many labels or annotations";
    for (size_t i = 0; i < n_a; i++) {
        if (strcmp(a[i].name, b[i].name) != 0)
            return "a label's or annotation's name";
        if (strcmp(a[i].text, b[i].text) != 0)
            return "a label's or annotation's text";
    }
    return "";
}

static const char *compare_rules(const struct rule *a, const struct rule *b)
{
    STR_AUTO struct str expr_a = STR_INIT(PRINTED_MAX), expr_b = STR_INIT(PRINTED_MAX);

    promql_print(a->expr, &expr_a);
    promql_print(b->expr, &expr_b);
    if (a->is_alert != b->is_alert)
        return "alert or record";
    if (strcmp(a->name, b->name) != 0)
        return "a rule's name";
    if (strcmp(a->expr_text, b->expr_text) != 0)
        return "an expression's text";
    if (strcmp(str_text(&expr_a), str_text(&expr_b)) != 0)
        return "an expression";
    if (a->for_ms != b->for_ms || a->keep_firing_for_ms != b->keep_firing_for_ms)
        return "for or keep_firing_for";
    const char *found = compare_texts(a->labels, a->n_labels, b->labels, b->n_labels);
    return *found
               ? found
               : compare_texts(a->annotations, a->n_annotations, b->annotations, b->n_annotations);
}

static const char *compare_groups(const struct rule_group *a, const struct rule_group *b)
{
    const char *found = "";

    if (strcmp(a->name, b->name) != 0)
        return "a group's name";
    if (a->interval_ms != b->interval_ms || a->has_interval != b->has_interval)
        return "a group's interval";
    if (a->query_offset_ms != b->query_offset_ms || a->has_query_offset != b->has_query_offset)
        return "a group's query_offset";
    if (a->limit != b->limit)
        return "a group's limit";
    if (a->n_rules != b->n_rules)
        return "how many rules a group has";
    for (size_t i = 0; i < a->n_rules && !*found; i++)
        found = compare_rules(&a->rules[i], &b->rules[i]);
    return found;
}

static const char *compare_files(const struct rule_file *a, const struct rule_file *b)
{
    const char *found = "";

    if (a->n_groups != b->n_groups || a->n_rules != b->n_rules)
        return "how many groups or rules";
    for (size_t i = 0; i < a->n_groups && !*found; i++)
        found = compare_groups(&a->groups[i], &b->groups[i]);
    return found;
}

static bool goes_round(const char *path, const struct rule_file *file)
{
    const struct rule_export_choice all = {0};
    STR_AUTO struct str first = STR_INIT(PRINTED_MAX), second = STR_INIT(PRINTED_MAX);
    struct rule_file *again = NULL;
    struct err err = {0};

    (void)rule_export(&file, 1, &all, &first);
    if (rule_file_parse("printed", str_text(&first), first.len, NULL, &again, &err)) {
        printf("FAIL %s: what was printed does not load: %u:%u: %s\n", path, err.line, err.column,
               err.text);
        return false;
    }
    const char *found = compare_files(file, again);
    (void)rule_export((const struct rule_file *const *)&again, 1, &all, &second);
    if (!*found && strcmp(str_text(&first), str_text(&second)) != 0)
        found = "the second print";
    if (*found)
        printf("FAIL %s: the way round changes %s\n", path, found);
    rule_file_unref(again);
    return !*found;
}

int main(int argc, char **argv)
{
    size_t n_passed = 0, n_failed = 0, n_refused = 0, n_rules = 0;

    for (int i = 1; i < argc; i++) {
        struct rule_file *file = NULL;
        struct err err;
        char *text = NULL;
        size_t len;

        if (fs_read(argv[i], YAML_BYTES_MAX, &text, &len, &err)) {
            printf("FAIL %s\n", err.text);
            n_failed++;
        } else if (rule_file_parse(argv[i], text, len, NULL, &file, &err)) {
            n_refused++;
        } else {
            bool ok = goes_round(argv[i], file);

            n_passed += ok;
            n_failed += !ok;
            n_rules += file->n_rules;
        }
        rule_file_unref(file);
        free(text);
    }
    printf("%zu passed, %zu failed, %zu do not load (%zu rules)\n", n_passed, n_failed, n_refused,
           n_rules);
    return n_failed || n_passed == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
