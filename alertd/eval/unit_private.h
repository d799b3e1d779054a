#pragma once

/*
 * One run of a group of unit tests, as unit_run.c and unit_why.c share it.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/eval/rule_eval.h"
#include "alertd/eval/unit_report.h"
#include "alertd/promql/memory_source.h"
#include "alertd/rule/unit_file.h"

struct unit_running_rule {
    const struct rule_group *group;
    const struct rule *rule;
    const char *source; /* the rule file's name */
    struct alert_set alerts;
    struct rule_output output;
};

struct unit_running {
    const struct unit_file *file;
    const struct unit_group *group;
    struct unit_running_rule *rules;
    size_t n_rules;
    struct memory_source memory;
    size_t *next_position; /* of each input: the first not yet visible */
    int64_t now_ms;        /* of the last evaluation */
    struct unit_report *report;
};

struct unit_why_question {
    struct unit_running *run;
    const struct unit_alert_test *test;
};

/* For a struct unit_why, with a question as its arg: what is the matter with an expected
 * alert that is not firing. */
void unit_why_tell(void *arg, const struct labels *expected, struct str *diff);
/* The alert's name nearest to one that no rule has; NULL when none is near. */
const char *unit_why_near_name(const struct unit_running *run, const char *alertname);
