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

/* --- Columns one by one ----------------------------------------------------------------- */

bool is_filter(const struct promql_expr *expr)
{
    return expr->kind == PROMQL_BINARY && operator_is_comparison(expr->binary.op) &&
           !expr->binary.return_bool &&
           expr->binary.left->type != expr->binary.right->type; /* a vector and a scalar */
}

/* Between who makes columns and who takes what a filter leaves of them. */
struct filter {
    struct taker taker;
    struct taker *next;
    struct one_sided in;
    size_t n_steps;
};

static int pass_expected(struct taker *taker, size_t n, bool one_name)
{
    struct taker *next = ((struct filter *)taker)->next;

    return next->expect(next, n, one_name);
}

static int pass_filtered(struct taker *taker, const struct column *column)
{
    struct filter *filter = (struct filter *)taker;

    apply_column(&filter->in, column->values, filter->n_steps);
    if (!has_point(column->values, filter->n_steps))
        return 0;
    return filter->next->take(filter->next, column);
}

int eval_filter_each(struct eval *eval, const struct promql_expr *expr, struct taker *taker)
{
    bool scalar_is_left = expr->binary.left->type == PROMQL_SCALAR;
    const struct promql_expr *vector = scalar_is_left ? expr->binary.right : expr->binary.left;
    struct filter filter = {.taker = {.expect = pass_expected, .take = pass_filtered},
                            .next = taker,
                            .in = {.expr = expr, .scalar_is_left = scalar_is_left},
                            .n_steps = eval->grid.n};
    struct value scalar = {0};
    int r = eval_expr(eval, scalar_is_left ? expr->binary.left : expr->binary.right, &scalar);

    if (r)
        return r;
    filter.in.scalars = scalar.columns[0].values;
    filter.taker.keeps = taker->keeps;
    return eval_each(eval, vector, &filter.taker);
}

/* --- Both sides at once ------------------------------------------------------------------ */

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
