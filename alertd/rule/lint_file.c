/*
 * Rules beside each other: what only shows when the whole file is looked at.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/rule/lint_private.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

/* --- Records by name ------------------------------------------------------------------------- */

const struct lint_record *lint_records_find(const struct lint *lint,
                                            const char *name,
                                            size_t *ret_n)
{
    size_t low = 0, high = lint->n_records, n = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(lint->records[middle].rule->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + n < lint->n_records && strcmp(lint->records[low + n].rule->name, name) == 0)
        n++;
    *ret_n = n;
    return lint->records + low;
}

/* The value of a record that is made later, or less often, than it is looked at. */
static void tell_dependency(struct lint *lint,
                            const struct promql_expr *expr,
                            const struct lint_record *record)
{
    char text[DURATION_TEXT_MAX];

    if (record->group == lint->group) {
        if (record->rule <= lint->rule)
            return;
        TELL(
            lint, lint_span(lint, expr),
            "%.80s is recorded further down in this group: what is seen here is one evaluation old",
            record->rule->name);
        FIX(lint, "move the recording rule above this one");
    } else if (record->group->interval_ms > lint->group->interval_ms) {
        TELL(lint, lint_span(lint, expr),
             "%.80s is recorded every %s only, less often than this rule looks: it sees the same "
             "old value several times",
             record->rule->name, duration_print(record->group->interval_ms, text));
        FIX(lint, "the same interval for both groups, or both rules in one");
    }
}

static bool tell_record(struct lint *lint, const struct promql_expr *expr)
{
    size_t n = 0;

    if (expr->kind != PROMQL_SELECTOR || expr->selector.when.offset)
        return true;
    const struct lint_record *records = lint_records_find(lint, lint_metric(expr), &n);
    if (n == 1)
        tell_dependency(lint, expr, records);
    return true;
}

void lint_cross_group(struct lint *lint)
{
    lint_walk(lint->rule->expr, tell_record, lint);
}

/* --- The same twice ---------------------------------------------------------------------------- */

static int compare_texts(const struct rule *left, const struct rule *right)
{
    int order = (left->n_labels > right->n_labels) - (left->n_labels < right->n_labels);

    for (size_t i = 0; i < left->n_labels && !order; i++) {
        order = strcmp(left->labels[i].name, right->labels[i].name);
        if (!order)
            order = strcmp(left->labels[i].text, right->labels[i].text);
    }
    return order;
}

static int compare_rules(const void *a, const void *b)
{
    const struct rule *left = *(const struct rule *const *)a;
    const struct rule *right = *(const struct rule *const *)b;
    int order = (left->is_alert > right->is_alert) - (left->is_alert < right->is_alert);

    if (!order)
        order = strcmp(left->name, right->name);
    return order ? order : compare_texts(left, right);
}

static int compare_rules_and_place(const void *a, const void *b)
{
    const struct rule *left = *(const struct rule *const *)a;
    const struct rule *right = *(const struct rule *const *)b;
    int order = compare_rules(a, b);

    return order ? order
                 : (left->node->line > right->node->line) - (left->node->line < right->node->line);
}

static const struct rule **all_rules(const struct rule_file *file)
{
    const struct rule **all = mem_alloc((file->n_rules + 1) * sizeof(*all));
    size_t n = 0;

    for (size_t group = 0; group < file->n_groups; group++)
        for (size_t i = 0; i < file->groups[group].n_rules; i++)
            all[n++] = &file->groups[group].rules[i];
    return all;
}

/* "5.." begins with its 5 whatever follows. */
static bool is_prefixed(const struct matcher *matcher)
{
    return matcher->type == MATCHER_REGEX && isalnum((unsigned char)matcher->value[0]) &&
           (!matcher->value[1] || !strchr("*?{|", matcher->value[1])) &&
           !strchr(matcher->value, '|');
}

static bool exclude_each_other(const struct matcher *one, const struct matcher *other)
{
    if (one->type == MATCHER_EQUAL)
        return !matcher_matches(other, one->value);
    if (other->type == MATCHER_EQUAL)
        return !matcher_matches(one, other->value);
    return is_prefixed(one) && is_prefixed(other) && one->value[0] != other->value[0];
}

/* verb="GET" here and verb="LIST" there: no series is found by both. */
static bool are_apart(const struct promql_expr *left, const struct promql_expr *right)
{
    const struct promql_expr *a = lint_first_selector(left), *b = lint_first_selector(right);

    for (size_t i = 0; a && b && i < a->selector.n_matchers; i++) {
        const struct matcher *one = &a->selector.matchers[i];

        if (strcmp(one->name, LABEL_NAME) == 0 ||
            rule_label_presence(left, one->name) == RULE_LABEL_ABSENT ||
            rule_label_presence(right, one->name) == RULE_LABEL_ABSENT)
            continue;
        for (size_t other = 0; other < b->selector.n_matchers; other++)
            if (strcmp(b->selector.matchers[other].name, one->name) == 0 &&
                exclude_each_other(one, &b->selector.matchers[other]))
                return true;
    }
    return false;
}

