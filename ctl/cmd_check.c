/*
 * alertctl check rules: what alertd would say about rule files, without alertd; with --url
 * also what a server's data says about them, with --store what a folder of samples says.
 *
 * Exit status: 1 when a file would not load, 3 when all load and something is told.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/rule/policy.h"
#include "ctl/check.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"
#include "lib/base/near.h"
#include "lib/model/duration.h"

enum {
    OUTPUT_MAX = 64 * 1024 * 1024,
    WINDOW_MS = 24 * 3600 * 1000,
};

/* What the rules are held against, besides themselves. */
struct against {
    const struct rule_data *data; /* NULL: none is asked */
    const size_t *n_unanswered;
    const char *data_name;
    const struct told *told;
    struct rule_policy *policy; /* NULL: none */
    struct unit_file **tests;   /* NULL: not asked for */
    size_t n_tests, tests_capacity;
};

static void lint_file(const struct against *against,
                      const struct rule_file *file,
                      struct rule_findings *findings)
{
    rule_lint(file, findings);
    if (against->data)
        rule_lint_data(file, against->data, findings);
    if (against->policy)
        rule_lint_policy(file, against->policy, findings);
    if (against->tests)
        rule_lint_tests(file, (const struct unit_file *const *)against->tests, against->n_tests,
                        findings);
}

static int check_file(struct ctl *ctl,
                      struct show *show,
                      const struct against *against,
                      const char *path)
{
    struct rule_findings findings = {0};
    struct rule_file *file = NULL;
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;

    if (fs_read(path, YAML_BYTES_MAX, &text, &len, &err))
        return (int)ctl_fail(ctl, "%s", err.text);
    show->n_ignored_lines += rule_comments_blank(text);
    int r = rule_file_parse(path, text, len, &findings, &file, NULL);
    if (!r) {
        lint_file(against, file, &findings);
        rule_comments_apply(file, text, clock_wall_ms(), &findings);
        show->n_rules += file->n_rules;
    }
    show_file(show, path, text, &findings);
    if (findings.n_untold)
        (void)fprintf(stderr, "%s: %zu more findings\n", path, findings.n_untold);
    rule_findings_done(&findings);
    rule_file_unref(file);
    free(text);
    return r;
}

/* --- Options ---------------------------------------------------------------------------------- */

static enum ctl_exit read_format(struct ctl *ctl, enum show_format *ret_format)
{
    static const char *const formats[] = {"human", "json", "github"};
    const char *format = ctl_option(ctl, "format");

    *ret_format = ctl->json ? SHOW_JSON : SHOW_HUMAN;
    for (int i = 0; format && i < 3; i++) {
        if (strcmp(format, formats[i]) == 0) {
            *ret_format = (enum show_format)i;
            return CTL_OK;
        }
    }
    if (!format)
        return CTL_OK;
    (void)ctl_fail(ctl, "--format is human, json or github, not '%s'", format);
    return CTL_USAGE;
}

/* Every word of a comma list is a check. */
static enum ctl_exit check_ids(struct ctl *ctl, const char *option)
{
    const char *value = ctl_option(ctl, option);
    MEM_AUTO char *list = mem_strdup(value ? value : "");
    const char *known[100] = {NULL};
    size_t n = 0;
    const struct rule_check *checks = rule_checks(&n);

    for (size_t i = 0; i < n && i < 99; i++)
        known[i] = checks[i].id;
    if (value && strspn(value, ",") == strlen(value)) {
        (void)ctl_fail(ctl, "--%s wants the names of checks (--list shows them)", option);
        return CTL_USAGE;
    }
    for (char *save = NULL, *id = strtok_r(list, ",", &save); id; id = strtok_r(NULL, ",", &save)) {
        const char *near = near_word(id, known);

        if (rule_check_find(id))
            continue;
        (void)ctl_fail(ctl, "--%s: there is no check '%s'%s%s%s (--list shows them all)", option,
                       id, near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
        return CTL_USAGE;
    }
    return CTL_OK;
}

static enum ctl_exit read_window(struct ctl *ctl, int64_t *ret_ms)
{
    const char *window = ctl_option(ctl, "window");

    *ret_ms = WINDOW_MS;
    if (!window || (duration_parse(window, strlen(window), ret_ms) == 0 && *ret_ms > 0))
        return CTL_OK;
    (void)ctl_fail(ctl, "--window is a length of time like 1d or 6h, not '%s'", window);
    return CTL_USAGE;
}

static enum ctl_exit read_options(struct ctl *ctl, struct show *show, int64_t *ret_window_ms)
{
    enum ctl_exit status = read_format(ctl, &show->format);

