/*
 * Will it flap or lie? Checks for alerts that come and go, or come late.
 */

#include <math.h>
#include <string.h>

#include "alertd/rule/lint_private.h"
#include "lib/model/duration.h"

enum {
    WINDOW_TIMES_FOR = 10, /* `for` is a tenth of the window: it can't filter anything */
};

static bool waits(const struct rule *rule)
{
    return rule->for_ms > 0 || rule->keep_firing_for_ms > 0;
}

/* A window that the value is folded over holds an alert by itself, and an age only grows. */
static bool is_steady(const struct promql_expr *expr)
{
    static const char *const time[] = {"time", NULL};
    const struct promql_expr *child;
    double window_ms;

    if (lint_window_of(expr, &window_ms) || lint_is_call_of(expr, time))
        return true;
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        if (is_steady(child))
            return true;
    return false;
}

void lint_no_for(struct lint *lint)
{
    if (waits(lint->rule) || lint_is_constant(lint->rule->expr) || is_steady(lint->rule->expr))
        return;
    TELL(lint, lint_span_name(lint->rule),
         "no `for`: a single odd sample pages, and one that comes and goes pages each time");
    FIX(lint, "for: 2m or more, or keep_firing_for when the first sample must page");
}

static bool tell_absent(struct lint *lint, const struct promql_expr *expr)
{
    static const char *const absent[] = {"absent", NULL};

    if (lint_is_call_of(expr, absent)) {
        TELL(
            lint, lint_span(lint, expr),
            "without `for` one failed scrape is enough, and so is a restart of the server: absent() "
            "is true until the first sample is in");
        FIX(lint, "for: of a few scrapes, like 5m");
    }
    return !lint_is_call_of(expr, absent);
}

void lint_absent_no_for(struct lint *lint)
{
    if (lint->rule->for_ms == 0)
        lint_walk(lint->rule->expr, tell_absent, lint);
}

static bool is_aggregation(const struct promql_expr *expr)
{
    expr = expr_unwrap(expr);
    return expr->kind == PROMQL_AGGREGATE && expr->aggregate.op <= AGGREGATOR_COUNT;
}

static bool tell_fragile(struct lint *lint, const struct promql_expr *expr)
{
    if (!lint_is_join(expr) || expr->binary.op != OPERATOR_DIVIDE ||
        !is_aggregation(expr->binary.left) || !is_aggregation(expr->binary.right))
        return true;
    TELL(lint, lint_span(lint, expr),
         "without `for` this fires in the moment when targets restart and only one of the two "
         "aggregations has noticed");
    FIX(lint, "for: of at least two evaluations");
    return false;
}

void lint_fragile_ratio(struct lint *lint)
{
    if (!waits(lint->rule) && !is_steady(lint->rule->expr))
        lint_walk(lint->rule->expr, tell_fragile, lint);
}

void lint_topk(struct lint *lint)
{
    const struct promql_expr *expr = expr_unwrap(lint->rule->expr);
    struct lint_compare compare;

    if (lint_condition(expr, &compare))
        expr = compare.left;
    if (expr->kind != PROMQL_AGGREGATE)
        return;
    bool limits = expr->aggregate.op == AGGREGATOR_LIMITK ||
                  expr->aggregate.op == AGGREGATOR_LIMIT_RATIO;
    if (!aggregator_ranks(expr->aggregate.op) && !limits)
        return;
    TELL(lint, lint_span(lint, expr),
         "%s changes which series it returns: alerts resolve and start anew as ranks swap, without "
         "anything having changed",
         aggregator_name(expr->aggregate.op));
    FIX(lint, "drop %s() and let the comparison choose", aggregator_name(expr->aggregate.op));
}

/* Results that land on a given number only by chance. */
static bool is_computed(const struct promql_expr *expr)
{
    static const char *const computed[] = {"rate",
                                           "irate",
                                           "increase",
                                           "delta",
                                           "deriv",
                                           "predict_linear",
                                           "histogram_quantile",
                                           "quantile_over_time",
                                           "stddev_over_time",
                                           NULL};

    expr = expr_unwrap(expr);
    if (expr->kind == PROMQL_AGGREGATE && expr->aggregate.op != AGGREGATOR_COUNT)
        return is_computed(expr->aggregate.of);
    return lint_is_call_of(expr, computed);
}

static bool tell_equality(struct lint *lint, const struct promql_expr *expr)
{
    struct lint_compare compare;

    if (!lint_compare_of(expr, &compare) || compare.threshold == 0 ||
        !isfinite(compare.threshold) ||
        (compare.op != OPERATOR_IS_EQUAL && compare.op != OPERATOR_NOT_EQUAL) ||
        !is_computed(compare.left))
        return true;
    TELL(lint, lint_span(lint, expr),
         "a computed value is hardly ever exactly %g: %s here is a matter of rounding",
         compare.threshold, operator_name(compare.op));
    FIX(lint, "a comparison with > or <, or round() first");
    return true;
}

void lint_float_equality(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_equality, lint);
}

/* The shortest window below expr, INFINITY when a part looks at the present. */
static double shortest_window_ms(const struct promql_expr *expr)
{
    const struct promql_expr *child;
    double shortest = INFINITY, window_ms = 0;

    if (lint_window_of(expr, &window_ms))
        return window_ms > 0 ? window_ms : 0;
    if (expr->kind == PROMQL_SELECTOR)
        return 0;
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        shortest = fmin(shortest, shortest_window_ms(child));
    return shortest;
}

void lint_for_vs_window(struct lint *lint)
{
    char for_text[DURATION_TEXT_MAX], window_text[DURATION_TEXT_MAX];
    double window_ms = shortest_window_ms(lint->rule->expr);
    double for_ms = (double)lint->rule->for_ms;

    if (for_ms <= 0 || !isfinite(window_ms) || window_ms < WINDOW_TIMES_FOR * for_ms)
        return;
    TELL(lint, lint_span_key(lint, "for"),
         "`for` of %s filters nothing behind a window of %s: what got in stays in far longer",
         duration_print(lint->rule->for_ms, for_text),
         duration_print((int64_t)window_ms, window_text));
    FIX(lint, "no `for` and be told sooner, or a shorter window");
}
