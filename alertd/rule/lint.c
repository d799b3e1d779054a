/*
 * Advice on rules. A check is a function and a row of the table at the end; it sees one
 * rule and tells what it finds. What counts as worth telling was weighed on public rules:
 * how often it happens is in the row's comment where it was counted.
 */

#include "alertd/rule/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

struct check_row;

struct lint {
    const struct rule_file *file;
    const struct rule_group *group;
    const struct rule *rule;
    const struct check_row *row;
    struct rule_findings *findings;
    struct rule_label_set labels; /* of the rule's result */
};

struct check_row {
    const char *id;
    enum rule_severity severity;
    bool alerts_only;
    void (*check)(struct lint *lint);
};

#define TELL(lint, node, ...) \
    rule_findings_add((lint)->findings, (lint)->row->severity, (lint)->row->id, (node), __VA_ARGS__)

/* Calls each() for expr and all below it. */
static void walk(const struct promql_expr *expr,
                 void (*each)(struct lint *lint, const struct promql_expr *expr),
                 struct lint *lint)
{
    const struct promql_expr *child;

    each(lint, expr);
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        walk(child, each, lint);
}

/* A place inside the rule's expression. */
static struct yaml_node place_of(const struct lint *lint, const struct promql_expr *expr)
{
    const struct yaml_node *node = lint->rule->expr_node;
    struct yaml_node at = {.line = node->line, .column = node->column};
    size_t skipped = strspn(node->text, " \t\r\n");

    yaml_place(node, skipped + expr->start, &at.line, &at.column);
    return at;
}

static bool is_call_of(const struct promql_expr *expr, const char *const *names)
{
    if (expr->kind != PROMQL_CALL)
        return false;
    for (; *names; names++)
        if (strcmp(expr->call.fn->name, *names) == 0)
            return true;
    return false;
}

/* --- Will it fire? ------------------------------------------------------------------------- */

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
    if (is_call_of(expr, conditions))
        return true;
    for (size_t i = 0; i < expr->call.n_args; i++)
        if (expr->call.args[i]->type == PROMQL_VECTOR && has_condition(expr->call.args[i]))
            return true;
    return false;
}

static bool is_constant(const struct promql_expr *expr)
{
    static const char *const vector[] = {"vector", NULL};

    expr = expr_unwrap(expr);
    return expr->type == PROMQL_SCALAR || is_call_of(expr, vector);
}

static void check_no_comparison(struct lint *lint) /* 1.0 % of public rules */
{
    if (!is_constant(lint->rule->expr) && !has_condition(lint->rule->expr))
        TELL(lint, lint->rule->expr_node,
             "no comparison: this fires as long as the series exists; add a condition like > 0");
}

static void check_bool_top(struct lint *lint)
{
    const struct promql_expr *expr = expr_unwrap(lint->rule->expr);

    if (expr->kind == PROMQL_BINARY && expr->binary.return_bool)
        TELL(lint, lint->rule->expr_node,
             "`bool` at the top gives 0 or 1 and never nothing: this always fires; drop `bool`");
}

static void check_always(struct lint *lint)
{
    static const char *const wanted[] = {"watchdog", "deadman", "alwaysfiring", "heartbeat"};

    if (!is_constant(lint->rule->expr))
        return;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        if (strncasecmp(lint->rule->name, wanted[i], strlen(wanted[i])) == 0)
            return;
    TELL(lint, lint->rule->expr_node,
         "a constant: this always fires (a dead man's switch is usually named Watchdog)");
}

