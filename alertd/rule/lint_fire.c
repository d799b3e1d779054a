/*
 * Will it fire? Checks for alerts that never can, or that always do.
 */

#include <math.h>
#include <string.h>
#include <strings.h>

#include "alertd/rule/lint_private.h"
#include "lib/model/duration.h"

enum {
    LOOKBACK_S = 5 * 60, /* how long a sample counts */
    MINUTE_S = 60,
    HOUR_S = 3600,
    DAY_S = 24 * 3600,
};

/* --- Always ------------------------------------------------------------------------------- */

static bool has_condition(const struct promql_expr *expr);

static bool call_has_condition(const struct promql_expr *expr)
{
    static const char *const conditions[] = {"absent", "absent_over_time", NULL};

    if (lint_is_call_of(expr, conditions))
        return true;
    for (size_t i = 0; i < expr->call.n_args; i++) {
        const struct promql_expr *arg = expr_unwrap(expr->call.args[i]);

        if (arg->type == PROMQL_VECTOR && has_condition(arg))
            return true;
        if (arg->kind == PROMQL_SUBQUERY && has_condition(arg->subquery.of))
            return true;
    }
    return false;
}

static bool has_condition(const struct promql_expr *expr)
{
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
    if (expr->kind == PROMQL_SELECTOR) /* states told by labels, the value is always 1 */
        return strcmp(lint_metric(expr), "ALERTS") == 0 ||
               (expr->selector.n_matchers > 1 && (lint_ends_with(lint_metric(expr), "_info") ||
                                                  lint_ends_with(lint_metric(expr), "_metadata")));
    return expr->kind == PROMQL_CALL && call_has_condition(expr);
}

void lint_no_comparison(struct lint *lint)
{
    if (lint_is_constant(lint->rule->expr) || has_condition(lint->rule->expr))
        return;
    TELL(lint, lint_span_expr(lint),
         "nothing is compared: this fires for as long as the series exists, whatever its value");
    FIX(lint, "say what is wrong about the value, like > 0");
}

void lint_bool_top(struct lint *lint)
{
    const struct promql_expr *expr = expr_unwrap(lint->rule->expr);

    if (expr->kind != PROMQL_BINARY || !expr->binary.return_bool)
        return;
    TELL(lint, lint_span_expr(lint),
         "`bool` makes the answer 0 or 1 and never nothing: this always fires");
    FIX(lint, "drop `bool`");
}

void lint_always(struct lint *lint)
{
    static const char *const wanted[] = {"watchdog", "deadman", "alwaysfiring", "heartbeat"};

    if (!lint_is_constant(lint->rule->expr))
        return;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        if (strcasestr(lint->rule->name, wanted[i]))
            return;
    TELL(lint, lint_span_expr(lint), "a constant: this fires always, whatever happens");
    FIX(lint, "ask for a series; a dead man's switch is usually named Watchdog");
}

/* --- Never -------------------------------------------------------------------------------- */

/* The least and the greatest value that this can have, when both are known. */
static bool range_of(const struct promql_expr *expr,
                     double *ret_least,
                     double *ret_most,
                     const char **ret_why)
{
    static const char *const absent[] = {"absent", "absent_over_time", "present_over_time", NULL};
    static const char *const count[] = {"count_over_time", NULL};

    *ret_least = 1;
    *ret_most = 1;
    *ret_why = "is 1 or nothing";
    if (lint_is_call_of(expr, absent) ||
        (expr->kind == PROMQL_AGGREGATE && expr->aggregate.op == AGGREGATOR_GROUP))
        return true;
    *ret_most = INFINITY;
    *ret_why = "of nothing is nothing, not 0";
    return lint_is_call_of(expr, count) ||
           (expr->kind == PROMQL_AGGREGATE && expr->aggregate.op == AGGREGATOR_COUNT);
}

static bool can_hold(double least, double most, enum promql_operator op, double threshold)
{
    if (op == OPERATOR_IS_EQUAL)
        return threshold >= least && threshold <= most;
    return lint_holds(least, op, threshold) || lint_holds(most, op, threshold);
}

