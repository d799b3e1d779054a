/*
 * The checks, a row each: this table is what `alertctl check rules --list` and the manual
 * show.
 */

#include <string.h>

#include "alertd/rule/lint_private.h"

/* id, severity, what it needs, alerts only, its function, pint's name, meaning. clang-format
 * would break most rows. */
/* clang-format off */
static const struct rule_check table[] = {
    /* The file does not load. */
    {"yaml-strict", RULE_ERROR, RULE_NEEDS_LOAD, false, NULL, "yaml/parse", "unknown or repeated keys, wrong types, a second document, no YAML at all"},
    {"group-name", RULE_ERROR, RULE_NEEDS_LOAD, false, NULL, NULL, "a group without a name, or two of the same name in one file"},
    {"one-of", RULE_ERROR, RULE_NEEDS_LOAD, false, NULL, NULL, "a rule is either `alert` or `record`, and only alerts have `for`, `keep_firing_for` and annotations"},
    {"promql-syntax", RULE_ERROR, RULE_NEEDS_LOAD, false, NULL, "promql/syntax", "the expression does not parse"},
    {"promql-type", RULE_ERROR, RULE_NEEDS_LOAD, false, NULL, "promql/syntax", "the expression makes no sense, or gives a string or a range vector"},
    {"template-syntax", RULE_ERROR, RULE_NEEDS_LOAD, true, NULL, "alerts/template", "a label or annotation is no template that can be expanded"},
    /* Will it fire? */
    {"no-comparison", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_no_comparison, "alerts/comparison", "nothing is compared: it fires as long as the series exists"},
    {"bool-top", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_bool_top, "alerts/comparison", "`bool` at the top always gives a result: it always fires"},
    {"always-scalar", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_always, "alerts/comparison", "a constant always fires; fine only for a dead man's switch named so"},
    {"never-match", RULE_WARNING, RULE_NEEDS_TEXT, false, lint_never_match, "promql/impossible", "labels that are gone already are joined or grouped on, or a count is expected to be 0: no result, ever"},
    {"single-event-blind", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_single_event, NULL, "`for` is as long as the window of increase(): one event never fires"},
    {"for-never", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_for_never, NULL, "`for` is longer than the expression can stay true"},
    {"nan-compare", RULE_WARNING, RULE_NEEDS_TEXT, false, lint_nan, "promql/nan", "0/0 inside an aggregation makes all of it NaN, which no comparison is true for"},
    {"counter-raw", RULE_WARNING, RULE_NEEDS_BOTH, false, lint_counter, "promql/counter", "a counter is compared, or taken for a gauge, without rate() or increase()"},
    {"rate-of-gauge", RULE_WARNING, RULE_NEEDS_BOTH, false, lint_rate_of_gauge, "promql/rate", "rate() of what is no counter"},
    {"rate-of-sum", RULE_WARNING, RULE_NEEDS_TEXT, false, lint_rate_of_sum, "promql/rate", "rate() of a sum takes each restart of one part for a jump of the whole"},
    {"range-too-short", RULE_ADVICE, RULE_NEEDS_BOTH, false, lint_short_range, "promql/rate", "the window holds fewer than two samples: nothing comes out (a warning when the data says so)"},
    {"slow-group", RULE_WARNING, RULE_NEEDS_TEXT, false, lint_slow_group, "group/interval", "evaluated less often than samples count (5m): gaps"},
    {"feature-flag", RULE_ADVICE, RULE_NEEDS_TEXT, false, lint_feature_flag, NULL, "needs a Prometheus with an experimental feature turned on"},
    {"vector-matching", RULE_WARNING, RULE_NEEDS_DATA, false, NULL, "promql/vector_matching", "both sides have series, and none of them match"},
    {"missing-series", RULE_WARNING, RULE_NEEDS_DATA, false, NULL, "promql/series", "a selector finds nothing: never seen, or gone"},
    {"beyond-retention", RULE_WARNING, RULE_NEEDS_DATA, false, NULL, "promql/range_query", "a range or offset reaches further back than the server keeps samples"},
    /* Will it flap or lie? */
    {"no-for", RULE_ADVICE, RULE_NEEDS_TEXT, true, lint_no_for, "alerts/for", "one odd sample pages"},
    {"absent-no-for", RULE_WARNING, RULE_NEEDS_BOTH, true, lint_absent_no_for, "alerts/absent", "absent() without `for` fires on one failed scrape and at each restart"},
    {"fragile-ratio", RULE_ADVICE, RULE_NEEDS_TEXT, true, lint_fragile_ratio, "promql/fragile", "two aggregations divided without `for`: restarts race"},
    {"topk-alert", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_topk, "promql/fragile", "a ranking changes which series it returns: alerts swap"},
    {"value-in-label", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_value_in_label, "alerts/template", "the value in a label: a new alert at each evaluation"},
    {"equality-on-float", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_float_equality, NULL, "== with a computed number is a matter of rounding"},
    {"for-vs-window", RULE_ADVICE, RULE_NEEDS_TEXT, true, lint_for_vs_window, NULL, "`for` is much shorter than the window: delay without filtering"},
    {"threshold-pair", RULE_WARNING, RULE_NEEDS_TEXT, true, NULL, NULL, "critical is reached before, or together with, its warning"},
    {"cross-group-lag", RULE_ADVICE, RULE_NEEDS_TEXT, false, lint_cross_group, "rule/dependency", "a recorded series is looked at before, or more often than, it is made"},
    {"threshold-never", RULE_ADVICE, RULE_NEEDS_DATA, true, NULL, "alerts/count", "not once true in the window; says where the threshold lies"},
    {"threshold-always", RULE_WARNING, RULE_NEEDS_DATA, true, NULL, "alerts/count", "true all the time in the window"},
    {"churny-label", RULE_ADVICE, RULE_NEEDS_DATA, true, NULL, NULL, "a label whose values are replaced often: each new one starts `for` anew"},
    {"cardinality-fanout", RULE_ADVICE, RULE_NEEDS_DATA, true, NULL, "alerts/count", "one cause could open hundreds of alerts at once"},
    /* Will a human understand it? */
    {"dead-label", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_dead_label, "alerts/template", "a text reads a label that the expression cannot return: a gap"},
    {"rule-label-in-labels", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_rule_label, "alerts/template", "a text reads a label that the rule itself adds: $labels has the sample's only"},
    {"template-call", RULE_WARNING, RULE_NEEDS_TEXT, true, lint_calls, "alerts/template", "a call that fails each time: the text becomes an error message"},
    {"ext-label", RULE_WARNING, RULE_NEEDS_DATA, true, NULL, "alerts/external_labels", "a text reads an external label that the server doesn't have"},
    {"label-conflict", RULE_WARNING, RULE_NEEDS_DATA, false, NULL, "labels/conflict", "the rule sets a label that the server sets too"},
    {"no-value", RULE_ADVICE, RULE_NEEDS_TEXT, true, lint_no_value, NULL, "no annotation shows the value"},
    {"raw-ratio", RULE_ADVICE, RULE_NEEDS_TEXT, true, lint_raw_ratio, "alerts/template", "a ratio or rate is printed with all its digits"},
    {"no-summary", RULE_ADVICE, RULE_NEEDS_TEXT, true, lint_summary, "alerts/annotation", "no sentence says what is wrong"},
    {"no-runbook", RULE_ADVICE, RULE_NEEDS_TEXT, true, lint_runbook, "alerts/annotation", "no runbook is named"},
    {"regex-literal", RULE_ADVICE, RULE_NEEDS_TEXT, false, lint_regex_literal, "promql/regexp", "=~ with plain text"},
    {"regex-anchor", RULE_ADVICE, RULE_NEEDS_TEXT, false, lint_regex_anchor, "promql/regexp", "^ and $ say nothing: patterns are anchored"},
    {"smelly-regex", RULE_ADVICE, RULE_NEEDS_TEXT, false, lint_smelly_regex, "promql/regexp", "a pattern that matches everything, or a dot that was meant as a dot"},
    {"dup-rule", RULE_WARNING, RULE_NEEDS_TEXT, false, NULL, "rule/duplicate", "the same name and labels twice in one file"},
    {"cost", RULE_ADVICE, RULE_NEEDS_DATA, false, NULL, "query/cost", "evaluating it takes a large part of the interval, or very many samples"},
    {"untested", RULE_WARNING, RULE_NEEDS_TESTS, true, NULL, NULL, "no unit test makes it fire, or none shows it silent"},
    {"severity-set", RULE_WARNING, RULE_NEEDS_POLICY, true, NULL, "rule/label", "a severity the policy does not list, or none"},
    {"required-label", RULE_WARNING, RULE_NEEDS_POLICY, true, NULL, "rule/label", "a label (a team, an owner) that the policy wants is missing"},
    {"required-annotation", RULE_WARNING, RULE_NEEDS_POLICY, true, NULL, "alerts/annotation", "an annotation that the policy wants is missing"},
    {"required-selector", RULE_WARNING, RULE_NEEDS_POLICY, false, NULL, "promql/selector", "a selector without a matcher that the policy wants"},
    {"aggregate-keep", RULE_WARNING, RULE_NEEDS_POLICY, false, NULL, "promql/aggregate", "an aggregation drops a label that the policy keeps"},
    {"name", RULE_WARNING, RULE_NEEDS_POLICY, false, NULL, "rule/name", "a name unlike those that the policy wants"},
    {"reject", RULE_WARNING, RULE_NEEDS_POLICY, false, NULL, "rule/reject", "a label or annotation that the policy rejects"},
    {"bad-comment", RULE_ADVICE, RULE_NEEDS_TEXT, false, NULL, NULL, "a comment for this program does nothing: unknown name, no date"},
};
/* clang-format on */

const struct rule_check *rule_checks(size_t *ret_n)
{
    *ret_n = sizeof(table) / sizeof(*table);
    return table;
}

const struct rule_check *rule_check_find(const char *id)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (strcmp(table[i].id, id) == 0)
            return &table[i];
    return NULL;
}
