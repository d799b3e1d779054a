/*
 * alertctl import, export, agents, backup, ready: the daemon as a whole.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/missing.h"
#include "ctl/table.h"
#include "lib/base/fs.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

enum {
    AGO_MAX = DURATION_TEXT_MAX + 8,
    RULE_FILE_MAX = 16 * 1024 * 1024,
};

static enum ctl_exit import_file(struct ctl *ctl, const char *file)
{
    STR_AUTO struct str path = STR_INIT(8192);
    struct json *root = NULL;
    struct err err;
    char *yaml;
    size_t len;

    if (fs_read(file, RULE_FILE_MAX, &yaml, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    str_add(&path, "/api/alertd/v1/rules/import?source=");
    add_encoded(&path, file);
    enum ctl_exit r = call_json(ctl,
                                &(struct call){.method = "POST",
                                               .path = str_text(&path),
                                               .body = yaml,
                                               .content_type = "application/yaml"},
                                &root);
    if (r == CTL_OK && root)
        (void)printf(
            "%s: %lld rules in %lld groups, %lld changed, %lld removed\n", file,
            (long long)answer_count(root, "rules"), (long long)answer_count(root, "groups"),
            (long long)answer_count(root, "changed"), (long long)answer_count(root, "removed"));
    json_free(root);
    free(yaml);
    return r;
}

enum ctl_exit cmd_import(struct ctl *ctl)
{
    enum ctl_exit worst = CTL_OK;

    for (int i = 0; i < ctl->n_arguments; i++) {
        enum ctl_exit r = import_file(ctl, ctl->arguments[i]);

        if (r != CTL_OK)
            worst = r;
    }
    return worst;
}

enum ctl_exit cmd_export_rules(struct ctl *ctl)
{
    const char *const names[] = {"source", "group"};
    const char *const values[] = {ctl_option(ctl, "file"), ctl_option(ctl, "group")};
    STR_AUTO struct str path = STR_INIT(8192);
    char separator = '?';
    char *body = NULL;

    str_add(&path, "/api/alertd/v1/rules/export");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!values[i])
            continue;
        str_addf(&path, "%c%s=", separator, names[i]);
        add_encoded(&path, values[i]);
        separator = '&';
    }
    enum ctl_exit r = call_text(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &body);
    if (r == CTL_OK)
        (void)fputs(body, stdout);
    free(body);
    return r;
}

/* "home ok, shop FAILED" */
static void describe_probes(const struct json *agent, struct str *text)
{
    const struct json *probes = NULL;

    str_cut(text, 0);
    if (json_get_array(agent, "probes", &probes, NULL) != 0)
        return;
    for (size_t i = 0; i < json_length(probes); i++) {
        const struct json *probe = json_at(probes, i);
        const char *name = "";
        bool ok = false;

        (void)json_get_string(probe, "name", &name, NULL);
        str_addf(text, "%s%s ", i ? ", " : "", name);
        if (json_get_bool(probe, "success", &ok, NULL) == 0)
            str_add(text, ok ? "ok" : "FAILED");
        else
            str_add(text, "unknown");
    }
}

enum ctl_exit cmd_agents(struct ctl *ctl)
{
    STR_AUTO struct str probes = STR_INIT(4096);
    struct table table = TABLE("AGENT", "STATE", "LAST PUSH", "SERIES", "PROBES");
    const struct json *list = NULL;
    struct json *root;
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "GET", .path = "/api/alertd/v1/agents"}, &root);

    if (r != CTL_OK || !root)
        return r;
    (void)json_get_array(root, "agents", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++) {
        const struct json *agent = json_at(list, i);
        const char *id = NULL;
        const char *state = NULL;
        const char *pushed = NULL;
        char pushed_text[AGO_MAX];
        char series[32];

        (void)json_get_string(agent, "id", &id, NULL);
        (void)json_get_string(agent, "state", &state, NULL);
        (void)json_get_string_or(agent, "last_push_at", NULL, &pushed, NULL);
        (void)snprintf(series, sizeof(series), "%lld", (long long)answer_count(agent, "series"));
        describe_probes(agent, &probes);
        TABLE_ROW(&table, id, state, ago(pushed, pushed_text, AGO_MAX), series, str_text(&probes));
    }
    if (list && json_length(list) > 0)
        table_print(&table);
    else
        (void)puts("No agent has pushed yet: docs/agent.md shows how to start one.");
    missing_print_of(root);
    json_free(root);
    return CTL_OK;
}

enum ctl_exit cmd_backup(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(3 * PATH_MAX);
    struct json_out out = JSON_OUT(&body);
    const struct json *files = NULL;
    struct json *root;
    const char *folder = ctl->arguments[0];
    char whole[PATH_MAX];
    char here[PATH_MAX];
    int64_t bytes = 0;

    /* alertd stands in another folder than this shell */
    if (folder[0] != '/' && getcwd(here, sizeof(here)) &&
        (size_t)snprintf(whole, sizeof(whole), "%s/%s", here, folder) < sizeof(whole))
        folder = whole;
    json_open(&out, '{');
    json_kv_string(&out, "folder", folder);
    json_close(&out, '}');
    enum ctl_exit r = call_json(
        ctl,
        &(struct call){.method = "POST", .path = "/api/alertd/v1/backup", .body = str_text(&body)},
        &root);
    if (r != CTL_OK || !root)
        return r;
    (void)json_get_array(root, "files", &files, NULL);
    for (size_t i = 0; files && i < json_length(files); i++)
        bytes += answer_count(json_at(files, i), "bytes");
    (void)printf("%zu files, %lld KiB in %s\n", json_length(files), (long long)(bytes / 1024),
                 folder);
    json_free(root);
    return CTL_OK;
}

enum ctl_exit cmd_ready(struct ctl *ctl)
{
    char *body = NULL;
    enum ctl_exit r = call_text(
        ctl, &(struct call){.method = "GET", .path = "/-/ready", .quiet = true}, &body);

    free(body);
    if (r == CTL_OK)
        (void)puts("ready");
    else
        (void)ctl_fail(ctl, "%s is not ready", ctl->url);
    return r;
}
