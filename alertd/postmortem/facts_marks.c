/*
 * The order of the timeline, its letters, and the moments that are read off it. See facts.h.
 *
 *     impact_start - detected - paged - acked ---- mitigated ---- resolved
 *     |<-- ttd -->|           |<- tta ->|          |             |
 *     |           |<------------ ttm ------------->|             |
 *     |<---------------- impact ------------------>|             |
 *     |<------------------------- ttr -------------------------->|
 *
 * A mark that was set (by a person, or by the record's own rules) counts; what nobody set is
 * looked for here.
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
    const char *class = facts_or_empty(event->event_class);

    return strcmp(class, "human") == 0 ||
           (strcmp(class, "import") == 0 && strncmp(facts_or_empty(event->kind), "human.", 6) == 0);
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
static const char *const lettered_firsts[] = {
    "impact.start",  "cause.identified", "mitigation.applied", "impact.end",
    "alert.pending", "alert.firing",     "notify.sent",        "notify.undelivered",
    "ack",           "agent.lost",       "incident.resolved"};

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

static bool is_pinned(const struct timeline_row *row)
{
    return row->curation && row->curation->pinned;
}

struct timeline_row *postmortem_timeline(struct arena *arena, const struct postmortem_input *input)
{
    struct timeline_row *rows = arena_array(arena, input->n_events + 1, sizeof(*rows));
    unsigned seen = 0;
    char letter = 'A';

    if (!rows)
        return NULL;
    for (size_t i = 0; i < input->n_events; i++)
        rows[i] = (struct timeline_row){.event = &input->events[i],
                                        .curation = input->curation ? &input->curation[i] : NULL};
    qsort(rows, input->n_events, sizeof(*rows), by_time);
    for (size_t i = 0; i < input->n_events && letter <= 'Z'; i++)
        if (is_pinned(&rows[i]) || deserves_letter(rows[i].event, &seen))
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

static void find_event(struct facts *facts,
                       struct facts_mark *mark,
                       const char *kind,
                       const char *rule,
                       const char *why_not)
{
    const struct timeline_event *event = first_of(facts, kind);

    *mark = (struct facts_mark){.source = "", .rule = rule, .why_not = why_not};
    if (event)
        set_from_event(mark, event);
}

static void find_response_start(struct facts *facts, struct facts_mark *mark)
{
    *mark = (struct facts_mark){.source = "",
                                .rule = "first thing a person did or said",
                                .why_not = "nothing a person did is recorded"};
    for (size_t i = 0; i < facts->input->n_events; i++) {
        const struct timeline_event *event = facts->rows[i].event;

        if (facts_is_human(event) && strncmp(facts_or_empty(event->kind), "postmortem.", 11) != 0) {
            set_from_event(mark, event);
            return;
        }
    }
}

/* The end of the last alert, when all have ended. */
static void find_mitigated(struct facts *facts, struct facts_mark *mark)
{
    const struct postmortem_input *input = facts->input;

    *mark = (struct facts_mark){
        .source = "", .rule = "the last alert of the incident ended", .why_not = "no alert ended"};
    for (size_t i = 0; i < input->n_alerts; i++) {
        if (!input->alerts[i].resolved_at_ms) {
            mark->at_ms = 0;
            mark->why_not = "an alert still fires";
            return;
        }
        if (input->alerts[i].resolved_at_ms > mark->at_ms)
            mark->at_ms = input->alerts[i].resolved_at_ms;
    }
}

static const struct {
    const char *name;
    const char *title;
} mark_names[FACTS_MARKS] = {
    [FACTS_TRIGGER] = {"trigger", "Trigger"},
    [FACTS_IMPACT_START] = {"impact_start", "Impact began"},
    [FACTS_DETECTED] = {"detected", "Detected"},
    [FACTS_PAGED] = {"paged", "Paged"},
    [FACTS_ACKED] = {"acked", "Acknowledged"},
    [FACTS_RESPONSE_START] = {"response_start", "Response began"},
    [FACTS_CAUSE] = {"cause_identified", "Cause identified"},
    [FACTS_MITIGATED] = {"mitigated", "Mitigated"},
    [FACTS_RESOLVED] = {"resolved", "Resolved"},
};

/* What the record itself says, for the whole incident. */
static void take_marks(struct facts *facts)
{
    for (size_t i = 0; i < facts->input->n_marks; i++) {
        const struct postmortem_mark *from = &facts->input->marks[i];

        for (int k = 0; k < FACTS_MARKS; k++) {
            if (strcmp(mark_names[k].name, from->name) != 0 || *facts_or_empty(from->scope))
                continue;
            facts->marks[k] = (struct facts_mark){
                .at_ms = from->at_ms,
                .event_id = from->event_id,
                .is_approx = strcmp(facts_or_empty(from->precision), "approx") == 0,
                .precision = from->precision,
                .source = facts_or_empty(from->source),
                .rule = facts_or_empty(from->rule),
                .why_not = from->why_not ? from->why_not : "the mark is not set",
            };
        }
    }
}

