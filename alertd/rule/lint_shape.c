/*
 * What an expression looks like, and where it is written: questions that several checks ask.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"

const char *const lint_rates[] = {"rate", "irate", "increase", NULL};

/* --- Places -------------------------------------------------------------------------------- */

struct rule_span lint_span(const struct lint *lint, const struct promql_expr *expr)
{
    const struct yaml_node *node = lint->rule->expr_node;
    size_t skipped = strspn(node->text, " \t\r\n");
    size_t end = expr->end;

    while (end > expr->start && strchr(" \t\r\n", expr->text[end - 1]))
        end--;
    return rule_span_in(node, skipped + expr->start, skipped + end);
}

struct rule_span lint_span_expr(const struct lint *lint)
{
    return lint_span(lint, lint->rule->expr);
}

struct rule_span lint_span_name(const struct rule *rule)
{
    return rule_span_of(yaml_get(rule->node, rule->is_alert ? "alert" : "record"));
}

struct rule_span lint_span_key(const struct lint *lint, const char *key)
{
    const struct yaml_node *value = yaml_get(lint->rule->node, key);

    return value ? rule_span_of(value) : lint_span_name(lint->rule);
}

/* --- Shapes -------------------------------------------------------------------------------- */

void lint_walk(const struct promql_expr *expr,
               bool (*each)(struct lint *lint, const struct promql_expr *expr),
               struct lint *lint)
{
    const struct promql_expr *child;

    if (!each(lint, expr))
        return;
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        lint_walk(child, each, lint);
}

bool lint_is_call_of(const struct promql_expr *expr, const char *const *names)
{
    if (expr->kind != PROMQL_CALL)
        return false;
    for (; *names; names++)
        if (strcmp(expr->call.fn->name, *names) == 0)
            return true;
    return false;
}

bool lint_is_constant(const struct promql_expr *expr)
{
    static const char *const vector[] = {"vector", NULL};

    expr = expr_unwrap(expr);
    return expr->type == PROMQL_SCALAR || lint_is_call_of(expr, vector);
}

bool lint_is_join(const struct promql_expr *expr)
{
    return expr->kind == PROMQL_BINARY && expr->binary.left->type == PROMQL_VECTOR &&
           expr->binary.right->type == PROMQL_VECTOR;
}

const struct promql_expr *lint_first_selector(const struct promql_expr *expr)
{
    const struct promql_expr *child, *found;

    if (expr->kind == PROMQL_SELECTOR)
        return expr;
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        if ((found = lint_first_selector(child)) != NULL)
            return found;
    return NULL;
}

const char *lint_metric(const struct promql_expr *selector)
{
    if (selector->selector.name)
        return selector->selector.name;
    for (size_t i = 0; i < selector->selector.n_matchers; i++)
        if (strcmp(selector->selector.matchers[i].name, LABEL_NAME) == 0 &&
            selector->selector.matchers[i].type == MATCHER_EQUAL)
            return selector->selector.matchers[i].value;
    return "";
}

bool lint_ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

double lint_duration_ms(const struct promql_duration *duration)
{
    return duration && duration->kind == DURATION_NUMBER ? duration->seconds * 1000 : 0;
}

const struct promql_expr *lint_window_of(const struct promql_expr *expr, double *ret_ms)
{
    if (expr->kind != PROMQL_CALL)
        return NULL;
    for (size_t i = 0; i < expr->call.n_args; i++) {
        const struct promql_expr *arg = expr_unwrap(expr->call.args[i]);

        if (arg->type != PROMQL_MATRIX)
            continue;
        *ret_ms = lint_duration_ms(arg->kind == PROMQL_SELECTOR ? arg->selector.range
                                                                : arg->subquery.range);
        return arg;
    }
    return NULL;
}

/* --- Comparisons ---------------------------------------------------------------------------- */

static bool constant_of(const struct promql_expr *expr, double *ret_value)
{
    expr = expr_unwrap(expr);
    if (expr->kind == PROMQL_UNARY && constant_of(expr->unary.of, ret_value)) {
        *ret_value = expr->unary.minus ? -*ret_value : *ret_value;
        return true;
    }
    if (expr->kind != PROMQL_NUMBER)
        return false;
    *ret_value = expr->number.value;
    return true;
}

static enum promql_operator turned(enum promql_operator op)
{
    if (op == OPERATOR_GREATER)
        return OPERATOR_LESS;
    if (op == OPERATOR_LESS)
        return OPERATOR_GREATER;
    if (op == OPERATOR_GREATER_EQUAL)
        return OPERATOR_LESS_EQUAL;
    return op == OPERATOR_LESS_EQUAL ? OPERATOR_GREATER_EQUAL : op;
}

bool lint_compare_of(const struct promql_expr *expr, struct lint_compare *ret_compare)
{
    struct lint_compare compare = {.expr = expr};

    if (expr->kind != PROMQL_BINARY || !operator_is_comparison(expr->binary.op))
        return false;
    if (expr->binary.left->type == PROMQL_VECTOR &&
        constant_of(expr->binary.right, &compare.threshold)) {
        compare.left = expr_unwrap(expr->binary.left);
        compare.op = expr->binary.op;
    } else if (expr->binary.right->type == PROMQL_VECTOR &&
               constant_of(expr->binary.left, &compare.threshold)) {
        compare.left = expr_unwrap(expr->binary.right);
        compare.op = turned(expr->binary.op);
    } else {
        return false;
    }
    *ret_compare = compare;
    return true;
}

bool lint_condition(const struct promql_expr *expr, struct lint_compare *ret_compare)
{
    expr = expr_unwrap(expr);
    while (expr->kind == PROMQL_BINARY &&
           (expr->binary.op == OPERATOR_AND || expr->binary.op == OPERATOR_UNLESS))
        expr = expr_unwrap(expr->binary.left);
    return lint_compare_of(expr, ret_compare);
}

bool lint_holds(double value, enum promql_operator op, double threshold)
{
    if (op == OPERATOR_GREATER)
        return value > threshold;
    if (op == OPERATOR_LESS)
        return value < threshold;
    if (op == OPERATOR_GREATER_EQUAL)
        return value >= threshold;
    if (op == OPERATOR_LESS_EQUAL)
        return value <= threshold;
    return op == OPERATOR_IS_EQUAL ? value == threshold : value != threshold;
}
