/*
 * A rule whose selectors match nothing. See dead_rule.h.
 */

#include "alertd/eval/dead_rule.h"

#include <string.h>

#include "alertd/eval/broken_rule.h"
#include "alertd/promql/ast.h"
#include "alertd/promql/fn.h"
#include "lib/base/bug.h"
#include "lib/base/str.h"

static bool is_of_alerts(const struct promql_selector *selector)
{
    for (size_t i = 0; i < selector->n_matchers; i++)
        if (strcmp(selector->matchers[i].name, LABEL_NAME) == 0)
            return matcher_matches(&selector->matchers[i], "ALERTS") ||
                   matcher_matches(&selector->matchers[i], "ALERTS_FOR_STATE");
    return false;
}

/* How many selectors ought to match something; *ret_wants_none: absent() is asked. */
static size_t count_selectors(const struct promql_expr *expr, bool *ret_wants_none)
{
    const struct promql_expr *child;
    size_t n = 0;

    if (expr->kind == PROMQL_SELECTOR)
        return !is_of_alerts(&expr->selector);
    if (expr->kind == PROMQL_CALL && strncmp(expr->call.fn->name, "absent", 6) == 0)
        *ret_wants_none = true;
    for (size_t i = 0; (child = expr_child(expr, i)) != NULL; i++)
        n += count_selectors(child, ret_wants_none);
    return n;
}

bool dead_rule_applies(const struct rule *rule)
{
    bool wants_none = false;

    return count_selectors(rule->expr, &wants_none) > 0 && !wants_none;
}

static const struct labels *annotations_of(const struct dead_rule *dead)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    STR_AUTO struct str summary = STR_INIT(1000);

    str_addf(&summary,
             "Rule \"%s\" of group \"%s\" has read no series for 24 h: what it watches is not "
             "watched",
             dead->rule->name, dead->group->name);
    labels_builder_set(&builder, "summary", str_text(&summary));
    labels_builder_set(&builder, "description",
                       "Either what it reads is gone or was renamed, or nobody sends it here: then "
                       "the rule is not needed.");
    return labels_builder_finish(&builder);
}

void dead_rule_step(const struct dead_rule *dead,
                    const struct alert_set *before,
                    struct alert_outcome *ret_outcome)
{
    const struct alert_rule rule = {
        .id = dead->rule_id,
        .name = DEAD_RULE_NAME,
        .group_name = dead->group->name,
        .expr = dead->rule->expr_text,
    };
    const struct alert_step_options options = {.rule = &rule, .now_ms = dead->now_ms};
    int64_t silent_ms = dead->now_ms - dead->matched_ms;
    struct alert_input input = {.value = (double)silent_ms / 1000};
    bool is_dead = silent_ms >= DEAD_RULE_MS && dead_rule_applies(dead->rule);

    if (is_dead) {
        input.labels = broken_rule_labels(dead->group, dead->rule, DEAD_RULE_NAME, "warning");
        input.annotations = annotations_of(dead);
    }
    if (alert_set_step(before, &input, is_dead, &options, ret_outcome, NULL))
        UNREACHABLE("one alert without a limit cannot fail");
    labels_unref(input.labels);
    labels_unref(input.annotations);
}
