/*
 * What the questions of all scripts used of the language: with --covers every function
 * that can be called, every aggregation, operator and modifier must have been asked, so
 * that a row added to a table without a case is found here.
 */

#include <stdio.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "tests/conformance/promqltest.h"

static const char *const modifiers[COVER_MODIFIERS] = {
    [COVER_OFFSET] = "offset",
    [COVER_NEGATIVE_OFFSET] = "offset (negative)",
    [COVER_AT] = "@ time",
    [COVER_AT_START] = "@ start()",
    [COVER_AT_END] = "@ end()",
    [COVER_RANGE] = "range",
    [COVER_SUBQUERY] = "subquery",
    [COVER_BY] = "by",
    [COVER_WITHOUT] = "without",
    [COVER_ON] = "on",
    [COVER_IGNORING] = "ignoring",
    [COVER_GROUP_LEFT] = "group_left",
    [COVER_GROUP_RIGHT] = "group_right",
    [COVER_INCLUDE] = "group_left (label)",
    [COVER_BOOL] = "bool",
    [COVER_UNARY_MINUS] = "unary -",
    [COVER_UNARY_PLUS] = "unary +",
    [COVER_STRING] = "string",
    [COVER_DURATION_NUMBER] = "duration as number",
};

static void cover_when(struct coverage *coverage, const struct promql_when *when)
{
    if (when->offset)
        coverage->modifiers[when->offset->kind == DURATION_NEGATE ? COVER_NEGATIVE_OFFSET
                                                                  : COVER_OFFSET] = true;
    if (when->at != AT_NONE)
        coverage->modifiers[when->at == AT_TIME    ? COVER_AT
                            : when->at == AT_START ? COVER_AT_START
                                                   : COVER_AT_END] = true;
}

static void cover_binary(struct coverage *coverage, const struct promql_expr *expr)
{
    const struct promql_matching *matching = &expr->binary.matching;

    coverage->operators[expr->binary.op] = true;
    coverage->modifiers[COVER_BOOL] |= expr->binary.return_bool;
    coverage->modifiers[COVER_ON] |= matching->on;
    coverage->modifiers[COVER_IGNORING] |= !matching->on && matching->labels.n;
    coverage->modifiers[COVER_GROUP_LEFT] |= matching->card == CARD_MANY_TO_ONE;
    coverage->modifiers[COVER_GROUP_RIGHT] |= matching->card == CARD_ONE_TO_MANY;
    coverage->modifiers[COVER_INCLUDE] |= matching->include.n > 0;
}

void cover_expr(struct coverage *coverage, const struct promql_expr *expr)
{
    const struct promql_expr *child;
    size_t n = 0;

    switch (expr->kind) {
    case PROMQL_SELECTOR:
        cover_when(coverage, &expr->selector.when);
        coverage->modifiers[COVER_RANGE] |= expr->selector.range != NULL;
        break;
    case PROMQL_SUBQUERY:
        cover_when(coverage, &expr->subquery.when);
        coverage->modifiers[COVER_SUBQUERY] = true;
        break;
    case PROMQL_CALL: coverage->functions[expr->call.fn - fn_table(&n)] = true; break;
    case PROMQL_AGGREGATE:
        coverage->aggregators[expr->aggregate.op] = true;
        coverage->modifiers[COVER_WITHOUT] |= expr->aggregate.without;
        coverage->modifiers[COVER_BY] |= !expr->aggregate.without && expr->aggregate.labels.n;
        break;
    case PROMQL_BINARY: cover_binary(coverage, expr); break;
    case PROMQL_UNARY:
        coverage->modifiers[expr->unary.minus ? COVER_UNARY_MINUS : COVER_UNARY_PLUS] = true;
        break;
    case PROMQL_NUMBER: coverage->modifiers[COVER_DURATION_NUMBER] |= expr->number.has_unit; break;
    case PROMQL_STRING_LITERAL: coverage->modifiers[COVER_STRING] = true; break;
    case PROMQL_PAREN: break;
    }
    for (size_t i = 0; (child = expr_child(expr, i)); i++)
        cover_expr(coverage, child);
}

static size_t missing(bool used, const char *kind, const char *name)
{
    if (!used)
        printf("no case uses the %s %s\n", kind, name);
    return !used;
}

size_t cover_count_missing(const struct coverage *coverage)
{
    size_t n = 0;
    size_t gone = 0;
    const struct fn *table = fn_table(&n);

    for (size_t i = 0; i < n && i < COVER_FUNCTIONS; i++)
        if (!table[i].refusal)
            gone += missing(coverage->functions[i], "function", table[i].name);
    for (int i = AGGREGATOR_SUM; i <= AGGREGATOR_LIMIT_RATIO; i++)
        gone += missing(coverage->aggregators[i], "aggregation",
                        aggregator_name((enum promql_aggregator)i));
    for (int i = OPERATOR_ADD; i <= OPERATOR_UNLESS; i++)
        gone += missing(coverage->operators[i], "operator", operator_name((enum promql_operator)i));
    for (int i = 0; i < COVER_MODIFIERS; i++)
        gone += missing(coverage->modifiers[i], "modifier", modifiers[i]);
    return gone;
}
