#pragma once

/*
 * What is doubtful in a drill that loads: alerts nobody wrote, metrics no rule reads,
 * expectations that can't come true, a script whose words nothing recognises.
 */

#include "alertd/drill/case.h"

struct drill_finding {
    unsigned line, column;
    bool is_error; /* it can't be so; otherwise: is it meant? */
    char *text;
};

struct drill_findings {
    struct drill_finding *at;
    size_t n, capacity;
};

/* runbooks: reads a pack's runbooks (DRILL_READ_RUNBOOKS); in order of lines. */
void drill_check(const struct drill_case *drill_case,
                 drill_read *read,
                 void *arg,
                 struct drill_findings *findings);
void drill_findings_done(struct drill_findings *findings);
