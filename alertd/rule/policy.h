#pragma once

/*
 * What a team wants of its rules, beyond what is right for everybody:
 *
 *     severities: [critical, warning]     severity of an alert is one of these
 *     labels: [team]                      each alert has them
 *     annotations: [summary, runbook_url]
 *     selectors: [cluster]                each selector has a matcher for them
 *     keep: [cluster]                     no aggregation drops them
 *     alert_name: '[A-Z][A-Za-z0-9]+'     RE2, the whole name
 *     record_name: '[a-z_:]+'
 *     reject: ['.*write me.*']           no label or annotation matches as a whole
 *     external_labels: [site]             what the server adds, for ext-label and label-conflict
 *
 * Strict: an unknown key is an error with its place. All keys may be left out.
 */

#include "alertd/rule/group.h"
#include "alertd/rule/unit_file.h"

enum {
    RULE_POLICY_E_FILE = 1
};

struct rule_policy;

/* 0, or RULE_POLICY_E_FILE with place and words. rule_policy_free(). */
int rule_policy_parse(const char *text,
                      size_t len,
                      struct rule_policy **ret_policy,
                      struct err *reterr);
void rule_policy_free(struct rule_policy *policy); /* NULL is fine */

void rule_lint_policy(const struct rule_file *file,
                      const struct rule_policy *policy,
                      struct rule_findings *findings);

/* Alerts that no unit test makes fire, or none shows silent. */
void rule_lint_tests(const struct rule_file *file,
                     const struct unit_file *const *tests,
                     size_t n,
                     struct rule_findings *findings);
