/*
 * alertctl postmortem ...: documents from incidents.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/table.h"
#include "lib/base/fs.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

#define POSTMORTEMS "/api/alertd/v1/postmortems"

enum {
    AGO_MAX = DURATION_TEXT_MAX + 8,
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
    json_kv_string(&out, "template", template ? template : "quick");
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
