/*
 * What a server's data tells about a rule: which series it finds, whether its sides meet,
 * where its threshold lies. Each question is an instant query with one number as its answer,
 * so that any Prometheus can answer and nothing large travels:
 *
 *     count(SELECTOR)                                      is it there?
 *     count((LEFT) and on (job) (RIGHT))                   do the sides meet?
 *     sum(count_over_time((LEFT > 5)[1d:5m])) / all        where does the threshold lie?
 *
 * An answer that doesn't come is no finding. Where the text alone made a guess by names
 * (counter, gauge, scrape interval), the server's word replaces it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/lint_ask.h"
#include "lib/model/duration.h"

enum {
    QUERY_MAX = 64 * 1024,
    STEPS_MAX = 500, /* of a question about the past */
    CHURN_TIMES = 3, /* so many times as many values as at once */
    CHURN_LEAST = 10,
    COST_SAMPLES_MAX = 5 * 1000 * 1000, /* a tenth of Prometheus' limit for one query */
    COST_SHARE = 10,                    /* a tenth of the interval */
};

/* --- Asking ----------------------------------------------------------------------------------- */

bool lint_ask(struct asking *asking, bool *ret_found, double *ret_number)
{
    *ret_found = false;
    *ret_number = 0;
    return !asking->query.full && asking->data->number(asking->data->arg, str_text(&asking->query),
                                                       ret_found, ret_number) == 0;
}

void lint_ask_begin(struct asking *asking, const char *before, const struct promql_expr *expr)
{
    str_cut(&asking->query, 0);
    str_addf(&asking->query, "%s(", before);
    promql_print(expr, &asking->query);
    str_addc(&asking->query, ')');
}

bool lint_ask_of(struct asking *asking,
                 const char *before,
                 const struct promql_expr *expr,
                 bool *ret_found,
                 double *ret_number)
{
    lint_ask_begin(asking, before, expr);
    return lint_ask(asking, ret_found, ret_number);
}

struct promql_expr lint_at_present(const struct promql_expr *selector)
{
    struct promql_expr now = *selector;

    now.type = PROMQL_VECTOR;
    now.selector.range = NULL;
    now.selector.when = (struct promql_when){0};
    return now;
}

void lint_retract(struct asking *asking, const char *id, struct rule_span span)
{
    struct rule_findings *findings = asking->lint.findings;

    for (size_t i = 0; i < findings->n; i++) {
        struct rule_finding *finding = &findings->at[i];

        if (strcmp(finding->id, id) != 0 || finding->span.line != span.line ||
            finding->span.column != span.column)
            continue;
        free(finding->text);
        free(finding->fix);
        memmove(finding, finding + 1, (findings->n - i - 1) * sizeof(*finding));
        findings->n--;
        return;
    }
}

struct lint *lint_telling(struct asking *asking, const char *id)
{
    asking->lint.row = rule_check_find(id);
    return &asking->lint;
}

const char *lint_window_text(const struct asking *asking, char *text)
{
    return duration_print(asking->data->window_ms, text);
}

/* --- Where does the threshold lie? --------------------------------------------------------------------- */

/* `before(fold((LEFT [OP T])[window:step]))`; found is false when there never was a sample. */
static bool ask_past(struct asking *asking,
                     const char *before,
                     const struct lint_compare *compare,
                     bool with_condition,
                     bool *ret_found,
                     double *ret_number)
{
    char window[DURATION_TEXT_MAX], step[DURATION_TEXT_MAX];
    int64_t step_ms = asking->data->window_ms / STEPS_MAX;

    step_ms = step_ms < 60000 ? 60000 : (step_ms + 59999) / 60000 * 60000;
    lint_ask_begin(asking, before, with_condition ? compare->expr : compare->left);
    str_addf(&asking->query, "[%s:%s]))", lint_window_text(asking, window),
             duration_print(step_ms, step));
    return lint_ask(asking, ret_found, ret_number);
}

static void tell_never(struct asking *asking, const struct lint_compare *compare)
{
    struct lint *lint = lint_telling(asking, "threshold-never");
    bool is_upper = compare->op == OPERATOR_GREATER || compare->op == OPERATOR_GREATER_EQUAL;
    char window[DURATION_TEXT_MAX];
    double extreme, median;
    bool found;

    if (compare->op == OPERATOR_IS_EQUAL || compare->op == OPERATOR_NOT_EQUAL ||
        !ask_past(asking, is_upper ? "max(max_over_time(" : "min(min_over_time(", compare, false,
                  &found, &extreme) ||
        !found ||
        !ask_past(asking, "quantile(0.5, quantile_over_time(0.5, ", compare, false, &found,
                  &median))
        return;
    TELL(lint, lint_span(lint, compare->expr),
         "not once true in the last %s: the %s was %.4g, the median %.4g, and the threshold is %g",
         lint_window_text(asking, window), is_upper ? "highest" : "lowest", extreme, median,
         compare->threshold);
    FIX(lint, "nothing, if it must never happen; else a threshold that a bad day reaches");
}

static void check_threshold(struct asking *asking, const struct lint_compare *compare)
{
    double n_all, n_true;
    bool has_all, has_true;
    char window[DURATION_TEXT_MAX];

    if (compare->expr->binary.return_bool ||
        !ask_past(asking, "sum(count_over_time(", compare, false, &has_all, &n_all) || !has_all ||
        !ask_past(asking, "sum(count_over_time(", compare, true, &has_true, &n_true))
        return;
    if (!has_true || n_true == 0) {
        tell_never(asking, compare);
        return;
    }
    if (n_true < n_all || expr_unwrap(asking->lint.rule->expr) != compare->expr)
        return;
    struct lint *lint = lint_telling(asking, "threshold-always");
    TELL(lint, lint_span(lint, compare->expr),
         "true for every series at every moment of the last %s: who gets this learns to ignore it",
         lint_window_text(asking, window));
    FIX(lint, "another threshold, or no alert");
}

