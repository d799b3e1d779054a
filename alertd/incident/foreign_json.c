/*
 * Timelines as JSON: PagerDuty's log entries, Alertmanager's event recorder. See foreign.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alertd/incident/foreign_private.h"
#include "lib/base/str.h"
#include "lib/json/read.h"
#include "lib/model/hash.h"

enum {
    JSON_BYTES_MAX = 32 * 1024 * 1024,
};

static const char *text_at(const struct json *object, const char *key)
{
    const char *text = "";

    return object && json_get_string_or(object, key, "", &text, NULL) == 0 ? text : "";
}

static const struct json *object_at(const struct json *object, const char *key)
{
    const struct json *value = object ? json_get(object, key) : NULL;

    return value && json_is_object(value) ? value : NULL;
}

static const char *keep(struct foreign *foreign, const char *text)
{
    size_t len = strlen(text);

    return foreign_keep(foreign, text, len < FOREIGN_WORDS_MAX ? len : FOREIGN_WORDS_MAX);
}

static int too_many(struct foreign *foreign)
{
    return err_at(foreign->reterr, FOREIGN_E_LIMIT, foreign->line, 1, "at most %d events at once",
                  FOREIGN_EVENTS_MAX);
}

static int take_time(struct foreign *foreign, const char *text, struct foreign_event *event)
{
    size_t len = 0;
    int r = foreign_time(foreign, text, strlen(text), event, &len);

    return r || !text[len] ? r : foreign_wrong(foreign, "something follows the time");
}

/* --- PagerDuty --- */

