/*
 * alertctl oncall drill ...: does a page reach those whom it should?
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/roster.h"
#include "ctl/table.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

#define DRILLS "/api/alertd/v1/oncall/drills"

enum {
    BODY_MAX = 4096,
};

static const char *or_empty(const struct json *object, const char *key)
{
    const char *text = answer_text(object, key);

    return text ? text : "";
}

static void print_people(const struct json *root)
{
    struct table table = TABLE("PERSON", "ANSWERED", "BY");
    const struct json *people = roster_list(root, "people");

    for (size_t i = 0; people && i < json_length(people); i++) {
        const struct json *one = json_at(people, i);
        char after[DURATION_TEXT_MAX] = "not yet";
        int64_t after_ms = 0;

        if (json_has(one, "after_ms") && json_get_int(one, "after_ms", &after_ms, NULL) == 0)
            (void)duration_human(after_ms, after);
        TABLE_ROW(&table, or_empty(one, "person"), after, or_empty(one, "answered_by"));
    }
    table_print(&table);
}

static void print_unreached(const struct json *root)
{
    const struct json *list = roster_list(root, "unreached");
    size_t n = list ? json_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json *one = json_at(list, i);
        const char *method = or_empty(one, "method");
        int64_t step = 0;

        (void)json_get_int(one, "step", &step, NULL);
        if (step > 0)
            (void)printf("not reached: step %lld, ", (long long)step);
        else
            (void)printf("not reached: fallback, ");
        (void)printf("%s%s%s: %s\n", or_empty(one, "who"), *method ? " by " : "", method,
                     or_empty(one, "why"));
    }
}

static void print_drill(const struct json *root)
{
    int64_t id = 0;

    (void)json_get_int(root, "id", &id, NULL);
    (void)printf("paging drill %lld of policy %s, %s\n", (long long)id, or_empty(root, "policy"),
                 or_empty(root, "state"));
    print_people(root);
    print_unreached(root);
}

static enum ctl_exit show(const struct ctl *ctl, const char *id, struct json **ret_root)
{
    STR_AUTO struct str path = STR_INIT(1024);

    str_add(&path, DRILLS "/");
    add_encoded(&path, id);
    return call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path), .judged = true},
                     ret_root);
}

static enum ctl_exit show_one(const struct ctl *ctl, const char *id)
{
    struct json *root = NULL;
    enum ctl_exit r = show(ctl, id, &root);

    if (r == CTL_OK) {
        const struct json *unreached = roster_list(root, "unreached");

        if (!ctl->json)
            print_drill(root);
        r = unreached && json_length(unreached) > 0 ? CTL_FINDINGS : CTL_OK;
    }
    json_free(root);
    return r;
}

static enum ctl_exit start(const struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);
    const char *within = ctl_option(ctl, "within");
    struct json *root = NULL;
    int64_t within_ms = 0;

    if (within && (duration_parse(within, strlen(within), &within_ms) != 0 || within_ms <= 0)) {
        (void)ctl_fail(ctl, "--within is a length of time like 10m");
        return CTL_USAGE;
    }
    json_open(&out, '{');
    json_kv_string(&out, "policy", ctl->arguments[0]);
    if (within)
        json_kv_int(&out, "within_ms", within_ms);
    json_close(&out, '}');

    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "POST", .path = DRILLS, .body = str_text(&body)}, &root);

    if (r == CTL_OK && root) {
        int64_t id = 0;

        (void)json_get_int(root, "id", &id, NULL);
        print_drill(root);
        (void)printf("alertctl oncall drill --show=%lld\n", (long long)id);
    }
    json_free(root);
    return r;
}

static enum ctl_exit list_all(const struct ctl *ctl)
{
    struct table table = TABLE("ID", "POLICY", "STATE", "AT", "BY");
    struct json *root = NULL;
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = DRILLS}, &root);
    const struct json *list = root ? roster_list(root, "drills") : NULL;

    for (size_t i = 0; list && i < json_length(list); i++) {
        const struct json *one = json_at(list, i);
        char number[32];
        int64_t id = 0;

        (void)json_get_int(one, "id", &id, NULL);
        (void)snprintf(number, sizeof(number), "%lld", (long long)id);
        TABLE_ROW(&table, number, or_empty(one, "policy"), or_empty(one, "state"),
                  or_empty(one, "at"), or_empty(one, "by"));
    }
    if (root && (!list || json_length(list) == 0))
        (void)puts("No paging drill yet: alertctl oncall drill POLICY begins one.");
    else if (root)
        table_print(&table);
    json_free(root);
    return r;
}

enum ctl_exit cmd_paging_drill(struct ctl *ctl)
{
    const char *id = ctl_option(ctl, "show");

    if (id)
        return show_one(ctl, id);
    return ctl->n_arguments ? start(ctl) : list_all(ctl);
}
