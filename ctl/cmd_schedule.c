/*
 * alertctl schedule check, schedule import, override add: is somebody always on call, what
 * other systems know about it, and stepping in for somebody.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/roster.h"
#include "ctl/table.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/json/write.h"

#define SCHEDULES "/api/alertd/v1/schedules"

enum {
    BODY_MAX = 64 * 1024,
    IMPORT_BYTES_MAX = 16 * 1024 * 1024,
    CHECK_DAYS = 30,
};

/* --- check --- */

static enum ctl_exit check_one(struct ctl *ctl,
                               const struct json *schedule,
                               struct table *table,
                               size_t *n_found)
{
    STR_AUTO struct str path = STR_INIT(2048);
    const char *name = answer_text(schedule, "name");
    const struct json *spec = NULL;
    struct json *root = NULL;

    (void)json_get_object(schedule, "spec", &spec, NULL);
    struct zone *zone = roster_zone(spec ? answer_text(spec, "zone") : NULL);

    str_add(&path, SCHEDULES "/");
    add_encoded(&path, name);
    str_add(&path, "/warnings");
    if (!zone || !roster_add_span(ctl, zone, clock_wall_ms(), CHECK_DAYS, &path)) {
        zone_free(zone);
        return CTL_USAGE;
    }
    char *text = NULL;
    enum ctl_exit r = call_text(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &text);

    if (r == CTL_OK && json_parse_upto(text, strlen(text), IMPORT_BYTES_MAX, &root, NULL) != 0)
        r = ctl_fail(ctl, "the answer is no JSON");
    if (root && ctl->json)
        (void)puts(text);
    free(text);
    const struct json *warnings = root ? roster_list(root, "warnings") : NULL;

    for (size_t i = 0; warnings && i < json_length(warnings); i++) {
        const struct json *one = json_at(warnings, i);
        char from[ROSTER_WHEN_MAX];
        char to[ROSTER_WHEN_MAX];
        int64_t now_ms = clock_wall_ms();

        TABLE_ROW(table, name, roster_when(zone, roster_instant(one, "from"), now_ms, from),
                  roster_when(zone, roster_instant(one, "to"), now_ms, to),
                  answer_text(one, "words"));
        ++*n_found;
    }
    json_free(root);
    zone_free(zone);
    return r;
}

enum ctl_exit cmd_schedule_check(struct ctl *ctl)
{
    struct table table = TABLE("SCHEDULE", "FROM", "TO", "WHAT");
    const char *only = ctl->n_arguments ? ctl->arguments[0] : NULL;
    struct json *root = NULL;
    size_t n_checked = 0;
    size_t n_found = 0;
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "GET", .path = SCHEDULES, .kept = true}, &root);

    if (r != CTL_OK)
        return r;
    const struct json *list = roster_list(root, "schedules");

    for (size_t i = 0; r == CTL_OK && list && i < json_length(list); i++) {
        if (only && strcmp(only, answer_words(json_at(list, i), "name")) != 0)
            continue;
        n_checked++;
        r = check_one(ctl, json_at(list, i), &table, &n_found);
    }
    json_free(root);
    if (r != CTL_OK)
        return r;
    if (only && !n_checked)
        return ctl_fail(ctl, "there is no schedule '%s'", only);
    if (!ctl->json && n_found)
        table_print(&table);
    else if (!ctl->json)
        (void)printf("%zu schedule%s: somebody is always on call, and everybody has a contact.\n",
                     n_checked, n_checked == 1 ? "" : "s");
    return n_found ? CTL_FINDINGS : CTL_OK;
}

/* --- import --- */

static void print_list(const struct json *root, const char *key)
{
    const struct json *list = roster_list(root, key);

    for (size_t i = 0; list && i < json_length(list); i++)
        (void)printf("  %-10s %-30s %s\n", i ? "" : key, answer_text(json_at(list, i), "name"),
                     answer_text(json_at(list, i), "what"));
}

static void print_import(const struct json *root, bool is_dry)
{
    const struct json *untold = roster_list(root, "not_understood");
    size_t n = untold ? json_length(untold) : 0;

    (void)puts(is_dry ? "Nothing was stored. It would be:" : "Stored:");
    print_list(root, "people");
    print_list(root, "schedules");
    print_list(root, "policies");
    if (n)
        (void)printf("\nNot understood, and so left out (%zu):\n", n);
    for (size_t i = 0; i < n; i++)
        (void)printf("  %s\n", json_text(json_at(untold, i)));
}

