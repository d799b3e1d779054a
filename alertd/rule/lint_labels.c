/*
 * Which labels the result of an expression can have.
 *
 *   sum by (job) (rate(x[5m])) > 5        {job}: nothing else survives the sum
 *   x > 5                                 anything: x may have any label
 *   a / on (job) group_left (team) b      whatever a has, and team
 *
 * Only what is certain is known: wherever a selector's own labels can come through, the
 * set is unknown, because another exporter may add a label tomorrow.
 */

#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "alertd/rule/lint.h"
#include "lib/base/bug.h"

enum {
    SET_MAX = sizeof(((struct rule_label_set *)0)->names) / sizeof(const char *)
};

static bool is_possible(const struct rule_label_set *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->names[i], name) == 0)
            return true;
    return !set->is_known;
}

static void add(struct rule_label_set *set, const char *name)
{
    if (is_possible(set, name))
        return;
    if (set->n == SET_MAX)
        set->is_known = false;
    else
        set->names[set->n++] = name;
}

static void add_names(struct rule_label_set *set, const struct promql_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        add(set, names->at[i]);
}

/* Aggregators that choose among series and return them whole. */
static bool keeps_series(enum promql_aggregator op)
{
    return aggregator_ranks(op) || op == AGGREGATOR_LIMITK || op == AGGREGATOR_LIMIT_RATIO;
}

static void of_aggregate(const struct promql_expr *expr, struct rule_label_set *set)
{
    if (keeps_series(expr->aggregate.op)) {
        rule_result_labels(expr->aggregate.of, set);
        return;
    }
    if (expr->aggregate.without) {
        struct rule_label_set of;

        rule_result_labels(expr->aggregate.of, &of);
        set->is_known = of.is_known;
        for (size_t i = 0; i < of.n; i++) {
            bool dropped = false;

            for (size_t drop = 0; drop < expr->aggregate.labels.n; drop++)
                dropped |= strcmp(of.names[i], expr->aggregate.labels.at[drop]) == 0;
            if (!dropped)
                add(set, of.names[i]);
        }
    } else {
        add_names(set, &expr->aggregate.labels);
    }
    if (expr->aggregate.op == AGGREGATOR_COUNT_VALUES)
        add(set, expr_unwrap(expr->aggregate.param)->string);
}

static void merge(struct rule_label_set *set, const struct promql_expr *other)
{
    struct rule_label_set of;

    rule_result_labels(other, &of);
    set->is_known = set->is_known && of.is_known;
    for (size_t i = 0; i < of.n; i++)
        add(set, of.names[i]);
}

static bool has_name(const struct promql_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->at[i], name) == 0)
            return true;
    return false;
}

/* One to one: the labels named in on (...), or those of the left without the ignored. */
static void of_pairs(const struct promql_expr *expr, struct rule_label_set *set)
{
    const struct promql_matching *matching = &expr->binary.matching;
    struct rule_label_set left;

    if (matching->on) {
        add_names(set, &matching->labels);
        return;
    }
    rule_result_labels(expr->binary.left, &left);
    set->is_known = left.is_known;
    for (size_t i = 0; i < left.n; i++)
        if (!has_name(&matching->labels, left.names[i]))
            add(set, left.names[i]);
}

static void of_binary(const struct promql_expr *expr, struct rule_label_set *set)
{
    const struct promql_expr *left = expr->binary.left, *right = expr->binary.right;
    const struct promql_matching *matching = &expr->binary.matching;

    if (left->type != PROMQL_VECTOR || right->type != PROMQL_VECTOR) {
        rule_result_labels(left->type == PROMQL_VECTOR ? left : right, set);
        return;
    }
    if (matching->card == CARD_ONE_TO_MANY) {
        rule_result_labels(right, set);
        add_names(set, &matching->include);
        return;
    }
    if (expr->binary.op == OPERATOR_OR) {
        rule_result_labels(left, set);
        merge(set, right);
        return;
    }
    if (matching->card == CARD_ONE_TO_ONE && !operator_is_set(expr->binary.op)) {
        of_pairs(expr, set); /* comparisons, too, keep only what was matched on */
        return;
    }
    rule_result_labels(left, set);
    if (matching->card == CARD_MANY_TO_ONE)
        add_names(set, &matching->include);
}

static void of_absent(const struct promql_expr *of, struct rule_label_set *set)
{
    of = expr_unwrap(of);
    if (of->kind != PROMQL_SELECTOR)
        return;
    for (size_t i = 0; i < of->selector.n_matchers; i++)
        if (of->selector.matchers[i].type == MATCHER_EQUAL)
            add(set, of->selector.matchers[i].name);
}

static void of_call(const struct promql_expr *expr, struct rule_label_set *set)
{
    const char *name = expr->call.fn->name;
    bool is_replace = strcmp(name, "label_replace") == 0 || strcmp(name, "label_join") == 0;

    if (strcmp(name, "absent") == 0 || strcmp(name, "absent_over_time") == 0) {
        of_absent(expr->call.args[0], set);
        return;
    }
    if (strcmp(name, "vector") == 0)
        return;
    set->is_known = false;
    for (size_t i = 0; i < expr->call.n_args; i++) {
        const struct promql_expr *arg = expr->call.args[i];

        if (arg->type == PROMQL_VECTOR || arg->type == PROMQL_MATRIX) {
            rule_result_labels(arg, set);
            break;
        }
    }
    if (is_replace)
        add(set, expr_unwrap(expr->call.args[1])->string);
}

