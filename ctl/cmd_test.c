/*
 * alertctl test rules: promtool's unit tests, with the daemon's own engine.
 *
 *     tests.yml: SUCCESS (3 groups)
 *     tests.yml: FAILED
 *       line 12, "two down":
 *         alertname: Down, time: 10m, exp: [...] got: [...]
 */

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/eval/unit_run.h"
#include "ctl/cmd.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"

enum {
    REPORT_BYTES_MAX = 4 * 1024 * 1024
};

struct loaded_rules {
    struct rule_file **files;
    size_t n, capacity;
};

struct test_run {
    bool json;
    struct json_out *out;
    const char *only; /* a test's name; NULL: all */
    size_t n_passed, n_failed;
};

static void loaded_rules_done(struct loaded_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        rule_file_unref(rules->files[i]);
    free(rules->files);
}

/* One rule file; what is wrong with it goes to the report. */
static bool load_rule_file(struct loaded_rules *rules, const char *path, struct str *report)
{
    struct rule_file *file = NULL;
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;

    if (fs_read(path, YAML_BYTES_MAX, &text, &len, &err)) {
        str_addf(report, "  %s\n", err.text);
        return false;
    }
    int r = rule_file_parse(path, text, len, NULL, &file, &err);
    free(text);
    if (r) {
        str_addf(report, "  %s:%u:%u: %s\n", path, err.line, err.column, err.text);
        return false;
    }
    rules->files = mem_grow(rules->files, &rules->capacity, rules->n + 1, sizeof(*rules->files));
    rules->files[rules->n++] = file;
    return true;
}

/* The files a glob names, relative to the test file. None is only worth a warning. */
static bool load_glob(struct loaded_rules *rules,
                      const char *test_path,
                      const char *pattern,
                      struct str *report)
{
    STR_AUTO struct str path = STR_INIT(8192);
    const char *slash = strrchr(test_path, '/');
    glob_t found = {0};
    bool ok = true;

    if (pattern[0] != '/' && slash)
        str_addn(&path, test_path, (size_t)(slash - test_path + 1));
    str_add(&path, pattern);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    if (glob(str_text(&path), 0, NULL, &found) != 0)
        (void)fprintf(stderr, "alertctl: no file matches %s\n", str_text(&path));
    for (size_t i = 0; i < found.gl_pathc; i++)
        ok &= load_rule_file(rules, found.gl_pathv[i], report);
    globfree(&found);
    return ok;
}

/* Runs the groups of one file; false when one failed. */
static bool run_groups(const struct test_run *run,
                       const struct unit_file *file,
                       const struct loaded_rules *rules,
                       struct str *report)
{
    const struct unit_rules loaded = {rules->files, rules->n};
    bool ok = true;

    for (size_t i = 0; i < file->n_groups; i++) {
        const struct unit_group *group = &file->groups[i];
        STR_AUTO struct str words = STR_INIT(REPORT_BYTES_MAX);

        if (run->only && strcmp(run->only, group->name) != 0)
            continue;
        if (unit_run(file, group, &loaded, &words))
            continue;
        ok = false;
        str_addf(report, "  line %u%s%s%s:\n%s", group->node->line, group->name[0] ? ", \"" : "",
                 group->name, group->name[0] ? "\"" : "", str_text(&words));
    }
    return ok;
}

static bool test_text(
    const struct test_run *run, const char *path, const char *text, size_t len, struct str *report)
{
    struct loaded_rules rules = {0};
    struct unit_file *file = NULL;
    struct err err = {0};
    bool ok = true;

    if (unit_file_parse(text, len, &file, &err)) {
        str_addf(report, "  %s:%u:%u: %s\n", path, err.line, err.column, err.text);
        return false;
    }
    for (size_t i = 0; i < file->n_rule_files; i++)
        ok &= load_glob(&rules, path, file->rule_files[i], report);
    if (ok)
        ok = run_groups(run, file, &rules, report);
    loaded_rules_done(&rules);
    unit_file_free(file);
    return ok;
}

static void tell(struct test_run *run, const char *path, bool ok, const char *report)
{
    run->n_passed += ok;
    run->n_failed += !ok;
    if (!run->json) {
        (void)printf("%s: %s\n%s", path, ok ? "SUCCESS" : "FAILED", report);
        return;
    }
    json_open(run->out, '{');
    json_kv_string(run->out, "file", path);
    json_kv_string(run->out, "verdict", ok ? "SUCCESS" : "FAILED");
    json_kv_string(run->out, "report", report);
    json_close(run->out, '}');
}

static void test_file(struct test_run *run, const char *path)
{
    STR_AUTO struct str report = STR_INIT(REPORT_BYTES_MAX);
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;
    bool ok = false;

    if (fs_read(path, YAML_BYTES_MAX, &text, &len, &err))
        str_addf(&report, "  %s\n", err.text);
    else
        ok = test_text(run, path, text, len, &report);
    free(text);
    tell(run, path, ok, str_text(&report));
}

enum ctl_exit cmd_test_rules(struct ctl *ctl)
{
    STR_AUTO struct str text = STR_INIT(64 * 1024 * 1024);
    struct json_out out = JSON_OUT(&text);
    struct test_run run = {.json = ctl->json, .out = &out, .only = ctl_option(ctl, "run")};

    json_open(&out, '{');
    json_key(&out, "files");
    json_open(&out, '[');
    for (int i = 0; i < ctl->n_arguments; i++)
        test_file(&run, ctl->arguments[i]);
    json_close(&out, ']');
    json_close(&out, '}');
    if (ctl->json)
        (void)printf("%s\n", str_text(&text));
    else if (run.n_passed + run.n_failed > 1)
        (void)printf("%zu files passed, %zu failed\n", run.n_passed, run.n_failed);
    return run.n_failed ? CTL_FAILURE : CTL_OK;
}
