#pragma once

/*
 * Inside of lint: what a check is given, and the helpers that the files of checks share.
 *
 *   lint.c        the table, and the walk over a file's rules
 *   lint_fire.c   will it fire?             lint_flap.c   will it flap or lie?
 *   lint_text.c   will a human understand?  lint_regex.c  matchers
 *   lint_file.c   rules beside each other   lint_shape.c  what an expression looks like
 */

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "alertd/rule/lint.h"

struct check_row;

struct lint {
    const struct rule_file *file;
    const struct rule_group *group;
    const struct rule *rule;
    const struct check_row *row;
    struct rule_findings *findings;
    struct rule_label_set labels; /* of the rule's result */
};

struct check_row {
    const char *id;
    enum rule_severity severity;
    bool alerts_only;
    void (*check)(struct lint *lint);
};

#define TELL(lint, node, ...) \
    rule_findings_add((lint)->findings, (lint)->row->severity, (lint)->row->id, (node), __VA_ARGS__)

/* Calls each() for expr and all below it. */
void lint_walk(const struct promql_expr *expr,
               void (*each)(struct lint *lint, const struct promql_expr *expr),
               struct lint *lint);
/* A place inside the rule's expression. */
struct yaml_node lint_place(const struct lint *lint, const struct promql_expr *expr);
/* A call of one of these functions; the list ends with NULL. */
bool lint_is_call_of(const struct promql_expr *expr, const char *const *names);
bool lint_is_constant(const struct promql_expr *expr);

void lint_no_comparison(struct lint *lint);
void lint_bool_top(struct lint *lint);
void lint_always(struct lint *lint);
void lint_single_event(struct lint *lint);
void lint_topk(struct lint *lint);
void lint_counter(struct lint *lint);
void lint_literal_regex(struct lint *lint);
void lint_rate_of_sum(struct lint *lint);
void lint_no_for(struct lint *lint);
void lint_slow_group(struct lint *lint);
void lint_dead_label(struct lint *lint);
void lint_rule_label(struct lint *lint);
void lint_calls(struct lint *lint);
void lint_value_in_label(struct lint *lint);
void lint_summary(struct lint *lint);
void lint_runbook(struct lint *lint);
void lint_duplicates(const struct rule_file *file, struct rule_findings *findings);
