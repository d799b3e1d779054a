/*
 * A rule that does not evaluate is an alert. See broken_rule.h.
 */

#include "alertd/eval/broken_rule.h"

#include <string.h>

#include "lib/base/bug.h"
#include "lib/base/str.h"

const struct labels *broken_rule_labels(const struct rule_group *group,
                                        const struct rule *rule,
                                        const char *name,
                                        const char *severity)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;

    labels_builder_set(&builder, "severity", "warning");
    for (size_t i = 0; i < rule->n_labels; i++)
        if (!rule->labels[i].template || tmpl_is_plain(rule->labels[i].template))
            labels_builder_set(&builder, rule->labels[i].name, rule->labels[i].text);
    if (severity)
        labels_builder_set(&builder, "severity", severity);
    labels_builder_set(&builder, "rule", rule->name);
    labels_builder_set(&builder, "rule_group", group->name);
    labels_builder_set(&builder, "alertname", name);
    return labels_builder_finish(&builder);
}

static const struct labels *annotations_of(const struct broken_rule *broken)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    STR_AUTO struct str summary = STR_INIT(1000);
    const char *runbook = rule_text_find(broken->rule->annotations, broken->rule->n_annotations,
                                         "runbook_url");

    str_addf(&summary,
             "Rule \"%s\" of group \"%s\" does not evaluate: what it watches is not watched",
             broken->rule->name, broken->group->name);
    labels_builder_set(&builder, "summary", str_text(&summary));
    labels_builder_set(&builder, "description", broken->words ? broken->words : "");
    if (runbook && !strstr(runbook, "{{"))
        labels_builder_set(&builder, "runbook_url", runbook);
    return labels_builder_finish(&builder);
}

void broken_rule_step(const struct broken_rule *broken,
                      const struct alert_set *before,
                      struct alert_outcome *ret_outcome)
{
    const struct alert_rule rule = {
        .id = broken->rule_id,
        .name = BROKEN_RULE_NAME,
        .group_name = broken->group->name,
        .expr = broken->rule->expr_text,
    };
    const struct alert_step_options options = {.rule = &rule, .now_ms = broken->now_ms};
    struct alert_input input = {.value = (double)broken->n_failures};
    bool is_broken = broken->n_failures >= BROKEN_RULE_FAILURES;

    if (is_broken) {
        input.labels = broken_rule_labels(broken->group, broken->rule, BROKEN_RULE_NAME, NULL);
        input.annotations = annotations_of(broken);
    }
    if (alert_set_step(before, &input, is_broken, &options, ret_outcome, NULL))
        UNREACHABLE("one alert without a limit cannot fail");
    labels_unref(input.labels);
    labels_unref(input.annotations);
}

void broken_rule_split(struct alert_set *alerts, const char *name, struct alert_set *ret_of_name)
{
    struct alert_set own = {0}, of_name = {0};

    for (size_t i = 0; i < alerts->n; i++) {
        const struct labels *labels = alerts->at[i].labels;
        const char *alertname = labels_get(labels, "alertname");
        bool is_of_name = alertname && strcmp(alertname, name) == 0 && labels_get(labels, "rule") &&
                          labels_get(labels, "rule_group");

        alert_set_add(is_of_name ? &of_name : &own, &alerts->at[i]);
    }
    alert_set_done(alerts);
    *alerts = own;
    *ret_of_name = of_name;
}
