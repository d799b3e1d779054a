/*
 * alertctl postmortem ...: documents from incidents.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/postmortem/section.h"
#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/table.h"
#include "lib/base/fs.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

#define POSTMORTEMS "/api/alertd/v1/postmortems"

enum {
    AGO_MAX = DURATION_TEXT_MAX + 8,
    LINT_ARENA_BYTES = 64 * 1024 * 1024,
};

enum ctl_exit cmd_postmortem_list(struct ctl *ctl)
{
    struct table table = TABLE("ID", "INCIDENT", "STATUS", "UPDATED", "TO DO", "TITLE");
    const struct json *list = NULL;
    struct json *root;
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = POSTMORTEMS}, &root);

    if (r != CTL_OK || !root)
        return r;
    (void)json_get_array(root, "postmortems", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++) {
        const struct json *document = json_at(list, i);
        const char *texts[4] = {0};
        static const char *const keys[4] = {"incident", "status", "updated_at", "title"};
        int64_t id = 0;
        int64_t prompts = 0;
        char number[32];
        char to_do[32];
        char updated[AGO_MAX];

        (void)json_get_int(document, "id", &id, NULL);
        (void)json_get_int_or(document, "open_prompts", 0, &prompts, NULL);
        for (size_t k = 0; k < 4; k++)
            (void)json_get_string_or(document, keys[k], NULL, &texts[k], NULL);
        (void)snprintf(number, sizeof(number), "%lld", (long long)id);
        (void)snprintf(to_do, sizeof(to_do), "%lld", (long long)prompts);
        TABLE_ROW(&table, number, texts[0], texts[1], ago(texts[2], updated, AGO_MAX), to_do,
                  texts[3]);
    }
    if (list && json_length(list) > 0)
        table_print(&table);
    else
        (void)puts("No postmortems yet: alertctl postmortem create INC-... starts one.");
    json_free(root);
    return CTL_OK;
}

enum ctl_exit cmd_postmortem_create(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(4096);
    struct json_out out = JSON_OUT(&body);
    struct json *root;
    const char *template = ctl_option(ctl, "template");
    int64_t id = 0;

    json_open(&out, '{');
    json_kv_string(&out, "incident", ctl->arguments[0]);
    if (template)
        json_kv_string(&out, "template", template);
    json_close(&out, '}');
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "POST", .path = POSTMORTEMS, .body = str_text(&body)}, &root);
    if (r != CTL_OK || !root)
        return r;
    (void)json_get_int(root, "id", &id, NULL);
    (void)printf("Postmortem %lld: %s/pm/%lld\n", (long long)id, ctl->url, (long long)id);
    json_free(root);
    return CTL_OK;
}

enum ctl_exit cmd_postmortem_export(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    const char *format = ctl_option(ctl, "format");
    const char *output = ctl_option(ctl, "output");
    struct err err;
    char *body = NULL;

    str_add(&path, POSTMORTEMS "/");
    add_encoded(&path, ctl->arguments[0]);
    str_add(&path, "/export?format=");
    add_encoded(&path, format ? format : "md");
    enum ctl_exit r = call_text(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &body);
    if (r == CTL_OK && !output)
        (void)fputs(body, stdout);
    else if (r == CTL_OK && fs_replace(output, body, strlen(body), 0644, &err) != 0)
        r = ctl_fail(ctl, "%s", err.text);
    free(body);
    return r;
}

/* --- lint: offline, with the daemon's own reader --- */

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The files given hide the ones that ship: a part of one's own is found by its template. */
static bool read_templates(struct ctl *ctl, struct arena *arena, struct template_set *ret_set)
{
    size_t n = (size_t)ctl->n_arguments;
    struct template_file *files = arena_array(arena, n + template_n_builtin, sizeof(*files));
    struct err err = {0};

    for (size_t i = 0; files && i < n; i++) {
        char *text = NULL;
        size_t len = 0;

        if (fs_read(ctl->arguments[i], TEMPLATE_TEXT_MAX, &text, &len, &err)) {
            (void)ctl_fail(ctl, "%s", err.text);
            return false;
        }
        files[i] = (struct template_file){file_name(ctl->arguments[i]),
                                          arena_strndup(arena, text, len)};
        free(text);
        if (!files[i].text)
            files = NULL;
    }
    if (!files) {
        (void)ctl_fail(ctl, "the templates are too large");
        return false;
    }
    memcpy(files + n, template_builtin, template_n_builtin * sizeof(*files));
    *ret_set = (struct template_set){files, n + template_n_builtin};
    return true;
}

enum ctl_exit cmd_postmortem_lint(struct ctl *ctl)
{
    ARENA_AUTO struct arena arena;
    struct template_set set;
    int n_wrong = 0;

    arena_init(&arena, LINT_ARENA_BYTES);
    if (!read_templates(ctl, &arena, &set))
        return CTL_FAILURE;
    for (int i = 0; i < ctl->n_arguments; i++) {
        struct err err = {0};

        if (section_lint(&arena, &set, &set.files[i], &err) == 0)
            continue;
        (void)fprintf(stderr, "%s:%u:%u: %s\n", ctl->arguments[i], err.line, err.column, err.text);
        n_wrong++;
    }
    if (n_wrong)
        return CTL_FAILURE;
    (void)printf("%d %s: every name is a fact\n", ctl->n_arguments,
                 ctl->n_arguments == 1 ? "template" : "templates");
    return CTL_OK;
}
