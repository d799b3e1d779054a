/*
 * Advice on rules: the table of checks and the walk over a file. A check is a function and
 * a row here; it sees one rule and tells what it finds. What counts as worth telling was
 * weighed on public rules.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/rule/lint_private.h"

static const struct check_row lint_rows[] = {
    {"no-comparison", RULE_WARNING, true, lint_no_comparison},
    {"bool-top", RULE_WARNING, true, lint_bool_top},
    {"always-scalar", RULE_WARNING, true, lint_always},
    {"single-event-blind", RULE_WARNING, true, lint_single_event},
    {"topk-alert", RULE_WARNING, true, lint_topk},
    {"counter-raw", RULE_WARNING, true, lint_counter},
    {"rate-of-sum", RULE_WARNING, false, lint_rate_of_sum},
    {"slow-group", RULE_WARNING, false, lint_slow_group},
    {"dead-label", RULE_WARNING, true, lint_dead_label},
    {"rule-label-in-labels", RULE_WARNING, true, lint_rule_label},
    {"template-call", RULE_WARNING, true, lint_calls},
    {"value-in-label", RULE_WARNING, true, lint_value_in_label},
    {"regex-literal", RULE_ADVICE, false, lint_literal_regex},
    {"no-for", RULE_ADVICE, true, lint_no_for},
    {"no-summary", RULE_ADVICE, true, lint_summary},
    {"no-runbook", RULE_ADVICE, true, lint_runbook},
};

static int compare_findings(const void *a, const void *b)
{
    const struct rule_finding *left = a, *right = b;

    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    if (left->column != right->column)
        return left->column < right->column ? -1 : 1;
    return strcmp(left->id, right->id);
}

static void lint_rule(struct lint *lint)
{
    rule_result_labels(lint->rule->expr, &lint->labels);
    for (size_t i = 0; i < sizeof(lint_rows) / sizeof(*lint_rows); i++) {
        lint->row = &lint_rows[i];
        if (lint->rule->is_alert || !lint_rows[i].alerts_only)
            lint_rows[i].check(lint);
    }
}

void rule_lint(const struct rule_file *file, struct rule_findings *findings)
{
    struct lint lint = {.file = file, .findings = findings};
    size_t before = findings->n;

    for (size_t group = 0; group < file->n_groups; group++) {
        lint.group = &file->groups[group];
        for (size_t i = 0; i < lint.group->n_rules; i++) {
            lint.rule = &lint.group->rules[i];
            lint_rule(&lint);
        }
    }
    lint_duplicates(file, findings);
    if (findings->n > before)
        qsort(findings->at + before, findings->n - before, sizeof(*findings->at), compare_findings);
}
