/*
 * The syntax tree of a PromQL expression: words and walks. See ast.h.
 */

#include "alertd/promql/ast.h"

#include <strings.h>

#include "alertd/promql/fn.h"

static const char *const aggregators[] = {
    [AGGREGATOR_SUM] = "sum",
    [AGGREGATOR_AVG] = "avg",
    [AGGREGATOR_COUNT] = "count",
    [AGGREGATOR_MIN] = "min",
    [AGGREGATOR_MAX] = "max",
    [AGGREGATOR_GROUP] = "group",
    [AGGREGATOR_STDDEV] = "stddev",
    [AGGREGATOR_STDVAR] = "stdvar",
    [AGGREGATOR_TOPK] = "topk",
    [AGGREGATOR_BOTTOMK] = "bottomk",
    [AGGREGATOR_COUNT_VALUES] = "count_values",
    [AGGREGATOR_QUANTILE] = "quantile",
    [AGGREGATOR_LIMITK] = "limitk",
    [AGGREGATOR_LIMIT_RATIO] = "limit_ratio",
};

int aggregator_find(const char *word)
{
    for (int i = 0; i < (int)(sizeof(aggregators) / sizeof(aggregators[0])); i++)
        if (strcasecmp(aggregators[i], word) == 0)
            return i;
    return -1;
}

const char *aggregator_name(enum promql_aggregator aggregator)
{
    return aggregators[aggregator];
}

bool aggregator_ranks(enum promql_aggregator aggregator)
{
    return aggregator == AGGREGATOR_TOPK || aggregator == AGGREGATOR_BOTTOMK;
}

bool aggregator_has_param(enum promql_aggregator aggregator)
{
    return aggregator >= AGGREGATOR_TOPK;
}

const char *operator_name(enum promql_operator op)
{
    static const char *const names[] = {
        [OPERATOR_ADD] = "+",         [OPERATOR_SUBTRACT] = "-",  [OPERATOR_MULTIPLY] = "*",
        [OPERATOR_DIVIDE] = "/",      [OPERATOR_MODULO] = "%",    [OPERATOR_POWER] = "^",
        [OPERATOR_ATAN2] = "atan2",   [OPERATOR_IS_EQUAL] = "==", [OPERATOR_NOT_EQUAL] = "!=",
        [OPERATOR_GREATER] = ">",     [OPERATOR_LESS] = "<",      [OPERATOR_GREATER_EQUAL] = ">=",
        [OPERATOR_LESS_EQUAL] = "<=", [OPERATOR_AND] = "and",     [OPERATOR_OR] = "or",
        [OPERATOR_UNLESS] = "unless",
    };

    return names[op];
}

bool operator_is_comparison(enum promql_operator op)
{
    return op >= OPERATOR_IS_EQUAL && op <= OPERATOR_LESS_EQUAL;
}

bool operator_is_set(enum promql_operator op)
{
    return op >= OPERATOR_AND;
}

const char *type_words(enum promql_type type)
{
    static const char *const words[] = {
        [PROMQL_SCALAR] = "scalar",
        [PROMQL_VECTOR] = "instant vector",
        [PROMQL_MATRIX] = "range vector",
        [PROMQL_STRING] = "string",
    };

    return words[type];
}

enum promql_type promql_expr_type(const struct promql_expr *expr)
{
    return expr->type;
}

bool promql_is_ordered(const struct promql_expr *expr)
{
    expr = expr_unwrap(expr);
    if (expr->kind == PROMQL_AGGREGATE)
        return aggregator_ranks(expr->aggregate.op);
    return expr->kind == PROMQL_CALL && expr->call.fn->orders;
}

int promql_parse_selector(struct arena *arena,
                          const char *text,
                          const struct matcher **ret_matchers,
                          size_t *ret_n,
                          struct err *reterr)
{
    struct promql_expr *expr = NULL;
    int r = promql_parse(arena, text, &expr, reterr);

    if (r)
        return r;
    if (expr->kind != PROMQL_SELECTOR || expr->selector.range || expr->selector.when.offset ||
        expr->selector.when.at != AT_NONE)
        return err_at(reterr, PROMQL_E_TYPE, 1, 1, "a series selector was expected");
    *ret_matchers = expr->selector.matchers;
    *ret_n = expr->selector.n_matchers;
    return 0;
}

const struct promql_expr *expr_unwrap(const struct promql_expr *expr)
{
    while (expr->kind == PROMQL_PAREN)
        expr = expr->paren;
    return expr;
}

struct promql_expr *expr_child(const struct promql_expr *expr, size_t i)
{
    struct promql_expr *pair[2] = {NULL, NULL};

    switch (expr->kind) {
    case PROMQL_NUMBER:
    case PROMQL_STRING_LITERAL:
    case PROMQL_SELECTOR: break;
    case PROMQL_SUBQUERY: pair[0] = expr->subquery.of; break;
    case PROMQL_CALL: return i < expr->call.n_args ? expr->call.args[i] : NULL;
    case PROMQL_AGGREGATE:
        pair[0] = expr->aggregate.of;
        pair[1] = expr->aggregate.param;
        break;
    case PROMQL_BINARY:
        pair[0] = expr->binary.left;
        pair[1] = expr->binary.right;
        break;
    case PROMQL_UNARY: pair[0] = expr->unary.of; break;
    case PROMQL_PAREN: pair[0] = expr->paren; break;
    }
    return i < 2 ? pair[i] : NULL;
}

bool selector_has_one_name(const struct promql_selector *selector)
{
    for (size_t i = 0; i < selector->n_matchers; i++)
        if (selector->matchers[i].type == MATCHER_EQUAL &&
            strcmp(selector->matchers[i].name, LABEL_NAME) == 0)
            return true;
    return false;
}
