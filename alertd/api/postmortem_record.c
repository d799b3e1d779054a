/*
 * What state.db knows about an incident. See postmortem_record.h.
 */

#include "alertd/api/postmortem_record.h"

#include <string.h>

#include "alertd/api/learnt.h"
#include "alertd/db/outbox_db.h"

enum {
    PAGES_MAX = 500,
};

static int too_large(struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_RECORD_E_LIMIT, "the incident is too large for one document");
}

/* Alerts of one rule next to each other, rules in the order in which they come first. */
static bool group_by_rule(struct postmortem_record *record)
{
    struct incident_alert *sorted = arena_array(record->arena, record->n_alerts + 1,
                                                sizeof(*sorted));
    size_t n = 0;

    if (!sorted)
        return false;
    for (size_t i = 0; i < record->n_alerts; i++) {
        bool done = false;

        for (size_t k = 0; k < i && !done; k++)
            done = record->alerts[k].rule_id == record->alerts[i].rule_id;
        for (size_t k = i; k < record->n_alerts && !done; k++)
            if (record->alerts[k].rule_id == record->alerts[i].rule_id)
                sorted[n++] = record->alerts[k];
    }
    record->alerts = sorted;
    return true;
}

static int read_pages(struct db_conn *conn,
                      const char *key,
                      struct postmortem_record *record,
                      struct err *reterr)
{
    struct outbox_row *rows = NULL;
    size_t n = 0;
    int r = outbox_db_list(conn, key, PAGES_MAX, record->arena, &rows, &n, reterr);

    if (r)
        return r;
    struct postmortem_notification *pages = arena_array(record->arena, n + 1, sizeof(*pages));

    for (size_t i = 0; pages && i < n; i++)
        pages[i] = (struct postmortem_notification){
            .id = rows[i].id,
            .receiver = rows[i].receiver,
            .kind = rows[i].kind,
            .reason = rows[i].reason,
            .state = rows[i].state,
            .last_error = rows[i].last_error,
            .due_at_ms = rows[i].due_at_ms,
            .sent_at_ms = rows[i].sent_at_ms,
            .attempts = rows[i].attempts,
        };
    record->pages = pages;
    record->n_pages = n;
    return pages ? 0 : too_large(reterr);
}

/* The document's own life is no part of the incident; what was hidden, taken back or told by
 * another row is not told again. */
static bool is_told(const struct record_event *row)
{
    return !row->hidden && !row->retracted && !row->merged_into &&
           strncmp(row->kind, "postmortem.", 11) != 0;
}

/* The rows as they stand, as events with what people think of them beside. */
static bool take_rows(struct postmortem_record *record, const struct record_event *rows, size_t n)
{
    struct postmortem_curation *curation = arena_array(record->arena, n + 1, sizeof(*curation));

    record->events = arena_array(record->arena, n + 1, sizeof(*record->events));
    record->curation = curation;
    for (size_t i = 0; record->events && curation && i < n; i++) {
        const struct record_event *row = &rows[i];

        if (!is_told(row))
            continue;
        struct timeline_event *event = &record->events[record->n_events];

        *event = *row->event;
        event->kind = row->kind;
        event->text = row->text;
        event->precision = row->precision;
        event->occurred_at_ms = row->at_ms;
        curation[record->n_events++] = (struct postmortem_curation){row->pinned, row->note,
                                                                    row->conflict, row->hypothesis};
    }
    return record->events && curation;
}

static const char *words_of(struct arena *arena, const struct record_mark *mark)
{
    STR_AUTO struct str words = STR_INIT(2000);

    if (!mark->set || mark->set->state == RECORD_MARK_UNKNOWN)
        return mark->rule;
    str_addf(&words, "set by %s", mark->set->editor);
    if (mark->set->reason && *mark->set->reason)
        str_addf(&words, ": %s", mark->set->reason);
    return arena_strndup(arena, str_text(&words), words.len);
}

static const char *why_not(struct arena *arena, const struct record_mark *mark)
{
    STR_AUTO struct str words = STR_INIT(2000);

    if (!mark->set || mark->set->state != RECORD_MARK_UNKNOWN)
        return mark->why_not;
    str_addf(&words, "%s: %s", mark->set->editor,
             mark->set->reason && *mark->set->reason ? mark->set->reason : "not known");
    return arena_strndup(arena, str_text(&words), words.len);
}

