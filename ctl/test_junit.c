/*
 * Unit tests of rules as JUnit's XML, which every CI shows: a suite for each file, a case
 * for each check. See test_report.h.
 *
 *     <testsuite name="shop/tests.yml" tests="9" failures="1" ...>
 *       <testcase classname="shop/tests.yml" name="two down: alert Down at 10m" ...>
 *         <failure message="1 differs" type="alert">...the diff...</failure>
 *
 * What kept a file or a group from running is a case of its own with an <error>; the checks
 * it kept from running are skipped.
 */

#include <string.h>

#include "ctl/test_report.h"
#include "lib/base/html.h"
#include "lib/base/mem.h"
#include "lib/model/duration.h"

/* What the cases of one suite came to. */
struct counts {
    size_t tests, failures, errors, skipped;
};

struct junit {
    struct str *out;
    const struct test_file *file;
    struct counts counts;
};

static void add_attribute(struct str *out, const char *name, const char *text)
{
    STR_AUTO struct str line = STR_INIT(UNIT_REPORT_TEXT_MAX * 2);

    unit_report_text(text, UNIT_REPORT_TEXT_MAX, &line);
    str_addf(out, " %s=\"", name);
    html_escape(out, str_text(&line));
    str_addc(out, '"');
}

/* Lines between tags: XML has no way to hold other control characters. */
static void add_lines(struct str *out, const char *text)
{
    STR_AUTO struct str clean = STR_INIT(out->limit);

    while (*text) {
        size_t len = strcspn(text, "\n");
        MEM_AUTO char *line = mem_strndup(text, len);

        unit_report_text(line, len, &clean);
        for (text += len; *text == '\n'; text++)
            str_addc(&clean, '\n');
    }
    html_escape(out, str_text(&clean));
    out->full |= clean.full;
}

static void add_seconds(struct str *out, int64_t took_us)
{
    str_addf(out, " time=\"%.6f\"", (double)took_us / 1e6);
}

static void open_case(struct junit *junit,
                      const struct test_group *group,
                      const struct unit_failure *what,
                      unsigned line)
{
    STR_AUTO struct str name = STR_INIT(UNIT_REPORT_TEXT_MAX);

    if (group->group->name[0])
        str_add(&name, group->group->name);
    else
        str_addf(&name, "group %zu", (size_t)(group - junit->file->groups) + 1);
    str_add(&name, ": ");
    unit_failure_title(what, &name);
    junit->counts.tests++;
    str_add(junit->out, "    <testcase");
    add_attribute(junit->out, "classname", junit->file->path);
    add_attribute(junit->out, "name", str_text(&name));
    add_attribute(junit->out, "file", junit->file->path);
    str_addf(junit->out, " line=\"%u\"", line);
}

static void add_body(struct junit *junit, const char *element, const struct unit_failure *failure)
{
    str_addf(junit->out, ">\n      <%s", element);
    add_attribute(junit->out, "message", failure->words);
    str_addf(junit->out, " type=\"%s\">", unit_failure_kind_name(failure->kind));
    add_lines(junit->out, failure->diff);
    str_addf(junit->out, "</%s>\n    </testcase>\n", element);
}

static const struct unit_failure *failure_of(const struct test_group *group,
                                             enum unit_failure_kind kind,
                                             size_t check)
{
    for (size_t i = 0; i < group->report.n; i++)
        if (group->report.at[i].kind == kind && group->report.at[i].check == check)
            return &group->report.at[i];
    return NULL;
}

static void add_check(struct junit *junit,
                      const struct test_group *group,
                      const struct unit_failure *what,
                      bool ended)
{
    const struct unit_failure *failure = failure_of(group, what->kind, what->check);

    open_case(junit, group, what, what->line);
    if (failure) {
        junit->counts.failures++;
        add_body(junit, "failure", failure);
    } else if (ended) {
        junit->counts.skipped++;
        str_add(junit->out, "><skipped/></testcase>\n");
    } else {
        str_add(junit->out, "/>\n");
    }
}

static void add_group(struct junit *junit, const struct test_group *group)
{
    bool ended = false;

    for (size_t i = 0; i < group->report.n; i++) {
        const struct unit_failure *failure = &group->report.at[i];

        if (failure->kind != UNIT_FAILURE_RULE && failure->kind != UNIT_FAILURE_GROUP)
            continue;
        ended = true;
        junit->counts.errors++;
        open_case(junit, group, failure, group->group->node->line);
        add_body(junit, "error", failure);
    }
    for (size_t i = 0; i < group->group->n_alert_tests; i++) {
        const struct unit_alert_test *test = &group->group->alert_tests[i];

        add_check(junit, group,
                  &(struct unit_failure){.kind = UNIT_FAILURE_ALERT,
                                         .check = i,
                                         .line = test->node->line,
                                         .eval_ms = test->eval_ms,
                                         .subject = test->alertname},
                  ended);
    }
    for (size_t i = 0; i < group->group->n_expr_tests; i++) {
        const struct unit_expr_test *test = &group->group->expr_tests[i];

        add_check(junit, group,
                  &(struct unit_failure){.kind = UNIT_FAILURE_EXPR,
                                         .check = i,
                                         .line = test->node->line,
                                         .eval_ms = test->eval_ms,
                                         .subject = test->text},
                  ended);
    }
}

/* The file's own case, when it could not be run. */
static void add_load_error(struct junit *junit)
{
    junit->counts.tests++;
    junit->counts.errors++;
    str_add(junit->out, "    <testcase");
    add_attribute(junit->out, "classname", junit->file->path);
    str_add(junit->out, " name=\"loads\">\n      <error message=\"does not load\" type=\"file\">");
    add_lines(junit->out, str_text(&junit->file->errors));
    str_add(junit->out, "</error>\n    </testcase>\n");
}

static int64_t took_us(const struct test_file *file)
{
    int64_t sum_us = 0;

    for (size_t i = 0; file->groups && i < file->file->n_groups; i++)
        sum_us += file->groups[i].took_us;
    return sum_us;
}

static void add_counts(struct str *out, const struct counts *counts)
{
    str_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", counts->tests,
             counts->failures, counts->errors, counts->skipped);
}

static void add_suite(const struct test_file *file, struct counts *total, struct str *out)
{
    STR_AUTO struct str cases = STR_INIT(out->limit);
    struct junit junit = {.out = &cases, .file = file};

    if (file->errors.len)
        add_load_error(&junit);
    for (size_t i = 0; file->groups && i < file->file->n_groups; i++)
        if (file->groups[i].chosen)
            add_group(&junit, &file->groups[i]);
    total->tests += junit.counts.tests;
    total->failures += junit.counts.failures;
    total->errors += junit.counts.errors;
    total->skipped += junit.counts.skipped;
    str_add(out, "  <testsuite");
    add_attribute(out, "name", file->path);
    add_counts(out, &junit.counts);
    add_seconds(out, took_us(file));
    str_add(out, ">\n");
    str_add(out, str_text(&cases));
    out->full |= cases.full;
    str_add(out, "  </testsuite>\n");
}

void test_report_junit(const struct test_run *run, struct str *out)
{
    STR_AUTO struct str suites = STR_INIT(out->limit);
    struct counts total = {0};

    for (size_t i = 0; i < run->n_files; i++)
        add_suite(&run->files[i], &total, &suites);
    str_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<testsuites name=\"alertctl test rules\"");
    add_counts(out, &total);
    add_seconds(out, run->took_us);
    str_add(out, ">\n");
    str_add(out, str_text(&suites));
    out->full |= suites.full;
    str_add(out, "</testsuites>\n");
}
