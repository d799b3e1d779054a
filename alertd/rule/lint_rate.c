/*
 * Counters, gauges and the windows they are looked at through.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"
#include "lib/model/duration.h"

enum {
    SCRAPE_MS = 60 * 1000, /* Prometheus' scrape_interval when nobody says otherwise */
    LOOKBACK_MS = 5 * 60 * 1000,
};

/* Some call a gauge a total: what is pending, open or in use goes up and down. */
static bool is_counter_name(const char *name)
{
    static const char *const of_gauges[] = {
        "pending", "active", "current",   "open",     "queue",  "available",
        "used",    "free",   "running",   "limit",    "max",    "size",
        "alive",   "ready",  "connected", "capacity", "memory", NULL};

    if (!lint_ends_with(name, "_total"))
        return false;
    for (size_t i = 0; of_gauges[i]; i++)
        if (strstr(name, of_gauges[i]))
            return false;
    return true;
}

/* --- Counters taken for gauges -------------------------------------------------------------- */

static const struct promql_expr *inside_aggregations(const struct promql_expr *expr)
{
    expr = expr_unwrap(expr);
    while (expr->kind == PROMQL_AGGREGATE && expr->aggregate.op != AGGREGATOR_COUNT &&
           expr->aggregate.op != AGGREGATOR_GROUP && expr->aggregate.op != AGGREGATOR_COUNT_VALUES)
        expr = expr_unwrap(expr->aggregate.of);
    return expr;
}

/* A comparison with a threshold that a counter passes once and for good. */
static void tell_compared_counter(struct lint *lint, const struct lint_compare *compare)
{
    const struct promql_expr *left = inside_aggregations(compare->left);

    if (left->kind != PROMQL_SELECTOR || compare->threshold == 0 ||
        (compare->op != OPERATOR_GREATER && compare->op != OPERATOR_GREATER_EQUAL) ||
        !is_counter_name(lint_metric(left)))
        return;
    TELL(lint, lint_span(lint, left),
         "%.80s looks like a counter, which only grows: once above %g this fires until a restart",
         lint_metric(left), compare->threshold);
    FIX(lint, "compare increase(%.80s[...]) or rate(...)", lint_metric(left));
}

static bool tell_counter(struct lint *lint, const struct promql_expr *expr)
{
    static const char *const of_gauges[] = {"delta", "idelta", "deriv", "predict_linear", NULL};
    struct lint_compare compare;
    double window_ms;

    if (lint_compare_of(expr, &compare))
        tell_compared_counter(lint, &compare);
    if (!lint_is_call_of(expr, of_gauges))
        return true;
    const struct promql_expr *window = lint_window_of(expr, &window_ms);
    if (window && window->kind == PROMQL_SELECTOR && is_counter_name(lint_metric(window))) {
        TELL(lint, lint_span(lint, expr),
             "%s() is for gauges: each restart sets %.80s back to 0 and looks like a huge fall",
             expr->call.fn->name, lint_metric(window));
        FIX(lint, "increase() or rate(), which know restarts");
    }
    return true;
}

void lint_counter(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_counter, lint);
}

/* --- Gauges taken for counters --------------------------------------------------------------- */

/* Names that nobody gives to a counter. (Many counters lack _total: no suffix says nothing.) */
static bool is_gauge_name(const char *name)
{
    static const char *const ends[] = {
        "_ratio", "_percent",   "_percentage",        "_celsius",     "_temperature",
        "_info",  "_timestamp", "_timestamp_seconds", "_utilization", NULL};

    for (size_t i = 0; ends[i]; i++)
        if (lint_ends_with(name, ends[i]))
            return true;
    return false;
}

static bool tell_gauge(struct lint *lint, const struct promql_expr *expr)
{
    double window_ms;

    if (!lint_is_call_of(expr, lint_rates))
        return true;
    const struct promql_expr *window = lint_window_of(expr, &window_ms);
    if (!window || window->kind != PROMQL_SELECTOR || !is_gauge_name(lint_metric(window)))
        return true;
    TELL(lint, lint_span(lint, expr),
         "%s() takes every fall for a restart, and %.80s looks like a gauge, which falls at times",
         expr->call.fn->name, lint_metric(window));
    FIX(lint, "delta() or deriv()");
    return true;
}

void lint_rate_of_gauge(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_gauge, lint);
}

/* --- A rate of a sum ----------------------------------------------------------------------- */

static bool is_sum(const struct promql_expr *expr)
{
    expr = expr_unwrap(expr);
    return expr->kind == PROMQL_AGGREGATE &&
           (expr->aggregate.op == AGGREGATOR_SUM || expr->aggregate.op == AGGREGATOR_AVG);
}

