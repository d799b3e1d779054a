/*
 * Rules beside each other: what only shows when the whole file is looked at.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/rule/lint_private.h"
#include "lib/base/mem.h"

/* The same name and labels twice in one file: one of them is a copy that was forgotten. */
static int compare_rules(const void *a, const void *b)
{
    const struct rule *left = *(const struct rule *const *)a;
    const struct rule *right = *(const struct rule *const *)b;
    int order = strcmp(left->name, right->name);

    if (!order)
        order = (left->n_labels > right->n_labels) - (left->n_labels < right->n_labels);
    for (size_t i = 0; i < left->n_labels && !order; i++) {
        order = strcmp(left->labels[i].name, right->labels[i].name);
        if (!order)
            order = strcmp(left->labels[i].text, right->labels[i].text);
    }
    return order;
}

static int compare_rules_and_place(const void *a, const void *b)
{
    const struct rule *left = *(const struct rule *const *)a;
    const struct rule *right = *(const struct rule *const *)b;
    int order = compare_rules(a, b);

    return order ? order
                 : (left->node->line > right->node->line) - (left->node->line < right->node->line);
}

void lint_duplicates(const struct rule_file *file, struct rule_findings *findings)
{
    MEM_AUTO const struct rule **all = mem_alloc((file->n_rules + 1) * sizeof(*all));
    size_t n = 0;

    for (size_t group = 0; group < file->n_groups; group++)
        for (size_t i = 0; i < file->groups[group].n_rules; i++)
            all[n++] = &file->groups[group].rules[i];
    qsort(all, n, sizeof(*all), compare_rules_and_place);
    for (size_t i = 1; i < n; i++)
        if (compare_rules(&all[i - 1], &all[i]) == 0)
            rule_findings_add(findings, RULE_WARNING, "duplicate-rule", all[i]->node,
                              "\"%.80s\" with the same labels stands in line %u already",
                              all[i]->name, all[i - 1]->node->line);
}
