/*
 * What an expression looks like: questions that several checks ask.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"

void lint_walk(const struct promql_expr *expr,
               void (*each)(struct lint *lint, const struct promql_expr *expr),
               struct lint *lint)
{
    const struct promql_expr *child;

    each(lint, expr);
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        lint_walk(child, each, lint);
}

struct yaml_node lint_place(const struct lint *lint, const struct promql_expr *expr)
{
    const struct yaml_node *node = lint->rule->expr_node;
    struct yaml_node at = {.line = node->line, .column = node->column};
    size_t skipped = strspn(node->text, " \t\r\n");

    yaml_place(node, skipped + expr->start, &at.line, &at.column);
    return at;
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
