/*
 * Rules held against a policy, and against the unit tests that there are for them.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"
#include "alertd/rule/policy_private.h"

struct policing {
    struct lint lint;
    const struct rule_policy *policy;
};

static struct lint *telling(struct policing *policing, const char *id)
{
    policing->lint.row = rule_check_find(id);
    return &policing->lint;
}

static bool is_listed(const struct yaml_node *list, const char *word)
{
    for (size_t i = 0; list && i < list->n; i++)
        if (strcmp(list->items[i]->text, word) == 0)
            return true;
    return false;
}

static void add_list(const struct yaml_node *list, struct str *out)
{
    for (size_t i = 0; i < list->n; i++)
        str_addf(out, "%s%s", i ? ", " : "", list->items[i]->text);
}

/* --- Labels and annotations ------------------------------------------------------------------ */

static void check_severity(struct policing *policing)
{
    const struct rule *rule = policing->lint.rule;
    const char *severity = rule_text_find(rule->labels, rule->n_labels, "severity");
    STR_AUTO struct str list = STR_INIT(300);

    if (!policing->policy->severities ||
        (severity && (strstr(severity, "{{") || is_listed(policing->policy->severities, severity))))
        return;
    add_list(policing->policy->severities, &list);
    struct lint *lint = telling(policing, "severity-set");
    if (severity)
        TELL(lint, lint_span_name(rule), "severity \"%.60s\" is none that the policy knows",
             severity);
    else
        TELL(lint, lint_span_name(rule), "no severity: the route can't tell how urgent it is");
    FIX(lint, "one of %s", str_text(&list));
}

static void check_wanted(struct policing *policing,
                         const char *id,
                         const struct yaml_node *wanted,
                         const struct rule_text *texts,
                         size_t n)
{
    for (size_t i = 0; wanted && i < wanted->n; i++) {
        const char *text = rule_text_find(texts, n, wanted->items[i]->text);

        if (text && text[0])
            continue;
        struct lint *lint = telling(policing, id);
        TELL(lint, lint_span_name(lint->rule), "has no %.60s, which the policy wants of each alert",
             wanted->items[i]->text);
    }
}

static void check_rejected(struct policing *policing, const struct rule_text *texts, size_t n)
{
    const struct rule_policy *policy = policing->policy;

    for (size_t i = 0; i < n; i++) {
        for (size_t at = 0; at < policy->n_rejects; at++) {
            if (!texts[i].text ||
                !regex_matches_all(policy->rejects[at], texts[i].text, strlen(texts[i].text)))
                continue;
            struct lint *lint = telling(policing, "reject");
            TELL(lint, rule_span_of(texts[i].node), "%.60s is written as the policy rejects: %.80s",
                 texts[i].name, policy->reject_nodes->items[at]->text);
        }
    }
}

static bool is_external(const void *list, const char *name)
{
    return is_listed(list, name);
}

/* --- Names and expressions ------------------------------------------------------------------- */

static void check_name(struct policing *policing)
{
    const struct rule *rule = policing->lint.rule;
    const struct regex *regex = rule->is_alert ? policing->policy->alert_name
                                               : policing->policy->record_name;

    if (!regex || regex_matches_all(regex, rule->name, strlen(rule->name)))
        return;
    struct lint *lint = telling(policing, "name");
    TELL(lint, lint_span_name(rule), "the name is not one as the policy wants them");
}

static void check_selector(struct policing *policing, const struct promql_expr *expr)
{
    const struct yaml_node *wanted = policing->policy->selectors;

    for (size_t i = 0; wanted && i < wanted->n; i++) {
        bool has_it = false;

        for (size_t at = 0; at < expr->selector.n_matchers; at++)
            has_it |= strcmp(expr->selector.matchers[at].name, wanted->items[i]->text) == 0;
        if (has_it)
            continue;
        struct lint *lint = telling(policing, "required-selector");
        TELL(lint, lint_span(lint, expr), "no matcher for %.60s: it selects from all of them",
             wanted->items[i]->text);
        FIX(lint, "{%.60s=\"...\"}", wanted->items[i]->text);
    }
}

