/*
 * The order of the timeline, its letters, and the five moments that are read off it.
 * See facts.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/postmortem/facts.h"
#include "alertd/postmortem/facts_part.h"

const char *facts_or_empty(const char *text)
{
    return text ? text : "";
}

bool facts_is_human(const struct timeline_event *event)
{
    return strcmp(facts_or_empty(event->event_class), "human") == 0;
}

/* --- the order and letters of the timeline --- */

static int by_time(const void *a, const void *b)
{
    const struct timeline_event *x = ((const struct timeline_row *)a)->event;
    const struct timeline_event *y = ((const struct timeline_row *)b)->event;

    if (x->occurred_at_ms != y->occurred_at_ms)
        return x->occurred_at_ms < y->occurred_at_ms ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The first of these, and everything a person did, carries a letter. */
static const char *const lettered_firsts[] = {"alert.pending",      "alert.firing", "notify.sent",
                                              "notify.undelivered", "ack",          "agent.lost",
                                              "incident.resolved"};

static bool deserves_letter(const struct timeline_event *event, unsigned *seen)
{
    if (strcmp(facts_or_empty(event->kind), "human.note") == 0 ||
        strncmp(facts_or_empty(event->kind), "human.", 6) == 0)
        return true;
    for (unsigned i = 0; i < sizeof(lettered_firsts) / sizeof(*lettered_firsts); i++) {
        if (strcmp(facts_or_empty(event->kind), lettered_firsts[i]) != 0)
            continue;
        bool first = !(*seen & 1U << i);

        *seen |= 1U << i;
        return first;
    }
    return false;
}

struct timeline_row *postmortem_timeline(struct arena *arena, const struct postmortem_input *input)
{
    struct timeline_row *rows = arena_array(arena, input->n_events + 1, sizeof(*rows));
    unsigned seen = 0;
    char letter = 'A';

    if (!rows)
        return NULL;
    for (size_t i = 0; i < input->n_events; i++)
        rows[i].event = &input->events[i];
    qsort(rows, input->n_events, sizeof(*rows), by_time);
    for (size_t i = 0; i < input->n_events && letter <= 'Z'; i++)
        if (deserves_letter(rows[i].event, &seen))
            rows[i].letter = letter++;
    return rows;
}

static const struct timeline_event *first_of(const struct facts *facts, const char *kind)
{
    for (size_t i = 0; i < facts->input->n_events; i++)
        if (strcmp(facts_or_empty(facts->rows[i].event->kind), kind) == 0)
            return facts->rows[i].event;
    return NULL;
}

/* --- marks --- */

static void set_from_event(struct facts_mark *mark, const struct timeline_event *event)
{
    mark->at_ms = event->occurred_at_ms;
    mark->event_id = event->id;
    mark->source = facts_or_empty(event->source);
}

static void find_impact_start(struct facts *facts, struct facts_mark *mark)
{
    *mark = (struct facts_mark){
        .source = "",
        .rule = "first evaluation at which an alert's condition held",
        .why_not = "no alert is attached to this incident",
    };
    for (size_t i = 0; i < facts->input->n_alerts; i++) {
        const struct incident_alert *alert = &facts->input->alerts[i];

        if (!alert->active_at_ms || (mark->at_ms && mark->at_ms <= alert->active_at_ms))
            continue;
        mark->at_ms = alert->active_at_ms;
        mark->source = facts_or_empty(alert->name);
    }
}

/* Being shown on the dashboard wakes nobody. */
static bool is_page(const struct postmortem_notification *notification)
{
    return notification->sent_at_ms && strcmp(facts_or_empty(notification->kind), "dashboard") != 0;
}

/* The timeline's row of a notification: its source is "outbox 4". */
static const struct timeline_event *event_of(const struct facts *facts, int64_t outbox_id)
{
    char source[40];

    (void)snprintf(source, sizeof(source), "outbox %lld", (long long)outbox_id);
    for (size_t i = 0; i < facts->input->n_events; i++) {
        const struct timeline_event *event = facts->rows[i].event;

        if (strcmp(facts_or_empty(event->kind), "notify.sent") == 0 &&
            strcmp(facts_or_empty(event->source), source) == 0)
            return event;
    }
    return NULL;
}

static void find_paged(struct facts *facts, struct facts_mark *mark)
{
    const struct postmortem_notification *first = NULL;

    *mark = (struct facts_mark){
        .source = "", .rule = "first page that a receiver accepted", .why_not = "no page was sent"};
    for (size_t i = 0; i < facts->input->n_notifications; i++) {
        const struct postmortem_notification *page = &facts->input->notifications[i];

        if (is_page(page) && (!first || page->sent_at_ms < first->sent_at_ms))
            first = page;
    }
    if (!first)
        return;
    const struct timeline_event *event = event_of(facts, first->id);

    if (event)
        set_from_event(mark, event);
    mark->at_ms = first->sent_at_ms;
    if (!event)
        mark->source = facts_or_empty(first->receiver);
}

static void find_detected(struct facts *facts, struct facts_mark *mark)
{
    const struct timeline_event *firing = first_of(facts, "alert.firing");
    const struct timeline_event *report = first_of(facts, "human.report");

    *mark = (struct facts_mark){
        .source = "",
        .rule = "first alert that fired and was sent or shown, or first report by a person",
        .why_not = "no alert was sent or shown, and nobody reported it",
    };
    if (firing && first_of(facts, "notify.sent"))
        set_from_event(mark, firing);
    if (report && (!mark->at_ms || report->occurred_at_ms < mark->at_ms))
        set_from_event(mark, report);
}

static void find_acked(struct facts *facts, struct facts_mark *mark)
{
    const struct timeline_event *ack = first_of(facts, "ack");

    *mark = (struct facts_mark){.source = "",
                                .rule = "first acknowledgement by a person",
                                .why_not = "nobody acknowledged"};
    if (ack) {
        set_from_event(mark, ack);
    } else if (facts->input->incident->acknowledged_at_ms) {
        mark->at_ms = facts->input->incident->acknowledged_at_ms;
        mark->source = facts_or_empty(facts->input->incident->acknowledged_by);
    }
}

static void find_resolved(struct facts *facts, struct facts_mark *mark)
{
    const struct timeline_event *event = first_of(facts, "incident.resolved");

    *mark = (struct facts_mark){
        .source = "", .rule = "the incident was resolved", .why_not = "it is still open"};
    if (!facts->input->incident->resolved_at_ms)
        return;
    if (event)
        set_from_event(mark, event);
    mark->at_ms = facts->input->incident->resolved_at_ms;
    if (!event)
        mark->source = facts_or_empty(facts->input->incident->resolved_by);
}

void facts_find_marks(struct facts *facts)
{
    find_impact_start(facts, &facts->marks.impact_start);
    find_paged(facts, &facts->marks.paged);
    find_detected(facts, &facts->marks.detected);
    find_acked(facts, &facts->marks.acked);
    find_resolved(facts, &facts->marks.resolved);
}
