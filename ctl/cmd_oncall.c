/*
 * alertctl oncall, person ...: who is on call, until when and why; who they are and whether
 * they can be reached.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/roster.h"
#include "ctl/table.h"
#include "ctl/when.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

#define PEOPLE "/api/alertd/v1/people"

enum {
    BODY_MAX = 64 * 1024,
    NAME_WIDTH = 12,
};

/* --- oncall --- */

static void print_why(const struct json *one)
{
    const char *why = answer_text(one, "why");
    const char *note = answer_text(one, "note");

    if (why && strcmp(why, "layer") == 0)
        (void)printf("turn in '%s'", answer_text(one, "layer"));
    else
        (void)printf("%s %s%s%s", why ? why : "", answer_text(one, "override"), note ? ": " : "",
                     note ? note : "");
}

static void print_until(const struct json *one, const struct zone *zone, int64_t asked_ms)
{
    int64_t until_ms = roster_instant(one, "until");
    char when[ROSTER_WHEN_MAX];
    char span[DURATION_TEXT_MAX];

    if (until_ms < 0) {
        (void)printf("%-36s", "with no end in sight");
        return;
    }
    char text[ROSTER_WHEN_MAX + DURATION_TEXT_MAX + 16];

    (void)snprintf(text, sizeof(text), "until %s (%s)", roster_when(zone, until_ms, asked_ms, when),
                   duration_human((until_ms - asked_ms) / 60000 * 60000, span));
    (void)printf("%-36s", text);
}

static void print_person(const struct json *one, const struct zone *zone, int64_t at_ms)
{
    bool reachable = true;

    (void)json_get_bool(one, "reachable", &reachable, NULL);
    (void)printf("  %-*s ", NAME_WIDTH, answer_text(one, "person"));
    print_until(one, zone, at_ms);
    (void)fputs("  ", stdout);
    print_why(one);
    (void)puts(reachable ? "" : "  [has no contact]");
}

static void print_next(const struct json *schedule, const struct zone *zone, int64_t at_ms)
{
    const struct json *next = NULL;

    if (json_get_object(schedule, "next", &next, NULL) != 0)
        return;
    const struct json *people = roster_list(next, "people");
    char when[ROSTER_WHEN_MAX];

    (void)printf("  %-*s from %s:", NAME_WIDTH, "then",
                 roster_when(zone, roster_instant(next, "at"), at_ms, when));
    for (size_t i = 0; people && i < json_length(people); i++)
        (void)printf("%s %s", i ? "," : "", answer_text(json_at(people, i), "person"));
    (void)puts(!people || json_length(people) == 0 ? " NOBODY" : "");
}

static void print_schedule(const struct json *schedule, int64_t at_ms)
{
    struct zone *zone = roster_zone(answer_text(schedule, "zone"));
    const struct json *people = roster_list(schedule, "people");
    const char *title = answer_text(schedule, "title");

    if (!zone)
        return;
    (void)printf("%s%s%s  (%s)\n", answer_text(schedule, "name"), title ? ", " : "",
                 title ? title : "", answer_text(schedule, "zone"));
    for (size_t i = 0; people && i < json_length(people); i++)
        print_person(json_at(people, i), zone, at_ms);
    if (!people || json_length(people) == 0)
        (void)puts("  NOBODY is on call");
    print_next(schedule, zone, at_ms);
    zone_free(zone);
}

static void print_shadows(const struct json *schedules, int64_t at_ms)
{
    bool any = false;

    for (size_t i = 0; i < json_length(schedules); i++) {
        const struct json *schedule = json_at(schedules, i);
        const struct json *shadows = roster_list(schedule, "shadows");
        struct zone *zone = roster_zone(answer_text(schedule, "zone"));

        for (size_t j = 0; zone && shadows && j < json_length(shadows); j++) {
            const struct json *one = json_at(shadows, j);
            char when[ROSTER_WHEN_MAX];

            if (!any)
                (void)puts("\nShadows: they learn, and are not on call");
            any = true;
            (void)printf("  %-*s until %s  %s of %s", NAME_WIDTH, answer_text(one, "person"),
                         roster_when(zone, roster_instant(one, "until"), at_ms, when),
                         answer_text(one, "mode"), answer_text(one, "of"));
            if (strcmp(answer_text(one, "of"), answer_text(schedule, "name")) != 0)
                (void)printf(" in %s", answer_text(schedule, "name"));
            (void)putchar('\n');
        }
        zone_free(zone);
    }
}

enum ctl_exit cmd_oncall(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(2048);
    const char *only = ctl_option(ctl, "schedule");
    int64_t at_ms = clock_wall_ms();
    struct zone *utc = roster_zone("UTC");
    char text[CLOCK_TEXT_MAX];
    struct json *root = NULL;
    bool is_time = utc && roster_read_when(ctl, "at", utc, at_ms, &at_ms);

    zone_free(utc);
    if (!is_time)
        return CTL_USAGE;
    str_add(&path, "/api/alertd/v1/oncall?at=");
    add_encoded(&path, clock_rfc3339(at_ms, text));
    if (only) {
        str_add(&path, "&schedule=");
        add_encoded(&path, only);
    }
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);

    if (r != CTL_OK || !root)
        return r;
    const struct json *schedules = roster_list(root, "schedules");

    if (ctl_option(ctl, "at"))
        (void)printf("At %.16s UTC\n\n", text);
    if (!schedules || json_length(schedules) == 0)
        (void)puts("There is no schedule yet: import one, or make it in the dashboard.");
    for (size_t i = 0; schedules && i < json_length(schedules); i++) {
        if (i)
            (void)putchar('\n');
        print_schedule(json_at(schedules, i), at_ms);
    }
    if (schedules)
        print_shadows(schedules, at_ms);
    json_free(root);
    return CTL_OK;
}

