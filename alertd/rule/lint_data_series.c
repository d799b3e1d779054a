/*
 * What a server's data tells about the parts of an expression: is there anything, does the
 * window hold enough of it, is it a counter, do the sides of a join meet?
 */

#include <math.h>
#include <string.h>

#include "alertd/rule/lint_ask.h"
#include "lib/model/duration.h"

/* --- Is it there? ------------------------------------------------------------------------------- */

/* The one matcher that no series of this name meets; NULL: it takes several together. */
static const struct matcher *find_culprit(struct asking *asking, const struct promql_expr *now)
{
    for (size_t i = 0; i < now->selector.n_matchers; i++) {
        const struct matcher *matcher = &now->selector.matchers[i];
        bool found;
        double number;

        if (strcmp(matcher->name, LABEL_NAME) == 0)
            continue;
        str_cut(&asking->query, 0);
        str_addf(&asking->query, "count(%s{", lint_metric(now));
        matcher_print(matcher, &asking->query);
        str_add(&asking->query, "})");
        if (lint_ask(asking, &found, &number) && !found)
            return matcher;
    }
    return NULL;
}

static void tell_no_match(struct asking *asking,
                          const struct promql_expr *selector,
                          const struct promql_expr *now)
{
    struct lint *lint = lint_telling(asking, "missing-series");
    const struct matcher *culprit = find_culprit(asking, now);
    STR_AUTO struct str words = STR_INIT(300);

    if (culprit)
        matcher_print(culprit, &words);
    TELL(lint, lint_span(lint, selector), "finds nothing: %.80s exists, but no series has %s",
         lint_metric(now), culprit ? str_text(&words) : "all of these labels together");
    FIX(lint, "compare with `alertctl query '%.80s'`", lint_metric(now));
}

static void tell_gone(struct asking *asking, const struct promql_expr *selector, double age_s)
{
    struct lint *lint = lint_telling(asking, "missing-series");
    char text[DURATION_TEXT_MAX];
    int64_t age_ms = (int64_t)(age_s / 60) * 60000;

    TELL(lint, lint_span(lint, selector), "finds nothing now: the last such series ended %s ago",
         duration_print(age_ms > 60000 ? age_ms : 60000, text));
    FIX(lint, "if it is gone for good, so should this rule be; absent() tells when it isn't");
}

static void check_there(struct asking *asking, const struct promql_expr *selector)
{
    struct promql_expr now = lint_at_present(selector);
    char text[DURATION_TEXT_MAX];
    size_t n_records = 0;
    double number;
    bool found;

    (void)lint_records_find(&asking->lint, lint_metric(selector), &n_records);
    if (n_records > 0 || !lint_ask_of(asking, "count", &now, &found, &number) || found)
        return;
    str_cut(&asking->query, 0);
    str_add(&asking->query, "time() - max(max_over_time(timestamp(");
    promql_print(&now, &asking->query);
    str_addf(&asking->query, ")[%s:5m]))", lint_window_text(asking, text));
    if (!lint_ask(asking, &found, &number))
        return;
    if (found) {
        tell_gone(asking, selector, number);
        return;
    }
    bool is_named = lint_metric(&now)[0] != '\0';
    if (is_named) {
        str_cut(&asking->query, 0);
        str_addf(&asking->query, "count({__name__=\"%s\"})", lint_metric(&now));
        if (!lint_ask(asking, &found, &number))
            return;
    }
    if (is_named && found) {
        tell_no_match(asking, selector, &now);
        return;
    }
    struct lint *lint = lint_telling(asking, "missing-series");
    TELL(lint, lint_span(lint, selector), "finds nothing: no such series in the last %s",
         lint_window_text(asking, text));
    FIX(lint, "is the name right, and does anything send it?");
}

/* --- Windows ------------------------------------------------------------------------------------- */

/* Milliseconds between two samples, as most series of the selector have it; 0: not known.
 * From the oldest sample to the newest, divided by how many came since: of a young series it
 * is a little too short, never too long. */
