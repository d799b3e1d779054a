/*
 * Its incident, whom a policy paged, and what became of each notification. See private.h.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/why/private.h"
#include "lib/model/duration.h"

#define PERSON "person:"

/* Was it on the log by then? */
static bool is_known_then(const struct why_writer *writer, const struct timeline_event *event)
{
    return event->recorded_at_ms <= writer->in->at_ms;
}

static bool is_kind(const struct timeline_event *event, enum timeline_kind kind)
{
    return strcmp(event->kind, timeline_kind_name(kind)) == 0;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* --- who holds it --- */

static void hold(struct why_writer *writer, const struct timeline_event *event)
{
    writer->found.acknowledged_ms = event->occurred_at_ms;
    writer->found.acknowledged_by = event->actor ? event->actor : "somebody";
}

void why_holder(struct why_writer *writer)
{
    for (size_t i = 0; i < writer->in->n_events; i++) {
        const struct timeline_event *event = &writer->in->events[i];

        if (!is_known_then(writer, event))
            continue;
        bool is_step = is_kind(event, TIMELINE_ESCALATION);

        if (is_kind(event, TIMELINE_ACK) ||
            (is_step && event->actor &&
             (begins(event->text, "took it over") || begins(event->text, "snoozed"))))
            hold(writer, event);
        else if ((is_step && (begins(event->text, "asked for the next step") ||
                              begins(event->text, "nobody holds it any more"))) ||
                 is_kind(event, TIMELINE_INCIDENT_RESOLVED) ||
                 (is_kind(event, TIMELINE_INCIDENT_REOPENED) &&
                  begins(event->text, "opened again")))
            writer->found.acknowledged_ms = 0;
    }
}

/* --- the incident --- */

static void event_step(struct why_writer *writer,
                       const struct timeline_event *event,
                       const char *step,
                       const char *result,
                       const char *words)
{
    struct str *out = why_begin(writer);

    why_add_time(writer, event->occurred_at_ms);
    str_addf(out, ": %s", words);
    if (event->actor)
        str_addf(out, " (%s)", event->actor);
    json_kv_string(&writer->json, "incident", writer->in->incident);
    json_kv_int(&writer->json, "event", event->id);
    json_kv_string(&writer->json, "kind", event->kind);
    json_kv_string(&writer->json, "actor", event->actor);
    json_kv_time(&writer->json, "at", event->occurred_at_ms);
    why_end(writer, step, result, NULL);
}

static void incident_event(struct why_writer *writer, const struct timeline_event *event)
{
    if (is_kind(event, TIMELINE_INCIDENT_OPENED))
        event_step(writer, event, "incident", "opened", writer->in->incident);
    else if (is_kind(event, TIMELINE_INCIDENT_REOPENED))
        event_step(writer, event, "incident", "opened again", event->text);
    else if (is_kind(event, TIMELINE_INCIDENT_RESOLVED))
        event_step(writer, event, "incident", "resolved", event->text);
    else if (is_kind(event, TIMELINE_NOTIFY_MUTED))
        event_step(writer, event, "incident", "held back", event->text);
    else if (is_kind(event, TIMELINE_ACK))
        event_step(writer, event, "acknowledgement", "acknowledged",
                   "acknowledged, reminders and further steps are off");
}

void why_incident(struct why_writer *writer)
{
    const struct why_input *in = writer->in;

    if (!in->incident) {
        if (in->alert->state == WHY_SUPPOSED)
            return;
        str_add(why_begin(writer), "it was in no incident then");
        why_end(writer, "incident", "none", NULL);
        return;
    }
    for (size_t i = 0; i < in->n_events; i++)
        if (is_known_then(writer, &in->events[i]))
            incident_event(writer, &in->events[i]);
    if (!writer->found.acknowledged_ms) {
        str_add(why_begin(writer), "nobody held it then");
        why_end(writer, "acknowledgement", "not acknowledged", NULL);
    }
}

/* --- escalation --- */

/* What a step did, from its words (pager/escalate_words.c). */
static const char *step_result(const struct timeline_event *event)
{
    if (strstr(event->text, "reaches nobody") || strstr(event->text, "nobody is left to page") ||
        strstr(event->text, "nobody is paged by it") ||
        strstr(event->text, "nobody else is paged by"))
        return "reaches nobody";
    if (event->actor)
        return "by hand";
    return strstr(event->text, " pages ") ? "pages" : "goes on";
}

void why_escalation(struct why_writer *writer)
{
    const struct why_input *in = writer->in;
    size_t n = 0;

    for (size_t i = 0; i < in->n_events; i++)
        n += is_kind(&in->events[i], TIMELINE_ESCALATION) && is_known_then(writer, &in->events[i]);
    for (size_t i = 0; i < in->n_events; i++) {
        const struct timeline_event *event = &in->events[i];

        if (!is_kind(event, TIMELINE_ESCALATION) || !is_known_then(writer, event))
            continue;
        if (n-- > WHY_ESCALATIONS_MAX)
            continue;
        const char *result = step_result(event);

        event_step(writer, event, "escalation", result, event->text);
        if (strcmp(result, "reaches nobody") == 0 && !writer->found.nobody)
            writer->found.nobody = event->text; /* the first says whom it tried */
        else if (strcmp(result, "pages") == 0)
            writer->found.nobody = NULL;
    }
}

/* --- notifications --- */

enum row_state {
    ROW_WAITS,
    ROW_REFUSED, /* tried, and it goes on being tried */
    ROW_SENT,
    ROW_GIVEN_UP,
    ROW_SUPERSEDED,
};

/* The newest event of a row until then: what is known of its tries. */
static const struct timeline_event *row_event(const struct why_writer *writer,
                                              const struct why_delivery *row)
{
    const struct timeline_event *found = NULL;
    char source[32];

    (void)snprintf(source, sizeof(source), "outbox %lld", (long long)row->id);
    for (size_t i = 0; i < writer->in->n_events; i++)
        if (is_known_then(writer, &writer->in->events[i]) &&
            strcmp(writer->in->events[i].source, source) == 0)
            found = &writer->in->events[i];
    return found;
}

static enum row_state past_state(const struct why_writer *writer, const struct why_delivery *row)
{
    const struct timeline_event *event = row_event(writer, row);

    if (event && is_kind(event, TIMELINE_NOTIFY_UNDELIVERED))
        return ROW_GIVEN_UP;
    if (row->superseded_ms && row->superseded_ms <= writer->in->at_ms)
        return ROW_SUPERSEDED;
    return event && is_kind(event, TIMELINE_NOTIFY_FAILED) ? ROW_REFUSED : ROW_WAITS;
}

static enum row_state state_of(const struct why_writer *writer, const struct why_delivery *row)
{
    if (row->sent_ms && row->sent_ms <= writer->in->at_ms)
        return ROW_SENT;
    if (writer->in->is_past)
        return past_state(writer, row);
    if (strcmp(row->state, "failed") == 0)
        return ROW_GIVEN_UP;
    if (strcmp(row->state, "superseded") == 0)
        return ROW_SUPERSEDED;
    return row->attempts > 0 && row->last_error ? ROW_REFUSED : ROW_WAITS;
}

static void add_error(struct why_writer *writer, const struct why_delivery *row)
{
    if (row->last_error && !writer->in->is_past)
        str_addf(&writer->words, ": %s", row->last_error);
}

static void sent_words(struct why_writer *writer, const struct why_delivery *row)
{
    static const int64_t late_ms = 60000;
    char span[DURATION_TEXT_MAX];

    str_add(&writer->words, strcmp(row->kind, "dashboard") == 0
                                ? "shown on the dashboard, nobody else is told, at "
                                : "accepted at ");
    why_add_time(writer, row->sent_ms);
    if (row->attempts > 1)
        str_addf(&writer->words, " at the %u. attempt", row->attempts);
    if (row->sent_ms - row->owed_ms >= late_ms)
        str_addf(&writer->words, ", %s late", duration_human(row->sent_ms - row->owed_ms, span));
}

static const char *row_words(struct why_writer *writer,
                             const struct why_delivery *row,
                             enum row_state state)
{
    switch (state) {
    case ROW_SENT: sent_words(writer, row); return "accepted";
    case ROW_GIVEN_UP:
        str_add(&writer->words, "given up");
        add_error(writer, row);
        return "given up";
    case ROW_SUPERSEDED:
        if (row->superseded_by)
            str_addf(&writer->words, "told by a later one instead (notification %lld)",
                     (long long)row->superseded_by);
        else
            str_add(&writer->words,
                    "not needed any more: somebody held the incident, or it was over");
        return "superseded";
    case ROW_REFUSED:
        str_addf(&writer->words, "%s, tried again",
                 row->refused ? "refused by the receiver" : "not accepted yet");
        add_error(writer, row);
        return row->refused ? "refused" : "failed, tried again";
    case ROW_WAITS: break;
    }
    str_add(&writer->words, "made, not sent yet");
    return "waiting";
}

static void find(struct why_writer *writer, const struct why_delivery *row, enum row_state state)
{
    struct why_finding *found = &writer->found;

    if (strcmp(row->lane, "page") != 0 || strcmp(row->reason, "resolved") == 0 ||
        strcmp(row->kind, "dashboard") == 0 || row->created_ms < writer->in->alert->fired_ms)
        return;
    switch (state) {
    case ROW_SENT:
        if (!found->sent || strcmp(row->reason, "repeat") != 0)
            found->sent = row;
        found->n_sent++;
        break;
    case ROW_REFUSED: found->refused = row; break;
    case ROW_GIVEN_UP: found->given_up = row; break;
    case ROW_WAITS: found->waiting = row; break;
    case ROW_SUPERSEDED: break;
    }
}

static void delivery_step(struct why_writer *writer,
                          const struct why_delivery *row,
                          enum row_state state)
{
    bool is_person = begins(row->receiver, PERSON);
    const char *called = row->receiver + (is_person ? strlen(PERSON) : 0);
    struct str *words = why_begin(writer);

    str_addf(words, "%s by %s (%s", called, row->kind, row->reason);
    if (strcmp(row->lane, "page") != 0)
        str_addf(words, ", %s", row->lane);
    str_add(words, "), made at ");
    why_add_time(writer, row->created_ms);
    str_add(words, ": ");
    const char *result = row_words(writer, row, state);

    json_kv_int(&writer->json, "notification", row->id);
    json_kv_string(&writer->json, "kind", row->kind);
    json_kv_int(&writer->json, "slot", row->slot);
    json_kv_string(&writer->json, "reason", row->reason);
    json_kv_string(&writer->json, "lane", row->lane);
    json_kv_time(&writer->json, "created_at", row->created_ms);
    if (state == ROW_SENT)
        json_kv_time(&writer->json, "sent_at", row->sent_ms);
    if (!writer->in->is_past) {
        json_kv_int(&writer->json, "attempts", row->attempts);
        json_kv_string(&writer->json, "error", row->last_error);
    }
    why_end(writer, "delivery", result, row->receiver);
}

/* A person is told through the receivers that name a policy. */
static bool is_asked_for(const struct why_writer *writer, const struct why_delivery *row)
{
    if (why_is_wanted(writer, row->receiver))
        return true;
    for (size_t i = 0; begins(row->receiver, PERSON) && i < writer->walk.n; i++) {
        const struct route_receiver *receiver = writer->walk.at[i]->receiver;

        for (size_t k = 0; k < receiver->n_integrations; k++)
            if (receiver->integrations[k].kind == ROUTE_ONCALL &&
                why_is_wanted(writer, receiver->name))
                return true;
    }
    return false;
}

void why_deliveries(struct why_writer *writer)
{
    const struct why_input *in = writer->in;
    size_t n = 0;

    for (size_t i = 0; i < in->n_deliveries; i++)
        n += in->deliveries[i].created_ms <= in->at_ms && is_asked_for(writer, &in->deliveries[i]);
    for (size_t i = 0; i < in->n_deliveries; i++) {
        const struct why_delivery *row = &in->deliveries[i];

        if (row->created_ms > in->at_ms || !is_asked_for(writer, row))
            continue;
        enum row_state state = state_of(writer, row);

        find(writer, row, state);
        if (n-- <= WHY_DELIVERIES_MAX)
            delivery_step(writer, row, state);
    }
}
