/*
 * May the steps of a range query, or its series, be evaluated a part at a time?
 *
 * What a step's point is depends on no other step. But two series that come to have the same
 * labels are an error in some places even when they never meet at one step: there the parts
 * could each be fine and the whole is not. Whoever may come there says no.
 *
 * Series are apart where one selector of one metric goes through functions of a series alone and through
 * numbers.
 */

#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"

struct traits {
    bool relabels;         /* label_replace(), label_join(), info(): labels made anew */
    bool several_names;    /* a vector may have series of several metrics */
    bool may_drop_names;   /* where it is an error when some are then the same */
    bool chooses_by_order; /* limitk() */
    bool has_subquery;
    bool looks_fixed; /* @ */
};

static void look(const struct promql_expr *expr, struct traits *traits)
{
    const struct promql_expr *child;

    switch (expr->kind) {
    case PROMQL_SELECTOR:
        if (!selector_has_one_name(&expr->selector)) {
            traits->several_names = true;
            traits->may_drop_names |= expr->selector.range != NULL;
        }
        traits->looks_fixed |= expr->selector.when.at != AT_NONE;
        break;
    case PROMQL_CALL:
        traits->relabels |= strncmp(expr->call.fn->name, "label_", 6) == 0 ||
                            strcmp(expr->call.fn->name, "info") == 0;
        break;
    case PROMQL_BINARY: traits->several_names |= expr->binary.op == OPERATOR_OR; break;
    case PROMQL_UNARY: traits->may_drop_names = true; break;
    case PROMQL_SUBQUERY:
        traits->may_drop_names = true;
        traits->has_subquery = true;
        traits->looks_fixed |= expr->subquery.when.at != AT_NONE;
        break;
    case PROMQL_AGGREGATE:
        traits->chooses_by_order |= expr->aggregate.op == AGGREGATOR_LIMITK;
        break;
    default: break;
    }
    for (size_t i = 0; (child = expr_child(expr, i)); i++)
        look(child, traits);
}

static bool are_apart(const struct traits *traits)
{
    return !traits->relabels && !traits->chooses_by_order &&
           !(traits->several_names && traits->may_drop_names);
}

bool promql_steps_are_apart(const struct promql_expr *expr)
{
    struct traits traits = {0};

    look(expr, &traits);
    return are_apart(&traits);
}

bool promql_steps_may_lag(const struct promql_expr *expr)
{
    struct traits traits = {0};

    look(expr, &traits);
    return are_apart(&traits) && !traits.has_subquery && !traits.looks_fixed;
}

static bool is_of_one_series(const struct fn *fn)
{
    return fn->point || fn->window || fn->slide || fn->returns == PROMQL_SCALAR;
}

/* False: what it gives may be of several series. Counts the selectors. */
static bool look_for_one(const struct promql_expr *expr, size_t *n_selectors)
{
    const struct promql_expr *child;

    switch (expr->kind) {
    case PROMQL_SELECTOR:
        ++*n_selectors;
        if (!selector_has_one_name(&expr->selector))
            return false;
        break;
    case PROMQL_CALL:
        if (!is_of_one_series(expr->call.fn) || strcmp(expr->call.fn->name, "scalar") == 0)
            return false;
        break;
    case PROMQL_AGGREGATE: return false;
    default: break;
    }
    for (size_t i = 0; (child = expr_child(expr, i)); i++)
        if (!look_for_one(child, n_selectors))
            return false;
    return true;
}

bool promql_series_are_apart(const struct promql_expr *expr)
{
    size_t n_selectors = 0;

    return look_for_one(expr, &n_selectors) && n_selectors == 1;
}
