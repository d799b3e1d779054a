/*
 * alertctl incident ...: what is wrong, who is on it, and saying so.
 */

#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/cmd.h"
#include "ctl/table.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

enum {
    AGO_MAX = DURATION_TEXT_MAX + 8,
    BODY_MAX = 64 * 1024,
};

enum ctl_exit cmd_incident_list(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    struct json *root;
    const struct json *list = NULL;
    const char *status = ctl_option(ctl, "status");

    str_add(&path, "/api/alertd/v1/incidents?status=");
    add_encoded(&path, status ? status : "open");
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);
    if (r != CTL_OK || !root)
        return r;

    if (json_get_array(root, "incidents", &list, NULL) == 0 && json_length(list) > 0) {
        struct table table = TABLE("KEY", "STATUS", "SEVERITY", "OPENED", "FIRING", "TITLE");

        for (size_t i = 0; i < json_length(list); i++) {
            const struct json *incident = json_at(list, i);
            char opened[AGO_MAX];
            char firing[32];

            (void)snprintf(firing, sizeof(firing), "%lld/%lld",
                           (long long)answer_count(incident, "n_firing"),
                           (long long)answer_count(incident, "n_alerts"));
            TABLE_ROW(&table, answer_text(incident, "key"), answer_text(incident, "status"),
                      answer_text(incident, "severity"),
                      ago(answer_text(incident, "opened_at"), opened, AGO_MAX), firing,
                      answer_text(incident, "title"));
        }
        table_print(&table);
    } else {
        (void)printf("No %s incidents.\n", status ? status : "open");
    }
    json_free(root);
    return CTL_OK;
}

static void print_header(const struct json *incident)
{
    static const struct {
        const char *title, *at, *by;
    } lines[] = {
        {"opened", "opened_at", NULL},
        {"acknowledged", "acknowledged_at", "acknowledged_by"},
        {"resolved", "resolved_at", "resolved_by"},
    };

    (void)printf("%s  %s\n", answer_text(incident, "key"), answer_text(incident, "title"));
    (void)printf("  %-13s %s, %s\n", "status", answer_text(incident, "status"),
                 answer_text(incident, "severity"));
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[AGO_MAX];
        const char *at = answer_text(incident, lines[i].at);
        const char *by = lines[i].by ? answer_text(incident, lines[i].by) : NULL;

        if (at)
            (void)printf("  %-13s %s (%s)%s%s\n", lines[i].title, at, ago(at, text, AGO_MAX),
                         by ? " by " : "", by ? by : "");
    }
}

static void print_timeline(const struct json *incident)
{
    const struct json *events = NULL;
    struct table table = TABLE("TIME (UTC)", "WHO", "WHAT");

    if (json_get_array(incident, "timeline", &events, NULL) != 0)
        return;
    (void)putchar('\n');
    for (size_t i = 0; i < json_length(events); i++) {
        const struct json *event = json_at(events, i);
        const char *at = answer_text(event, "occurred_at");
        const char *actor = answer_text(event, "actor");
        char shown[32];

        /* "2026-11-23T22:27:00.123Z" -> "11-23 22:27:00" */
        (void)snprintf(shown, sizeof(shown), "%.5s %.8s", at && strlen(at) > 19 ? at + 5 : "",
                       at && strlen(at) > 19 ? at + 11 : "");
        TABLE_ROW(&table, shown, actor ? actor : answer_text(event, "source"),
                  answer_text(event, "text"));
    }
    table_print(&table);
}

enum ctl_exit cmd_incident_show(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    struct json *root;

    str_add(&path, "/api/alertd/v1/incidents/");
    add_encoded(&path, ctl->arguments[0]);
    enum ctl_exit r = call_json(ctl, &(struct call){.method = "GET", .path = str_text(&path)},
                                &root);
    if (r != CTL_OK || !root)
        return r;
    print_header(root);
    print_timeline(root);
    json_free(root);
    return CTL_OK;
}

/* POST .../incidents/KEY/what; `done` is said when it was. */
static enum ctl_exit post(const struct ctl *ctl,
                          const char *what,
                          const struct str *body,
                          const char *done)
{
    STR_AUTO struct str path = STR_INIT(1024);
    struct json *root = NULL;

    if (body->full)
        return ctl_fail(ctl, "the text is longer than %d bytes", BODY_MAX);
    str_add(&path, "/api/alertd/v1/incidents/");
    add_encoded(&path, ctl->arguments[0]);
    str_addf(&path, "/%s", what);

    enum ctl_exit r = call_json(
        ctl, &(struct call){.method = "POST", .path = str_text(&path), .body = str_text(body)},
        &root);
    if (r == CTL_OK && root)
        (void)printf("%s: %s\n", ctl->arguments[0], done);
    json_free(root);
    return r;
}

/* With one text field (left out when NULL) and, for notes, when it happened. */
static enum ctl_exit act(
    struct ctl *ctl, const char *what, const char *key, const char *text, const char *done)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);
    const char *at = ctl_option(ctl, "at");

    json_open(&out, '{');
    if (text)
        json_kv_string(&out, key, text);
    if (at)
        json_kv_string(&out, "occurred_at", at);
    json_close(&out, '}');
    return post(ctl, what, &body, done);
}

enum ctl_exit cmd_incident_ack(struct ctl *ctl)
{
    return act(ctl, "ack", "note", ctl_option(ctl, "note"), "acknowledged");
}

enum ctl_exit cmd_incident_note(struct ctl *ctl)
{
    return act(ctl, "notes", "text", ctl->arguments[1], "noted");
}

enum ctl_exit cmd_incident_verdict(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);
    const char *reason = ctl_option(ctl, "reason");

    json_open(&out, '{');
    json_kv_string(&out, "verdict", ctl->arguments[1]);
    if (reason)
        json_kv_string(&out, "reason", reason);
    json_close(&out, '}');
    return post(ctl, "verdict", &body, ctl->arguments[1]);
}

enum ctl_exit cmd_incident_resolve(struct ctl *ctl)
{
    return act(ctl, "resolve", "note", ctl_option(ctl, "note"), "resolved");
}

enum ctl_exit cmd_incident_takeover(struct ctl *ctl)
{
    return act(ctl, "takeover", NULL, NULL, "taken over");
}

enum ctl_exit cmd_incident_escalate(struct ctl *ctl)
{
    return act(ctl, "escalate", NULL, NULL, "the next step is paged");
}

enum ctl_exit cmd_incident_snooze(struct ctl *ctl)
{
    STR_AUTO struct str body = STR_INIT(BODY_MAX);
    STR_AUTO struct str done = STR_INIT(BODY_MAX);
    struct json_out out = JSON_OUT(&body);
    const char *span = ctl->arguments[1];
    int64_t duration_ms = 0;

    if (duration_parse(span, strlen(span), &duration_ms))
        return ctl_fail(ctl, "'%s' is not a duration such as 30m", span);
    json_open(&out, '{');
    json_kv_int(&out, "duration_ms", duration_ms);
    json_close(&out, '}');
    str_addf(&done, "snoozed for %s", span);
    return post(ctl, "snooze", &body, str_text(&done));
}