void rule_result_labels(const struct promql_expr *expr, struct rule_label_set *ret_set)
{
    *ret_set = (struct rule_label_set){.is_known = true};
    switch (expr->kind) {
    case PROMQL_NUMBER:
    case PROMQL_STRING_LITERAL: return;
    case PROMQL_SELECTOR: ret_set->is_known = false; return;
    case PROMQL_SUBQUERY: rule_result_labels(expr->subquery.of, ret_set); return;
    case PROMQL_CALL: of_call(expr, ret_set); return;
    case PROMQL_AGGREGATE: of_aggregate(expr, ret_set); return;
    case PROMQL_BINARY: of_binary(expr, ret_set); return;
    case PROMQL_UNARY: rule_result_labels(expr->unary.of, ret_set); return;
    case PROMQL_PAREN: rule_result_labels(expr->paren, ret_set); return;
    }
    UNREACHABLE("promql_kind out of range");
}

/* --- One label ------------------------------------------------------------------------------ */

static enum rule_presence in_selector(const struct promql_expr *expr, const char *name)
{
    for (size_t i = 0; i < expr->selector.n_matchers; i++) {
        const struct matcher *matcher = &expr->selector.matchers[i];

        if (strcmp(matcher->name, name) != 0)
            continue;
        if (!matcher_matches(matcher, ""))
            return RULE_LABEL_PRESENT;
        if (matcher->type == MATCHER_EQUAL)
            return RULE_LABEL_ABSENT;
    }
    return RULE_LABEL_MAYBE;
}

static enum rule_presence in_call(const struct promql_expr *expr, const char *name)
{
    const char *fn = expr->call.fn->name;
    bool is_absent = strcmp(fn, "absent") == 0 || strcmp(fn, "absent_over_time") == 0;
    struct rule_label_set set;

    if (is_absent) {
        rule_result_labels(expr, &set);
        return is_possible(&set, name) ? RULE_LABEL_LIKELY : RULE_LABEL_ABSENT;
    }
    if ((strcmp(fn, "label_replace") == 0 || strcmp(fn, "label_join") == 0) &&
        strcmp(expr_unwrap(expr->call.args[1])->string, name) == 0)
        return RULE_LABEL_MAYBE;
    if (strcmp(fn, "info") == 0)
        return RULE_LABEL_MAYBE;
    if (strncmp(fn, "histogram_", strlen("histogram_")) == 0 && strcmp(name, "le") == 0)
        return RULE_LABEL_ABSENT;
    for (size_t i = 0; i < expr->call.n_args; i++)
        if (expr->call.args[i]->type == PROMQL_VECTOR || expr->call.args[i]->type == PROMQL_MATRIX)
            return rule_label_presence(expr->call.args[i], name);
    return RULE_LABEL_ABSENT; /* vector(1), hour() */
}

static enum rule_presence in_aggregate(const struct promql_expr *expr, const char *name)
{
    bool is_named = has_name(&expr->aggregate.labels, name);

    if (keeps_series(expr->aggregate.op))
        return rule_label_presence(expr->aggregate.of, name);
    if (expr->aggregate.op == AGGREGATOR_COUNT_VALUES &&
        strcmp(expr_unwrap(expr->aggregate.param)->string, name) == 0)
        return RULE_LABEL_PRESENT;
    if (is_named == expr->aggregate.without)
        return RULE_LABEL_ABSENT;
    enum rule_presence inside = rule_label_presence(expr->aggregate.of, name);
    return is_named && inside == RULE_LABEL_MAYBE ? RULE_LABEL_LIKELY : inside;
}

static enum rule_presence in_join(const struct promql_expr *expr, const char *name)
{
    const struct promql_matching *matching = &expr->binary.matching;
    const struct promql_expr *many = expr->binary.left, *one = expr->binary.right;
    bool is_named = has_name(&matching->labels, name);

    if (expr->binary.op == OPERATOR_OR) {
        enum rule_presence left = rule_label_presence(many, name);
        return left == rule_label_presence(one, name) ? left : RULE_LABEL_MAYBE;
    }
    if (matching->card == CARD_ONE_TO_MANY) {
        many = expr->binary.right;
        one = expr->binary.left;
    }
    if (matching->card == CARD_ONE_TO_ONE && !operator_is_set(expr->binary.op) &&
        is_named != matching->on)
        return RULE_LABEL_ABSENT;
    if (has_name(&matching->include, name))
        return rule_label_presence(one, name);
    return rule_label_presence(many, name);
}

static enum rule_presence in_binary(const struct promql_expr *expr, const char *name)
{
    const struct promql_expr *left = expr->binary.left, *right = expr->binary.right;

    if (left->type == PROMQL_VECTOR && right->type == PROMQL_VECTOR)
        return in_join(expr, name);
    return rule_label_presence(left->type == PROMQL_VECTOR ? left : right, name);
}

enum rule_presence rule_label_presence(const struct promql_expr *expr, const char *name)
{
    if (strcmp(name, LABEL_NAME) == 0)
        return RULE_LABEL_MAYBE;
    switch (expr->kind) {
    case PROMQL_NUMBER:
    case PROMQL_STRING_LITERAL: return RULE_LABEL_ABSENT;
    case PROMQL_SELECTOR: return in_selector(expr, name);
    case PROMQL_SUBQUERY: return rule_label_presence(expr->subquery.of, name);
    case PROMQL_CALL: return in_call(expr, name);
    case PROMQL_AGGREGATE: return in_aggregate(expr, name);
    case PROMQL_BINARY: return in_binary(expr, name);
    case PROMQL_UNARY: return rule_label_presence(expr->unary.of, name);
    case PROMQL_PAREN: return rule_label_presence(expr->paren, name);
    }
    UNREACHABLE("promql_kind out of range");
}
