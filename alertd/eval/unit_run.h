#pragma once

/*
 * Runs unit tests of rules: the group's samples become visible step by step in virtual
 * time, rules are evaluated by rule_eval(), the same that live alerting uses, and what
 * fires is compared with what was expected. The verdicts are promtool's.
 *
 *   t = start, start + evaluation_interval ... the latest eval_time
 *       samples up to t  -->  all groups' rules in order  -->  alert checks due at t
 *   then the expression checks, over everything stored
 */

#include "alertd/eval/unit_report.h"
#include "alertd/rule/group.h"
#include "alertd/rule/unit_file.h"

struct unit_rules {
    struct rule_file *const *files;
    size_t n_files;
};

/* Runs one group. true: everything was as expected. Otherwise *report (zeroed before) says
 * what was not. Groups share nothing that changes: several may run at once. */
bool unit_run(const struct unit_file *file,
              const struct unit_group *group,
              const struct unit_rules *rules,
              struct unit_report *report);
