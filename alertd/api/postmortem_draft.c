/*
 * From an incident to the first state of its postmortem. See postmortem_draft.h.
 */

#include "alertd/api/postmortem_draft.h"

#include <string.h>

#include "alertd/api/learnt.h"
#include "alertd/api/postmortem_files.h"
#include "alertd/api/postmortem_freeze.h"
#include "alertd/postmortem/choice.h"
#include "alertd/postmortem/section.h"

struct draft {
    const struct api *api;
    const struct postmortem_wish *wish;
    const char *template_name;
    bool is_public;
    struct arena arena; /* rows, plans, facts, sections */
    struct postmortem_record record;
    struct freeze freeze;
    struct choice choice;
    struct section *sections;
    size_t n_sections;
    struct template_set set;
    int64_t id;
};

static int too_large(struct err *reterr)
{
    return err_set(reterr, POSTMORTEM_DRAFT_E_LIMIT, "the incident is too large for one document");
}

/* --- which template --- */

static bool has_kind(const struct postmortem_record *record, const char *kind)
{
    for (size_t i = 0; i < record->n_events; i++)
        if (record->events[i].kind && strcmp(record->events[i].kind, kind) == 0)
            return true;
    return false;
}

static bool has_label(const struct postmortem_record *record, const char *name)
{
    return record->incident.labels && labels_get(record->incident.labels, name) != NULL;
}

struct choice postmortem_draft_choose(const struct postmortem_record *record, int64_t now_ms)
{
    const struct incident *incident = &record->incident;
    const struct choice_input input = {
        .severity = incident->severity ? incident->severity : "",
        .origin = incident->origin,
        .is_recurrence = incident->recurrence_of != NULL,
        .was_paged = record->n_pages > 0 || has_kind(record, "notify.sent"),
        .data_was_lost = has_label(record, "data_loss"),
        .n_scopes = (unsigned)record->n_impacts,
        .duration_ms = (incident->resolved_at_ms ? incident->resolved_at_ms : now_ms) -
                       incident->opened_at_ms,
    };

    return choice_make(&input, &record->choices);
}

/* --- before the job --- */

static int read_rows(struct draft *draft, struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(draft->api->state, &conn, reterr);

    if (r)
        return r;
    r = postmortem_record_read(conn, draft->wish->incident, &draft->arena, &draft->record, reterr);
    db_read_end(draft->api->state, conn);
    return r;
}

static int read_template(struct draft *draft, struct err *reterr)
{
    const struct template_file *file;
    int r = postmortem_files_read(draft->api, &draft->arena, &draft->set, reterr);

    if (r)
        return r < 0 ? r : POSTMORTEM_DRAFT_E_TEMPLATE;
    file = postmortem_files_find(&draft->set, draft->template_name);
    if (!file)
        return err_set(reterr, POSTMORTEM_DRAFT_E_TEMPLATE, "there is no template %.60s",
                       draft->template_name);
    r = section_split(&draft->arena, file, &draft->sections, &draft->n_sections, reterr);
    return r ? err_prefix(reterr, POSTMORTEM_DRAFT_E_TEMPLATE, "template %s, line %u", file->name,
                          reterr->line)
             : 0;
}

static int prepare(struct draft *draft, struct err *reterr)
{
    int r = read_rows(draft, reterr);

    if (r)
        return r;
    draft->choice = postmortem_draft_choose(&draft->record, draft->wish->now_ms);
    draft->template_name = *draft->wish->template_name ? draft->wish->template_name
                                                       : draft->choice.template_name;
    draft->is_public = strcmp(draft->template_name, "public") == 0;
    if (!draft->is_public && draft->record.incident.postmortem_id)
        return err_set(reterr, POSTMORTEM_DB_E_EXISTS, "%s has postmortem %lld already",
                       draft->record.incident.key, (long long)draft->record.incident.postmortem_id);
    r = read_template(draft, reterr);
    if (r)
        return r;
    freeze_init(&draft->freeze, draft->api, &draft->record, draft->wish->now_ms);
    if (draft->is_public) /* it has those of the internal one */
        return 0;
    freeze_rules(&draft->freeze);
    return learnt_again(draft->api, &draft->record, draft->wish->now_ms) ? 0 : too_large(reterr);
}

/* --- the job --- */

