#pragma once

/*
 * Unit tests of rules, all files of one call at once.
 *
 *   test files --read--> rule files they name, each once --read--> groups --unit_run()-->
 *
 * Every arrow is done by a few threads; what they make is kept in the order of the
 * arguments, so the output never depends on who was first. Groups share only what is
 * never changed: the rules.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/eval/unit_report.h"
#include "alertd/rule/group.h"
#include "alertd/rule/unit_file.h"
#include "lib/base/str.h"
#include "lib/regex/regex.h"

struct test_rules {
    char *path;
    struct rule_file *file; /* NULL: it does not load */
    char *error;            /* then: "path:3:5: words" */
};

struct test_group {
    const struct unit_group *group;
    struct unit_report report;
    bool chosen; /* by its name */
    bool ok;
    int64_t took_us;
};

struct test_file {
    const char *path;
    struct unit_file *file; /* NULL: it can't be read */
    struct str errors;      /* lines; with any of them no group runs */
    struct str warnings;    /* lines */
    size_t *rules;          /* which of the run's rule files */
    struct rule_file **loaded;
    size_t n_rules, rules_capacity;
    struct test_group *groups; /* as many as the file has */
    size_t n_chosen, n_failed; /* groups */
    size_t n_checks;           /* in the chosen ones */
    bool ok;
};

struct test_run {
    struct test_file *files;
    size_t n_files;
    struct test_rules *rules;
    size_t n_rules, rules_capacity;
    unsigned workers;
    const struct regex *only; /* NULL: all groups */
    int64_t took_us;
};

/* Reads and runs them all. test_run_done(), also when tests failed. */
void test_run_files(struct test_run *run, char *const *paths, size_t n_paths);
void test_run_done(struct test_run *run);
size_t test_run_failed(const struct test_run *run); /* files */
