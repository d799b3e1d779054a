/*
 * The kinds of events on a timeline, and their words. See timeline.h.
 */

#include "alertd/incident/timeline.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/float.h"
#include "lib/json/write.h"
#include "lib/model/duration.h"

static const struct {
    const char *name;
    const char *level;
} kinds[] = {
    [TIMELINE_INCIDENT_OPENED] = {"incident.opened", "key"},
    [TIMELINE_INCIDENT_REOPENED] = {"incident.reopened", "key"},
    [TIMELINE_INCIDENT_RESOLVED] = {"incident.resolved", "key"},
    [TIMELINE_ALERT_PENDING] = {"alert.pending", "normal"},
    [TIMELINE_ALERT_FIRING] = {"alert.firing", "normal"},
    [TIMELINE_ALERT_RESOLVED] = {"alert.resolved", "normal"},
    [TIMELINE_NOTIFY_SENT] = {"notify.sent", "normal"},
    [TIMELINE_NOTIFY_FAILED] = {"notify.failed", "raw"},
    [TIMELINE_NOTIFY_UNDELIVERED] = {"notify.undelivered", "key"},
    [TIMELINE_NOTIFY_MUTED] = {"notify.muted", "normal"},
    [TIMELINE_ACK] = {"ack", "key"},
    [TIMELINE_ESCALATION] = {"escalation", "key"},
    [TIMELINE_HUMAN_NOTE] = {"human.note", "normal"},
    [TIMELINE_VERDICT] = {"verdict", "normal"},
    [TIMELINE_AGENT_LOST] = {"agent.lost", "normal"},
    [TIMELINE_AGENT_BACK] = {"agent.back", "normal"},
    [TIMELINE_CLOCK] = {"clock", "normal"},
};

enum {
    N_KINDS = sizeof(kinds) / sizeof(kinds[0])
};

const char *timeline_kind_name(enum timeline_kind kind)
{
    return kinds[kind].name;
}

/* Kinds that people write down, here or from a timeline of elsewhere. */
static const struct {
    const char *name;
    const char *level;
} told_kinds[] = {
    {"human.note", "normal"},
    {"human.observation", "normal"},
    {"human.hypothesis", "normal"},
    {"hypothesis.confirmed", "key"},
    {"hypothesis.refuted", "normal"},
    {"hypothesis.open", "normal"},
    {"human.decision", "key"},
    {"human.action", "normal"},
    {"human.command", "normal"},
    {"human.question", "normal"},
    {"human.answer", "normal"},
    {"human.report", "key"},
    {"human.todo", "normal"},
    {"impact.start", "key"},
    {"impact.changed", "key"},
    {"impact.end", "key"},
    {"mitigation.applied", "key"},
    {"cause.identified", "key"},
    {"incident.declared", "key"},
    {"incident.severity", "key"},
    {"incident.status", "key"},
    {"incident.role", "key"},
    {"incident.merged", "normal"},
    {"incident.closed", "key"},
    {"comms.status_page", "key"},
    {"comms.internal", "normal"},
    {"comms.customer", "normal"},
    {"comms.failed", "normal"},
    {"chat.message", "normal"},
    {"metric.mark", "normal"},
    {"slo.burn", "key"},
    {"query.run", "raw"},
    {"change.deploy", "key"},
    {"change.config", "key"},
    {"change.flag", "key"},
    {"change.infra", "key"},
    {"change.build", "normal"},
    {"change.rollback", "key"},
    {"change.rule", "key"},
    {"change.other", "key"},
    {"alert.value", "raw"},
    {"notify.delivered", "raw"},
    {"notify.escalated", "key"},
    {"silence.on", "normal"},
    {"silence.off", "normal"},
    {"unack", "key"},
    {"snooze", "normal"},
    {"handover", "key"},
    {"scrape.gap", "normal"},
    {"rule.nodata", "normal"},
};

enum {
    N_TOLD_KINDS = sizeof(told_kinds) / sizeof(told_kinds[0])
};

const char *timeline_kind_at(size_t index)
{
    if (index < N_KINDS)
        return kinds[index].name;
    index -= N_KINDS;
    return index < N_TOLD_KINDS ? told_kinds[index].name : NULL;
}

