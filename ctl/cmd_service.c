/*
 * alertctl service ...: the catalogue.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/table.h"
#include "lib/base/fs.h"

enum {
    SPEC_BYTES_MAX = 128 * 1024,
};

static void service_path(const char *name, struct str *path)
{
    str_add(path, "/api/alertd/v1/services/");
    add_encoded(path, name);
}

enum ctl_exit cmd_service_list(struct ctl *ctl)
{
    const struct json *list = NULL;
    struct json *root = NULL;
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "GET", .path = "/api/alertd/v1/services"}, &root);

    if (r != CTL_OK || !root)
        return r;
    if (json_get_array(root, "services", &list, NULL) == 0 && json_length(list) > 0) {
        struct table table = TABLE("SERVICE", "TIER", "OWNER", "WHEN IT IS DOWN");

        for (size_t i = 0; i < json_length(list); i++) {
            const struct json *spec = json_get(json_at(list, i), "spec");
            char tier[24] = "-";
            int64_t value = 0;

            if (json_get_int_or(spec, "tier", 0, &value, NULL) == 0 && value)
                (void)snprintf(tier, sizeof(tier), "%lld", (long long)value);
            TABLE_ROW(&table, answer_words(json_at(list, i), "name"), tier,
                      answer_words(spec, "owner"), answer_words(spec, "when_down"));
        }
        table_print(&table);
    } else {
        (void)printf("No services.\n");
    }
    json_free(root);
    return CTL_OK;
}

static void print_names(const struct json *spec, const char *key, const char *title)
{
    const struct json *list = NULL;

    if (json_get_array(spec, key, &list, NULL) || json_length(list) == 0)
        return;
    (void)printf("%s\n", title);
    for (size_t i = 0; i < json_length(list); i++) {
        const struct json *item = json_at(list, i);

        if (json_text(item))
            (void)printf("  %s\n", json_text(item));
        else if (json_has(item, "url"))
            (void)printf("  %s  %s\n", answer_words(item, "title"), answer_words(item, "url"));
        else
            (void)printf("  %s\n", answer_words(item, "name"));
    }
}

enum ctl_exit cmd_service_show(struct ctl *ctl)
{
    static const struct {
        const char *key, *title;
    } lists[] = {{"depends_on", "needs"},
                 {"runbooks", "runbooks"},
                 {"dashboards", "dashboards"},
                 {"rules", "rules"},
                 {"slos", "objectives"}};
    STR_AUTO struct str path = STR_INIT(1024);
    struct json *root = NULL;

    service_path(ctl->arguments[0], &path);
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);
    if (r != CTL_OK || !root)
        return r;
    const struct json *spec = json_get(root, "spec");

    (void)printf("%s, of %s\n", answer_words(root, "name"),
                 *answer_words(spec, "owner") ? answer_words(spec, "owner") : "nobody");
    if (*answer_words(spec, "description"))
        (void)printf("%s\n", answer_words(spec, "description"));
    if (*answer_words(spec, "when_down"))
        (void)printf("when it is down: %s\n", answer_words(spec, "when_down"));
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        print_names(spec, lists[i].key, lists[i].title);
    json_free(root);
    return CTL_OK;
}

enum ctl_exit cmd_service_set(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    struct json *root = NULL;
    struct err err;
    char *text;
    size_t len;

    if (fs_read(ctl->arguments[1], SPEC_BYTES_MAX, &text, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    service_path(ctl->arguments[0], &path);
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "PUT", .path = str_text(&path), .body = text}, &root);

    if (r == CTL_OK && root) {
        int64_t revision = 0;

        (void)json_get_int_or(root, "revision", 0, &revision, NULL);
        (void)printf("%s: revision %lld\n", ctl->arguments[0], (long long)revision);
    }
    json_free(root);
    free(text);
    return r;
}

static enum ctl_exit print_answer(struct ctl *ctl, const char *method, const char *tail)
{
    STR_AUTO struct str path = STR_INIT(1024);
    char *text = NULL;

    service_path(ctl->arguments[0], &path);
    str_add(&path, tail);
    enum ctl_exit r = call_text(ctl, &(struct call){.method = method, .path = str_text(&path)},
                                &text);

    if (r == CTL_OK && text)
        (void)fputs(text, stdout);
    free(text);
    return r;
}

enum ctl_exit cmd_service_delete(struct ctl *ctl)
{
    return print_answer(ctl, "DELETE", "");
}

enum ctl_exit cmd_service_rules(struct ctl *ctl)
{
    return print_answer(ctl, "GET", "/rules");
}
