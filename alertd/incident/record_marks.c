/*
 * The moments of an incident: what their rules read off the rows, what people set, and the spans
 * between them. See record.h.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/incident/record.h"
#include "alertd/incident/record_private.h"
#include "lib/model/duration.h"

static const char *const mark_names[RECORD_MARK_NAMES] = {
    [RECORD_TRIGGER] = "trigger",
    [RECORD_IMPACT_START] = "impact_start",
    [RECORD_DETECTED] = "detected",
    [RECORD_PAGED] = "paged",
    [RECORD_ACKED] = "acked",
    [RECORD_RESPONSE_START] = "response_start",
    [RECORD_CAUSE] = "cause_identified",
    [RECORD_MITIGATED] = "mitigated",
    [RECORD_RESOLVED] = "resolved",
    [RECORD_IMPACT_END] = "impact_end",
};

const char *record_mark_name(enum record_mark_name name)
{
    return mark_names[name];
}

enum record_mark_name record_mark_parse(const char *name)
{
    unsigned i = 0;

    while (i < RECORD_MARK_NAMES && strcmp(mark_names[i], name) != 0)
        i++;
    return (enum record_mark_name)i;
}

static const char *const state_names[] = {
    [RECORD_MARK_AT] = "at", [RECORD_MARK_UNKNOWN] = "unknown", [RECORD_MARK_AUTO] = "auto"};

const char *record_mark_state_name(enum record_mark_state state)
{
    return state_names[state];
}

bool record_mark_state_parse(const char *name, enum record_mark_state *ret_state)
{
    for (unsigned i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++)
        if (strcmp(state_names[i], name) == 0) {
            *ret_state = (enum record_mark_state)i;
            return true;
        }
    return false;
}

/* --- what people set --- */

static const struct record_setting *setting_of(const struct record_input *input,
                                               const char *scope,
                                               enum record_mark_name name)
{
    for (size_t i = input->n_settings; i > 0; i--) {
        const struct record_setting *set = &input->settings[i - 1];

        if (set->name == name && strcmp(set->scope, scope) == 0)
            return set->state == RECORD_MARK_AUTO ? NULL : set;
    }
    return NULL;
}

void record_settle(const struct record_input *input, struct record_mark *mark)
{
    const struct record_setting *set = setting_of(input, mark->scope, mark->name);

    mark->set = set;
    mark->at_ms = mark->machine.at_ms;
    mark->event_id = mark->machine.event_id;
    mark->approx = mark->machine.approx;
    mark->source = mark->machine.source ? mark->machine.source : "";
    if (!set)
        return;
    mark->at_ms = set->state == RECORD_MARK_AT ? set->at_ms : 0;
    mark->event_id = set->event_id;
    mark->approx = set->precision && strcmp(set->precision, "approx") == 0;
    mark->source = set->editor;
}

/* --- what rules read --- */

void record_read_row(struct record_reading *reading, const struct record_event *row)
{
    *reading = (struct record_reading){
        .at_ms = row->at_ms,
        .event_id = row->event->id,
        .source = row->event->source,
        .approx = row->precision && strcmp(row->precision, "approx") == 0,
    };
}

bool record_is(const struct record_event *row, const char *const *kinds)
{
    for (; !row->retracted && *kinds; kinds++)
        if (strcmp(row->kind, *kinds) == 0)
            return true;
    return false;
}

static const struct record_event *first(const struct record_input *input, const char *const *kinds)
{
    for (size_t i = 0; i < input->n_rows; i++)
        if (record_is(&input->rows[i], kinds))
            return &input->rows[i];
    return NULL;
}

static const struct record_event *last(const struct record_input *input, const char *const *kinds)
{
    for (size_t i = input->n_rows; i > 0; i--)
        if (record_is(&input->rows[i - 1], kinds))
            return &input->rows[i - 1];
    return NULL;
}

static void read_first(const struct record_input *input,
                       const char *const *kinds,
                       struct record_reading *reading)
{
    const struct record_event *row = first(input, kinds);

    if (row)
        record_read_row(reading, row);
}

static const char *const pages[] = {"notify.sent", "notify.delivered", NULL};

/* Being shown on the dashboard wakes nobody. */
static const struct record_event *first_page(const struct record_input *input)
{
    for (size_t i = 0; i < input->n_rows; i++)
        if (record_is(&input->rows[i], pages) &&
            !strstr(input->rows[i].event->data, "\"kind\":\"dashboard\""))
            return &input->rows[i];
    return NULL;
}