static bool tell_never_true(struct lint *lint, const struct promql_expr *expr)
{
    struct lint_compare compare;
    double least, most;
    const char *why;

    if (!lint_compare_of(expr, &compare) || expr->binary.return_bool ||
        !range_of(compare.left, &least, &most, &why) ||
        can_hold(least, most, compare.op, compare.threshold))
        return true;
    TELL(lint, lint_span(lint, expr), "never true: %s() %s",
         compare.left->kind == PROMQL_CALL ? compare.left->call.fn->name
                                           : aggregator_name(compare.left->aggregate.op),
         why);
    if (most == 1)
        FIX(lint, "leave the comparison away");
    else
        FIX(lint, "ask absent(), or put `or vector(0)` behind the count");
    return true;
}

/* count(x) == 0, absent(x) == 0: told under the id of sides that never meet. */
void lint_never_true(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_never_true, lint);
}

/* increase(x[5m]) > 0 with for: 5m: one event has left the window before `for` is over. */
void lint_single_event(struct lint *lint)
{
    static const char *const windows[] = {"increase", "changes", "delta", "resets", NULL};
    struct lint_compare compare;
    char text[DURATION_TEXT_MAX];
    double window_ms = 0;

    if (lint->rule->for_ms <= 0 || !lint_condition(lint->rule->expr, &compare))
        return;
    const struct promql_expr *left = compare.left;
    if (left->kind == PROMQL_AGGREGATE)
        left = expr_unwrap(left->aggregate.of);
    bool one_is_enough = !lint_holds(0, compare.op, compare.threshold) &&
                         lint_holds(2, compare.op, compare.threshold);
    if (!one_is_enough || !lint_is_call_of(left, windows) || !lint_window_of(left, &window_ms) ||
        window_ms <= 0 || (double)lint->rule->for_ms < window_ms)
        return;
    TELL(lint, lint_span_expr(lint),
         "one event never fires: it has left the window of %s() after %s, and `for` waits as long "
         "or longer",
         left->call.fn->name, duration_print((int64_t)window_ms, text));
    FIX(lint, "a window longer than `for`, or no `for`: the window holds the alert already");
}

static bool is_same_selector(const struct promql_expr *a, const struct promql_expr *b)
{
    if (a->kind != PROMQL_SELECTOR || b->kind != PROMQL_SELECTOR ||
        a->selector.n_matchers != b->selector.n_matchers)
        return false;
    for (size_t i = 0; i < a->selector.n_matchers; i++) {
        const struct matcher *left = &a->selector.matchers[i], *right = &b->selector.matchers[i];

        if (left->type != right->type || strcmp(left->name, right->name) != 0 ||
            strcmp(left->value, right->value) != 0)
            return false;
    }
    return true;
}

/* x unless x offset 1h: true for an hour after x began. x offset 1h unless x: after it ended. */
static double run_of_offset_s(const struct promql_expr *left, const struct promql_expr *right)
{
    left = expr_unwrap(left);
    right = expr_unwrap(right);
    if (!is_same_selector(left, right))
        return INFINITY;
    double apart_ms = fabs(lint_duration_ms(left->selector.when.offset) -
                           lint_duration_ms(right->selector.when.offset));
    return apart_ms > 0 ? apart_ms / 1000 : INFINITY;
}

/* hour() == 3: an hour at most. */
static double run_of_calendar_s(const struct lint_compare *compare)
{
    static const struct {
        const char *name;
        int first, n;
        double unit_s;
    } fields[] = {
        {"minute", 0, 60, MINUTE_S}, {"hour", 0, 24, HOUR_S}, {"day_of_week", 0, 7, DAY_S}};
    const struct promql_expr *left = compare->left;

    if (left->kind != PROMQL_CALL)
        return INFINITY;
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        int run = 0, longest = 0;

        if (strcmp(left->call.fn->name, fields[i].name) != 0)
            continue;
        for (int value = 0; value < 2 * fields[i].n; value++) { /* twice: runs go over the end */
            run = lint_holds(value % fields[i].n, compare->op, compare->threshold) ? run + 1 : 0;
            longest = run > longest ? run : longest;
        }
        return longest >= fields[i].n ? INFINITY : longest * fields[i].unit_s;
    }
    return INFINITY;
}