static const char *kind_of_entry(const char *type)
{
    static const struct {
        const char *type, *kind;
    } kinds[] = {
        {"trigger_log_entry", "alert.firing"},
        {"acknowledge_log_entry", "ack"},
        {"unacknowledge_log_entry", "unack"},
        {"resolve_log_entry", "incident.resolved"},
        {"notify_log_entry", "notify.sent"},
        {"escalate_log_entry", "notify.escalated"},
        {"annotate_log_entry", "human.note"},
        {"snooze_log_entry", "snooze"},
        {"responder_request_for_escalation_policy_log_entry", "notify.escalated"},
        {"responder_accept_log_entry", "incident.role"},
        {"status_update_log_entry", "comms.internal"},
        {"priority_change_log_entry", "incident.severity"},
        {"urgency_change_log_entry", "incident.severity"},
        {"merge_log_entry", "incident.merged"},
        {"reach_trigger_limit_log_entry", "human.note"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].kind;
    return "human.note";
}

static int take_entry(struct foreign *foreign, const struct json *entry)
{
    struct foreign_event *event = foreign_add(foreign);
    const struct json *agent = object_at(entry, "agent");
    const struct json *channel = object_at(entry, "channel");
    const char *words = text_at(channel, "summary");

    if (!event)
        return too_many(foreign);
    if (!*words)
        words = text_at(entry, "summary");
    event->kind = kind_of_entry(text_at(entry, "type"));
    event->text = keep(foreign, *words ? words : text_at(entry, "type"));
    event->actor = *text_at(agent, "summary") ? keep(foreign, text_at(agent, "summary")) : NULL;
    event->reference = *text_at(entry, "id") ? keep(foreign, text_at(entry, "id")) : NULL;
    if (!event->text || !*event->text)
        return foreign_wrong(foreign, "a log entry has neither a summary nor a type");
    return take_time(foreign, text_at(entry, "created_at"), event);
}

int foreign_read_pagerduty(struct foreign *foreign)
{
    const struct json *entries;
    struct json *root = NULL;
    int r = json_parse_upto(foreign->input->text, foreign->input->len, JSON_BYTES_MAX, &root,
                            foreign->reterr);

    if (r)
        return r < 0 ? r : FOREIGN_E_INVALID;
    entries = json_is_array(root) ? root : json_get(root, "log_entries");
    if (!entries || !json_is_array(entries))
        r = foreign_wrong(foreign, "expected {\"log_entries\":[...]} or a list of them");
    for (size_t i = 0; r == 0 && i < json_length(entries); i++) {
        foreign->line = (unsigned)i + 1; /* of the list */
        r = take_entry(foreign, json_at(entries, i));
    }
    json_free(root);
    return r;
}

/* --- Alertmanager's event recorder --- */

static void add_alert_words(const struct json *alert, const char *what, struct str *out)
{
    const struct json *labels = object_at(alert, "labels");

    str_addf(out, "%.200s %s",
             *text_at(labels, "alertname") ? text_at(labels, "alertname") : "an alert", what);
    if (*text_at(labels, "instance"))
        str_addf(out, " on %.200s", text_at(labels, "instance"));
}

/* False: a kind that tells nothing of an incident. */
static bool name_recorded(const char *kind,
                          const struct json *payload,
                          struct foreign_event *event,
                          struct str *words)
{
    const struct json *alert = object_at(payload, "alert");
    const struct json *details = object_at(alert, "details");
    const struct json *silence = object_at(payload, "silence");

    if (strcmp(kind, "alertCreated") == 0) {
        event->kind = "alert.firing";
        add_alert_words(alert, "fires", words);
    } else if (strcmp(kind, "alertResolved") == 0) {
        event->kind = "alert.resolved";
        add_alert_words(details ? details : alert, "is over", words);
    } else if (strcmp(kind, "notification") == 0) {
        event->kind = "notify.sent";
        str_addf(words, "%.200s told by %.100s",
                 text_at(object_at(payload, "groupInfo"), "receiverName"),
                 text_at(object_at(payload, "integration"), "name"));
    } else if (strcmp(kind, "silenceCreated") == 0 || strcmp(kind, "silenceUpdated") == 0) {
        event->kind = "silence.on";
        str_addf(words, "silence: %.1000s", text_at(silence, "comment"));
        event->actor = *text_at(silence, "createdBy") ? text_at(silence, "createdBy") : NULL;
    } else {
        return false;
    }
    return true;
}

static int take_recorded(struct foreign *foreign, const struct json *root, uint64_t hash)
{
    STR_AUTO struct str words = STR_INIT(FOREIGN_WORDS_MAX);
    const struct json *data = object_at(root, "data");
    const struct json *payload = NULL;
    struct foreign_event found = {0};
    struct foreign_event *event;
    const char *kind = NULL;
    char reference[20];

    if (!data || !json_member(data, 0, &kind, &payload))
        return foreign_wrong(foreign, "expected events of the recorder: {\"@timestamp\",\"data\"}");
    if (!name_recorded(kind, payload, &found, &words))
        return 0;
    event = foreign_add(foreign);
    if (!event)
        return too_many(foreign);
    (void)snprintf(reference, sizeof(reference), "%016" PRIx64, hash);
    *event = found;
    event->text = keep(foreign, str_text(&words));
    event->reference = keep(foreign, reference);
    if (event->actor)
        event->actor = keep(foreign, event->actor);
    if (!event->text || !event->reference)
        return too_many(foreign);
    return take_time(foreign, text_at(root, "@timestamp"), event);
}

/* The next {...}: its length, *at at its brace; 0 at the end. */
static size_t next_object(const char **at, const char *end)
{
    bool in_text = false;
    int depth = 0;

    while (*at < end && **at != '{')
        (*at)++;
    for (const char *c = *at; c < end; c++) {
        if (in_text && *c == '\\')
            c++;
        else if (*c == '"')
            in_text = !in_text;
        else if (!in_text && *c == '{')
            depth++;
        else if (!in_text && *c == '}' && --depth == 0)
            return (size_t)(c + 1 - *at);
    }
    return (size_t)(end - *at);
}

int foreign_read_alertmanager(struct foreign *foreign)
{
    const char *at = foreign->input->text;
    const char *end = at + foreign->input->len;
    size_t len;
    int r = 0;

    while (r == 0 && (len = next_object(&at, end)) > 0) {
        struct json *root = NULL;

        foreign->line++; /* the object's number */
        r = json_parse_upto(at, len, JSON_BYTES_MAX, &root, foreign->reterr);
        if (r == 0)
            r = take_recorded(foreign, root, hash64(at, len));
        else if (r > 0)
            r = foreign_wrong(foreign, "this is no JSON object");
        json_free(root);
        at += len;
    }
    return r;
}
