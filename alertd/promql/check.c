/*
 * Types: does a well-formed expression make sense? Words and order of the checks are
 * Prometheus', so that a message found on the web fits.
 */

#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "lib/base/bug.h"

struct check {
    const char *text;
    struct err *reterr;
};

static int wrong(const struct check *check, uint32_t at, const char *words)
{
    return lexer_error(check->text, at, PROMQL_E_TYPE, check->reterr, "%s", words);
}

static int expect_type(const struct check *check,
                       const struct promql_expr *expr,
                       enum promql_type wanted,
                       const char *context,
                       const char *name)
{
    if (expr->type == wanted)
        return 0;
    return lexer_error(check->text, expr->start, PROMQL_E_TYPE, check->reterr,
                       name ? "expected type %s in %s \"%s\", got %s"
                            : "expected type %s in %s%s, got %s",
                       type_words(wanted), context, name ? name : "", type_words(expr->type));
}

/* A selector must not be able to select everything. */
static int check_selector(const struct check *check, struct promql_expr *expr)
{
    const struct promql_selector *selector = &expr->selector;

    expr->type = selector->range ? PROMQL_MATRIX : PROMQL_VECTOR;
    if (selector->of_labels)
        return 0;
    for (size_t i = 0; i < selector->n_matchers; i++)
        if (!matcher_matches(&selector->matchers[i], ""))
            return 0;
    return wrong(check, expr->start, "vector selector must contain at least one non-empty matcher");
}

static int check_subquery(const struct check *check, struct promql_expr *expr)
{
    enum promql_type of = expr->subquery.of->type;

    expr->type = PROMQL_MATRIX;
    if (of == PROMQL_VECTOR)
        return 0;
    return lexer_error(check->text, expr->start, PROMQL_E_TYPE, check->reterr,
                       "subquery is only allowed on instant vector, got %s instead",
                       of == PROMQL_MATRIX ? "matrix" : type_words(of));
}

static int check_number_of_args(const struct check *check, const struct promql_expr *expr)
{
    const struct fn *fn = expr->call.fn;
    int n = (int)expr->call.n_args;
    const char *how = "";
    int wanted = fn->min_args;

    if (fn->min_args == fn->max_args) {
        if (n == wanted)
            return 0;
    } else if (n < fn->min_args) {
        how = "at least ";
    } else if (fn->max_args != FN_ANY_NUMBER && n > fn->max_args) {
        how = "at most ";
        wanted = fn->max_args;
    } else {
        return 0;
    }
    return lexer_error(check->text, expr->start, PROMQL_E_TYPE, check->reterr,
                       "expected %s%d argument(s) in call to \"%s\", got %d", how, wanted, fn->name,
                       n);
}

static int check_call(const struct check *check, struct promql_expr *expr)
{
    const struct fn *fn = expr->call.fn;
    int r = check_number_of_args(check, expr);

    expr->type = fn->returns;
    for (size_t i = 0; !r && i < expr->call.n_args; i++) {
        size_t last = fn->max_args == FN_ANY_NUMBER ? (size_t)fn->min_args : FN_ARGS_MAX - 1;

        r = expect_type(check, expr->call.args[i], fn->args[i < last ? i : last],
                        "call to function", fn->name);
    }
    return r;
}

static int check_aggregate(const struct check *check, struct promql_expr *expr)
{
    enum promql_type wanted = expr->aggregate.op == AGGREGATOR_COUNT_VALUES ? PROMQL_STRING
                                                                            : PROMQL_SCALAR;

    expr->type = PROMQL_VECTOR;
    int r = expect_type(check, expr->aggregate.of, PROMQL_VECTOR, "aggregation expression", NULL);
    if (!r && expr->aggregate.param)
        r = expect_type(check, expr->aggregate.param, wanted, "aggregation parameter", NULL);
    return r;
}