bool timeline_kind_known(const char *kind_name)
{
    const char *name = timeline_kind_at(0);

    for (size_t i = 0; name && strcmp(name, kind_name) != 0; name = timeline_kind_at(++i))
        ;
    return name != NULL;
}

/* Kinds that others write: a name, or what names begin with. */
static const struct {
    const char *name;
    const char *level;
} families[] = {
    {"change", "key"}, /* a deployment is what people look for first */
    {"change.", "key"}, {"silence.", "normal"},
    {"roster.", "raw"}, {"alertmanager.", "raw"}, /* what another one did: ours is told beside it */
};

static bool is_of(const char *kind_name, const char *family)
{
    size_t len = strlen(family);

    return family[len - 1] == '.' ? strncmp(kind_name, family, len) == 0
                                  : strcmp(kind_name, family) == 0;
}

const char *timeline_kind_level(const char *kind_name)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (strcmp(kinds[i].name, kind_name) == 0)
            return kinds[i].level;
    for (size_t i = 0; i < N_TOLD_KINDS; i++)
        if (strcmp(told_kinds[i].name, kind_name) == 0)
            return told_kinds[i].level;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (is_of(kind_name, families[i].name))
            return families[i].level;
    return "normal";
}

static void add_value(struct str *out, double value)
{
    char text[FLOAT_TEXT_MAX];

    str_addn(out, text, float_short(value, text));
}

static void add_summary(const struct incident_alert *alert, struct str *out)
{
    STR_AUTO struct str title = STR_INIT(512);
    const char *summary = labels_get(alert->annotations, "summary");

    if (!summary)
        return;
    incident_title(alert->labels, alert->annotations, &title);
    str_addf(out, ": %s", str_text(&title));
}

static void add_place(const struct incident_alert *alert, struct str *out)
{
    const char *instance = labels_get(alert->labels, "instance");

    if (instance)
        str_addf(out, " on %s", instance);
}

void timeline_alert_text(enum timeline_kind kind,
                         const struct incident_alert *alert,
                         struct str *out)
{
    char span[DURATION_TEXT_MAX];

    str_add(out, alert->name);
    add_place(alert, out);
    switch (kind) {
    case TIMELINE_ALERT_PENDING:
        str_addf(out, " is true; pages when it holds %s", duration_human(alert->for_ms, span));
        return;
    case TIMELINE_ALERT_FIRING:
        str_add(out, " fires");
        add_summary(alert, out);
        break;
    case TIMELINE_ALERT_RESOLVED:
        str_addf(out, " is over after %s",
                 duration_human(alert->resolved_at_ms - alert->fired_at_ms, span));
        break;
    case TIMELINE_INCIDENT_OPENED:
    case TIMELINE_INCIDENT_REOPENED:
    case TIMELINE_INCIDENT_RESOLVED:
    case TIMELINE_NOTIFY_SENT:
    case TIMELINE_NOTIFY_FAILED:
    case TIMELINE_NOTIFY_UNDELIVERED:
    case TIMELINE_NOTIFY_MUTED:
    case TIMELINE_ACK:
    case TIMELINE_ESCALATION:
    case TIMELINE_HUMAN_NOTE:
    case TIMELINE_VERDICT:
    case TIMELINE_AGENT_LOST:
    case TIMELINE_AGENT_BACK:
    case TIMELINE_CLOCK: break;
    }
    if (!isnan(alert->value)) {
        str_add(out, " (value ");
        add_value(out, alert->value);
        str_addc(out, ')');
    }
}

void timeline_alert_data(const struct incident_alert *alert, struct str *out)
{
    struct json_out json = JSON_OUT(out);
    char fingerprint[20];

    (void)snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, alert->fingerprint);
    json_open(&json, '{');
    json_kv_string(&json, "alertname", alert->name);
    json_kv_string(&json, "fingerprint", fingerprint);
    json_kv_int(&json, "rule_id", alert->rule_id);
    json_kv_string(&json, "expr", alert->expr);
    json_kv_float(&json, "value", alert->value);
    json_key(&json, "labels");
    json_open(&json, '{');
    for (uint32_t i = 0; i < alert->labels->n; i++)
        json_kv_string(&json, alert->labels->at[i].name, alert->labels->at[i].value);
    json_close(&json, '}');
    json_close(&json, '}');
}
