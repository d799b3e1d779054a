/*
 * Advice on rules: the walk over a file. What counts as worth telling was weighed on public
 * rules; the checks are rows of lint_table.c.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/rule/lint_private.h"
#include "lib/base/mem.h"

static int compare_records(const void *a, const void *b)
{
    const struct lint_record *left = a, *right = b;
    int order = strcmp(left->rule->name, right->rule->name);

    return order ? order : (left->rule > right->rule) - (left->rule < right->rule);
}

struct lint_record *lint_records_collect(const struct rule_file *file, size_t *ret_n)
{
    struct lint_record *records = mem_alloc((file->n_rules + 1) * sizeof(*records));
    size_t n = 0;

    for (size_t group = 0; group < file->n_groups; group++)
        for (size_t i = 0; i < file->groups[group].n_rules; i++)
            if (!file->groups[group].rules[i].is_alert)
                records[n++] = (struct lint_record){&file->groups[group],
                                                    &file->groups[group].rules[i]};
    qsort(records, n, sizeof(*records), compare_records);
    *ret_n = n;
    return records;
}

static void lint_rule(struct lint *lint)
{
    size_t n = 0;
    const struct rule_check *checks = rule_checks(&n);

    rule_result_labels(lint->rule->expr, &lint->labels);
    for (size_t i = 0; i < n; i++) {
        lint->row = &checks[i];
        if (checks[i].check && (lint->rule->is_alert || !checks[i].alerts_only))
            checks[i].check(lint);
    }
}

static void lint_whole(struct lint *lint, const char *id, void (*check)(struct lint *lint))
{
    lint->row = rule_check_find(id);
    check(lint);
}

void rule_lint(const struct rule_file *file, struct rule_findings *findings)
{
    size_t n_records = 0, before = findings->n;
    MEM_AUTO struct lint_record *records = lint_records_collect(file, &n_records);
    struct lint lint = {
        .file = file, .findings = findings, .records = records, .n_records = n_records};

    for (size_t group = 0; group < file->n_groups; group++) {
        lint.group = &file->groups[group];
        for (size_t i = 0; i < lint.group->n_rules; i++) {
            lint.rule = &lint.group->rules[i];
            lint_rule(&lint);
        }
    }
    lint_whole(&lint, "dup-rule", lint_duplicates);
    lint_whole(&lint, "threshold-pair", lint_threshold_pairs);
    rule_findings_sort(findings, before);
}