static bool has_rate(const struct promql_expr *expr)
{
    const struct promql_expr *child;

    if (lint_is_call_of(expr, lint_rates))
        return true;
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        if (has_rate(child))
            return true;
    return false;
}

/* The window is of sums: written here, or recorded under this name. */
static bool is_window_of_sum(struct lint *lint, const struct promql_expr *window)
{
    size_t n = 0;

    if (window->kind == PROMQL_SUBQUERY)
        return is_sum(window->subquery.of) && !has_rate(window->subquery.of);
    const struct lint_record *records = lint_records_find(lint, lint_metric(window), &n);
    for (size_t i = 0; i < n; i++)
        if (!is_sum(records[i].rule->expr) || has_rate(records[i].rule->expr))
            return false;
    return n > 0;
}

static bool tell_rate_of_sum(struct lint *lint, const struct promql_expr *expr)
{
    double window_ms;

    if (!lint_is_call_of(expr, lint_rates))
        return true;
    const struct promql_expr *window = lint_window_of(expr, &window_ms);
    if (!window || !is_window_of_sum(lint, window))
        return true;
    TELL(lint, lint_span(lint, expr),
         "%s() of a sum: when one of its counters restarts, the sum falls and all of it is counted "
         "again as a jump",
         expr->call.fn->name);
    FIX(lint, "the %s() first, then the sum", expr->call.fn->name);
    return true;
}

void lint_rate_of_sum(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_rate_of_sum, lint);
}

/* --- Windows ------------------------------------------------------------------------------- */

static bool tell_short_range(struct lint *lint, const struct promql_expr *expr)
{
    static const char *const pairs[] = {"rate",  "irate",  "increase", "delta",
                                        "deriv", "idelta", NULL};
    char text[DURATION_TEXT_MAX];
    double window_ms = 0;

    if (!lint->row)
        return false;
    if (!lint_is_call_of(expr, pairs))
        return true;
    const struct promql_expr *window = lint_window_of(expr, &window_ms);
    if (!window || window->kind != PROMQL_SELECTOR || window_ms <= 0 || window_ms > SCRAPE_MS)
        return true;
    TELL(
        lint, lint_span(lint, expr),
        "%s() needs two samples, and a window of %s has one when targets are scraped once a minute, "
        "the default",
        expr->call.fn->name, duration_print((int64_t)window_ms, text));
    FIX(lint, "a window of four scrape intervals, like [5m]");
    lint->row = NULL; /* once for a rule is enough */
    return false;
}

void lint_short_range(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_short_range, lint);
}

void lint_slow_group(struct lint *lint)
{
    char text[DURATION_TEXT_MAX];

    if (lint->rule != &lint->group->rules[0] || lint->group->interval_ms <= LOOKBACK_MS)
        return;
    TELL(lint, rule_span_of(yaml_get(lint->group->node, "interval")),
         "evaluated every %s, but a sample counts for 5m only: what this group records, and its "
         "alerts, have gaps",
         duration_print(lint->group->interval_ms, text));
    FIX(lint, "an interval of 5m at most");
}

/* --- What other engines lack --------------------------------------------------------------- */

static bool is_plain(const struct promql_duration *duration)
{
    return !duration || duration->kind == DURATION_NUMBER ||
           (duration->kind == DURATION_NEGATE && is_plain(duration->left));
}

/* The flag that Prometheus wants for this, NULL for none. */
static const char *flag_of(const struct promql_expr *expr)
{
    static const char *const functions[] = {"mad_over_time", "double_exponential_smoothing",
                                            "sort_by_label", "sort_by_label_desc",
                                            "info",          NULL};

    if (lint_is_call_of(expr, functions) ||
        (expr->kind == PROMQL_AGGREGATE &&
         (expr->aggregate.op == AGGREGATOR_LIMITK || expr->aggregate.op == AGGREGATOR_LIMIT_RATIO)))
        return "promql-experimental-functions";
    bool calculates = (expr->kind == PROMQL_SELECTOR && (!is_plain(expr->selector.range) ||
                                                         !is_plain(expr->selector.when.offset))) ||
                      (expr->kind == PROMQL_SUBQUERY &&
                       (!is_plain(expr->subquery.range) || !is_plain(expr->subquery.step) ||
                        !is_plain(expr->subquery.when.offset)));
    return calculates ? "promql-duration-expr" : NULL;
}

static bool tell_flag(struct lint *lint, const struct promql_expr *expr)
{
    const char *flag = flag_of(expr);

    if (!flag)
        return true;
    TELL(lint, lint_span(lint, expr),
         "a Prometheus without --enable-feature=%s does not load this file", flag);
    FIX(lint, "write it with what is stable, or keep the file for servers with that flag");
    return true;
}

void lint_feature_flag(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_flag, lint);
}