static double interval_ms(struct asking *asking, const struct promql_expr *selector)
{
    static const char *const folds[] = {"max", "min"};
    struct promql_expr now = lint_at_present(selector);
    double seconds;
    bool found;

    str_cut(&asking->query, 0);
    str_add(&asking->query, "quantile(0.5, (");
    for (int i = 0; i < 2; i++) {
        str_addf(&asking->query, "%s%s_over_time(timestamp(", i ? " - " : "", folds[i]);
        promql_print(&now, &asking->query);
        str_add(&asking->query, ")[20m:10s])");
    }
    str_add(&asking->query, ") / count_over_time(");
    promql_print(&now, &asking->query);
    str_add(&asking->query, "[20m]))");
    return lint_ask(asking, &found, &seconds) && found && seconds > 0 ? seconds * 1000 : 0;
}

static void check_window(struct asking *asking, const struct promql_expr *expr)
{
    static const char *const pairs[] = {"rate",  "irate",  "increase", "delta",
                                        "deriv", "idelta", NULL};
    char text[DURATION_TEXT_MAX], need[DURATION_TEXT_MAX];
    double window_ms = 0;
    const struct promql_expr *window = lint_window_of(expr, &window_ms);

    if (!window || window->kind != PROMQL_SELECTOR || window_ms <= 0 ||
        !lint_is_call_of(expr, pairs))
        return;
    double every_ms = interval_ms(asking, window);
    if (every_ms <= 0)
        return;
    struct lint *lint = lint_telling(asking, "range-too-short");
    lint_retract(asking, lint->row->id, lint_span(lint, expr));
    if (window_ms >= 1.9 * every_ms)
        return;
    rule_findings_add(lint->findings, RULE_WARNING, lint->row->id, lint_span(lint, expr),
                      "%s() needs two samples in its window, and these come every %s: it gives "
                      "nothing, or only at times",
                      expr->call.fn->name,
                      duration_print((int64_t)(round(every_ms / 1000) * 1000), text));
    FIX(lint, "[%s]", duration_print((int64_t)(round(4 * every_ms / 1000) * 1000), need));
}

static void check_absent(struct asking *asking, const struct promql_expr *expr)
{
    const struct promql_expr *of = expr_unwrap(expr->call.args[0]);
    char text[DURATION_TEXT_MAX];

    if (of->kind != PROMQL_SELECTOR || asking->lint.rule->for_ms == 0)
        return;
    double every_ms = interval_ms(asking, of);
    if ((double)asking->lint.rule->for_ms >= 1.9 * every_ms)
        return;
    struct lint *lint = lint_telling(asking, "absent-no-for");
    TELL(lint, lint_span_key(lint, "for"),
         "these samples come every %s: absent() with so short a `for` fires on one that is missed",
         duration_print((int64_t)(round(every_ms / 1000) * 1000), text));
    FIX(lint, "for: of at least two of them");
}

static void check_reach(struct asking *asking, const struct promql_expr *expr)
{
    char reach_text[DURATION_TEXT_MAX], kept_text[DURATION_TEXT_MAX];
    bool is_subquery = expr->kind == PROMQL_SUBQUERY;
    const struct promql_when *when = is_subquery ? &expr->subquery.when : &expr->selector.when;
    double reach_ms = lint_duration_ms(is_subquery ? expr->subquery.range : expr->selector.range) +
                      lint_duration_ms(when->offset);

    if (asking->data->retention_ms <= 0 || reach_ms <= (double)asking->data->retention_ms)
        return;
    struct lint *lint = lint_telling(asking, "beyond-retention");
    TELL(lint, lint_span(lint, expr), "reaches back %s, and the server keeps samples for %s",
         duration_print((int64_t)reach_ms, reach_text),
         duration_print(asking->data->retention_ms, kept_text));
    FIX(lint, "a recording rule that keeps the summary, or longer retention");
}

/* --- Counter or gauge ------------------------------------------------------------------------------ */

static bool type_of(struct asking *asking,
                    const struct promql_expr *selector,
                    const char **ret_type)
{
    const char *metric = lint_metric(selector);

    return metric[0] && asking->data->metric_type &&
           asking->data->metric_type(asking->data->arg, metric, ret_type) == 0 && (*ret_type)[0];
}

static void check_rate_type(struct asking *asking, const struct promql_expr *expr)
{
    double window_ms;
    const struct promql_expr *window = lint_window_of(expr, &window_ms);
    const char *type = "";

    if (!window || window->kind != PROMQL_SELECTOR || !type_of(asking, window, &type))
        return;
    struct lint *lint = lint_telling(asking, "rate-of-gauge");
    lint_retract(asking, lint->row->id, lint_span(lint, expr));
    if (strcmp(type, "gauge") != 0)
        return;
    TELL(lint, lint_span(lint, expr),
         "%s() takes every fall for a restart, and %.80s is a gauge, which falls at times",
         expr->call.fn->name, lint_metric(window));
    FIX(lint, "delta() or deriv()");
}