void lint_duplicates(struct lint *lint)
{
    MEM_AUTO const struct rule **all = all_rules(lint->file);

    qsort(all, lint->file->n_rules, sizeof(*all), compare_rules_and_place);
    for (size_t i = 1; i < lint->file->n_rules; i++) {
        if (compare_rules(&all[i - 1], &all[i]) != 0)
            continue;
        bool is_copy = strcmp(all[i - 1]->expr_text, all[i]->expr_text) == 0;
        if (!is_copy && are_apart(all[i - 1]->expr, all[i]->expr))
            continue;
        if (is_copy)
            TELL(lint, lint_span_name(all[i]),
                 "the same rule stands in line %u already: everything is done twice",
                 all[i - 1]->node->line);
        else
            rule_findings_add(lint->findings, RULE_ADVICE, lint->row->id, lint_span_name(all[i]),
                              "line %u has the same name and labels: where both find the same "
                              "series, one overwrites the other",
                              all[i - 1]->node->line);
        FIX(lint,
            is_copy ? "delete one of them" : "another name, or a label that tells them apart");
    }
}

/* --- Warning and critical ------------------------------------------------------------------------ */

/* An alert with one threshold, and the expression without it: equal for both of a pair. */
struct level {
    const struct rule *rule;
    struct lint_compare compare;
    bool is_critical;
    char *key;
};

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0)
            return true;
    return false;
}

/* The expression's letters, the threshold left out. */
static char *key_of(const struct rule *rule, const struct lint_compare *compare)
{
    const struct promql_expr *expr = compare->expr;
    bool left_is_number = expr->binary.left->type == PROMQL_SCALAR;
    const struct promql_expr *number = left_is_number ? expr->binary.left : expr->binary.right;
    STR_AUTO struct str key = STR_INIT(PROMQL_TEXT_MAX);

    for (uint32_t at = 0; rule->expr_text[at]; at++)
        if ((at < number->start || at >= number->end) &&
            !isspace((unsigned char)rule->expr_text[at]))
            str_addc(&key, rule->expr_text[at]);
    return key.len ? str_take(&key) : mem_strdup("");
}

static bool level_of(const struct rule *rule, struct level *ret_level)
{
    static const char *const warning[] = {"warning", "warn", "minor", "low", "ticket", NULL};
    static const char *const critical[] = {"critical", "crit",  "page",      "major",
                                           "high",     "fatal", "emergency", NULL};
    const char *severity = rule_text_find(rule->labels, rule->n_labels, "severity");
    struct level level = {.rule = rule};

    if (!rule->is_alert || !severity || !lint_condition(rule->expr, &level.compare) ||
        level.compare.op == OPERATOR_IS_EQUAL || level.compare.op == OPERATOR_NOT_EQUAL)
        return false;
    level.is_critical = is_one_of(severity, critical);
    if (!level.is_critical && !is_one_of(severity, warning))
        return false;
    level.key = key_of(rule, &level.compare);
    *ret_level = level;
    return true;
}

static int compare_levels(const void *a, const void *b)
{
    const struct level *left = a, *right = b;
    int order = strcmp(left->key, right->key);

    if (order)
        return order;
    return (left->rule->node->line > right->rule->node->line) -
           (left->rule->node->line < right->rule->node->line);
}

static void judge_pair(struct lint *lint, const struct level *a, const struct level *b)
{
    const struct level *critical = a->is_critical ? a : b, *warning = a->is_critical ? b : a;
    double critical_at = critical->compare.threshold, warning_at = warning->compare.threshold;
    bool upward = critical->compare.op == OPERATOR_GREATER ||
                  critical->compare.op == OPERATOR_GREATER_EQUAL;
    bool same = critical_at == warning_at;
    struct lint here = *lint;

    if (a->is_critical == b->is_critical ||
        (same && critical->rule->for_ms > warning->rule->for_ms))
        return;
    if (!same && (upward ? critical_at > warning_at : critical_at < warning_at))
        return;
    here.rule = critical->rule;
    if (same)
        TELL(
            lint, lint_span(&here, critical->compare.expr),
            "the warning in line %u has the same threshold and waits no less: it never comes first",
            warning->rule->node->line);
    else
        TELL(lint, lint_span(&here, critical->compare.expr),
             "critical at %g is reached before the warning at %g in line %u", critical_at,
             warning_at, warning->rule->node->line);
    FIX(lint, same ? "a threshold further out for critical" : "swap the two thresholds");
}

void lint_threshold_pairs(struct lint *lint)
{
    MEM_AUTO const struct rule **all = all_rules(lint->file);
    MEM_AUTO struct level *levels = mem_alloc((lint->file->n_rules + 1) * sizeof(*levels));
    size_t n = 0;

    for (size_t i = 0; i < lint->file->n_rules; i++)
        n += level_of(all[i], &levels[n]);
    qsort(levels, n, sizeof(*levels), compare_levels);
    for (size_t i = 1; i < n; i++)
        if (strcmp(levels[i - 1].key, levels[i].key) == 0)
            judge_pair(lint, &levels[i - 1], &levels[i]);
    for (size_t i = 0; i < n; i++)
        free(levels[i].key);
}
