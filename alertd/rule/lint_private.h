#pragma once

/*
 * Inside of lint: what a check is given, and what the files of checks share.
 *
 *   lint.c        the walk over a file       lint_table.c   the rows
 *   lint_fire.c   will it fire?              lint_match.c   do its sides meet?
 *   lint_rate.c   counters and windows       lint_flap.c    will it flap or lie?
 *   lint_text.c   will a human understand?   lint_regex.c   matchers
 *   lint_file.c   rules beside each other    lint_shape.c   what an expression looks like
 *   lint_external.c   labels the server adds
 */

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "alertd/rule/lint.h"

/* A recording rule, found by its name. */
struct lint_record {
    const struct rule_group *group;
    const struct rule *rule;
};

struct lint {
    const struct rule_file *file;
    const struct rule_group *group;
    const struct rule *rule;
    const struct rule_check *row;
    struct rule_findings *findings;
    struct rule_label_set labels;      /* of the rule's result */
    const struct lint_record *records; /* sorted by name, then place */
    size_t n_records;
};

#define TELL(lint, span, ...) \
    rule_findings_add((lint)->findings, (lint)->row->severity, (lint)->row->id, (span), __VA_ARGS__)
#define FIX(lint, ...) rule_findings_fix((lint)->findings, __VA_ARGS__)

/* --- Places (lint_shape.c) ---------------------------------------------------------------- */

struct rule_span lint_span(const struct lint *lint, const struct promql_expr *expr);
/* The whole expression, the rule's name, the value of one of its keys. */
struct rule_span lint_span_expr(const struct lint *lint);
struct rule_span lint_span_name(const struct rule *rule);
struct rule_span lint_span_key(const struct lint *lint, const char *key);

/* --- Shapes (lint_shape.c) ---------------------------------------------------------------- */

/* Calls each() for expr and all below it, but not below an expr it returns false for. */
void lint_walk(const struct promql_expr *expr,
               bool (*each)(struct lint *lint, const struct promql_expr *expr),
               struct lint *lint);
/* A call of one of these functions; the list ends with NULL. */
bool lint_is_call_of(const struct promql_expr *expr, const char *const *names);
bool lint_is_constant(const struct promql_expr *expr);
bool lint_is_join(const struct promql_expr *expr); /* a binary expression of two vectors */
/* From the left; NULL when there is none. */
const struct promql_expr *lint_first_selector(const struct promql_expr *expr);
/* A name of the metric that a selector asks for, "" when it doesn't say. */
const char *lint_metric(const struct promql_expr *selector);
bool lint_ends_with(const char *text, const char *end);
/* Milliseconds of a range or an offset; 0 when there is none or it depends on the query. */
double lint_duration_ms(const struct promql_duration *duration);
/* The selector or subquery that a function of a window looks at; NULL for any other expr. */
const struct promql_expr *lint_window_of(const struct promql_expr *expr, double *ret_ms);
/* rate, irate, increase: what Prometheus takes of counters. */
extern const char *const lint_rates[];

/* `left OP number`, whichever way round it was written. */
struct lint_compare {
    const struct promql_expr *expr; /* the comparison */
    const struct promql_expr *left; /* without parentheses */
    enum promql_operator op;
    double threshold;
};
bool lint_compare_of(const struct promql_expr *expr, struct lint_compare *ret_compare);
/* The same for an alert's condition: the comparison at its top, under and/unless the left. */
bool lint_condition(const struct promql_expr *expr, struct lint_compare *ret_compare);
bool lint_holds(double value, enum promql_operator op, double threshold);

/* Those of the file, sorted by name; free(). */
struct lint_record *lint_records_collect(const struct rule_file *file, size_t *ret_n);
/* The rules that record this name: the first and how many. */
const struct lint_record *lint_records_find(const struct lint *lint,
                                            const char *name,
                                            size_t *ret_n);

/* --- Labels the server adds (lint_external.c) --------------------------------------------- */

/* Whether the server adds a label of this name. */
typedef bool lint_has_label(const void *arg, const char *name);
/* ext-label and label-conflict of the rule. */
void lint_external(struct lint *lint, lint_has_label *has, const void *arg);

/* --- Checks ------------------------------------------------------------------------------- */

void lint_no_comparison(struct lint *lint);
void lint_bool_top(struct lint *lint);
void lint_always(struct lint *lint);
void lint_never_true(struct lint *lint);
void lint_single_event(struct lint *lint);
void lint_for_never(struct lint *lint);
void lint_nan(struct lint *lint);

void lint_never_match(struct lint *lint);

void lint_counter(struct lint *lint);
void lint_rate_of_gauge(struct lint *lint);
void lint_rate_of_sum(struct lint *lint);
void lint_short_range(struct lint *lint);
void lint_slow_group(struct lint *lint);
void lint_feature_flag(struct lint *lint);

void lint_no_for(struct lint *lint);
void lint_absent_no_for(struct lint *lint);
void lint_fragile_ratio(struct lint *lint);
void lint_topk(struct lint *lint);
void lint_float_equality(struct lint *lint);
void lint_for_vs_window(struct lint *lint);

void lint_dead_label(struct lint *lint);
void lint_rule_label(struct lint *lint);
void lint_calls(struct lint *lint);
void lint_value_in_label(struct lint *lint);
void lint_no_value(struct lint *lint);
void lint_raw_ratio(struct lint *lint);
void lint_summary(struct lint *lint);
void lint_runbook(struct lint *lint);

void lint_regex_literal(struct lint *lint);
void lint_regex_anchor(struct lint *lint);
void lint_smelly_regex(struct lint *lint);

/* Rules beside each other. */
void lint_duplicates(struct lint *lint);
void lint_threshold_pairs(struct lint *lint);
void lint_cross_group(struct lint *lint);
