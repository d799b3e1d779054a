#pragma once

/*
 * What a group of unit tests found: one entry for each check that failed.
 *
 *     t.yml:31:7: alert Down at 10m: 1 of 2 differs
 *         {job="a"}
 *       - label severity: page
 *       + label severity: critical
 *       - {job="b", severity="page"}
 *           pending since 8m: fires at 13m if it stays true (for: 5m)
 *
 * A diff is lines with their mark in front: `- ` expected, `+ ` what came, two spaces for
 * what says which alert it is or why. Only what differs is told. Texts are free of control
 * characters, whatever the rules made.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

enum {
    UNIT_REPORT_MAX = 1000,           /* failures told of one group; the rest is counted */
    UNIT_REPORT_DIFF_MAX = 64 * 1024, /* bytes of one diff */
    UNIT_REPORT_TEXT_MAX = 4000,      /* of one expression, alert's name or sentence */
    UNIT_REPORT_BYTES_MAX = 4 * 1024 * 1024,
};

enum unit_failure_kind {
    UNIT_FAILURE_ALERT, /* an alert_rule_test */
    UNIT_FAILURE_EXPR,  /* a promql_expr_test */
    UNIT_FAILURE_RULE,  /* a rule could not be evaluated, which ends the group */
    UNIT_FAILURE_GROUP, /* the group can't be run at all */
};

struct unit_failure {
    enum unit_failure_kind kind;
    size_t check;          /* ALERT, EXPR: which of its group's, from 0 */
    unsigned line, column; /* in the test file; 0: nowhere */
    int64_t eval_ms;       /* since the group's start */
    const char *subject;   /* alert's name, expression, rule's name; "" for a GROUP */
    const char *words;     /* one sentence */
    const char *diff;      /* lines, "" for none */
};

struct unit_report {
    struct unit_failure *at;
    size_t n, capacity;
    size_t n_untold;
    struct arena arena; /* the texts */
};

void unit_report_init(struct unit_report *report);
/* Copies the texts; subject, words and diff may be NULL. */
void unit_report_add(struct unit_report *report, const struct unit_failure *failure);
void unit_report_done(struct unit_report *report);

/* "alert", "expr", "rule", "group" */
const char *unit_failure_kind_name(enum unit_failure_kind kind);
/* "alert Down at 10m", "expr sum(up) at 3m": one line, cut when it is long. */
void unit_failure_title(const struct unit_failure *failure, struct str *out);

/* As shown above. `path` names the test file; colours for a terminal. */
void unit_report_print(const struct unit_report *report,
                       const char *path,
                       bool colours,
                       struct str *out);

/* Text that may hold anything, as one line: \n, \t and other control characters escaped. */
void unit_report_text(const char *text, size_t max, struct str *out);
