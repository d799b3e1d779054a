/*
 * What state.db knows about an incident. See postmortem_record.h.
 */

#include "alertd/api/postmortem_record.h"

#include <string.h>

#include "alertd/db/outbox_db.h"

enum {
    ALERTS_MAX = 500,
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

/* The document's own life is no part of the incident. */
static void leave_out_documents(struct postmortem_record *record)
{
    size_t n = 0;

    for (size_t i = 0; i < record->n_events; i++)
        if (!record->events[i].kind || strncmp(record->events[i].kind, "postmortem.", 11) != 0)
            record->events[n++] = record->events[i];
    record->n_events = n;
}

int postmortem_record_read(struct db_conn *conn,
                           const char *incident,
                           struct arena *arena,
                           struct postmortem_record *ret_record,
                           struct err *reterr)
{
    struct postmortem_record record = {.arena = arena};
    int r = incident_db_get(conn, incident, arena, &record.incident, reterr);

    if (!r)
        r = incident_db_alerts(conn, record.incident.id, ALERTS_MAX, arena, &record.alerts,
                               &record.n_alerts, reterr);
    if (!r)
        r = incident_db_timeline(conn, record.incident.id, arena, &record.events, &record.n_events,
                                 reterr);
    if (!r)
        r = read_pages(conn, incident, &record, reterr);
    if (r)
        return r;
    leave_out_documents(&record);
    const struct postmortem_input order = {.events = record.events, .n_events = record.n_events};

    record.rows = postmortem_timeline(arena, &order);
    if (!record.rows || !group_by_rule(&record))
        return too_large(reterr);
    *ret_record = record;
    return 0;
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
        .notifications = record->pages,
        .n_notifications = record->n_pages,
        .marks = record->marks,
        .n_marks = record->n_marks,
        .impacts = record->impacts,
        .n_impacts = record->n_impacts,
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
    if (!is_public) /* an address of ours leads nobody else anywhere */
        str_addf(&url, "%s/i/%s", api->external_url, record->incident.key);
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
