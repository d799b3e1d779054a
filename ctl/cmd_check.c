/*
 * alertctl check rules: what alertd would say about rule files, without alertd.
 *
 *     rules/host/alerts.yml:12:15: error: group "host", rule 2, "Disk": ...
 *     rules/host/alerts.yml:31:9: warning: ... [dead-label]
 *
 * Exit status: 1 when a file would not load, 3 when all load and there are warnings.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/group.h"
#include "alertd/rule/lint.h"
#include "ctl/cmd.h"
#include "lib/base/fs.h"
#include "lib/json/write.h"

struct check {
    bool json;
    bool with_advice;
    struct json_out *out;
    size_t n_rules, n_errors, n_warnings, n_advice;
};

static void show_finding(struct check *check, const char *path, const struct rule_finding *finding)
{
    const char *severity = rule_severity_name(finding->severity);

    check->n_errors += finding->severity == RULE_ERROR;
    check->n_warnings += finding->severity == RULE_WARNING;
    check->n_advice += finding->severity == RULE_ADVICE;
    if (finding->severity == RULE_ADVICE && !check->with_advice)
        return;
    if (check->json) {
        json_open(check->out, '{');
        json_kv_string(check->out, "file", path);
        json_kv_int(check->out, "line", finding->span.line);
        json_kv_int(check->out, "column", finding->span.column);
        json_kv_string(check->out, "severity", severity);
        json_kv_string(check->out, "id", finding->id);
        json_kv_string(check->out, "text", finding->text);
        json_close(check->out, '}');
        return;
    }
    (void)printf("%s:%u:%u: %s: %s", path, finding->span.line, finding->span.column, severity,
                 finding->text);
    (void)printf(finding->severity == RULE_ERROR ? "\n" : " [%s]\n", finding->id);
}

static int check_file(struct ctl *ctl, struct check *check, const char *path)
{
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;

    if (fs_read(path, YAML_BYTES_MAX, &text, &len, &err))
        return (int)ctl_fail(ctl, "%s", err.text);
    int r = rule_file_parse(path, text, len, &findings, &file, NULL);
    free(text);
    if (!r) {
        rule_lint(file, &findings);
        check->n_rules += file->n_rules;
        if (!check->json)
            (void)printf("%s: %zu rules\n", path, file->n_rules);
    }
    for (size_t i = 0; i < findings.n; i++)
        show_finding(check, path, &findings.at[i]);
    if (findings.n_untold)
        (void)fprintf(stderr, "%s: %zu more findings\n", path, findings.n_untold);
    rule_findings_done(&findings);
    rule_file_unref(file);
    return r;
}

enum ctl_exit cmd_check_rules(struct ctl *ctl)
{
    STR_AUTO struct str text = STR_INIT(64 * 1024 * 1024);
    struct json_out out = JSON_OUT(&text);
    struct check check = {
        .json = ctl->json, .with_advice = ctl_option(ctl, "advice") != NULL, .out = &out};
    bool failed = false;

    json_open(&out, '{');
    json_key(&out, "findings");
    json_open(&out, '[');
    for (int i = 0; i < ctl->n_arguments; i++)
        failed |= check_file(ctl, &check, ctl->arguments[i]) != 0;
    json_close(&out, ']');
    json_kv_int(&out, "rules", (int64_t)check.n_rules);
    json_kv_int(&out, "errors", (int64_t)check.n_errors);
    json_kv_int(&out, "warnings", (int64_t)check.n_warnings);
    json_kv_int(&out, "advice", (int64_t)check.n_advice);
    json_close(&out, '}');
    if (ctl->json)
        (void)printf("%s\n", str_text(&text));
    else
        (void)printf("%zu rules, %zu errors, %zu warnings%s\n", check.n_rules, check.n_errors,
                     check.n_warnings,
                     check.n_advice && !check.with_advice ? ", more with --advice" : "");
    if (failed)
        return CTL_FAILURE;
    return check.n_warnings ? CTL_FINDINGS : CTL_OK;
}
