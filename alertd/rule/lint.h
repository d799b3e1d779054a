#pragma once

/*
 * Advice on rules that load.
 *
 *   file --rule_lint()------------------> findings    what the text alone tells
 *        --rule_lint_data() + answers---> findings    what a server's data tells too
 *   text --rule_comments_apply()--------> findings without those that comments turned off
 *
 * The table in lint_table.c has a row for each id: how serious, and what it means.
 */

#include "alertd/promql/promql.h"
#include "alertd/rule/group.h"

struct lint;

enum rule_needs {
    RULE_NEEDS_TEXT,   /* the rule alone */
    RULE_NEEDS_DATA,   /* a server's answers: rule_lint_data() */
    RULE_NEEDS_BOTH,   /* known by name; a server's answers know better */
    RULE_NEEDS_LOAD,   /* told while the file is read */
    RULE_NEEDS_TESTS,  /* its unit tests: rule_lint_tests() */
    RULE_NEEDS_POLICY, /* rule_lint_policy() */
};

struct rule_check {
    const char *id;
    enum rule_severity severity;
    enum rule_needs needs;
    bool alerts_only;
    void (*check)(struct lint *lint); /* one rule; NULL: told elsewhere */
    const char *pint;                 /* the check of pint that means the same; NULL: none */
    const char *meaning;              /* one line, for the manual */
};

/* All checks, in the order of the manual. */
const struct rule_check *rule_checks(size_t *ret_n);
/* NULL when there is none of that id. */
const struct rule_check *rule_check_find(const char *id);

/* Appends what it finds to `findings`, sorted by place. */
void rule_lint(const struct rule_file *file, struct rule_findings *findings);

/* --- With data (lint_data.c) ----------------------------------------------------------- */

/* What a server answers. Each returns 0, or anything else when there is no answer: then the
 * check that asked tells nothing. */
struct rule_data {
    /* An instant query whose result is one number: *ret_found tells whether there was one. */
    int (*number)(void *arg, const char *query, bool *ret_found, double *ret_number);
    /* "counter", "gauge", ...; "" when it isn't known. A loan until the next call. */
    int (*metric_type)(void *arg, const char *metric, const char **ret_type);
    /* What the query costs to evaluate now; *ret_samples 0 when the server doesn't say. */
    int (*cost)(void *arg, const char *query, int64_t *ret_ms, int64_t *ret_samples);
    void *arg;
    int64_t window_ms;    /* how far back to look */
    int64_t retention_ms; /* of the server; 0: not known */
    size_t fanout_max;    /* more alerts at once are too many */
    /* Labels the server adds to all it sends; NULL: not known. */
    const struct labels *external_labels;
};

void rule_lint_data(const struct rule_file *file,
                    const struct rule_data *data,
                    struct rule_findings *findings);

/* --- Comments (lint_comments.c) ---------------------------------------------------------- */

/* Lines that comments want ignored (`# pint ignore/begin` ... ) become empty; how many. */
size_t rule_comments_blank(char *text);

/* Takes away what comments turned off (`# alertd disable ID`, `# pint snooze DATE ID`, ...)
 * and tells comments that do nothing. `text` is the file's. Sorts. */
void rule_comments_apply(const struct rule_file *file,
                         const char *text,
                         int64_t now_ms,
                         struct rule_findings *findings);

/* --- Labels (lint_labels.c) -------------------------------------------------------------- */

/* The labels that an expression's result can have, as far as the expression alone tells. */
struct rule_label_set {
    bool is_known; /* otherwise any label is possible */
    const char *names[64];
    size_t n;
};
void rule_result_labels(const struct promql_expr *expr, struct rule_label_set *ret_set);

/* Whether series of the result have a label of this name. */
enum rule_presence {
    RULE_LABEL_ABSENT,  /* none can have it */
    RULE_LABEL_MAYBE,   /* nothing is known */
    RULE_LABEL_LIKELY,  /* the expression groups by it */
    RULE_LABEL_PRESENT, /* each has it: a matcher asks for it */
};
enum rule_presence rule_label_presence(const struct promql_expr *expr, const char *name);
