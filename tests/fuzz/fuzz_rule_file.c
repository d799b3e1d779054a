/*
 * Any text at all, read as a rule file: either it has a place where it is wrong, or it can
 * be advised on, and what is printed of it reads back and prints the same. A server that
 * knows nothing, or everything, is asked about it, too.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/group.h"
#include "alertd/rule/lint.h"
#include "lib/base/bug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int answer(void *arg, const char *query, bool *ret_found, double *ret_number)
{
    *ret_found = *(const bool *)arg;
    *ret_number = (double)strlen(query);
    return 0;
}

static int answer_type(void *arg, const char *metric, const char **ret_type)
{
    *ret_type = *(const bool *)arg ? "gauge" : "counter";
    return 0;
}

static void ask(const struct rule_file *file, bool knows, struct rule_findings *findings)
{
    const struct rule_data data = {.number = answer,
                                   .metric_type = answer_type,
                                   .arg = &knows,
                                   .window_ms = 3600 * 1000,
                                   .retention_ms = 60 * 1000};

    rule_lint_data(file, &data, findings);
}

static void check_places(const struct rule_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        const struct rule_span *span = &findings->at[i].span;

        if (span->end_line < span->line ||
            (span->end_line == span->line && span->end_column < span->column))
            UNREACHABLE("a finding ends before it begins");
    }
}

static void check_advice(const struct rule_file *file, const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct rule_findings findings = {0};

    if (!text)
        return;
    memcpy(text, data, size);
    text[size] = '\0';
    rule_lint(file, &findings);
    if (file->n_rules < 100) {
        ask(file, false, &findings);
        ask(file, true, &findings);
    }
    rule_comments_apply(file, text, 0, &findings);
    check_places(&findings);
    (void)rule_comments_blank(text);
    rule_findings_done(&findings);
    free(text);
}

/* Twice the same file in one: it loads, with twice the groups. */
static void check_export(struct rule_file *file)
{
    const struct rule_file *const files[] = {file, file};
    const struct rule_export_choice all = {0};
    STR_AUTO struct str out = STR_INIT(32 * 1024 * 1024);
    struct rule_file *again = NULL;

    size_t n = rule_export(files, 2, &all, &out);
    if (out.full)
        return;
    if (rule_file_parse("again", str_text(&out), out.len, NULL, &again, NULL))
        UNREACHABLE("what was exported does not read back");
    if (n != file->n_groups * 2 || again->n_groups != n || again->n_rules != file->n_rules * 2)
        UNREACHABLE("exported less or more");
    rule_file_unref(again);
}

static void check_good(struct rule_file *file)
{
    const struct rule_export_choice all = {0};
    STR_AUTO struct str first = STR_INIT(16 * 1024 * 1024);
    STR_AUTO struct str second = STR_INIT(16 * 1024 * 1024);
    struct rule_file *again = NULL;

    check_export(file);
    (void)rule_export((const struct rule_file *const *)&file, 1, &all, &first);
    if (first.full)
        return;
    if (rule_file_parse("again", str_text(&first), first.len, NULL, &again, NULL))
        UNREACHABLE("what was printed does not read back");
    (void)rule_export((const struct rule_file *const *)&again, 1, &all, &second);
    if (strcmp(str_text(&first), str_text(&second)) != 0)
        UNREACHABLE("printed differently the second time");
    rule_file_unref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;
    struct err err = {0};
    int r = rule_file_parse("fuzz", (const char *)data, size, &findings, &file, &err);

    if (r == 0) {
        check_advice(file, data, size);
        check_good(file);
    } else if (findings.n == 0 || !err.text[0]) {
        UNREACHABLE("refused without words");
    }
    check_places(&findings);
    rule_findings_done(&findings);
    rule_file_unref(file);
    return 0;
}