static void look_for_marks(struct facts *facts)
{
    find_event(facts, &facts->marks[FACTS_TRIGGER], "", "what set it off, by a person",
               "nobody set it");
    find_impact_start(facts, &facts->marks[FACTS_IMPACT_START]);
    find_paged(facts, &facts->marks[FACTS_PAGED]);
    find_detected(facts, &facts->marks[FACTS_DETECTED]);
    find_acked(facts, &facts->marks[FACTS_ACKED]);
    find_response_start(facts, &facts->marks[FACTS_RESPONSE_START]);
    find_event(facts, &facts->marks[FACTS_CAUSE], "cause.identified",
               "first time somebody said what it was", "nobody said it in the timeline");
    find_mitigated(facts, &facts->marks[FACTS_MITIGATED]);
    find_resolved(facts, &facts->marks[FACTS_RESOLVED]);
}

void facts_find_marks(struct facts *facts)
{
    if (facts->input->n_marks < FACTS_MARKS) /* the record says all of them */
        look_for_marks(facts);
    take_marks(facts);
}

/* --- as facts --- */

/* As exact as the row that says so, or as the person who set it. */
static const char *precision_of(const struct facts *facts, const struct facts_mark *mark)
{
    if (mark->precision)
        return mark->precision;
    for (size_t i = 0; mark->event_id && i < facts->input->n_events; i++)
        if (facts->rows[i].event->id == mark->event_id)
            return facts->rows[i].event->precision;
    return mark->is_approx ? "approx" : NULL;
}

static void add_mark(struct facts *facts,
                     struct fact *parent,
                     const char *name,
                     enum facts_mark_name which)
{
    const struct facts_mark *mark = &facts->marks[which];
    struct fact *group = facts_time_exact(facts, parent, name, mark->at_ms,
                                          precision_of(facts, mark), mark->why_not);

    fact_text(&facts->maker, group, "name", mark_names[which].name);
    fact_text(&facts->maker, group, "title", mark_names[which].title);
    fact_text(&facts->maker, group, "source", mark->source);
    fact_text(&facts->maker, group, "rule", mark->rule);
    fact_bool(&facts->maker, group, "approx", mark->is_approx);
    facts_evidence(facts, group, "evidence", mark->event_id);
}

static const struct metric_row {
    const char *name;
    const char *title;
    const char *formula;
    enum facts_mark_name from, to;
} metric_rows[] = {
    {"ttd", "Time to detect", "detected \xe2\x88\x92 impact_start", FACTS_IMPACT_START,
     FACTS_DETECTED},
    {"tta", "Time to acknowledge", "acked \xe2\x88\x92 paged", FACTS_PAGED, FACTS_ACKED},
    {"engage", "Time to engage", "response_start \xe2\x88\x92 detected", FACTS_DETECTED,
     FACTS_RESPONSE_START},
    {"diagnose", "Time to diagnose", "cause_identified \xe2\x88\x92 detected", FACTS_DETECTED,
     FACTS_CAUSE},
    {"ttm", "Time to mitigate", "mitigated \xe2\x88\x92 detected", FACTS_DETECTED, FACTS_MITIGATED},
    {"impact", "Impact", "mitigated \xe2\x88\x92 impact_start", FACTS_IMPACT_START,
     FACTS_MITIGATED},
    {"ttr", "Time to resolve", "resolved \xe2\x88\x92 impact_start", FACTS_IMPACT_START,
     FACTS_RESOLVED},
};

static void add_metric(struct facts *facts,
                       struct fact *parent,
                       const char *name,
                       const struct metric_row *row)
{
    const struct facts_mark *from = &facts->marks[row->from];
    const struct facts_mark *to = &facts->marks[row->to];
    bool known = from->at_ms && to->at_ms;
    enum facts_mark_name missing = from->at_ms ? row->to : row->from;
    STR_AUTO struct str why = STR_INIT(400);

    str_addf(&why, "mark %s is not set: %s", mark_names[missing].name,
             facts->marks[missing].why_not);
    struct fact *metric = facts_span(facts, parent, name, from->at_ms, to->at_ms, row->formula,
                                     str_text(&why));

    fact_text(&facts->maker, metric, "name", row->name);
    fact_text(&facts->maker, metric, "title", row->title);
    fact_text(&facts->maker, metric, "source", known ? "marks above" : "");
    fact_text(&facts->maker, metric, "why", known ? "" : str_text(&why));
    fact_bool(&facts->maker, metric, "approx", known && (from->is_approx || to->is_approx));
}

void facts_marks_and_metrics(struct facts *facts, struct fact *root)
{
    struct fact *mark = fact_group(&facts->maker, root, "mark");
    struct fact *metric = fact_group(&facts->maker, root, "metric");
    struct fact *marks = fact_list(&facts->maker, root, "marks");
    struct fact *metrics = fact_list(&facts->maker, root, "metrics");

    for (int i = 0; i < FACTS_MARKS; i++) {
        add_mark(facts, mark, mark_names[i].name, (enum facts_mark_name)i);
        add_mark(facts, marks, "", (enum facts_mark_name)i);
    }
    for (size_t i = 0; i < sizeof(metric_rows) / sizeof(*metric_rows); i++) {
        add_metric(facts, metric, metric_rows[i].name, &metric_rows[i]);
        add_metric(facts, metrics, "", &metric_rows[i]);
    }
}
