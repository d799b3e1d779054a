/*
 * A syntax tree as text, in Prometheus' canonical spelling: rules are shown, compared
 * and matched with documentation in this form.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/explain.h"
#include "alertd/promql/fn.h"
#include "lib/base/float.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"
#include "lib/model/quote.h"

static void print_name(const char *name, struct str *out)
{
    if (labels_name_is_classic(name) && !strchr(name, ':'))
        str_add(out, name);
    else
        quote_add(out, name, strlen(name));
}

static void print_names(const struct promql_names *names, struct str *out)
{
    str_add(out, "(");
    for (size_t i = 0; i < names->n; i++) {
        str_add(out, i ? ", " : "");
        print_name(names->at[i], out);
    }
    str_add(out, ")");
}

static void print_number(double value, struct str *out)
{
    char text[FLOAT_TEXT_MAX];

    str_addn(out, text, float_plain(value, text));
}

/* Seconds written as a duration; what has no such form stays a number. */
static void print_seconds(double seconds, struct str *out)
{
    char text[DURATION_TEXT_MAX];
    double ms = round(seconds * 1e9) / 1e6;

    if (!(fabs(ms) < 9e15)) {
        print_number(seconds, out);
        return;
    }
    str_add(out, duration_print((int64_t)ms, text));
}

/* inside: part of a computation, where 300 stays 300; alone it prints as 5m. */
static void print_duration(const struct promql_duration *duration, bool inside, struct str *out)
{
    switch (duration->kind) {
    case DURATION_NUMBER:
        if (inside && !duration->has_unit)
            print_number(duration->seconds, out);
        else
            print_seconds(duration->seconds, out);
        return;
    case DURATION_STEP: str_add(out, "step()"); return;
    case DURATION_RANGE: str_add(out, "range()"); return;
    case DURATION_NEGATE:
        str_add(out, "-");
        print_duration(duration->left, inside, out);
        return;
    case DURATION_PAREN:
        str_add(out, "(");
        print_duration(duration->left, true, out);
        str_add(out, ")");
        return;
    case DURATION_BINARY:
        print_duration(duration->left, true, out);
        str_addf(out, " %s ", operator_name(duration->op));
        print_duration(duration->right, true, out);
        return;
    case DURATION_MIN:
    case DURATION_MAX:
        str_add(out, duration->kind == DURATION_MIN ? "min_of(" : "max_of(");
        print_duration(duration->left, true, out);
        str_add(out, ", ");
        print_duration(duration->right, true, out);
        str_add(out, ")");
        return;
    }
}

