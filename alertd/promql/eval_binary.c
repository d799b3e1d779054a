/*
 * Binary operators: on numbers, and between a vector and a scalar. Two vectors are
 * eval_match.c's and eval_set.c's.
 */

#include <math.h>

#include "alertd/promql/eval.h"
#include "lib/base/bug.h"

double operator_apply(enum promql_operator op, double left, double right)
{
    switch (op) {
    case OPERATOR_ADD: return left + right;
    case OPERATOR_SUBTRACT: return left - right;
    case OPERATOR_MULTIPLY: return left * right;
    case OPERATOR_DIVIDE: return left / right;
    case OPERATOR_MODULO: return fmod(left, right);
    case OPERATOR_POWER: return pow(left, right);
    case OPERATOR_ATAN2: return atan2(left, right);
    case OPERATOR_IS_EQUAL: return left == right;
    case OPERATOR_NOT_EQUAL: return left != right;
    case OPERATOR_GREATER: return left > right;
    case OPERATOR_LESS: return left < right;
    case OPERATOR_GREATER_EQUAL: return left >= right;
    case OPERATOR_LESS_EQUAL: return left <= right;
    case OPERATOR_AND:
    case OPERATOR_OR:
    case OPERATOR_UNLESS: break;
    }
    UNREACHABLE("set operators are not about numbers");
}

static int scalar_scalar(struct eval *eval,
                         enum promql_operator op,
                         struct value *left,
                         struct value *right)
{
    double *values = left->columns[0].values;
    const double *others = right->columns[0].values;

    for (size_t i = 0; i < eval->grid.n; i++)
        values[i] = operator_apply(op, values[i], others[i]);
    return 0;
}

struct one_sided {
    const struct promql_expr *expr;
    const double *scalars;
    bool scalar_is_left;
};

static void apply_column(const struct one_sided *in, double *values, size_t n)
{
    enum promql_operator op = in->expr->binary.op;
    bool filters = operator_is_comparison(op) && !in->expr->binary.return_bool;

    for (size_t i = 0; i < n; i++) {
        if (is_hole(values[i]))
            continue;
        double result = in->scalar_is_left ? operator_apply(op, in->scalars[i], values[i])
                                           : operator_apply(op, values[i], in->scalars[i]);
        if (!filters)
            values[i] = result;
        else if (result == 0)
            values[i] = sample_stale();
    }
}

/* In place; a comparison without bool keeps the vector's own value and name. */
static int vector_scalar(struct eval *eval, const struct one_sided *in, struct value *vector)
{
    bool comparison = operator_is_comparison(in->expr->binary.op);

    for (size_t i = 0; i < vector->n; i++) {
        int r = eval_tick(eval);

        if (r)
            return r;
        apply_column(in, vector->columns[i].values, eval->grid.n);
    }
    if (!comparison || in->expr->binary.return_bool)
        return vector_drop_names(eval, vector);
    vector_drop_empty(eval, vector);
    return 0;
}

int eval_binary(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    struct value left = {0};
    struct value right = {0};
    int r = eval_expr(eval, expr->binary.left, &left);

    if (!r)
        r = eval_expr(eval, expr->binary.right, &right);
    if (r)
        return r;
    if (left.type == PROMQL_VECTOR && right.type == PROMQL_VECTOR)
        return operator_is_set(expr->binary.op) ? eval_set(eval, expr, &left, &right, ret_value)
                                                : eval_match(eval, expr, &left, &right, ret_value);
    struct one_sided in = {.expr = expr, .scalar_is_left = left.type == PROMQL_SCALAR};
    struct value *kept = right.type == PROMQL_SCALAR ? &left : &right;
    if (left.type == PROMQL_SCALAR && right.type == PROMQL_SCALAR) {
        r = scalar_scalar(eval, expr->binary.op, &left, &right);
    } else {
        in.scalars = in.scalar_is_left ? left.columns[0].values : right.columns[0].values;
        r = vector_scalar(eval, &in, kept);
    }
    if (!r)
        *ret_value = *kept;
    return r;
}