static int refuse_early(struct db_conn *conn, struct draft *draft, struct err *reterr)
{
    struct postmortem_row row;

    if (!draft->is_public)
        return 0;
    if (draft->record.incident.postmortem_id) {
        int r = postmortem_db_get(conn, draft->record.incident.postmortem_id, &draft->arena, &row,
                                  reterr);

        if (r || row.version > 0)
            return r;
    }
    return err_set(reterr, POSTMORTEM_DRAFT_E_NOT_YET,
                   "publish the incident's own postmortem first: the public one is made from it");
}

/* The body a section begins with: its prompts, or, of a template without sections, all. */
static int fill_section(struct draft *draft,
                        const struct fact *facts,
                        const struct section *from,
                        struct postmortem_section *section,
                        struct err *reterr)
{
    STR_AUTO struct str generated = STR_INIT(SECTION_GENERATED_MAX);
    STR_AUTO struct str asks = STR_INIT(SECTION_BODY_MAX);
    int r = section_render(&draft->arena, &draft->set, from, facts, &generated, &asks, reterr);

    if (r)
        return err_prefix(reterr, POSTMORTEM_DRAFT_E_TEMPLATE, "template %s, line %u, column %u",
                          from->part.file, reterr->line, reterr->column);
    *section = (struct postmortem_section){
        .id = from->id,
        .title = from->title,
        .is_generated = from->is_generated,
        .required = from->required,
        .template_text = from->whole ? "" : from->part.text,
        .line = from->part.line,
        .body = arena_strndup(&draft->arena, str_text(&asks), asks.len),
    };
    return section->body && !asks.full ? 0 : too_large(reterr);
}

static int store_document(struct draft *draft,
                          struct db_conn *conn,
                          const struct fact *facts,
                          struct err *reterr)
{
    struct postmortem_section *sections = arena_array(&draft->arena, draft->n_sections + 1,
                                                      sizeof(*sections));
    STR_AUTO struct str text = STR_INIT(POSTMORTEM_FACTS_JSON_MAX);
    struct json_out json = JSON_OUT(&text);
    int r = sections ? 0 : too_large(reterr);

    for (size_t i = 0; !r && i < draft->n_sections; i++)
        r = fill_section(draft, facts, &draft->sections[i], &sections[i], reterr);
    if (r)
        return r;
    fact_json(facts, &json);
    if (text.full)
        return too_large(reterr);
    const struct incident *incident = &draft->record.incident;
    int64_t from_ms = incident->resolved_at_ms ? incident->resolved_at_ms : draft->wish->now_ms;
    const struct postmortem_draft row = {
        .incident_id = incident->id,
        .kind = draft->is_public ? "public" : "internal",
        .title = incident->title,
        .template_name = draft->template_name,
        .facts = str_text(&text),
        .author = draft->wish->author,
        .owner = draft->wish->author,
        .due_ms = from_ms + draft->choice.due_ms,
        .now_ms = draft->wish->now_ms,
        .sections = sections,
        .n_sections = draft->n_sections,
    };

    return postmortem_db_create(conn, &row, &draft->id, reterr);
}

static int store_draft(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct graph_row graphs[FREEZE_GRAPHS_MAX];
    struct draft *draft = arg;
    const struct fact *facts = NULL;
    const struct postmortem_row about_row = {
        .template_name = draft->template_name,
        .kind = draft->is_public ? "public" : "internal",
        .status = "draft",
        .owner = draft->wish->author,
        .created_by = draft->wish->author,
    };
    struct postmortem_about about = {.row = &about_row, .now_ms = draft->wish->now_ms};
    int r = refuse_early(conn, draft, reterr);

    if (!r)
        r = freeze_store_graphs(&draft->freeze, conn, false, graphs, reterr);
    if (!r)
        r = freeze_store_samples(&draft->freeze, conn, reterr);
    if (!r)
        r = learnt_store(conn, &draft->record, reterr);
    about.graphs = graphs;
    about.n_graphs = draft->freeze.n_graphs;
    if (!r)
        r = postmortem_record_facts(draft->api, &draft->record, &about, &facts, reterr);
    return r ? r : store_document(draft, conn, facts, reterr);
}

int postmortem_draft(const struct api *api,
                     const struct postmortem_wish *wish,
                     int64_t *ret_id,
                     struct err *reterr)
{
    struct draft draft = {.api = api, .wish = wish};

    arena_init(&draft.arena, POSTMORTEM_RECORD_BYTES_MAX);
    int r = prepare(&draft, reterr);

    if (!r)
        r = db_write(api->state, store_draft, &draft, reterr);
    if (!r)
        *ret_id = draft.id;
    freeze_done(&draft.freeze);
    arena_reset(&draft.arena);
    return r;
}
