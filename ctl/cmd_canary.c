/*
 * alertctl canary: candidates of rules that run live and silent beside them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "lib/base/fs.h"
#include "lib/json/write.h"

enum {
    TEXT_BYTES_MAX = 256 * 1024,
    BODY_BYTES_MAX = 1 << 20,
    PATH_BYTES_MAX = 4096,
    ROWS_MAX = 40,
};

/* --- which rule --- */

static int64_t find_named(const struct json *root, const char *name)
{
    const struct json *groups = json_get(root, "groups");

    for (size_t g = 0; g < json_length(groups); g++) {
        const struct json *rules = json_get(json_at(groups, g), "rules");

        for (size_t i = 0; i < json_length(rules); i++)
            if (strcmp(answer_words(json_at(rules, i), "name"), name) == 0 &&
                strcmp(answer_words(json_at(rules, i), "type"), "alerting") == 0)
                return answer_count(json_at(rules, i), "id");
    }
    return 0;
}

/* Its path; an id, or the name of an alert: the first of that name. */
static enum ctl_exit path_of(const struct ctl *ctl, struct str *path)
{
    static const struct call call = {.method = "GET", .path = "/api/alertd/v1/rules", .kept = true};
    const char *name = ctl->arguments[0];
    struct json *root = NULL;
    char *end = NULL;
    long long id = strtoll(name, &end, 10);

    if (*end != '\0' || id < 1) {
        enum ctl_exit status = call_json(ctl, &call, &root);
        if (status != CTL_OK)
            return status;
        id = find_named(root, name);
        json_free(root);
    }
    if (id < 1)
        return ctl_fail(ctl, "there is no alert \"%s\"", name);
    str_addf(path, "/api/alertd/v1/rules/%lld/canary", id);
    return CTL_OK;
}

/* --- commands --- */

enum ctl_exit cmd_canary_start(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(PATH_BYTES_MAX);
    STR_AUTO struct str body = STR_INIT(BODY_BYTES_MAX);
    struct json_out out = JSON_OUT(&body);
    struct json *root = NULL;
    char *text = NULL;
    size_t len = 0;
    struct err err = {0};

    if (fs_read(ctl->arguments[1], TEXT_BYTES_MAX, &text, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    json_open(&out, '{');
    json_kv_string(&out, "yaml", text);
    json_close(&out, '}');
    free(text);
    enum ctl_exit status = path_of(ctl, &path);
    const struct call call = {.method = "POST", .path = str_text(&path), .body = str_text(&body)};

    if (status == CTL_OK)
        status = call_json(ctl, &call, &root);
    if (root)
        (void)printf("It runs beside rule %lld from the next evaluation on, and pages nobody.\n",
                     (long long)answer_count(root, "rule_id"));
    json_free(root);
    return status;
}

enum ctl_exit cmd_canary_stop(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(PATH_BYTES_MAX);
    char *body = NULL;
    enum ctl_exit status = path_of(ctl, &path);
    const struct call call = {.method = "DELETE", .path = str_text(&path)};

    if (status == CTL_OK)
        status = call_text(ctl, &call, &body);
    if (status == CTL_OK)
        (void)puts("It has ended; what it would have paged is forgotten.");
    free(body);
    return status;
}

static void show_head(const struct json *root)
{
    (void)printf("%s (rule %lld), since %s by %s: %lld evaluations, %lld failed%s\n",
                 answer_words(root, "rule"), (long long)answer_count(root, "rule_id"),
                 answer_words(root, "since"), answer_words(root, "author"),
                 (long long)answer_count(root, "evaluations"),
                 (long long)answer_count(root, "failures"),
                 *answer_words(root, "last_error") ? ":" : "");
    if (*answer_words(root, "last_error"))
        (void)printf("  %s\n", answer_words(root, "last_error"));
    (void)printf("  %s.\n", answer_words(root, "words"));
}

enum ctl_exit cmd_canary_show(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(PATH_BYTES_MAX);
    struct json *root = NULL;
    enum ctl_exit status = path_of(ctl, &path);
    const struct call call = {.method = "GET", .path = str_text(&path)};

    if (status == CTL_OK)
        status = call_json(ctl, &call, &root);
    if (!root)
        return status;
    const struct json *rows = json_get(root, "rows");

    show_head(root);
    for (size_t i = 0, n = 0; i < json_length(rows) && n < ROWS_MAX; i++) {
        const struct json *row = json_at(rows, i);
        const char *at = *answer_words(row, "old") ? answer_words(row, "old")
                                                   : answer_words(row, "new");

        if (strcmp(answer_words(row, "kind"), "kept") == 0)
            continue;
        n++;
        (void)printf("    %-6s  %s  %s  %s\n", answer_words(row, "kind"), at,
                     answer_words(row, "name"), answer_words(row, "group"));
    }
    json_free(root);
    return status;
}

enum ctl_exit cmd_canary_list(struct ctl *ctl)
{
    static const struct call call = {.method = "GET", .path = "/api/alertd/v1/canaries"};
    struct json *root = NULL;
    enum ctl_exit status = call_json(ctl, &call, &root);

    if (!root)
        return status;
    const struct json *all = json_get(root, "canaries");

    for (size_t i = 0; i < json_length(all); i++)
        show_head(json_at(all, i));
    if (json_length(all) == 0)
        (void)puts("There is no canary.");
    json_free(root);
    return status;
}