static void read_detected(const struct record_input *input, struct record_reading *reading)
{
    static const char *const fires[] = {"alert.firing", NULL};
    static const char *const reports[] = {"human.report", NULL};
    const struct record_event *told = first(input, pages) ? first(input, fires) : NULL;
    const struct record_event *report = first(input, reports);

    if (!told)
        told = first_page(input);
    if (told)
        record_read_row(reading, told);
    if (report && (!told || report->at_ms < told->at_ms))
        record_read_row(reading, report);
}

static void read_paged(const struct record_input *input, struct record_reading *reading)
{
    const struct record_event *page = first_page(input);

    if (page)
        record_read_row(reading, page);
}

static void read_acked(const struct record_input *input, struct record_reading *reading)
{
    static const char *const kinds[] = {"ack", NULL};

    read_first(input, kinds, reading);
    if (!reading->at_ms && input->incident->acknowledged_at_ms)
        *reading = (struct record_reading){.at_ms = input->incident->acknowledged_at_ms,
                                           .source = input->incident->acknowledged_by};
}

static void read_response(const struct record_input *input, struct record_reading *reading)
{
    static const char *const kinds[] = {"ack",          "incident.role", "incident.declared",
                                        "human.action", "human.command", NULL};

    read_first(input, kinds, reading);
}

static void read_cause(const struct record_input *input, struct record_reading *reading)
{
    static const char *const kinds[] = {"cause.identified", "hypothesis.confirmed", NULL};

    read_first(input, kinds, reading);
}

/* The first end of an impact behind the last mitigation; else the end of the last one. */
static const struct record_event *end_of_impact(const struct record_input *input)
{
    static const char *const mitigations[] = {"mitigation.applied", NULL};
    static const char *const ends[] = {"impact.end", NULL};
    const struct record_event *by = last(input, mitigations);

    for (size_t i = 0; by && i < input->n_rows; i++)
        if (record_is(&input->rows[i], ends) && input->rows[i].at_ms >= by->at_ms)
            return &input->rows[i];
    return last(input, ends);
}

static void read_mitigated(const struct record_input *input, struct record_reading *reading)
{
    const struct record_event *end = end_of_impact(input);
    const struct incident_alert *longest = NULL;

    if (end) {
        record_read_row(reading, end);
        return;
    }
    for (size_t i = 0; i < input->n_alerts; i++) {
        const struct incident_alert *alert = &input->alerts[i];

        if (alert->firing || !alert->resolved_at_ms)
            return;
        if (!longest || alert->resolved_at_ms > longest->resolved_at_ms)
            longest = alert;
    }
    if (longest)
        *reading = (struct record_reading){.at_ms = longest->resolved_at_ms,
                                           .source = longest->name};
}

static void read_resolved(const struct record_input *input, struct record_reading *reading)
{
    static const char *const kinds[] = {"incident.resolved", "incident.closed", "incident.status",
                                        NULL};
    const struct record_event *row = last(input, kinds);

    if (input->incident->status != INCIDENT_RESOLVED)
        return;
    if (row)
        record_read_row(reading, row);
    else if (input->incident->resolved_at_ms)
        *reading = (struct record_reading){.at_ms = input->incident->resolved_at_ms,
                                           .source = input->incident->resolved_by};
}

static void read_nothing(const struct record_input *input, struct record_reading *reading)
{
    (void)input;
    (void)reading;
}

static const struct {
    void (*read)(const struct record_input *input, struct record_reading *reading);
    const char *rule;
    const char *why_not;
} rules[RECORD_MARKS] = {
    [RECORD_TRIGGER] = {read_nothing, "a person says it", "nobody said what set it off"},
    [RECORD_IMPACT_START] = {record_read_impact_start,
                             "first impact that was recorded, or evaluation at which an alert's "
                             "condition held",
                             "no impact and no alert was recorded"},
    [RECORD_DETECTED] = {read_detected,
                         "first alert that fired and was told, or page, or report by a person",
                         "nothing was told and nobody reported it"},
    [RECORD_PAGED] = {read_paged, "first page that a receiver accepted", "no page was sent"},
    [RECORD_ACKED] = {read_acked, "first acknowledgement by a person", "nobody acknowledged"},
    [RECORD_RESPONSE_START] = {read_response,
                               "first acknowledgement, role, action or declaration by a person",
                               "nobody is recorded to have begun"},
    [RECORD_CAUSE] = {read_cause, "first cause that was named, or hypothesis confirmed",
                      "nobody named a cause"},
    [RECORD_MITIGATED] = {read_mitigated,
                          "first end of an impact behind the last mitigation, else the last end, "
                          "else when the last alert's condition was over",
                          "no impact is recorded to have ended"},
    [RECORD_RESOLVED] = {read_resolved, "the incident was resolved", "it is still open"},
};

