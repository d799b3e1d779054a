#pragma once

/*
 * What unit tests of rules found, in three forms: for people, for programs, for CI.
 */

#include "ctl/test_run.h"

enum test_format {
    TEST_FORMAT_HUMAN,
    TEST_FORMAT_JSON,
    TEST_FORMAT_JUNIT,
};

/* "human", "json", "junit"; false for another word. */
bool test_format_of(const char *name, enum test_format *ret_format);

void test_report_human(const struct test_run *run, bool colours, struct str *out);
void test_report_json(const struct test_run *run, struct str *out);
void test_report_junit(const struct test_run *run, struct str *out);
