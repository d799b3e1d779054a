/*
 * Will a human understand it? Checks of labels and annotations.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"

struct reading {
    struct lint *lint;
    const struct rule_text *text;
    bool found;
};

typedef void judge(void *arg, char kind, const char *name, size_t offset);

/* The variable that is written at this byte of the text: `$labels.job`, `.Value`. */
static struct rule_span span_in_text(const struct reading *reading, size_t offset)
{
    static const char of_variables[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$";
    const struct yaml_node *node = reading->text->node;

    if (!node)
        return (struct rule_span){0};
    return rule_span_in(node, offset, offset + strspn(node->text + offset, of_variables));
}

static void read_texts(struct lint *lint, const struct rule_text *texts, size_t n, judge *each)
{
    for (size_t i = 0; i < n; i++) {
        struct reading reading = {.lint = lint, .text = &texts[i]};

        if (texts[i].template)
            rule_template_reads(texts[i].template, each, &reading);
    }
}

static void read_all(struct lint *lint, judge *each)
{
    read_texts(lint, lint->rule->labels, lint->rule->n_labels, each);
    read_texts(lint, lint->rule->annotations, lint->rule->n_annotations, each);
}

static bool is_of_rule(const struct rule *rule, const char *name)
{
    return strcmp(name, "alertname") == 0 || rule_text_find(rule->labels, rule->n_labels, name);
}

/* --- Labels that are not there -------------------------------------------------------------- */

/* "{job, instance}" of what the result does have. */
static void print_labels(const struct rule_label_set *set, struct str *out)
{
    str_addc(out, '{');
    for (size_t i = 0; i < set->n; i++)
        str_addf(out, "%s%s", i ? ", " : "", set->names[i]);
    str_addc(out, '}');
}

static void judge_label(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    struct lint *lint = reading->lint;
    STR_AUTO struct str has = STR_INIT(200);

    if (kind != 'l' || is_of_rule(lint->rule, name) ||
        rule_label_presence(lint->rule->expr, name) != RULE_LABEL_ABSENT)
        return;
    if (!lint->labels.is_known)
        str_addf(&has, "the expression drops %.60s", name);
    else if (lint->labels.n == 0)
        str_add(&has, "the expression's result has no labels");
    else
        str_add(&has, "the expression's result has only ");
    if (lint->labels.is_known && lint->labels.n)
        print_labels(&lint->labels, &has);
    TELL(lint, span_in_text(reading, offset), "a gap in the text: %s", str_text(&has));
    FIX(lint, "by (%.60s) where it is lost, or leave it out of the text", name);
}

void lint_dead_label(struct lint *lint)
{
    read_all(lint, judge_label);
}

static bool tell_alerts(struct lint *lint, const struct promql_expr *expr)
{
    if (expr->kind == PROMQL_SELECTOR && strcmp(lint_metric(expr), "ALERTS") == 0)
        lint->row = NULL; /* series made of alerts do have such labels */
    return lint->row != NULL;
}

/* Whether series can have a label that is the rule's own, too. */
static bool is_from_series(const struct lint *lint, const char *name)
{
    struct lint walk = *lint;
    enum rule_presence presence = rule_label_presence(lint->rule->expr, name);

    if (presence != RULE_LABEL_MAYBE)
        return presence != RULE_LABEL_ABSENT;
    lint_walk(lint->rule->expr, tell_alerts, &walk);
    return !walk.row || strstr(lint->rule->expr_text, name);
}

static void judge_own_label(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    struct lint *lint = reading->lint;
    const char *own = rule_text_find(lint->rule->labels, lint->rule->n_labels, name);

    if (kind != 'l' || !is_of_rule(lint->rule, name) || is_from_series(lint, name))
        return;
    if (own && strstr(own, "{{")) /* made from the sample's label of that name, perhaps */
        return;
    TELL(lint, span_in_text(reading, offset),
         "a gap in the text: $labels are the sample's labels, without %.60s, which the rule adds",
         name);
    if (own)
        FIX(lint, "%.60s", own);
    else
        FIX(lint, "write the name: %.80s", lint->rule->name);
}

void lint_rule_label(struct lint *lint)
{
    read_texts(lint, lint->rule->annotations, lint->rule->n_annotations, judge_own_label);
}

/* --- Calls and values ------------------------------------------------------------------------- */

static void judge_call(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;

    if (kind != '!')
        return;
    TELL(reading->lint, span_in_text(reading, offset),
         "%s: the text of every alert will be an error", name);
    FIX(reading->lint, "$value is the value, $labels.x a label");
}

void lint_calls(struct lint *lint)
{
    read_all(lint, judge_call);
}

static void judge_value(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;

    (void)name;
    if (kind != 'v' || reading->found)
        return;
    reading->found = true;
    TELL(reading->lint, span_in_text(reading, offset),
         "a label with the value in it is a new alert at each evaluation: `for` never ends and "
         "nothing groups");
    FIX(reading->lint, "an annotation instead of the label %.60s", reading->text->name);
}

void lint_value_in_label(struct lint *lint)
{
    const struct rule *rule = lint->rule;

    for (size_t i = 0; i < rule->n_labels; i++) {
        /* A level made of the value ({{ if gt $value 5.0 }}) is one of few, not new each time. */
        if (rule->labels[i].text && strstr(rule->labels[i].text, "{{ if"))
            continue;
        read_texts(lint, &rule->labels[i], 1, judge_value);
    }
}

static void count_values(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;

    (void)name;
    (void)offset;
    if (kind == 'v')
        reading->found = true;
}

static bool shows_value(const struct rule *rule)
{
    struct reading reading = {0};

    for (size_t i = 0; i < rule->n_annotations; i++) {
        const struct rule_text *text = &rule->annotations[i];

        if (text->template)
            rule_template_reads(text->template, count_values, &reading);
        if (text->text && strstr(text->text, "query ")) /* it asks for numbers of its own */
            return true;
    }
    return reading.found;
}

void lint_no_value(struct lint *lint)
{
    struct lint_compare compare;

    /* Behind == the value is known, and so it is when a count may not be above 0. */
    if (lint->rule->n_annotations == 0 || !lint_condition(lint->rule->expr, &compare) ||
        compare.op == OPERATOR_IS_EQUAL || compare.op == OPERATOR_NOT_EQUAL ||
        compare.threshold == 0 || shows_value(lint->rule))
        return;
    TELL(lint, lint_span_name(lint->rule),
         "who is paged sees that it is too %s, and not by how much: no annotation shows $value",
         compare.op == OPERATOR_LESS || compare.op == OPERATOR_LESS_EQUAL ? "low" : "high");
    FIX(lint, "{{ $value | humanize }} in the summary");
}

/* A rate or a quotient: a value with a dozen digits. */
static bool is_computed(const struct promql_expr *expr)
{
    expr = expr_unwrap(expr);
    while (expr->kind == PROMQL_AGGREGATE && expr->aggregate.op != AGGREGATOR_COUNT)
        expr = expr_unwrap(expr->aggregate.of);
    if (lint_is_call_of(expr, lint_rates))
        return true;
    if (expr->kind != PROMQL_BINARY)
        return false;
    if (expr->binary.op == OPERATOR_DIVIDE && lint_is_join(expr))
        return true;
    return (expr->binary.op == OPERATOR_MULTIPLY || expr->binary.op == OPERATOR_SUBTRACT ||
            expr->binary.op == OPERATOR_DIVIDE) &&
           (is_computed(expr->binary.left) || is_computed(expr->binary.right));
}

static void judge_raw(void *arg, char kind, const char *name, size_t offset)
{
    struct reading *reading = arg;
    struct lint *lint = reading->lint;
    const struct promql_expr *expr = lint->rule->expr;
    struct lint_compare compare = {.threshold = 100};

    (void)name;
    if (kind != 'r' || !lint->row)
        return;
    if (lint_condition(expr, &compare))
        expr = compare.left;
    if (!is_computed(expr))
        return;
    bool is_share = compare.threshold > 0 && compare.threshold <= 1 &&
                    expr_unwrap(expr)->kind == PROMQL_BINARY;
    TELL(lint, span_in_text(reading, offset),
         "a computed value prints with all its digits, like 0.01639344262295082");
    FIX(lint, "{{ $value | %s }}", is_share ? "humanizePercentage" : "humanize");
    lint->row = NULL; /* once for a rule is enough */
}

void lint_raw_ratio(struct lint *lint)
{
    read_texts(lint, lint->rule->annotations, lint->rule->n_annotations, judge_raw);
}

/* --- Annotations that should be there ----------------------------------------------------------- */

static bool has_annotation(const struct rule *rule, const char *const *names)
{
    for (; *names; names++)
        if (rule_text_find(rule->annotations, rule->n_annotations, *names))
            return true;
    return false;
}

void lint_summary(struct lint *lint)
{
    static const char *const names[] = {"summary", "description", "message", "title", NULL};

    if (has_annotation(lint->rule, names))
        return;
    TELL(lint, lint_span_name(lint->rule),
         "who is paged sees the alert's name and labels, and no sentence that says what is wrong");
    FIX(lint, "an annotation `summary`");
}

void lint_runbook(struct lint *lint)
{
    static const char *const names[] = {"runbook_url",  "runbook",    "playbook",
                                        "playbook_url", "runbookUrl", NULL};

    if (has_annotation(lint->rule, names) ||
        rule_text_find(lint->rule->labels, lint->rule->n_labels, "playbook"))
        return;
    TELL(lint, lint_span_name(lint->rule), "who is paged starts from nothing: no runbook is named");
    FIX(lint, "an annotation `runbook_url`");
}
