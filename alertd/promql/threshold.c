/*
 * The threshold of an alert's expression: for a graph with a line across it, and for
 * asking what another threshold would have done.
 */

#include "alertd/promql/ast.h"

/* A number, also in parentheses or with a sign in front. */
static bool constant_of(const struct promql_expr *expr, double *ret_value)
{
    expr = expr_unwrap(expr);
    if (expr->kind == PROMQL_UNARY) {
        if (!constant_of(expr->unary.of, ret_value))
            return false;
        *ret_value = expr->unary.minus ? -*ret_value : *ret_value;
        return true;
    }
    if (expr->kind != PROMQL_NUMBER)
        return false;
    *ret_value = expr->number.value;
    return true;
}

bool promql_threshold(const struct promql_expr *expr,
                      const struct promql_expr **ret_left,
                      double *ret_threshold)
{
    expr = expr_unwrap(expr);
    while (expr->kind == PROMQL_BINARY &&
           (expr->binary.op == OPERATOR_AND || expr->binary.op == OPERATOR_UNLESS))
        expr = expr_unwrap(expr->binary.left);
    if (expr->kind != PROMQL_BINARY || !operator_is_comparison(expr->binary.op))
        return false;
    if (expr->binary.left->type == PROMQL_VECTOR &&
        constant_of(expr->binary.right, ret_threshold)) {
        *ret_left = expr->binary.left;
        return true;
    }
    if (expr->binary.right->type == PROMQL_VECTOR &&
        constant_of(expr->binary.left, ret_threshold)) {
        *ret_left = expr->binary.right;
        return true;
    }
    return false;
}