static const char *precision_of(const struct postmortem_record *record,
                                const struct record_mark *mark)
{
    if (mark->set && mark->set->precision)
        return mark->set->precision;
    if (mark->approx)
        return "approx";
    if (mark->set && mark->at_ms % 60000 == 0) /* nobody means a whole minute to the ms */
        return "min";
    for (size_t i = 0; mark->event_id && i < record->n_events; i++)
        if (record->events[i].id == mark->event_id)
            return record->events[i].precision;
    return NULL;
}

static bool take_marks(struct postmortem_record *record, const struct record *from)
{
    struct postmortem_mark *marks = arena_array(record->arena, RECORD_MARKS, sizeof(*marks));

    for (size_t i = 0; marks && i < RECORD_MARKS; i++) {
        const struct record_mark *mark = &from->marks[i];

        marks[i] = (struct postmortem_mark){
            .name = record_mark_name(mark->name),
            .scope = "",
            .at_ms = mark->at_ms,
            .precision = precision_of(record, mark),
            .event_id = mark->event_id,
            .source = mark->source,
            .rule = words_of(record->arena, mark),
            .why_not = why_not(record->arena, mark),
        };
        if (!marks[i].rule)
            return false;
    }
    record->marks = marks;
    record->n_marks = RECORD_MARKS;
    return marks != NULL;
}

static bool take_impacts(struct postmortem_record *record, const struct record *from)
{
    struct postmortem_impact *impacts = arena_array(record->arena, from->n_impacts + 1,
                                                    sizeof(*impacts));

    for (size_t i = 0; impacts && i < from->n_impacts; i++) {
        const struct record_impact *impact = &from->impacts[i];

        impacts[i] = (struct postmortem_impact){
            .scope = impact->scope,
            .start_ms = impact->start.at_ms,
            .end_ms = impact->end.at_ms,
            .start_precision = precision_of(record, &impact->start),
            .end_precision = precision_of(record, &impact->end),
            .is_approx = impact->start.approx || impact->end.approx,
            .source = impact->start.source,
        };
    }
    record->impacts = impacts;
    record->n_impacts = from->n_impacts;
    return impacts != NULL;
}

int postmortem_record_read(struct db_conn *conn,
                           const char *incident,
                           struct arena *arena,
                           struct postmortem_record *ret_record,
                           struct err *reterr)
{
    struct postmortem_record record = {.arena = arena};
    struct incident_record *from = arena_alloc(arena, sizeof(*from));
    struct record_event *rows = NULL; /* with their words, which the record goes without */
    size_t n_rows = 0;
    int r = from ? incident_db_record(conn, incident, arena, from, reterr) : too_large(reterr);

    if (!r)
        r = incident_db_rows(conn, from->incident.id, arena, &rows, &n_rows, reterr);
    if (!r)
        r = read_pages(conn, incident, &record, reterr);
    if (r)
        return r;
    record.incident = from->incident;
    record.from = from;
    record.alerts = arena_array(arena, from->input.n_alerts + 1, sizeof(*record.alerts));
    record.n_alerts = from->input.n_alerts;
    if (!record.alerts)
        return too_large(reterr);
    if (record.n_alerts)
        memcpy(record.alerts, from->input.alerts, record.n_alerts * sizeof(*record.alerts));
    if (!take_rows(&record, rows, n_rows) || !take_marks(&record, &from->record) ||
        !take_impacts(&record, &from->record) || !group_by_rule(&record))
        return too_large(reterr);
    const struct postmortem_input order = {
        .events = record.events, .n_events = record.n_events, .curation = record.curation};

    record.rows = postmortem_timeline(arena, &order);
    if (!record.rows)
        return too_large(reterr);
    r = learnt_read(conn, &record, reterr);
    if (!r)
        r = postmortem_choices(conn, arena, &record.choices, reterr);
    if (!r)
        *ret_record = record;
    return r;
}

/* --- facts --- */

