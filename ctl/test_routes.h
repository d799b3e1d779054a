#pragma once

/*
 * Tests of config files, all files of one call at once: what was read and what came of it.
 */

#include "alertd/route/test_run.h"
#include "ctl/test_report.h"

struct route_result {
    const struct route_test *test;
    bool chosen; /* by its name */
    bool ok;
    struct str diff;
    int64_t took_us;
};

struct route_tested {
    const char *path;
    struct route_test_file *file; /* NULL: it can't be read */
    const struct route_config *config;
    struct str errors; /* lines; with any of them no test runs */
    struct route_result *results;
    size_t n_chosen, n_failed, n_checks;
    bool ok;
};

struct routes_run {
    struct route_tested *files;
    size_t n_files;
    const struct regex *only; /* NULL: all */
    int64_t took_us;
};

/* The forms are those of tests of rules. */
void test_routes_report(const struct routes_run *run,
                        enum test_format format,
                        bool colours,
                        struct str *out);