/* --- How many alerts, and for how long the same ones? ------------------------------------------------------ */

static void check_churn(struct asking *asking, const struct promql_expr *selector, const char *name)
{
    struct promql_expr now = lint_at_present(selector);
    char before[100], window[DURATION_TEXT_MAX];
    double n_now, n_past;
    bool found;

    (void)snprintf(before, sizeof(before), "count(count by (%.60s) ", name);
    lint_ask_begin(asking, before, &now);
    str_addc(&asking->query, ')');
    if (!lint_ask(asking, &found, &n_now) || !found || n_now < 2)
        return;
    str_cut(&asking->query, 0);
    str_addf(&asking->query, "%s(last_over_time(", before);
    promql_print(&now, &asking->query);
    str_addf(&asking->query, "[%s])))", lint_window_text(asking, window));
    if (!lint_ask(asking, &found, &n_past) || !found || n_past < CHURN_TIMES * n_now ||
        n_past - n_now < CHURN_LEAST)
        return;
    struct lint *lint = lint_telling(asking, "churny-label");
    TELL(lint, lint_span_key(lint, "for"),
         "%.60s had %g values in the last %s and has %g now: each new one is a new alert, whose "
         "`for` starts at nothing",
         name, n_past, window, n_now);
    FIX(lint, "aggregate it away: by (...) without %.60s", name);
}

static void check_churny_labels(struct asking *asking)
{
    static const char *const names[] = {"pod",    "container_id", "id",      "uid",
                                        "pod_ip", "task_id",      "session", "instance"};
    const struct rule *rule = asking->lint.rule;
    const struct promql_expr *selector = lint_first_selector(rule->expr);

    if (!selector || rule->for_ms == 0)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (rule_label_presence(rule->expr, names[i]) != RULE_LABEL_ABSENT)
            check_churn(asking, selector, names[i]);
}

static void check_alert(struct asking *asking)
{
    struct lint_compare compare;
    double n_series;
    bool found;

    check_churny_labels(asking);
    if (!lint_condition(asking->lint.rule->expr, &compare))
        return;
    check_threshold(asking, &compare);
    if (asking->lint.group->limit > 0 ||
        !lint_ask_of(asking, "count", compare.left, &found, &n_series) || !found ||
        n_series <= (double)asking->data->fanout_max)
        return;
    struct lint *lint = lint_telling(asking, "cardinality-fanout");
    TELL(lint, lint_span(lint, compare.expr),
         "compares %g series, each an alert of its own: one common cause opens all at once",
         n_series);
    FIX(lint, "aggregate to what a person acts on, or a `limit` for the group");
}

/* --- Labels of the server ------------------------------------------------------------------------------ */

static bool has_label(const void *labels, const char *name)
{
    return labels_get(labels, name) != NULL;
}

/* --- All of it ------------------------------------------------------------------------------------------- */

static void check_cost(struct asking *asking)
{
    const struct rule_data *data = asking->data;
    const struct promql_expr *expr = asking->lint.rule->expr;
    int64_t cost_ms = 0, n_samples = 0;

    /* count() keeps the answer small, whatever the rule finds; a scalar is small already. */
    lint_ask_begin(asking, promql_expr_type(expr) == PROMQL_SCALAR ? "" : "count", expr);
    if (!data->cost || asking->query.full ||
        data->cost(data->arg, str_text(&asking->query), &cost_ms, &n_samples) != 0 ||
        (cost_ms * COST_SHARE < asking->lint.group->interval_ms && n_samples < COST_SAMPLES_MAX))
        return;
    struct lint *lint = lint_telling(asking, "cost");
    if (n_samples > 0)
        TELL(lint, lint_span_expr(lint), "costs %lld ms and %lld samples at each evaluation",
             (long long)cost_ms, (long long)n_samples);
    else
        TELL(lint, lint_span_expr(lint), "costs %lld ms at each evaluation", (long long)cost_ms);
    FIX(lint, "a recording rule for the expensive part, or a shorter window");
}

static void check_rule(struct asking *asking)
{
    lint_data_series(asking, asking->lint.rule->expr);
    if (asking->lint.rule->is_alert)
        check_alert(asking);
    if (asking->data->external_labels)
        lint_external(&asking->lint, has_label, asking->data->external_labels);
    check_cost(asking);
}

void rule_lint_data(const struct rule_file *file,
                    const struct rule_data *data,
                    struct rule_findings *findings)
{
    struct asking asking = {
        .lint = {.file = file, .findings = findings}, .data = data, .query = STR_INIT(QUERY_MAX)};
    struct lint_record *records = lint_records_collect(file, &asking.lint.n_records);

    asking.lint.records = records;
    for (size_t group = 0; group < file->n_groups; group++) {
        asking.lint.group = &file->groups[group];
        for (size_t i = 0; i < asking.lint.group->n_rules; i++) {
            asking.lint.rule = &asking.lint.group->rules[i];
            check_rule(&asking);
        }
    }
    free(records);
    str_done(&asking.query);
    rule_findings_sort(findings, 0);
}
