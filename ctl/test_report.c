/*
 * What unit tests of rules found, for people and for programs. See test_report.h;
 * test_junit.c is the third form.
 *
 *     host/tests.yml: SUCCESS (5 groups, 17 checks)
 *     shop/tests.yml: FAILED (1 of 3 groups; - expected, + got)
 *       group "two down", line 12:
 *         shop/tests.yml:31:7: alert Down at 10m: 1 differs
 *           ...
 */

#include "ctl/test_report.h"

#include <string.h>

#include "lib/json/write.h"

static const char red[] = "\x1b[31m", green[] = "\x1b[32m", plain[] = "\x1b[0m";

bool test_format_of(const char *name, enum test_format *ret_format)
{
    static const char *const names[] = {"human", "json", "junit"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        *ret_format = (enum test_format)i;
        return true;
    }
    return false;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* --- For people ------------------------------------------------------------------------------ */

static void add_group(const struct test_file *file,
                      const struct test_group *group,
                      bool colours,
                      struct str *out)
{
    str_add(out, "  group ");
    if (group->group->name[0]) {
        str_addc(out, '"');
        unit_report_text(group->group->name, UNIT_REPORT_TEXT_MAX, out);
        str_addc(out, '"');
    } else {
        str_addf(out, "%zu", (size_t)(group - file->groups) + 1);
    }
    str_addf(out, ", line %u:\n", group->group->node->line);
    unit_report_print(&group->report, file->path, colours, out);
}

/* What is below the file's verdict: errors that kept it from running, or failed groups. */
static void add_details(const struct test_file *file, bool colours, struct str *out)
{
    const char *line = str_text(&file->errors);

    while (*line) {
        size_t len = strcspn(line, "\n");

        str_add(out, "  ");
        str_addn(out, line, len);
        str_addc(out, '\n');
        line += len + (line[len] == '\n');
    }
    for (size_t i = 0; file->groups && i < file->file->n_groups; i++)
        if (file->groups[i].chosen && !file->groups[i].ok)
            add_group(file, &file->groups[i], colours, out);
}

static void add_verdict(const struct test_file *file, bool colours, struct str *out)
{
    str_addf(out, "%s: %s%s%s", file->path, colours ? (file->ok ? green : red) : "",
             file->ok ? "SUCCESS" : "FAILED", colours ? plain : "");
    if (file->ok)
        str_addf(out, " (%zu group%s, %zu check%s)\n", file->n_chosen, plural(file->n_chosen),
                 file->n_checks, plural(file->n_checks));
    else if (file->n_failed)
        str_addf(out, " (%zu of %zu group%s; %s- expected%s, %s+ got%s)\n", file->n_failed,
                 file->n_chosen, plural(file->n_chosen), colours ? red : "", colours ? plain : "",
                 colours ? green : "", colours ? plain : "");
    else
        str_addc(out, '\n');
}

void test_report_human(const struct test_run *run, bool colours, struct str *out)
{
    size_t n_failed = test_run_failed(run), n_groups = 0, n_checks = 0;

    for (size_t i = 0; i < run->n_files; i++) {
        const struct test_file *file = &run->files[i];

        add_verdict(file, colours, out);
        add_details(file, colours, out);
        n_groups += file->n_chosen;
        n_checks += file->n_checks;
    }
    if (run->n_files > 1)
        str_addf(out, "%zu file%s passed, %zu failed (%zu groups, %zu checks, %.2f s)\n",
                 run->n_files - n_failed, plural(run->n_files - n_failed), n_failed, n_groups,
                 n_checks, (double)run->took_us / 1e6);
}

/* --- For programs ---------------------------------------------------------------------------- */

static void json_failure(struct json_out *out, const struct unit_failure *failure)
{
    json_open(out, '{');
    json_kv_string(out, "kind", unit_failure_kind_name(failure->kind));
    json_kv_int(out, "line", failure->line);
    json_kv_int(out, "column", failure->column);
    json_kv_int(out, "eval_ms", failure->eval_ms);
    json_kv_string(out, "subject", failure->subject);
    json_kv_string(out, "text", failure->words);
    json_kv_string(out, "diff", failure->diff);
    json_close(out, '}');
}

static void json_group(struct json_out *out, const struct test_group *group)
{
    json_open(out, '{');
    json_kv_string(out, "name", group->group->name);
    json_kv_int(out, "line", group->group->node->line);
    json_kv_string(out, "verdict", group->ok ? "SUCCESS" : "FAILED");
    json_kv_int(out, "checks", (int64_t)(group->group->n_alert_tests + group->group->n_expr_tests));
    json_kv_float(out, "seconds", (double)group->took_us / 1e6);
    json_key(out, "failures");
    json_open(out, '[');
    for (size_t i = 0; i < group->report.n; i++)
        json_failure(out, &group->report.at[i]);
    json_close(out, ']');
    json_close(out, '}');
}

static void json_file(struct json_out *out, const struct test_file *file)
{
    STR_AUTO struct str report = STR_INIT(out->text->limit);

    add_details(file, false, &report);
    json_open(out, '{');
    json_kv_string(out, "file", file->path);
    json_kv_string(out, "verdict", file->ok ? "SUCCESS" : "FAILED");
    json_kv_string(out, "report", str_text(&report));
    out->text->full |= report.full;
    json_key(out, "groups");
    json_open(out, '[');
    for (size_t i = 0; file->groups && i < file->file->n_groups; i++)
        if (file->groups[i].chosen)
            json_group(out, &file->groups[i]);
    json_close(out, ']');
    json_close(out, '}');
}

void test_report_json(const struct test_run *run, struct str *out)
{
    struct json_out json = JSON_OUT(out);
    size_t n_failed = test_run_failed(run);

    json_open(&json, '{');
    json_key(&json, "files");
    json_open(&json, '[');
    for (size_t i = 0; i < run->n_files; i++)
        json_file(&json, &run->files[i]);
    json_close(&json, ']');
    json_kv_int(&json, "passed", (int64_t)(run->n_files - n_failed));
    json_kv_int(&json, "failed", (int64_t)n_failed);
    json_kv_float(&json, "seconds", (double)run->took_us / 1e6);
    json_close(&json, '}');
    str_addc(out, '\n');
}