/* increase(x[5m]) > 0 with for: 5m: one burst has left the window before `for` is over. */
static void check_single_event(struct lint *lint) /* 3.7 % */
{
    static const char *const windows[] = {"increase", "changes", "delta", "resets", NULL};
    const struct promql_expr *left = NULL;
    double threshold = 0;

    if (!promql_threshold(lint->rule->expr, &left, &threshold))
        return;
    left = expr_unwrap(left);
    if (left->kind == PROMQL_AGGREGATE)
        left = expr_unwrap(left->aggregate.of);
    if (!is_call_of(left, windows))
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

static void check_topk(struct lint *lint)
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

static void check_counter(struct lint *lint) /* 1.9 % */
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

static void tell_literal_regex(struct lint *lint, const struct promql_expr *expr)
{
    if (expr->kind != PROMQL_SELECTOR)
        return;
    for (size_t i = 0; i < expr->selector.n_matchers; i++) {
        const struct matcher *matcher = &expr->selector.matchers[i];
        const struct yaml_node at = place_of(lint, expr);

        if ((matcher->type == MATCHER_REGEX || matcher->type == MATCHER_NOT_REGEX) &&
            matcher->value[0] && !strpbrk(matcher->value, ".*+?()[]{}|^$\\"))
            TELL(lint, &at, "%.60s%s\"%.60s\" is plain text: %s says the same", matcher->name,
                 matcher->type == MATCHER_REGEX ? "=~" : "!~", matcher->value,
                 matcher->type == MATCHER_REGEX ? "=" : "!=");
    }
}

static void check_literal_regex(struct lint *lint) /* 1.6 % */
{
    walk(lint->rule->expr, tell_literal_regex, lint);
}

static void tell_rate_of_sum(struct lint *lint, const struct promql_expr *expr)
{
    static const char *const rates[] = {"rate", "irate", "increase", NULL};

    if (!is_call_of(expr, rates))
        return;
    const struct promql_expr *arg = expr_unwrap(expr->call.args[0]);
    if (arg->kind != PROMQL_SUBQUERY || expr_unwrap(arg->subquery.of)->kind != PROMQL_AGGREGATE)
        return;
    const struct yaml_node at = place_of(lint, expr);
    TELL(lint, &at,
         "%s() over an aggregation sees one counter restart as a huge jump: take the rate first, "
         "then sum",
         expr->call.fn->name);
}

static void check_rate_of_sum(struct lint *lint)
{
    walk(lint->rule->expr, tell_rate_of_sum, lint);
}

/* --- Will it flap or lie? -------------------------------------------------------------------- */

static void check_no_for(struct lint *lint) /* 14.1 % */
{
    if (lint->rule->for_ms == 0 && lint->rule->keep_firing_for_ms == 0 &&
        !is_constant(lint->rule->expr))
        TELL(lint, lint->rule->node,
             "no `for` and no `keep_firing_for`: one odd sample pages, and flapping pages again");
}

static void check_slow_group(struct lint *lint)
{
    char text[DURATION_TEXT_MAX];

    if (lint->rule == &lint->group->rules[0] && lint->group->interval_ms > 5 * 60 * 1000)
        TELL(lint, lint->group->node,
             "evaluated every %s, but a sample counts for 5m only: its own series have gaps",
             duration_print(lint->group->interval_ms, text));
}

/* --- Will a human understand it? -------------------------------------------------------------- */

struct reading {
    struct lint *lint;
    const struct rule_text *text;
    bool reads_value;
};

static struct yaml_node place_in_text(const struct reading *reading, size_t offset)
{
    struct yaml_node at = {0};

    if (reading->text->node)
        yaml_place(reading->text->node, offset, &at.line, &at.column);
    return at;
}

static void judge_label(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    struct lint *lint = reading->lint;
    const struct yaml_node at = place_in_text(reading, offset);
    bool is_rules_own = rule_text_find(lint->rule->labels, lint->rule->n_labels, name) ||
                        strcmp(name, "alertname") == 0;

    if (kind == 'v')
        reading->reads_value = true;
    if (kind != 'l' || rule_label_is_possible(&lint->labels, name))
        return;
    if (is_rules_own)
        TELL(lint, &at,
             "$labels.%.60s is empty: $labels holds the labels of the sample, and \"%.60s\" is one "
             "the rule adds",
             name, name);
    else
        TELL(lint, &at,
             "$labels.%.60s is always empty: the expression's result has %s; keep it with by "
             "(%.60s)",
             name, lint->labels.n ? "other labels only" : "no labels", name);
}

static void read_texts(struct lint *lint,
                       const struct rule_text *texts,
                       size_t n,
                       void (*judge)(void *arg, char kind, const char *name, size_t offset))
{
    for (size_t i = 0; i < n; i++) {
        struct reading reading = {.lint = lint, .text = &texts[i]};

        if (texts[i].template)
            rule_template_reads(texts[i].template, judge, &reading);
    }
}

static void check_dead_label(struct lint *lint) /* 8.4 % */
{
    read_texts(lint, lint->rule->labels, lint->rule->n_labels, judge_label);
    read_texts(lint, lint->rule->annotations, lint->rule->n_annotations, judge_label);
}

static void judge_own_label(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    struct lint *lint = reading->lint;
    const struct yaml_node at = place_in_text(reading, offset);

    if (kind == 'l' && strcmp(name, "alertname") == 0 && !lint->labels.is_known)
        TELL(lint, &at, "$labels.alertname is empty: write the rule's name");
}

static void check_rule_label(struct lint *lint)
{
    read_texts(lint, lint->rule->annotations, lint->rule->n_annotations, judge_own_label);
}

static void judge_call(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    const struct yaml_node at = place_in_text(reading, offset);

    if (kind == '!')
        TELL(reading->lint, &at, "%s: the text of every alert will be an error", name);
}

static void check_calls(struct lint *lint)
{
    read_texts(lint, lint->rule->labels, lint->rule->n_labels, judge_call);
    read_texts(lint, lint->rule->annotations, lint->rule->n_annotations, judge_call);
}

static void judge_value(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    const struct yaml_node at = place_in_text(reading, offset);

    if (kind != 'v' || reading->reads_value)
        return;
    reading->reads_value = true;
    TELL(reading->lint, &at,
         "label \"%.60s\" shows the value: each evaluation is a new alert, so `for` never ends and "
         "nothing groups; move it to an annotation",
         reading->text->name);
}

static void check_value_in_label(struct lint *lint)
{
    const struct rule *rule = lint->rule;

    for (size_t i = 0; i < rule->n_labels; i++) {
        /* A level made of the value ({{ if gt $value 5.0 }}) is one of few, not new each time. */
        if (rule->labels[i].text && strstr(rule->labels[i].text, "{{ if"))
            continue;
        read_texts(lint, &rule->labels[i], 1, judge_value);
    }
}

static void check_summary(struct lint *lint)
{
    static const char *const names[] = {"summary", "description", "message", "title"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (rule_text_find(lint->rule->annotations, lint->rule->n_annotations, names[i]))
            return;
    TELL(lint, lint->rule->node, "no summary: who is paged sees the name and the labels only");
}

static void check_runbook(struct lint *lint) /* 60 % */
{
    if (!rule_text_find(lint->rule->annotations, lint->rule->n_annotations, "runbook_url") &&
        !rule_text_find(lint->rule->annotations, lint->rule->n_annotations, "runbook"))
        TELL(lint, lint->rule->node, "no runbook_url: who is paged starts from nothing");
}

/* --- The table ----------------------------------------------------------------------------- */

static const struct check_row rows[] = {
    {"no-comparison", RULE_WARNING, true, check_no_comparison},
    {"bool-top", RULE_WARNING, true, check_bool_top},
    {"always-scalar", RULE_WARNING, true, check_always},
    {"single-event-blind", RULE_WARNING, true, check_single_event},
    {"topk-alert", RULE_WARNING, true, check_topk},
    {"counter-raw", RULE_WARNING, true, check_counter},
    {"rate-of-sum", RULE_WARNING, false, check_rate_of_sum},
    {"slow-group", RULE_WARNING, false, check_slow_group},
    {"dead-label", RULE_WARNING, true, check_dead_label},
    {"rule-label-in-labels", RULE_WARNING, true, check_rule_label},
    {"template-call", RULE_WARNING, true, check_calls},
    {"value-in-label", RULE_WARNING, true, check_value_in_label},
    {"regex-literal", RULE_ADVICE, false, check_literal_regex},
    {"no-for", RULE_ADVICE, true, check_no_for},
    {"no-summary", RULE_ADVICE, true, check_summary},
    {"no-runbook", RULE_ADVICE, true, check_runbook},
};

/* The same name and labels twice in one file: one of them is a copy that was forgotten. */
static int compare_rules(const void *a, const void *b)
{
    const struct rule *left = *(const struct rule *const *)a;
    const struct rule *right = *(const struct rule *const *)b;
    int order = strcmp(left->name, right->name);

    if (!order)
        order = (left->n_labels > right->n_labels) - (left->n_labels < right->n_labels);
    for (size_t i = 0; i < left->n_labels && !order; i++) {
        order = strcmp(left->labels[i].name, right->labels[i].name);
        if (!order)
            order = strcmp(left->labels[i].text, right->labels[i].text);
    }
    return order;
}

static int compare_rules_and_place(const void *a, const void *b)
{
    const struct rule *left = *(const struct rule *const *)a;
    const struct rule *right = *(const struct rule *const *)b;
    int order = compare_rules(a, b);

    return order ? order
                 : (left->node->line > right->node->line) - (left->node->line < right->node->line);
}

static void check_duplicates(const struct rule_file *file, struct rule_findings *findings)
{
    MEM_AUTO const struct rule **all = mem_alloc((file->n_rules + 1) * sizeof(*all));
    size_t n = 0;

    for (size_t group = 0; group < file->n_groups; group++)
        for (size_t i = 0; i < file->groups[group].n_rules; i++)
            all[n++] = &file->groups[group].rules[i];
    qsort(all, n, sizeof(*all), compare_rules_and_place);
    for (size_t i = 1; i < n; i++)
        if (compare_rules(&all[i - 1], &all[i]) == 0)
            rule_findings_add(findings, RULE_WARNING, "duplicate-rule", all[i]->node,
                              "\"%.80s\" with the same labels stands in line %u already",
                              all[i]->name, all[i - 1]->node->line);
}

static int compare_findings(const void *a, const void *b)
{
    const struct rule_finding *left = a, *right = b;

    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    if (left->column != right->column)
        return left->column < right->column ? -1 : 1;
    return strcmp(left->id, right->id);
}

static void lint_rule(struct lint *lint)
{
    rule_result_labels(lint->rule->expr, &lint->labels);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        lint->row = &rows[i];
        if (lint->rule->is_alert || !rows[i].alerts_only)
            rows[i].check(lint);
    }
}

void rule_lint(const struct rule_file *file, struct rule_findings *findings)
{
    struct lint lint = {.file = file, .findings = findings};
    size_t before = findings->n;

    for (size_t group = 0; group < file->n_groups; group++) {
        lint.group = &file->groups[group];
        for (size_t i = 0; i < lint.group->n_rules; i++) {
            lint.rule = &lint.group->rules[i];
            lint_rule(&lint);
        }
    }
    check_duplicates(file, findings);
    if (findings->n > before)
        qsort(findings->at + before, findings->n - before, sizeof(*findings->at), compare_findings);
}