/* "shifts.ics" says by itself what it is. */
static const char *source_of(const struct ctl *ctl)
{
    const char *from = ctl_option(ctl, "from");
    size_t len = strlen(ctl->arguments[0]);

    if (from)
        return from;
    return len > 4 && strcmp(ctl->arguments[0] + len - 4, ".ics") == 0 ? "ical" : NULL;
}

enum ctl_exit cmd_schedule_import(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(2048);
    const char *source = source_of(ctl);
    const char *name = ctl_option(ctl, "name");
    const char *zone = ctl_option(ctl, "zone");
    bool is_dry = ctl_option(ctl, "dry-run") != NULL;
    struct json *root = NULL;
    char *text = NULL;
    size_t len = 0;
    struct err err = {0};

    if (!source) {
        (void)ctl_fail(ctl, "say what it is: --from=goalert, oncall or ical");
        return CTL_USAGE;
    }
    if (fs_read(ctl->arguments[0], IMPORT_BYTES_MAX, &text, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    str_add(&path, SCHEDULES "/import?from=");
    add_encoded(&path, source);
    if (name) {
        str_add(&path, "&name=");
        add_encoded(&path, name);
    }
    if (zone) {
        str_add(&path, "&zone=");
        add_encoded(&path, zone);
    }
    if (is_dry)
        str_add(&path, "&dry_run=1");
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "POST", .path = str_text(&path), .body = text}, &root);

    if (r == CTL_OK && root)
        print_import(root, is_dry);
    json_free(root);
    free(text);
    return r;
}

/* --- override --- */

/* The schedule's zone, for times on its wall clock; NULL and a complaint when there is none. */
static struct zone *zone_of_schedule(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    const struct json *spec = NULL;
    struct json *root = NULL;

    str_add(&path, SCHEDULES "/");
    add_encoded(&path, ctl->arguments[0]);
    (void)call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path), .kept = true},
                    &root);
    if (!root)
        return NULL;
    (void)json_get_object(root, "spec", &spec, NULL);
    struct zone *zone = roster_zone(spec ? answer_text(spec, "zone") : NULL);

    json_free(root);
    return zone;
}

static void write_override(const struct ctl *ctl, int64_t from_ms, int64_t to_ms, struct str *body)
{
    struct json_out out = JSON_OUT(body);
    const char *of = ctl_option(ctl, "for");
    const char *note = ctl_option(ctl, "note");

    json_open(&out, '{');
    json_kv_string(&out, "kind", ctl_option(ctl, "beside") ? "add" : "replace");
    json_kv_string(&out, "person", ctl->arguments[1]);
    if (of)
        json_kv_string(&out, "of", of);
    json_kv_time(&out, "from", from_ms);
    json_kv_time(&out, "to", to_ms);
    if (note)
        json_kv_string(&out, "note", note);
    json_close(&out, '}');
}

enum ctl_exit cmd_override_add(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct zone *zone = zone_of_schedule(ctl);
    int64_t now_ms = clock_wall_ms();
    int64_t from_ms = now_ms;
    int64_t to_ms = 0;
    struct json *root = NULL;
    enum ctl_exit r = CTL_USAGE;

    if (!zone)
        return CTL_FAILURE;
    if (!ctl_option(ctl, "to"))
        (void)ctl_fail(ctl, "--to: until when? As 2026-12-01T09:00, or +8h behind --from");
    else if (roster_read_when(ctl, "from", zone, now_ms, &from_ms) &&
             roster_read_when(ctl, "to", zone, from_ms, &to_ms))
        r = CTL_OK;
    if (r == CTL_OK) {
        write_override(ctl, from_ms, to_ms, &body);
        str_add(&path, SCHEDULES "/");
        add_encoded(&path, ctl->arguments[0]);
        str_add(&path, "/overrides");
        r = call_json(
            ctl, &(struct call){.method = "POST", .path = str_text(&path), .body = str_text(&body)},
            &root);
    }
    if (r == CTL_OK && root) {
        char from[ROSTER_WHEN_MAX];
        char to[ROSTER_WHEN_MAX];

        (void)printf("Override %s: %s is on call in %s from %s to %s (%s).\n",
                     answer_text(root, "id"), ctl->arguments[1], ctl->arguments[0],
                     roster_when(zone, from_ms, now_ms, from), roster_when(zone, to_ms, now_ms, to),
                     zone_name(zone));
    }
    json_free(root);
    zone_free(zone);
    return r;
}
