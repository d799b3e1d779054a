/*
 * Which labels the result of an expression can have.
 *
 *   sum by (job) (rate(x[5m])) > 5        {job}: nothing else survives the sum
 *   x > 5                                 anything: x may have any label
 *   a / on (job) group_left (team) b      whatever a has, and team
 *
 * Only what is certain is known: wherever a selector's own labels can come through, the
 * set is unknown, because another exporter may add a label tomorrow.
 */

#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "alertd/rule/lint.h"
#include "lib/base/bug.h"

enum {
    SET_MAX = sizeof(((struct rule_label_set *)0)->names) / sizeof(const char *)
};

bool rule_label_is_possible(const struct rule_label_set *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->names[i], name) == 0)
            return true;
    return !set->is_known;
}

static void add(struct rule_label_set *set, const char *name)
{
    if (rule_label_is_possible(set, name))
        return;
    if (set->n == SET_MAX)
        set->is_known = false;
    else
        set->names[set->n++] = name;
}

static void add_names(struct rule_label_set *set, const struct promql_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        add(set, names->at[i]);
}

static void of_aggregate(const struct promql_expr *expr, struct rule_label_set *set)
{
    if (aggregator_ranks(expr->aggregate.op)) {
        rule_result_labels(expr->aggregate.of, set);
        return;
    }
    if (expr->aggregate.without) {
        struct rule_label_set of;

        rule_result_labels(expr->aggregate.of, &of);
        set->is_known = of.is_known;
        for (size_t i = 0; i < of.n; i++) {
            bool dropped = false;

            for (size_t drop = 0; drop < expr->aggregate.labels.n; drop++)
                dropped |= strcmp(of.names[i], expr->aggregate.labels.at[drop]) == 0;
            if (!dropped)
                add(set, of.names[i]);
        }
    } else {
        add_names(set, &expr->aggregate.labels);
    }
    if (expr->aggregate.op == AGGREGATOR_COUNT_VALUES && expr->aggregate.param->string)
        add(set, expr->aggregate.param->string);
}

static void merge(struct rule_label_set *set, const struct promql_expr *other)
{
    struct rule_label_set of;

    rule_result_labels(other, &of);
    set->is_known = set->is_known && of.is_known;
    for (size_t i = 0; i < of.n; i++)
        add(set, of.names[i]);
}

static void of_binary(const struct promql_expr *expr, struct rule_label_set *set)
{
    const struct promql_expr *left = expr->binary.left, *right = expr->binary.right;
    const struct promql_matching *matching = &expr->binary.matching;

    if (left->type != PROMQL_VECTOR || right->type != PROMQL_VECTOR) {
        rule_result_labels(left->type == PROMQL_VECTOR ? left : right, set);
        return;
    }
    if (matching->card == CARD_ONE_TO_MANY) {
        rule_result_labels(right, set);
        add_names(set, &matching->include);
        return;
    }
    if (matching->card == CARD_ONE_TO_ONE && matching->on &&
        !operator_is_comparison(expr->binary.op)) {
        add_names(set, &matching->labels);
        return;
    }
    rule_result_labels(left, set);
    if (matching->card == CARD_MANY_TO_ONE)
        add_names(set, &matching->include);
    if (expr->binary.op == OPERATOR_OR)
        merge(set, right);
}

static void of_absent(const struct promql_expr *of, struct rule_label_set *set)
{
    of = expr_unwrap(of);
    if (of->kind != PROMQL_SELECTOR)
        return;
    for (size_t i = 0; i < of->selector.n_matchers; i++)
        if (of->selector.matchers[i].type == MATCHER_EQUAL)
            add(set, of->selector.matchers[i].name);
}

static void of_call(const struct promql_expr *expr, struct rule_label_set *set)
{
    const char *name = expr->call.fn->name;
    bool is_replace = strcmp(name, "label_replace") == 0 || strcmp(name, "label_join") == 0;

    if (strcmp(name, "absent") == 0 || strcmp(name, "absent_over_time") == 0) {
        of_absent(expr->call.args[0], set);
        return;
    }
    if (strcmp(name, "vector") == 0)
        return;
    set->is_known = false;
    for (size_t i = 0; i < expr->call.n_args; i++) {
        const struct promql_expr *arg = expr->call.args[i];

        if (arg->type == PROMQL_VECTOR || arg->type == PROMQL_MATRIX) {
            rule_result_labels(arg, set);
            break;
        }
    }
    if (is_replace && expr->call.args[1]->kind == PROMQL_STRING_LITERAL)
        add(set, expr->call.args[1]->string);
}

void rule_result_labels(const struct promql_expr *expr, struct rule_label_set *ret_set)
{
    *ret_set = (struct rule_label_set){.is_known = true};
    switch (expr->kind) {
    case PROMQL_NUMBER:
    case PROMQL_STRING_LITERAL: return;
    case PROMQL_SELECTOR: ret_set->is_known = false; return;
    case PROMQL_SUBQUERY: rule_result_labels(expr->subquery.of, ret_set); return;
    case PROMQL_CALL: of_call(expr, ret_set); return;
    case PROMQL_AGGREGATE: of_aggregate(expr, ret_set); return;
    case PROMQL_BINARY: of_binary(expr, ret_set); return;
    case PROMQL_UNARY: rule_result_labels(expr->unary.of, ret_set); return;
    case PROMQL_PAREN: rule_result_labels(expr->paren, ret_set); return;
    }
    UNREACHABLE("promql_kind out of range");
}