static void print_when(const struct promql_when *when, struct str *out)
{
    if (when->at == AT_START)
        str_add(out, " @ start()");
    if (when->at == AT_END)
        str_add(out, " @ end()");
    if (when->at == AT_TIME)
        str_addf(out, " @ %s%lld.%03d", when->at_ms < 0 ? "-" : "",
                 llabs((long long)when->at_ms) / 1000, (int)(llabs(when->at_ms) % 1000));
    if (when->offset) {
        str_add(out, " offset ");
        print_duration(when->offset, false, out);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_the_name(const struct promql_selector *selector, const struct matcher *matcher)
{
    return selector->name && matcher->type == MATCHER_EQUAL &&
           strcmp(matcher->name, LABEL_NAME) == 0 && strcmp(matcher->value, selector->name) == 0;
}

/* Matchers in the order of their texts. */
static void print_matchers(const struct promql_selector *selector, struct str *out)
{
    char **texts = mem_alloc((selector->n_matchers + 1) * sizeof(*texts));
    size_t n = 0;

    for (size_t i = 0; i < selector->n_matchers; i++) {
        struct str text = STR_INIT(out->limit);

        if (is_the_name(selector, &selector->matchers[i]))
            continue;
        matcher_print(&selector->matchers[i], &text);
        texts[n++] = str_take(&text);
    }
    qsort(texts, n, sizeof(*texts), by_text);
    if (n || !selector->name)
        str_add(out, "{");
    for (size_t i = 0; i < n; i++) {
        str_add(out, i ? "," : "");
        str_add(out, texts[i]);
        free(texts[i]);
    }
    if (n || !selector->name)
        str_add(out, "}");
    free(texts);
}

static void print_selector(const struct promql_selector *selector, struct str *out)
{
    if (selector->name)
        str_add(out, selector->name);
    print_matchers(selector, out);
    if (selector->range) {
        str_add(out, "[");
        print_duration(selector->range, false, out);
        str_add(out, "]");
    }
    print_when(&selector->when, out);
}

/* What stands behind the subquery's expression. */
static void print_subquery(const struct promql_expr *expr, struct str *out)
{
    str_add(out, "[");
    print_duration(expr->subquery.range, false, out);
    str_add(out, ":");
    if (expr->subquery.step)
        print_duration(expr->subquery.step, false, out);
    str_add(out, "]");
    print_when(&expr->subquery.when, out);
}

static void print_call(const struct promql_expr *expr, struct str *out)
{
    str_addf(out, "%s(", expr->call.fn->name);
    for (size_t i = 0; i < expr->call.n_args; i++) {
        str_add(out, i ? ", " : "");
        promql_print(expr->call.args[i], out);
    }
    str_add(out, ")");
}

static bool is_grouped(const struct promql_expr *expr)
{
    return expr->aggregate.without || expr->aggregate.labels.n;
}

static void print_grouping(const struct promql_expr *expr, struct str *out)
{
    str_add(out, aggregator_name(expr->aggregate.op));
    if (is_grouped(expr)) {
        str_add(out, expr->aggregate.without ? " without " : " by ");
        print_names(&expr->aggregate.labels, out);
    }
}

static void print_aggregate(const struct promql_expr *expr, struct str *out)
{
    print_grouping(expr, out);
    str_add(out, is_grouped(expr) ? " (" : "(");
    if (expr->aggregate.param) {
        promql_print(expr->aggregate.param, out);
        str_add(out, ", ");
    }
    promql_print(expr->aggregate.of, out);
    str_add(out, ")");
}

static void print_matching(const struct promql_matching *matching, struct str *out)
{
    bool grouped = matching->card == CARD_MANY_TO_ONE || matching->card == CARD_ONE_TO_MANY;

    if (!matching->on && !matching->labels.n && !grouped)
        return;
    str_add(out, matching->on ? " on " : " ignoring ");
    print_names(&matching->labels, out);
    if (grouped) {
        str_add(out, matching->card == CARD_MANY_TO_ONE ? " group_left " : " group_right ");
        print_names(&matching->include, out);
    }
}

static void print_operator(const struct promql_expr *expr, struct str *out)
{
    str_addf(out, "%s%s", operator_name(expr->binary.op), expr->binary.return_bool ? " bool" : "");
    if (expr->binary.has_matching)
        print_matching(&expr->binary.matching, out);
}

static void print_binary(const struct promql_expr *expr, struct str *out)
{
    promql_print(expr->binary.left, out);
    str_add(out, " ");
    print_operator(expr, out);
    str_add(out, " ");
    promql_print(expr->binary.right, out);
}

void promql_print(const struct promql_expr *expr, struct str *out)
{
    switch (expr->kind) {
    case PROMQL_NUMBER:
        if (expr->number.has_unit)
            print_seconds(expr->number.value, out);
        else
            print_number(expr->number.value, out);
        return;
    case PROMQL_STRING_LITERAL: quote_add(out, expr->string, strlen(expr->string)); return;
    case PROMQL_SELECTOR: print_selector(&expr->selector, out); return;
    case PROMQL_SUBQUERY:
        promql_print(expr->subquery.of, out);
        print_subquery(expr, out);
        return;
    case PROMQL_CALL: print_call(expr, out); return;
    case PROMQL_AGGREGATE: print_aggregate(expr, out); return;
    case PROMQL_BINARY: print_binary(expr, out); return;
    case PROMQL_UNARY:
        str_add(out, expr->unary.minus ? "-" : "+");
        promql_print(expr->unary.of, out);
        return;
    case PROMQL_PAREN:
        str_add(out, "(");
        promql_print(expr->paren, out);
        str_add(out, ")");
        return;
    }
}

void promql_print_own(const struct promql_expr *expr, struct str *out)
{
    switch (expr->kind) {
    case PROMQL_NUMBER:
    case PROMQL_STRING_LITERAL:
    case PROMQL_SELECTOR: promql_print(expr, out); return;
    case PROMQL_SUBQUERY: print_subquery(expr, out); return;
    case PROMQL_CALL: str_addf(out, "%s()", expr->call.fn->name); return;
    case PROMQL_AGGREGATE: print_grouping(expr, out); return;
    case PROMQL_BINARY: print_operator(expr, out); return;
    case PROMQL_UNARY: str_add(out, expr->unary.minus ? "-" : "+"); return;
    case PROMQL_PAREN: promql_print_own(expr->paren, out); return;
    }
}