static void check_compared_type(struct asking *asking, const struct promql_expr *expr)
{
    struct lint_compare compare;
    const char *type = "";

    if (!lint_compare_of(expr, &compare) || compare.left->kind != PROMQL_SELECTOR ||
        compare.threshold == 0 || !type_of(asking, compare.left, &type))
        return;
    bool upward = compare.op == OPERATOR_GREATER || compare.op == OPERATOR_GREATER_EQUAL;
    struct lint *lint = lint_telling(asking, "counter-raw");
    lint_retract(asking, lint->row->id, lint_span(lint, compare.left));
    if (strcmp(type, "counter") != 0 || !upward)
        return;
    TELL(lint, lint_span(lint, compare.left),
         "%.80s is a counter, which only grows: once above %g this fires until a restart",
         lint_metric(compare.left), compare.threshold);
    FIX(lint, "compare increase(%.80s[...]) or rate(...)", lint_metric(compare.left));
}

/* --- Do the sides meet? ------------------------------------------------------------------------------ */

/* Without the conditions: what is there to be compared. */
static const struct promql_expr *unconditional(const struct promql_expr *expr)
{
    struct lint_compare compare;

    for (expr = expr_unwrap(expr);;) {
        if (lint_compare_of(expr, &compare))
            expr = compare.left;
        else if (expr->kind == PROMQL_BINARY &&
                 (expr->binary.op == OPERATOR_AND || expr->binary.op == OPERATOR_UNLESS))
            expr = expr_unwrap(expr->binary.left);
        else
            return expr;
    }
}

static void add_matching(const struct promql_matching *matching, struct str *query)
{
    if (!matching->on && matching->labels.n == 0)
        return;
    str_add(query, matching->on ? " on (" : " ignoring (");
    for (size_t i = 0; i < matching->labels.n; i++)
        str_addf(query, "%s%s", i ? ", " : "", matching->labels.at[i]);
    str_addc(query, ')');
}

static void check_join(struct asking *asking, const struct promql_expr *expr)
{
    const struct promql_expr *left = unconditional(expr->binary.left);
    const struct promql_expr *right = unconditional(expr->binary.right);
    double n_left, n_right, n_both;
    bool has_left, has_right, has_both;

    if (expr->binary.op == OPERATOR_OR || lint_is_constant(left) || lint_is_constant(right) ||
        !lint_ask_of(asking, "count", left, &has_left, &n_left) || !has_left ||
        !lint_ask_of(asking, "count", right, &has_right, &n_right) || !has_right)
        return;
    lint_ask_begin(asking, "count(", left);
    str_add(&asking->query, " and");
    add_matching(&expr->binary.matching, &asking->query);
    str_add(&asking->query, " (");
    promql_print(right, &asking->query);
    str_add(&asking->query, "))");
    if (!lint_ask(asking, &has_both, &n_both) || has_both)
        return;
    struct lint *lint = lint_telling(asking, "vector-matching");
    TELL(lint, lint_span(lint, expr),
         "%g series on the left of %s, %g on the right, and not one pair has equal labels: %s",
         n_left, operator_name(expr->binary.op), n_right,
         expr->binary.op == OPERATOR_UNLESS ? "nothing is taken away" : "nothing comes out");
    FIX(lint, "on (...) with the labels both sides share");
}

void lint_data_series(struct asking *asking, const struct promql_expr *expr)
{
    static const char *const absent[] = {"absent", "absent_over_time", NULL};
    const struct promql_expr *child;

    if (lint_is_call_of(expr, absent)) {
        if (strcmp(expr->call.fn->name, "absent") == 0)
            check_absent(asking, expr);
        return; /* what is below is hoped not to be there */
    }
    if (expr->kind == PROMQL_SELECTOR)
        check_there(asking, expr);
    if (expr->kind == PROMQL_SELECTOR || expr->kind == PROMQL_SUBQUERY)
        check_reach(asking, expr);
    if (lint_is_call_of(expr, lint_rates))
        check_rate_type(asking, expr);
    if (lint_is_join(expr))
        check_join(asking, expr);
    check_window(asking, expr);
    check_compared_type(asking, expr);
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        lint_data_series(asking, child);
}