/* --- metrics --- */

#define MINUS " \xe2\x88\x92 "

static const struct {
    const char *name, *title, *formula;
    enum record_mark_name from, to;
} formulas[RECORD_METRICS] = {
    [RECORD_TTD] = {"ttd", "time to detect", "detected" MINUS "impact_start", RECORD_IMPACT_START,
                    RECORD_DETECTED},
    [RECORD_TTA] = {"tta", "time to acknowledge", "acked" MINUS "paged", RECORD_PAGED,
                    RECORD_ACKED},
    [RECORD_ENGAGE] = {"engage", "time to engage", "response_start" MINUS "detected",
                       RECORD_DETECTED, RECORD_RESPONSE_START},
    [RECORD_DIAGNOSE] = {"diagnose", "time to diagnose", "cause_identified" MINUS "detected",
                         RECORD_DETECTED, RECORD_CAUSE},
    [RECORD_TTM] = {"ttm", "time to mitigate", "mitigated" MINUS "detected", RECORD_DETECTED,
                    RECORD_MITIGATED},
    [RECORD_IMPACT] = {"impact", "impact", "mitigated" MINUS "impact_start", RECORD_IMPACT_START,
                       RECORD_MITIGATED},
    [RECORD_TTR] = {"ttr", "time to resolve", "resolved" MINUS "impact_start", RECORD_IMPACT_START,
                    RECORD_RESOLVED},
};

static void measure(struct record *record, enum record_metric_name which)
{
    const struct record_mark *from = &record->marks[formulas[which].from];
    const struct record_mark *to = &record->marks[formulas[which].to];
    bool known = from->at_ms && to->at_ms;

    record->metrics[which] = (struct record_metric){
        .name = formulas[which].name,
        .title = formulas[which].title,
        .formula = formulas[which].formula,
        .known = known,
        .approx = known && (from->approx || to->approx),
        .ms = known ? to->at_ms - from->at_ms : 0,
        .missing = from->at_ms ? to->name : from->name,
    };
}

void record_metric_text(const struct record_metric *metric, struct str *out)
{
    char span[DURATION_TEXT_MAX];

    if (!metric->known) {
        str_addf(out, "not known (mark %s is not set)", mark_names[metric->missing]);
        return;
    }
    str_addf(out, "%s%s%s%s", metric->approx ? "\xe2\x89\x88 " : "", metric->ms < 0 ? "-" : "",
             duration_human(llabs(metric->ms), span),
             metric->ms < 0 ? " (negative: look at the marks)" : "");
}

/* --- who detected it --- */

static const char *detector(const char *kind)
{
    if (strncmp(kind, "alert.", 6) == 0 || strncmp(kind, "notify.", 7) == 0)
        return "alert";
    if (strcmp(kind, "human.report") == 0)
        return "customer";
    return strncmp(kind, "human.", 6) == 0 ? "human" : NULL;
}

/* The row that the mark names; else rows of that instant: machines first, then customers. */
static const char *detected_by(const struct record_input *input, const struct record_mark *mark)
{
    static const char *const ranked[] = {"alert", "customer", "human"};
    const char *best = NULL;
    size_t rank = 3;

    for (size_t i = 0; mark->at_ms && i < input->n_rows; i++) {
        const struct record_event *row = &input->rows[i];
        const char *by = row->retracted ? NULL : detector(row->kind);

        if (by && row->event->id == mark->event_id)
            return by;
        for (size_t r = 0; by && row->at_ms == mark->at_ms && r < rank; r++)
            if (strcmp(by, ranked[r]) == 0) {
                best = by;
                rank = r;
            }
    }
    return best || !mark->at_ms ? best : "human"; /* a person set it, and says nothing more */
}

int record_read(struct arena *arena,
                const struct record_input *input,
                struct record *ret_record,
                struct err *reterr)
{
    struct record record = {0};
    int r = record_read_impacts(arena, input, &record, reterr);

    if (r)
        return r;
    for (unsigned i = 0; i < RECORD_MARKS; i++) {
        struct record_mark *mark = &record.marks[i];

        mark->name = (enum record_mark_name)i;
        mark->scope = "";
        mark->rule = rules[i].rule;
        mark->why_not = rules[i].why_not;
        rules[i].read(input, &mark->machine);
        record_settle(input, mark);
    }
    for (unsigned i = 0; i < RECORD_METRICS; i++)
        measure(&record, (enum record_metric_name)i);
    record.detected_by = detected_by(input, &record.marks[RECORD_DETECTED]);
    *ret_record = record;
    return 0;
}
