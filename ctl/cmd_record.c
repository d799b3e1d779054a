/*
 * alertctl incident declare, import, metrics, search: incidents that people bring, and what the
 * record says of them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/table.h"
#include "lib/base/fs.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

enum {
    AGO_MAX = DURATION_TEXT_MAX + 8,
    BODY_MAX = 64 * 1024,
    FILE_BYTES_MAX = 32 * 1024 * 1024,
};

static void kv_option(struct ctl *ctl, struct json_out *out, const char *option, const char *name)
{
    if (ctl_option(ctl, option))
        json_kv_string(out, name, ctl_option(ctl, option));
}

enum ctl_exit cmd_incident_declare(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);
    struct json *root = NULL;

    json_open(&out, '{');
    json_kv_string(&out, "title", ctl->arguments[0]);
    kv_option(ctl, &out, "severity", "severity");
    kv_option(ctl, &out, "origin", "origin");
    kv_option(ctl, &out, "opened-at", "opened_at");
    kv_option(ctl, &out, "recurrence-of", "recurrence_of");
    if (ctl_option(ctl, "service")) {
        json_key(&out, "labels");
        json_open(&out, '{');
        json_kv_string(&out, "service", ctl_option(ctl, "service"));
        json_close(&out, '}');
    }
    json_close(&out, '}');
    if (body.full)
        return ctl_fail(ctl, "the text is longer than %d bytes", BODY_MAX);
    enum ctl_exit r = call_json(ctl,
                                &(struct call){.method = "POST",
                                               .path = "/api/alertd/v1/incidents",
                                               .body = str_text(&body)},
                                &root);

    if (r == CTL_OK && root)
        (void)printf("%s\n", answer_words(root, "key"));
    json_free(root);
    return r;
}

/* --- import --- */

static void add_query(struct ctl *ctl, const char *option, const char *name, struct str *path)
{
    if (!ctl_option(ctl, option))
        return;
    str_addf(path, "&%s=", name);
    add_encoded(path, ctl_option(ctl, option));
}

static void import_path(struct ctl *ctl, const char *key, const char *format, struct str *path)
{
    str_add(path, "/api/alertd/v1/incidents");
    if (!key)
        return;
    str_addc(path, '/');
    add_encoded(path, key);
    if (strcmp(format, "json") == 0) {
        str_add(path, "/events");
        return;
    }
    str_add(path, "/import?format=");
    add_encoded(path, format);
    add_query(ctl, "tz", "tz", path);
    add_query(ctl, "date", "date", path);
    if (ctl_option(ctl, "dry-run"))
        str_add(path, "&dry_run=1");
}

static void print_imported(const struct json *root)
{
    const struct json *list = NULL;

    if (json_has(root, "key")) {
        (void)printf("%s\n", answer_words(root, "key"));
        return;
    }
    if (!json_has(root, "would_add")) {
        (void)printf("%lld added, %lld known already\n", (long long)answer_count(root, "added"),
                     (long long)answer_count(root, "known"));
        return;
    }
    struct table table = TABLE("TIME (UTC)", "PRECISION", "KIND", "WHO", "WHAT");

    if (json_get_array(root, "events", &list, NULL))
        list = NULL;
    for (size_t i = 0; list && i < json_length(list); i++) {
        const struct json *event = json_at(list, i);

        TABLE_ROW(&table, answer_words(event, "occurred_at"), answer_words(event, "precision"),
                  answer_words(event, "kind"), answer_words(event, "actor"),
                  answer_words(event, "text"));
    }
    table_print(&table);
    (void)printf("%lld would be added\n", (long long)answer_count(root, "would_add"));
}

enum ctl_exit cmd_incident_import(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(8192);
    const char *key = ctl->n_arguments == 2 ? ctl->arguments[0] : NULL;
    const char *file = ctl->arguments[ctl->n_arguments - 1];
    const char *format = ctl_option(ctl, "format");
    struct json *root = NULL;
    struct err err;
    char *text;
    size_t len;

    format = format ? format : "json";
    if (!key && strcmp(format, "json") != 0) {
        (void)ctl_fail(ctl, "say which incident a %s file belongs to: KEY FILE", format);
        return CTL_USAGE;
    }
    if (ctl_option(ctl, "dry-run") && strcmp(format, "json") == 0) {
        (void)ctl_fail(ctl, "--dry-run: JSON says what it is; the others are looked at");
        return CTL_USAGE;
    }
    if (fs_read(file, FILE_BYTES_MAX, &text, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    import_path(ctl, key, format, &path);
    enum ctl_exit r = call_json(
        ctl,
        &(struct call){.method = "POST",
                       .path = str_text(&path),
                       .body = text,
                       .content_type = strcmp(format, "json") == 0 ? NULL : "text/plain"},
        &root);

    if (r == CTL_OK && root)
        print_imported(root);
    json_free(root);
    free(text);
    return r;
}

/* --- metrics, search --- */

static const struct json *list_of(const struct json *root, const char *key)
{
    const struct json *list = NULL;

    return json_get_array(root, key, &list, NULL) ? NULL : list;
}

enum ctl_exit cmd_incident_metrics(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    struct json *root = NULL;

    str_add(&path, "/api/alertd/v1/incidents/");
    add_encoded(&path, ctl->arguments[0]);
    str_add(&path, "/metrics");
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);
    if (r != CTL_OK || !root)
        return r;
    struct table table = TABLE("METRIC", "IS", "FORMULA");
    const struct json *list = list_of(root, "metrics");

    for (size_t i = 0; list && i < json_length(list); i++)
        TABLE_ROW(&table, answer_words(json_at(list, i), "title"),
                  answer_words(json_at(list, i), "text"),
                  answer_words(json_at(list, i), "formula"));
    table_print(&table);
    list = list_of(root, "detection");
    for (size_t i = 0; list && i < json_length(list); i++) {
        const struct json *parts = list_of(json_at(list, i), "parts");
        struct table ways = TABLE("DETECTION", "TOOK", "FORMULA", "");

        for (size_t k = 0; parts && k < json_length(parts); k++)
            TABLE_ROW(&ways, answer_words(json_at(parts, k), "name"),
                      answer_words(json_at(parts, k), "text"),
                      answer_words(json_at(parts, k), "formula"),
                      answer_words(json_at(parts, k), "why"));
        (void)printf("\n%s\n", answer_words(json_at(list, i), "rule"));
        table_print(&ways);
    }
    json_free(root);
    return CTL_OK;
}

enum ctl_exit cmd_incident_search(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(4096);
    struct json *root = NULL;

    str_add(&path, "/api/alertd/v1/search?q=");
    for (int i = 0; i < ctl->n_arguments; i++) {
        add_encoded(&path, i ? " " : "");
        add_encoded(&path, ctl->arguments[i]);
    }
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);
    if (r != CTL_OK || !root)
        return r;
    struct table table = TABLE("KEY", "WHEN", "KIND", "WHAT");
    const struct json *list = list_of(root, "hits");

    for (size_t i = 0; list && i < json_length(list); i++) {
        const struct json *hit = json_at(list, i);
        char when[AGO_MAX];

        TABLE_ROW(&table, answer_words(hit, "incident"),
                  ago(answer_words(hit, "occurred_at"), when, AGO_MAX),
                  *answer_words(hit, "kind") ? answer_words(hit, "kind") : "title",
                  answer_words(hit, "snippet"));
    }
    table_print(&table);
    json_free(root);
    return CTL_OK;
}
