#pragma once

/*
 * Advice on rules that load: each finding is a row of the table in lint.c, with the
 * consequence in one sentence and, where there is one, the way out.
 */

#include "alertd/rule/group.h"

/* Appends what it finds to `findings`, sorted by place. */
void rule_lint(const struct rule_file *file, struct rule_findings *findings);

/* The labels that an expression's result can have, as far as the expression alone tells. */
struct rule_label_set {
    bool is_known; /* otherwise any label is possible */
    const char *names[64];
    size_t n;
};
void rule_result_labels(const struct promql_expr *expr, struct rule_label_set *ret_set);
bool rule_label_is_possible(const struct rule_label_set *set, const char *name);