static void check_aggregation(struct policing *policing, const struct promql_expr *expr)
{
    const struct yaml_node *wanted = policing->policy->keep;

    for (size_t i = 0; wanted && i < wanted->n; i++) {
        const char *name = wanted->items[i]->text;

        if (rule_label_presence(expr, name) != RULE_LABEL_ABSENT ||
            rule_label_presence(expr->aggregate.of, name) == RULE_LABEL_ABSENT)
            continue;
        struct lint *lint = telling(policing, "aggregate-keep");
        TELL(lint, lint_span(lint, expr), "%s() loses the label %.60s, which the policy keeps",
             aggregator_name(expr->aggregate.op), name);
        FIX(lint, "by (%.60s, ...)", name);
    }
}

static void check_expr(struct policing *policing, const struct promql_expr *expr)
{
    const struct promql_expr *child;

    if (expr->kind == PROMQL_SELECTOR)
        check_selector(policing, expr);
    if (expr->kind == PROMQL_AGGREGATE)
        check_aggregation(policing, expr);
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        check_expr(policing, child);
}

static void check_rule(struct policing *policing)
{
    const struct rule_policy *policy = policing->policy;
    const struct rule *rule = policing->lint.rule;

    check_name(policing);
    check_expr(policing, rule->expr);
    if (policy->external)
        lint_external(&policing->lint, is_external, policy->external);
    check_rejected(policing, rule->labels, rule->n_labels);
    if (!rule->is_alert)
        return;
    check_rejected(policing, rule->annotations, rule->n_annotations);
    check_severity(policing);
    check_wanted(policing, "required-label", policy->labels, rule->labels, rule->n_labels);
    check_wanted(policing, "required-annotation", policy->annotations, rule->annotations,
                 rule->n_annotations);
}

void rule_lint_policy(const struct rule_file *file,
                      const struct rule_policy *policy,
                      struct rule_findings *findings)
{
    struct policing policing = {.lint = {.file = file, .findings = findings}, .policy = policy};

    for (size_t group = 0; group < file->n_groups; group++) {
        policing.lint.group = &file->groups[group];
        for (size_t i = 0; i < policing.lint.group->n_rules; i++) {
            policing.lint.rule = &policing.lint.group->rules[i];
            check_rule(&policing);
        }
    }
    rule_findings_sort(findings, 0);
}

/* --- Unit tests -------------------------------------------------------------------------------- */

/* An expected alert that this very rule could have made: severities of a pair differ. */
static bool is_by(const struct rule *rule, const struct unit_alert *alert)
{
    const char *severity = rule_text_find(rule->labels, rule->n_labels, "severity");
    const char *expected = labels_get(alert->labels, "severity");

    return !severity || strstr(severity, "{{") || (expected && strcmp(severity, expected) == 0);
}

static void judge_tests(const struct rule *rule,
                        const struct unit_group *group,
                        bool *fires,
                        bool *is_silent)
{
    for (size_t i = 0; i < group->n_alert_tests; i++) {
        const struct unit_alert_test *test = &group->alert_tests[i];
        bool here = false;

        if (strcmp(test->alertname, rule->name) != 0)
            continue;
        for (size_t at = 0; at < test->n_alerts; at++)
            here |= is_by(rule, &test->alerts[at]);
        *fires |= here;
        *is_silent |= !here;
    }
}

void rule_lint_tests(const struct rule_file *file,
                     const struct unit_file *const *tests,
                     size_t n,
                     struct rule_findings *findings)
{
    struct lint lint = {.file = file, .findings = findings, .row = rule_check_find("untested")};

    for (size_t group = 0; group < file->n_groups; group++) {
        for (size_t i = 0; i < file->groups[group].n_rules; i++) {
            bool fires = false, is_silent = false;

            lint.rule = &file->groups[group].rules[i];
            for (size_t test = 0; test < n; test++)
                for (size_t at = 0; at < tests[test]->n_groups; at++)
                    judge_tests(lint.rule, &tests[test]->groups[at], &fires, &is_silent);
            if (!lint.rule->is_alert || (fires && is_silent))
                continue;
            TELL(&lint, lint_span_name(lint.rule), "%s",
                 fires ? "no test shows it silent: it could fire always and the tests would pass"
                       : "no test makes it fire: it could be silent for ever and the tests would "
                         "pass");
            FIX(&lint, "an alert_rule_test %s", fires ? "without exp_alerts" : "with exp_alerts");
        }
    }
    rule_findings_sort(findings, 0);
}