static int check_matching(const struct check *check, const struct promql_expr *expr)
{
    const struct promql_matching *matching = &expr->binary.matching;
    const char *op = operator_name(expr->binary.op);

    if (operator_is_set(expr->binary.op) && matching->card != CARD_MANY_TO_MANY)
        return lexer_error(check->text, expr->start, PROMQL_E_TYPE, check->reterr,
                           "no grouping allowed for \"%s\" operation", op);
    for (size_t i = 0; matching->on && i < matching->labels.n; i++)
        for (size_t j = 0; j < matching->include.n; j++)
            if (strcmp(matching->labels.at[i], matching->include.at[j]) == 0)
                return lexer_error(check->text, expr->binary.op_start, PROMQL_E_TYPE, check->reterr,
                                   "label \"%s\" must not occur in ON and GROUP clause at once",
                                   matching->labels.at[i]);
    return 0;
}

static bool is_instant(enum promql_type type)
{
    return type == PROMQL_SCALAR || type == PROMQL_VECTOR;
}

static int check_scalar_side(const struct check *check, const struct promql_expr *expr)
{
    if (expr->binary.matching.labels.n)
        return wrong(check, expr->start, "vector matching only allowed between instant vectors");
    if (operator_is_set(expr->binary.op))
        return lexer_error(check->text, expr->start, PROMQL_E_TYPE, check->reterr,
                           "set operator \"%s\" not allowed in binary scalar expression",
                           operator_name(expr->binary.op));
    return 0;
}

static int check_binary(const struct check *check, struct promql_expr *expr)
{
    enum promql_type left = expr->binary.left->type;
    enum promql_type right = expr->binary.right->type;
    bool scalars = left == PROMQL_SCALAR && right == PROMQL_SCALAR;
    bool vectors = left == PROMQL_VECTOR && right == PROMQL_VECTOR;
    bool comparison = operator_is_comparison(expr->binary.op);

    expr->type = scalars ? PROMQL_SCALAR : PROMQL_VECTOR;
    expr->binary.has_matching = vectors;
    if (operator_is_set(expr->binary.op) && expr->binary.matching.card == CARD_ONE_TO_ONE)
        expr->binary.matching.card = CARD_MANY_TO_MANY;
    if (expr->binary.return_bool && !comparison)
        return wrong(check, expr->binary.op_start,
                     "bool modifier can only be used on comparison operators");
    if (comparison && !expr->binary.return_bool && scalars)
        return wrong(check, expr->binary.op_start,
                     "comparisons between scalars must use BOOL modifier");
    int r = check_matching(check, expr);
    if (r)
        return r;
    if (!is_instant(left) || !is_instant(right))
        return wrong(check, is_instant(left) ? expr->binary.right->start : expr->binary.left->start,
                     "binary expression must contain only scalar and instant vector types");
    return vectors ? 0 : check_scalar_side(check, expr);
}

static int check_unary(const struct check *check, struct promql_expr *expr)
{
    expr->type = expr->unary.of->type;
    if (is_instant(expr->type))
        return 0;
    return lexer_error(check->text, expr->start, PROMQL_E_TYPE, check->reterr,
                       "unary expression only allowed on expressions of type scalar or instant "
                       "vector, got \"%s\"",
                       type_words(expr->type));
}

int expr_check(struct promql_expr *expr, const char *text, struct err *reterr)
{
    struct check check = {text, reterr};

    switch (expr->kind) {
    case PROMQL_NUMBER: expr->type = PROMQL_SCALAR; return 0;
    case PROMQL_STRING_LITERAL: expr->type = PROMQL_STRING; return 0;
    case PROMQL_PAREN: expr->type = expr->paren->type; return 0;
    case PROMQL_SELECTOR: return check_selector(&check, expr);
    case PROMQL_SUBQUERY: return check_subquery(&check, expr);
    case PROMQL_CALL: return check_call(&check, expr);
    case PROMQL_AGGREGATE: return check_aggregate(&check, expr);
    case PROMQL_BINARY: return check_binary(&check, expr);
    case PROMQL_UNARY: return check_unary(&check, expr);
    }
    UNREACHABLE("expression kind");
}
