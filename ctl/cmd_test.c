/*
 * alertctl test rules: promtool's unit tests, with the daemon's own engine.
 *
 *   arguments --test_run.c--> verdicts and diffs --test_report.c, test_junit.c--> text
 *
 * Exit status: 1 when a test failed or a file could not be run.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/cmd.h"
#include "ctl/test_report.h"
#include "lib/base/fs.h"
#include "lib/base/parallel.h"

enum {
    OUTPUT_BYTES_MAX = 256 * 1024 * 1024,
};

static void write_report(const struct test_run *run,
                         enum test_format format,
                         bool colours,
                         struct str *out)
{
    switch (format) {
    case TEST_FORMAT_HUMAN: test_report_human(run, colours, out); break;
    case TEST_FORMAT_JSON: test_report_json(run, out); break;
    case TEST_FORMAT_JUNIT: test_report_junit(run, out); break;
    }
}

/* Half a report is none: a program could not tell. */
static enum ctl_exit fail_full(const struct ctl *ctl)
{
    return ctl_fail(ctl, "the report is larger than %d MiB: test fewer files at a time",
                    OUTPUT_BYTES_MAX >> 20);
}

/* The report goes to a file, and people read theirs on the terminal: what a CI job wants. */
static enum ctl_exit to_file(const struct ctl *ctl,
                             const struct test_run *run,
                             enum test_format format,
                             const char *path)
{
    STR_AUTO struct str out = STR_INIT(OUTPUT_BYTES_MAX);
    struct err err;

    write_report(run, format, false, &out);
    if (out.full)
        return fail_full(ctl);
    if (fs_replace(path, str_text(&out), out.len, 0644, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    return CTL_OK;
}

static enum ctl_exit tell(const struct ctl *ctl,
                          const struct test_run *run,
                          enum test_format format)
{
    STR_AUTO struct str out = STR_INIT(OUTPUT_BYTES_MAX);
    const char *path = ctl_option(ctl, "output");
    enum ctl_exit status = CTL_OK;

    for (size_t i = 0; i < run->n_files; i++)
        (void)fputs(str_text(&run->files[i].warnings), stderr);
    if (path) {
        status = to_file(ctl, run, format, path);
        format = TEST_FORMAT_HUMAN;
    }
    write_report(run, format, ctl->color, &out);
    if (out.full)
        return fail_full(ctl);
    (void)fputs(str_text(&out), stdout);
    return status != CTL_OK || test_run_failed(run) ? CTL_FAILURE : CTL_OK;
}

/* --run found no group: nothing was tested, and that is no success. */
static bool chose_none(const struct test_run *run)
{
    size_t n = 0;

    for (size_t i = 0; i < run->n_files; i++)
        n += run->files[i].n_chosen + (run->files[i].errors.len > 0);
    return run->only && n == 0;
}

enum ctl_exit cmd_test_rules(struct ctl *ctl)
{
    const char *format_name = ctl_option(ctl, "format"), *only = ctl_option(ctl, "run");
    enum test_format format = ctl->json ? TEST_FORMAT_JSON : TEST_FORMAT_HUMAN;
    struct test_run run = {.workers = parallel_workers(0)};
    struct regex *regex = NULL;
    struct err err;

    if (format_name && !test_format_of(format_name, &format)) {
        (void)ctl_fail(ctl, "--format is human, json or junit, not \"%s\"", format_name);
        return CTL_USAGE;
    }
    if (only && regex_new(only, &regex, &err) != 0) {
        (void)ctl_fail(ctl, "--run=%s: %s", only, err.text);
        return CTL_USAGE;
    }
    run.only = regex;
    test_run_files(&run, ctl->arguments, (size_t)ctl->n_arguments);
    enum ctl_exit status = tell(ctl, &run, format);
    if (chose_none(&run)) {
        (void)ctl_fail(ctl, "no group's name matches --run=%s", only);
        status = CTL_FAILURE;
    }
    test_run_done(&run);
    regex_free(regex);
    return status;
}