static struct postmortem_graph_ref *refer_to_graphs(const struct postmortem_record *record,
                                                    const struct postmortem_about *about,
                                                    size_t *ret_n)
{
    struct postmortem_graph_ref *refs = arena_array(record->arena, about->n_graphs + 1,
                                                    sizeof(*refs));

    *ret_n = 0;
    for (size_t i = 0; refs && i < about->n_graphs; i++)
        if (!about->graphs[i].is_chosen) /* those stand where a person put them */
            refs[(*ret_n)++] = (struct postmortem_graph_ref){
                .id = about->graphs[i].id,
                .title = about->graphs[i].title,
                .query = about->graphs[i].query,
                .start_ms = about->graphs[i].start_ms,
                .end_ms = about->graphs[i].end_ms,
            };
    return refs;
}

static struct postmortem_answer *list_answers(const struct postmortem_record *record,
                                              const struct postmortem_about *about)
{
    struct postmortem_answer *answers = arena_array(record->arena, about->n_answers + 1,
                                                    sizeof(*answers));

    for (size_t i = 0; answers && i < about->n_answers; i++)
        answers[i] = (struct postmortem_answer){
            about->answers[i].question, about->answers[i].answer, about->answers[i].answered_by};
    return answers;
}

static struct postmortem_action *list_actions(const struct postmortem_record *record,
                                              const struct postmortem_about *about)
{
    struct postmortem_action *actions = arena_array(record->arena, about->n_actions + 1,
                                                    sizeof(*actions));

    for (size_t i = 0; actions && i < about->n_actions; i++)
        actions[i] = (struct postmortem_action){
            .id = about->actions[i].id,
            .text = about->actions[i].text,
            .type = about->actions[i].type,
            .tag = about->actions[i].tag,
            .owner = about->actions[i].owner,
            .state = about->actions[i].state,
            .done_when = about->actions[i].done_when,
            .proof_url = about->actions[i].proof_url,
            .reason = about->actions[i].reason,
            .due_ms = about->actions[i].due_ms,
        };
    return actions;
}

/* What is known without the lists that the document adds. */
static struct postmortem_input begin_input(const struct postmortem_record *record,
                                           const struct postmortem_about *about)
{
    const struct postmortem_row *row = about->row;

    return (struct postmortem_input){
        .template_name = row->template_name,
        .title = row->title,
        .status = row->status,
        .owner = row->owner,
        .version = row->version,
        .created_ms = row->created_ms,
        .author = row->created_by,
        .now_ms = about->now_ms,
        .incident = &record->incident,
        .alerts = record->alerts,
        .n_alerts = record->n_alerts,
        .events = record->events,
        .n_events = record->n_events,
        .curation = record->curation,
        .rows = record->rows,
        .notifications = record->pages,
        .n_notifications = record->n_pages,
        .marks = record->marks,
        .n_marks = record->n_marks,
        .impacts = record->impacts,
        .n_impacts = record->n_impacts,
        .learnt = &record->learnt,
    };
}

int postmortem_record_facts(const struct api *api,
                            const struct postmortem_record *record,
                            const struct postmortem_about *about,
                            const struct fact **ret_facts,
                            struct err *reterr)
{
    bool is_public = strcmp(about->row->kind ? about->row->kind : "", "public") == 0;
    STR_AUTO struct str url = STR_INIT(4096);
    STR_AUTO struct str generator = STR_INIT(100);
    struct postmortem_input input = begin_input(record, about);

    str_addf(&generator, "alertd %s", api->version);
    if (!is_public) { /* an address of ours, or what we promised, is nothing to others */
        input.around = &record->around;
        str_addf(&url, "%s/i/%s", api->external_url, record->incident.key);
    }
    input.generator = str_text(&generator);
    input.incident_url = str_text(&url);
    input.graphs = refer_to_graphs(record, about, &input.n_graphs);
    input.answers = list_answers(record, about);
    input.n_answers = about->n_answers;
    input.actions = list_actions(record, about);
    input.n_actions = about->n_actions;
    if (!input.graphs || !input.answers || !input.actions ||
        postmortem_facts(record->arena, &input, ret_facts, NULL))
        return too_large(reterr);
    return 0;
}
