/*
 * Will it fire? Checks for alerts that never can, or that always do.
 */

#include <string.h>
#include <strings.h>

#include "alertd/rule/lint_private.h"
#include "lib/model/duration.h"

static bool has_condition(const struct promql_expr *expr)
{
    static const char *const conditions[] = {"absent", "absent_over_time", NULL};

    expr = expr_unwrap(expr);
    if (expr->kind == PROMQL_BINARY) {
        if (operator_is_comparison(expr->binary.op))
            return true;
        if (expr->binary.op == OPERATOR_UNLESS || expr->binary.op == OPERATOR_AND)
            return true;
        if (expr->binary.op == OPERATOR_OR)
            return has_condition(expr->binary.left) && has_condition(expr->binary.right);
        return has_condition(expr->binary.left) || has_condition(expr->binary.right);
    }
    if (expr->kind == PROMQL_AGGREGATE)
        return has_condition(expr->aggregate.of);
    if (expr->kind == PROMQL_UNARY)
        return has_condition(expr->unary.of);
    if (expr->kind != PROMQL_CALL)
        return false;
    if (lint_is_call_of(expr, conditions))
        return true;
    for (size_t i = 0; i < expr->call.n_args; i++)
        if (expr->call.args[i]->type == PROMQL_VECTOR && has_condition(expr->call.args[i]))
            return true;
    return false;
}

void lint_no_comparison(struct lint *lint) /* 1.0 % of public rules */
{
    if (!lint_is_constant(lint->rule->expr) && !has_condition(lint->rule->expr))
        TELL(lint, lint->rule->expr_node,
             "no comparison: this fires as long as the series exists; add a condition like > 0");
}

void lint_bool_top(struct lint *lint)
{
    const struct promql_expr *expr = expr_unwrap(lint->rule->expr);

    if (expr->kind == PROMQL_BINARY && expr->binary.return_bool)
        TELL(lint, lint->rule->expr_node,
             "`bool` at the top gives 0 or 1 and never nothing: this always fires; drop `bool`");
}

void lint_always(struct lint *lint)
{
    static const char *const wanted[] = {"watchdog", "deadman", "alwaysfiring", "heartbeat"};

    if (!lint_is_constant(lint->rule->expr))
        return;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        if (strncasecmp(lint->rule->name, wanted[i], strlen(wanted[i])) == 0)
            return;
    TELL(lint, lint->rule->expr_node,
         "a constant: this always fires (a dead man's switch is usually named Watchdog)");
}

/* increase(x[5m]) > 0 with for: 5m: one burst has left the window before `for` is over. */
void lint_single_event(struct lint *lint) /* 3.7 % */
{
    static const char *const windows[] = {"increase", "changes", "delta", "resets", NULL};
    const struct promql_expr *left = NULL;
    double threshold = 0;

    if (!promql_threshold(lint->rule->expr, &left, &threshold))
        return;
    left = expr_unwrap(left);
    if (left->kind == PROMQL_AGGREGATE)
        left = expr_unwrap(left->aggregate.of);
    if (!lint_is_call_of(left, windows))
        return;
    const struct promql_expr *arg = expr_unwrap(left->call.args[0]);
    if (arg->kind != PROMQL_SELECTOR || !arg->selector.range ||
        arg->selector.range->kind != DURATION_NUMBER)
        return;
    double window_ms = arg->selector.range->seconds * 1000;
    char text[DURATION_TEXT_MAX];
    if (lint->rule->for_ms > 0 && (double)lint->rule->for_ms >= window_ms)
        TELL(lint, lint->rule->expr_node,
             "%s() looks back %s, `for` waits as long or longer: one burst never fires; make the "
             "window longer than `for`",
             left->call.fn->name, duration_print((int64_t)window_ms, text));
}

void lint_topk(struct lint *lint)
{
    const struct promql_expr *expr = expr_unwrap(lint->rule->expr);
    const struct promql_expr *left = NULL;
    double threshold;

    if (promql_threshold(expr, &left, &threshold))
        expr = expr_unwrap(left);
    if (expr->kind == PROMQL_AGGREGATE && aggregator_ranks(expr->aggregate.op))
        TELL(lint, lint->rule->expr_node,
             "%s changes which series it returns: alerts resolve and fire as ranks swap",
             aggregator_name(expr->aggregate.op));
}

void lint_counter(struct lint *lint) /* 1.9 % */
{
    const struct promql_expr *left = NULL;
    double threshold = 0;

    if (!promql_threshold(lint->rule->expr, &left, &threshold))
        return;
    left = expr_unwrap(left);
    if (left->kind != PROMQL_SELECTOR || !left->selector.name || threshold == 0)
        return;
    size_t len = strlen(left->selector.name);
    if (len > 6 && strcmp(left->selector.name + len - 6, "_total") == 0)
        TELL(lint, lint->rule->expr_node,
             "%.80s looks like a counter, which only grows: compare rate() or increase() of it",
             left->selector.name);
}

static void tell_rate_of_sum(struct lint *lint, const struct promql_expr *expr)
{
    static const char *const rates[] = {"rate", "irate", "increase", NULL};

    if (!lint_is_call_of(expr, rates))
        return;
    const struct promql_expr *arg = expr_unwrap(expr->call.args[0]);
    if (arg->kind != PROMQL_SUBQUERY || expr_unwrap(arg->subquery.of)->kind != PROMQL_AGGREGATE)
        return;
    const struct yaml_node at = lint_place(lint, expr);
    TELL(lint, &at,
         "%s() over an aggregation sees one counter restart as a huge jump: take the rate first, "
         "then sum",
         expr->call.fn->name);
}

void lint_rate_of_sum(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_rate_of_sum, lint);
}
