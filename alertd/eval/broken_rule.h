#pragma once

/*
 * A rule that does not evaluate watches nothing, and nobody notices: so it is an alert.
 *
 *     failures in a row   0   1   2   3   0
 *     RuleBroken                  F   f   R
 *
 * RuleBroken carries the rule's own labels, so that it reaches whoever the rule would have
 * paged, and its rows stand beside the rule's own alerts (same rule id, other labels).
 */

#include <stdbool.h>

#include "alertd/alert/set.h"
#include "alertd/rule/group.h"

#define BROKEN_RULE_NAME "RuleBroken"

enum {
    BROKEN_RULE_FAILURES = 2, /* in a row, until somebody is told */
};

struct broken_rule {
    const struct rule_group *group;
    const struct rule *rule;
    int64_t rule_id;
    int64_t n_failures; /* in a row, with this evaluation; 0: it went well */
    const char *words;  /* of the failure */
    int64_t now_ms;
};

/* What an evaluation of the rule means for its RuleBroken alert (alert_outcome_done()). */
void broken_rule_step(const struct broken_rule *broken,
                      const struct alert_set *before,
                      struct alert_outcome *ret_outcome);

/* Labels of an alert about a rule itself: the rule's own (labels_unref()), and its severity where
 * none is given. */
const struct labels *broken_rule_labels(const struct rule_group *group,
                                        const struct rule *rule,
                                        const char *name,
                                        const char *severity);

/* Takes the alert about a rule itself (BROKEN_RULE_NAME, DEAD_RULE_NAME) out of the rule's alerts
 * as they were stored. */
void broken_rule_split(struct alert_set *alerts, const char *name, struct alert_set *ret_of_name);