    show->color = ctl->color && show->format == SHOW_HUMAN;
    show->with_advice = ctl_option(ctl, "advice") != NULL;
    show->only = ctl_option(ctl, "only");
    show->disable = ctl_option(ctl, "disable");
    if (status == CTL_OK)
        status = check_ids(ctl, "only");
    if (status == CTL_OK)
        status = check_ids(ctl, "disable");
    if (status == CTL_OK)
        status = read_window(ctl, ret_window_ms);
    if (status == CTL_OK && ctl->n_arguments == 0) {
        (void)ctl_fail(ctl, "which files? (try --help)");
        status = CTL_USAGE;
    }
    return status;
}

/* --- All files --------------------------------------------------------------------------------- */

static enum ctl_exit check_all(struct ctl *ctl, struct show *show, const struct against *against)
{
    STR_AUTO struct str text = STR_INIT(OUTPUT_MAX);
    struct json_out out = JSON_OUT(&text);
    bool failed = false;

    show->told = against->told;
    show_init(show, &out);
    for (int i = 0; i < ctl->n_arguments; i++)
        failed |= check_file(ctl, show, against, ctl->arguments[i]) != 0;
    failed |= show_end(ctl, show) != CTL_OK;
    show_done(show);
    if (against->data && *against->n_unanswered)
        (void)fprintf(stderr, "%s did not answer %zu questions\n", against->data_name,
                      *against->n_unanswered);
    missing_tell(against->told);
    if (failed)
        return CTL_FAILURE;
    return show->n_shown ? CTL_FINDINGS : CTL_OK;
}

static enum ctl_exit load_policy(struct ctl *ctl, struct against *against)
{
    const char *path = ctl_option(ctl, "policy");
    struct err err = {0};
    char *text = NULL;
    size_t len = 0;

    if (!path)
        return CTL_OK;
    if (fs_read(path, YAML_BYTES_MAX, &text, &len, &err))
        return ctl_fail(ctl, "%s", err.text);
    int r = rule_policy_parse(text, len, &against->policy, &err);
    free(text);
    return r ? ctl_fail(ctl, "%s:%u:%u: %s", path, err.line, err.column, err.text) : CTL_OK;
}

static enum ctl_exit load_tests(struct ctl *ctl, struct against *against)
{
    const char *paths = ctl_option(ctl, "tests");
    MEM_AUTO char *list = mem_strdup(paths ? paths : "");

    for (char *save = NULL, *path = strtok_r(list, ",", &save); path;
         path = strtok_r(NULL, ",", &save)) {
        struct unit_file *tests = NULL;
        struct err err = {0};
        char *text = NULL;
        size_t len = 0;

        if (fs_read(path, YAML_BYTES_MAX, &text, &len, &err))
            return ctl_fail(ctl, "%s", err.text);
        int r = unit_file_parse(text, len, &tests, &err);
        free(text);
        if (r)
            return ctl_fail(ctl, "%s:%u:%u: %s", path, err.line, err.column, err.text);
        against->tests = mem_grow(against->tests, &against->tests_capacity, against->n_tests + 1,
                                  sizeof(struct unit_file *));
        against->tests[against->n_tests++] = tests;
    }
    return CTL_OK;
}

static enum ctl_exit load_and_check(struct ctl *ctl, struct show *show, struct against *against)
{
    enum ctl_exit status = load_policy(ctl, against);

    if (status == CTL_OK)
        status = load_tests(ctl, against);
    if (status == CTL_OK)
        status = check_all(ctl, show, against);
    rule_policy_free(against->policy);
    for (size_t i = 0; i < against->n_tests; i++)
        unit_file_free(against->tests[i]);
    free(against->tests);
    return status;
}

static enum ctl_exit check_with_server(struct ctl *ctl, struct show *show, int64_t window_ms)
{
    struct asker asker;
    enum ctl_exit status = asker_init(&asker, ctl, window_ms);
    struct against against = {
        .data = &asker.data,
        .n_unanswered = &asker.n_unanswered,
        .data_name = ctl->url,
        .told = asker.told,
    };

    if (status == CTL_OK)
        status = load_and_check(ctl, show, &against);
    asker_done(&asker);
    return status;
}

static enum ctl_exit check_with_store(struct ctl *ctl,
                                      struct show *show,
                                      const char *folder,
                                      int64_t window_ms)
{
    struct store_asker asker;
    enum ctl_exit status = store_asker_init(&asker, ctl, folder, window_ms);
    struct against against = {
        .data = &asker.data,
        .n_unanswered = &asker.n_unanswered,
        .data_name = folder,
        .told = asker.told,
    };

    if (status == CTL_OK)
        status = load_and_check(ctl, show, &against);
    store_asker_done(&asker);
    return status;
}

enum ctl_exit cmd_check_rules(struct ctl *ctl)
{
    const char *folder = ctl_option(ctl, "store");
    struct show show = {0};
    int64_t window_ms = 0;

    if (ctl_option(ctl, "list"))
        return show_checks(ctl->json ? "json" : ctl_option(ctl, "format"));
    enum ctl_exit status = read_options(ctl, &show, &window_ms);
    if (status != CTL_OK)
        return status;
    if (ctl->url_given && folder) {
        (void)ctl_fail(ctl, "--url or --store: whose data is meant?");
        return CTL_USAGE;
    }
    if (folder)
        return check_with_store(ctl, &show, folder, window_ms);
    return ctl->url_given ? check_with_server(ctl, &show, window_ms)
                          : load_and_check(ctl, &show, &(struct against){0});
}
