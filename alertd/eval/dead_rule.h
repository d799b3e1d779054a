#pragma once

/*
 * A rule that reads nothing watches nothing either: its metric was renamed, or never came.
 *
 *     its selectors matched    yes   no   no  ...  for 24 h    yes
 *     RuleDead                                     F           R
 *
 * It is a warning whatever the rule's own severity is, and goes to whoever the rule would page.
 *
 * Invariants
 *  (1) a rule for which nothing is the good news is none of these: absent(), ALERTS, and what
 *      has no selector at all.
 *  (2) time in which nobody evaluated does not count: the caller moves matched_ms on.
 */

#include <stdbool.h>
#include <stdint.h>

#include "alertd/alert/set.h"
#include "alertd/rule/group.h"

#define DEAD_RULE_NAME "RuleDead"

enum {
    DEAD_RULE_MS = 24 * 3600 * 1000
};

struct dead_rule {
    const struct rule_group *group;
    const struct rule *rule;
    int64_t rule_id;
    int64_t matched_ms; /* when its selectors last matched a series, or it was first asked */
    int64_t now_ms;
};

/* False: matching nothing says nothing about it. */
bool dead_rule_applies(const struct rule *rule);
/* What an evaluation means for its RuleDead alert (alert_outcome_done()). */
void dead_rule_step(const struct dead_rule *dead,
                    const struct alert_set *before,
                    struct alert_outcome *ret_outcome);
