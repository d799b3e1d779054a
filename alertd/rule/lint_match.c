/*
 * Do the sides of a join ever meet? Labels that one side can't have and the other does.
 *
 *     sum by (job) (a) / on (instance) sum by (instance) (b)
 *         no instance                  has instance            -> nothing matches
 *
 * Only what the expression itself says counts: a label that a side is grouped by, or that
 * a matcher asks for, is there; one that an aggregation dropped is not.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"

enum {
    NAMES_MAX = 64
};

/* All labels that an expression mentions. */
struct names {
    const char *at[NAMES_MAX];
    size_t n;
};

static bool has_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void add_name(struct names *names, const char *name)
{
    if (names->n < NAMES_MAX && strcmp(name, LABEL_NAME) != 0 &&
        !has_name(names->at, names->n, name))
        names->at[names->n++] = name;
}

static void add_mentioned(struct names *names, const struct promql_expr *expr)
{
    const struct promql_expr *child;

    if (expr->kind == PROMQL_SELECTOR)
        for (size_t i = 0; i < expr->selector.n_matchers; i++)
            add_name(names, expr->selector.matchers[i].name);
    if (expr->kind == PROMQL_AGGREGATE)
        for (size_t i = 0; i < expr->aggregate.labels.n; i++)
            add_name(names, expr->aggregate.labels.at[i]);
    if (expr->kind == PROMQL_BINARY)
        for (size_t i = 0; i < expr->binary.matching.labels.n; i++)
            add_name(names, expr->binary.matching.labels.at[i]);
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        add_mentioned(names, child);
}

/* The label that keeps both sides apart, NULL when none is known to. */
static const char *find_obstacle(const struct promql_expr *expr, bool *ret_left_has_it)
{
    const struct promql_matching *matching = &expr->binary.matching;
    struct names names = {0};

    if (matching->on) {
        for (size_t i = 0; i < matching->labels.n; i++)
            add_name(&names, matching->labels.at[i]);
    } else {
        add_mentioned(&names, expr->binary.left);
        add_mentioned(&names, expr->binary.right);
    }
    for (size_t i = 0; i < names.n; i++) {
        if (!matching->on && has_name(matching->labels.at, matching->labels.n, names.at[i]))
            continue;
        enum rule_presence left = rule_label_presence(expr->binary.left, names.at[i]);
        enum rule_presence right = rule_label_presence(expr->binary.right, names.at[i]);

        *ret_left_has_it = left >= RULE_LABEL_LIKELY;
        if ((left >= RULE_LABEL_LIKELY && right == RULE_LABEL_ABSENT) ||
            (left == RULE_LABEL_ABSENT && right >= RULE_LABEL_LIKELY))
            return names.at[i];
    }
    return NULL;
}

static void tell_join(struct lint *lint, const struct promql_expr *expr)
{
    const struct promql_matching *matching = &expr->binary.matching;
    bool left_has_it = false;

    if (expr->binary.op == OPERATOR_OR)
        return;
    const char *label = find_obstacle(expr, &left_has_it);
    if (!label)
        return;
    TELL(lint, lint_span(lint, expr),
         "%s: the %s side of %s has the label %.60s, the %s side has lost it",
         expr->binary.op == OPERATOR_UNLESS ? "nothing is ever taken away"
                                            : "the sides never match",
         left_has_it ? "left" : "right", operator_name(expr->binary.op), label,
         left_has_it ? "right" : "left");
    if (matching->on)
        FIX(lint, "keep %.60s on both sides, or leave it out of on (...)", label);
    else
        FIX(lint, "group both sides alike, or say on (...) or ignoring (%.60s)", label);
}

/* group_left (team): a label that the one side can't have is not copied but taken away. */
static void tell_include(struct lint *lint, const struct promql_expr *expr)
{
    const struct promql_matching *matching = &expr->binary.matching;
    bool one_is_left = matching->card == CARD_ONE_TO_MANY;
    const struct promql_expr *one = one_is_left ? expr->binary.left : expr->binary.right;

    for (size_t i = 0; i < matching->include.n; i++) {
        const char *name = matching->include.at[i];

        if (rule_label_presence(one, name) != RULE_LABEL_ABSENT)
            continue;
        TELL(lint, lint_span(lint, one),
             "%s (%.60s) copies a label that this side has lost, so the result has none of that "
             "name",
             one_is_left ? "group_right" : "group_left", name);
        FIX(lint, "keep %.60s in this side's by (...)", name);
    }
}

static void tell_grouping(struct lint *lint, const struct promql_expr *expr)
{
    for (size_t i = 0; i < expr->aggregate.labels.n && !expr->aggregate.without; i++) {
        const char *name = expr->aggregate.labels.at[i];

        if (rule_label_presence(expr->aggregate.of, name) != RULE_LABEL_ABSENT)
            continue;
        TELL(lint, lint_span(lint, expr),
             "by (%.60s) groups by a label that is lost already inside", name);
        FIX(lint, "keep %.60s inside, or leave it out here", name);
    }
}

static bool tell_match(struct lint *lint, const struct promql_expr *expr)
{
    if (lint_is_join(expr)) {
        tell_join(lint, expr);
        tell_include(lint, expr);
    }
    if (expr->kind == PROMQL_AGGREGATE)
        tell_grouping(lint, expr);
    return true;
}

void lint_never_match(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_match, lint);
    lint_never_true(lint);
}