/* --- people --- */

static void add_contacts(const struct json *person, struct str *out)
{
    const struct json *contacts = roster_list(person, "contacts");

    for (size_t i = 0; contacts && i < json_length(contacts); i++) {
        const struct json *one = json_at(contacts, i);

        str_addf(out, "%s%s%s", i ? ", " : "", answer_text(one, "method"),
                 answer_text(one, "verified_at") ? " (verified)"
                 : answer_text(one, "broken")    ? " (broken)"
                                                 : "");
    }
}

enum ctl_exit cmd_person_list(struct ctl *ctl)
{
    struct table table = TABLE("NAME", "FULL NAME", "ZONE", "CONTACTS", "TO DO");
    struct json *root = NULL;
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = PEOPLE}, &root);

    if (r != CTL_OK || !root)
        return r;
    const struct json *people = roster_list(root, "people");

    for (size_t i = 0; people && i < json_length(people); i++) {
        const struct json *one = json_at(people, i);
        const struct json *warnings = roster_list(one, "warnings");
        const char *full_name = answer_text(one, "full_name");
        const char *zone = answer_text(one, "zone");
        STR_AUTO struct str contacts = STR_INIT(4096);

        add_contacts(one, &contacts);
        TABLE_ROW(&table, answer_text(one, "name"), full_name ? full_name : "-", zone ? zone : "-",
                  contacts.len ? str_text(&contacts) : "-",
                  warnings && json_length(warnings) ? json_text(json_at(warnings, 0)) : "");
    }
    if (people && json_length(people))
        table_print(&table);
    else
        (void)puts("There is nobody yet: alertctl person add NAME --contact=email:ADDRESS");
    json_free(root);
    return CTL_OK;
}

enum ctl_exit cmd_person_add(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);
    const char *full_name = ctl_option(ctl, "full-name");
    const char *zone = ctl_option(ctl, "zone");
    struct json *root = NULL;

    json_open(&out, '{');
    json_kv_string(&out, "name", ctl->arguments[0]);
    if (full_name)
        json_kv_string(&out, "full_name", full_name);
    if (zone)
        json_kv_string(&out, "zone", zone);
    json_key(&out, "contacts");
    json_open(&out, '[');
    for (int i = 0; ctl_option_at(ctl, "contact", i); i++) {
        const char *text = ctl_option_at(ctl, "contact", i);
        const char *colon = strchr(text, ':');

        if (!colon) {
            (void)ctl_fail(ctl, "--contact: expected METHOD:ADDRESS, as email:ana@example.org");
            return CTL_USAGE;
        }
        json_open(&out, '{');
        json_key(&out, "method");
        json_stringn(&out, text, (size_t)(colon - text));
        json_kv_string(&out, "address", colon + 1);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "POST", .path = PEOPLE, .body = str_text(&body)}, &root);

    if (r == CTL_OK && root)
        (void)printf("%s is here. Next: alertctl person test %s\n", ctl->arguments[0],
                     ctl->arguments[0]);
    json_free(root);
    return r;
}

static enum ctl_exit test_one(struct ctl *ctl, size_t index, const char *method)
{
    STR_AUTO struct str path = STR_INIT(1024);
    struct json *root = NULL;

    str_add(&path, PEOPLE "/");
    add_encoded(&path, ctl->arguments[0]);
    str_addf(&path, "/contacts/%zu/test", index);
    const struct call call = {
        .method = "POST", .path = str_text(&path), .body = "{}", .judged = true};
    enum ctl_exit r = call_json(ctl, &call, &root);

    if (r != CTL_OK)
        return r;
    const char *words = answer_text(root, "words");
    bool accepted = strcmp(answer_words(root, "outcome"), "accepted") == 0;

    if (!ctl->json)
        (void)printf("%zu  %-10s %s%s%s\n", index, method, accepted ? "sent" : "NOT sent",
                     words ? ": " : "", words ? words : "");
    json_free(root);
    return accepted ? CTL_OK : CTL_FAILURE;
}

enum ctl_exit cmd_person_test(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    const char *only = ctl_option(ctl, "contact");
    struct json *root = NULL;
    bool any = false;

    str_add(&path, PEOPLE "/");
    add_encoded(&path, ctl->arguments[0]);
    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "GET", .path = str_text(&path), .kept = true}, &root);

    if (r != CTL_OK)
        return r;
    const struct json *contacts = roster_list(root, "contacts");

    for (size_t i = 0; contacts && i < json_length(contacts); i++) {
        char index[24];

        (void)snprintf(index, sizeof(index), "%zu", i);
        if (only && strcmp(only, index) != 0)
            continue;
        any = true;
        if (test_one(ctl, i, answer_text(json_at(contacts, i), "method")) != CTL_OK)
            r = CTL_FAILURE;
    }
    json_free(root);
    if (!any)
        return ctl_fail(ctl, "%s has no %scontact%s%s", ctl->arguments[0], only ? "such " : "",
                        only ? " " : "", only ? only : "");
    if (!ctl->json)
        (void)puts("Each is verified when the link in it is pressed.");
    return r;
}