/* time() - timestamp(x) > 60: a sample older than five minutes isn't there any more. */
static double run_of_age_s(const struct lint_compare *compare)
{
    static const char *const time[] = {"time", NULL}, *const timestamp[] = {"timestamp", NULL};
    const struct promql_expr *left = compare->left;

    if (left->kind != PROMQL_BINARY || left->binary.op != OPERATOR_SUBTRACT ||
        !lint_is_call_of(expr_unwrap(left->binary.left), time) ||
        !lint_is_call_of(expr_unwrap(left->binary.right), timestamp))
        return INFINITY;
    const struct promql_expr *of = expr_unwrap(expr_unwrap(left->binary.right)->call.args[0]);
    bool is_older = compare->op == OPERATOR_GREATER || compare->op == OPERATOR_GREATER_EQUAL;
    if (of->kind != PROMQL_SELECTOR || of->selector.when.offset || !is_older)
        return INFINITY;
    return fmax(LOOKBACK_S - compare->threshold, 0);
}

/* For how many seconds on end this can be true. */
static double run_of_s(const struct promql_expr *expr)
{
    struct lint_compare compare;

    expr = expr_unwrap(expr);
    if (lint_compare_of(expr, &compare))
        return fmin(run_of_calendar_s(&compare), run_of_age_s(&compare));
    if (expr->kind != PROMQL_BINARY)
        return INFINITY;
    if (expr->binary.op == OPERATOR_AND)
        return fmin(run_of_s(expr->binary.left), run_of_s(expr->binary.right));
    if (expr->binary.op == OPERATOR_UNLESS)
        return fmin(run_of_s(expr->binary.left),
                    run_of_offset_s(expr->binary.left, expr->binary.right));
    return INFINITY;
}

void lint_for_never(struct lint *lint)
{
    double run_s = run_of_s(lint->rule->expr);
    char text[DURATION_TEXT_MAX];

    if (!isfinite(run_s) || (run_s > 0 && (double)lint->rule->for_ms < run_s * 1000))
        return;
    if (run_s > 0) {
        TELL(
            lint, lint_span_key(lint, "for"),
            "never fires: the expression is true for %s at most, and `for` waits as long or longer",
            duration_print((int64_t)(run_s * 1000), text));
        FIX(lint, "a `for` shorter than that");
    } else {
        TELL(lint, lint_span_expr(lint),
             "never true: a sample older than 5m counts as gone, so that its age is never larger");
        FIX(lint, "timestamp() of last_over_time(x[1h]), or absent_over_time()");
    }
}

/* --- 0 / 0 ------------------------------------------------------------------------------ */

static bool is_idle_at_times(const struct promql_expr *expr)
{
    expr = expr_unwrap(expr);
    if (expr->kind == PROMQL_AGGREGATE)
        return is_idle_at_times(expr->aggregate.of);
    return lint_is_call_of(expr, lint_rates);
}

static bool tell_nan(struct lint *lint, const struct promql_expr *expr)
{
    if (expr->kind != PROMQL_AGGREGATE ||
        (expr->aggregate.op != AGGREGATOR_SUM && expr->aggregate.op != AGGREGATOR_AVG &&
         expr->aggregate.op != AGGREGATOR_STDDEV && expr->aggregate.op != AGGREGATOR_STDVAR))
        return true;
    const struct promql_expr *of = expr_unwrap(expr->aggregate.of);
    if (!lint_is_join(of) || of->binary.op != OPERATOR_DIVIDE ||
        !is_idle_at_times(of->binary.right))
        return true;
    TELL(lint, lint_span(lint, expr),
         "one series with nothing to divide by is 0/0, NaN, and makes the whole %s NaN, which no "
         "comparison is true for",
         aggregator_name(expr->aggregate.op));
    FIX(lint, "divide by (... > 0), or sum both sides before dividing");
    return true;
}

void lint_nan(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_nan, lint);
}
