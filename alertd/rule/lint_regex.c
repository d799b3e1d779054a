/*
 * Regular expressions in matchers: those that say less than they seem to.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"

static void tell_literal_regex(struct lint *lint, const struct promql_expr *expr)
{
    if (expr->kind != PROMQL_SELECTOR)
        return;
    for (size_t i = 0; i < expr->selector.n_matchers; i++) {
        const struct matcher *matcher = &expr->selector.matchers[i];
        const struct yaml_node at = lint_place(lint, expr);

        if ((matcher->type == MATCHER_REGEX || matcher->type == MATCHER_NOT_REGEX) &&
            matcher->value[0] && !strpbrk(matcher->value, ".*+?()[]{}|^$\\"))
            TELL(lint, &at, "%.60s%s\"%.60s\" is plain text: %s says the same", matcher->name,
                 matcher->type == MATCHER_REGEX ? "=~" : "!~", matcher->value,
                 matcher->type == MATCHER_REGEX ? "=" : "!=");
    }
}

void lint_literal_regex(struct lint *lint) /* 1.6 % */
{
    lint_walk(lint->rule->expr, tell_literal_regex, lint);
}
