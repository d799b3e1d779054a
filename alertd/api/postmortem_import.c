/*
 * A document that was exported as JSON comes in again: its sections as texts of people, its graphs drawn from their
 * numbers, its actions; for an incident of here, or with one made of its facts (postmortem_bring.h).
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/postmortem_bring.h"
#include "alertd/api/postmortem_call.h"
#include "alertd/postmortem/graph.h"
#include "alertd/postmortem/section.h"
#include "alertd/postmortem/svg.h"
#include "lib/base/clock.h"

enum {
    IMPORT_ACTIONS_MAX = 500,
};
/* --- POST .../postmortems/import --- */

struct importing {
    const struct json *body;
    const char *incident; /* its key */
    bool is_named;        /* by whoever asks; else it is the document's own */
    const char *who;
    int64_t now_ms;
    struct arena *arena;
    int64_t id;
    int64_t *graph_ids; /* old and new, one after the other */
    size_t n_graphs;
};

static int bad(struct err *reterr, const char *words)
{
    return err_set(reterr, FROZEN_DB_E_LIMIT, "%s", words);
}

/* The text with the graphs' new numbers. */
static const char *renumber(const struct importing *importing, const char *text)
{
    static const char opening[] = "](graph:";
    STR_AUTO struct str out = STR_INIT(SECTION_BODY_MAX);

    for (const char *at; (at = strstr(text, opening));) {
        const char *number = at + sizeof(opening) - 1;
        size_t digits = strspn(number, "0123456789");
        long long old = digits > 0 && digits < 19 ? strtoll(number, NULL, 10) : 0;
        size_t i = 0;

        while (i < importing->n_graphs && importing->graph_ids[2 * i] != old)
            i++;
        str_addn(&out, text, (size_t)(number - text));
        str_addf(&out, "%lld",
                 i < importing->n_graphs ? (long long)importing->graph_ids[2 * i + 1] : old);
        text = number + digits;
    }
    str_add(&out, text);
    return out.full ? NULL : arena_strndup(importing->arena, str_text(&out), out.len);
}

static int read_graph(const struct json *from,
                      struct importing *importing,
                      struct graph_row *row,
                      int64_t *ret_id,
                      struct err *reterr)
{
    STR_AUTO struct str svg = STR_INIT(SVG_TEXT_MAX);
    const struct graph_story story = {0};
    struct graph_lines lines;

    if (json_get_int(from, "id", ret_id, reterr) ||
        json_get_string(from, "title", &row->title, reterr) ||
        json_get_string(from, "query", &row->query, reterr) ||
        json_get_int(from, "start_ms", &row->start_ms, reterr) ||
        json_get_int(from, "end_ms", &row->end_ms, reterr) ||
        json_get_int(from, "step_ms", &row->step_ms, reterr) ||
        json_get_int(from, "captured_ms", &row->captured_ms, reterr) ||
        json_get_int(from, "n_points", &row->n_points, reterr) ||
        json_get_string(from, "series", &row->series, reterr))
        return FROZEN_DB_E_LIMIT;
    if (row->step_ms < 1 || row->end_ms <= row->start_ms)
        return bad(reterr, "graphs: a window that begins before it ends");
    row->has_threshold = json_get_float(from, "threshold", &row->threshold, NULL) == 0;
    int r = graph_lines_read(importing->arena, row->series, &lines, reterr);
    const struct graph_plan plan = {
        .title = row->title,
        .query = row->query,
        .has_threshold = row->has_threshold,
        .threshold = row->threshold,
        .start_ms = row->start_ms,
        .end_ms = row->end_ms,
        .step_ms = row->step_ms,
    };

    if (!r)
        r = graph_draw_lines(importing->arena, &plan, &lines, &story, &svg, reterr);
    if (r)
        return FROZEN_DB_E_LIMIT;
    row->svg = arena_strndup(importing->arena, str_text(&svg), svg.len);
    return row->svg ? 0 : bad(reterr, "the graphs are too large");
}

static int import_graphs(struct db_conn *conn,
                         struct importing *importing,
                         int64_t incident_id,
                         struct err *reterr)
{
    const struct json *graphs = json_get(importing->body, "graphs");
    size_t n = graphs && json_is_array(graphs) ? json_length(graphs) : 0;
    int r = 0;

    importing->graph_ids = arena_array(importing->arena, 2 * n + 1, sizeof(int64_t));
    if (!importing->graph_ids)
        return bad(reterr, "the graphs are too large");
    for (size_t i = 0; !r && i < n; i++) {
        struct graph_row row = {.incident_id = incident_id, .is_chosen = true};

        r = read_graph(json_at(graphs, i), importing, &row, &importing->graph_ids[2 * i], reterr);
        if (!r)
            r = graph_db_add(conn, &row, &importing->graph_ids[2 * i + 1], reterr);
        importing->n_graphs += r == 0;
    }
    return r;
}

/* What facts said there is a person's text here: this alertd has other facts. */
static int read_section(const struct json *from,
                        const struct importing *importing,
                        struct postmortem_section *section,
                        struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(SECTION_BODY_MAX);
    const char *generated = "";
    const char *body = NULL;
    const char *mode = NULL;

    if (json_get_string(from, "id", &section->id, reterr) ||
        json_get_string(from, "title", &section->title, reterr) ||
        json_get_string(from, "mode", &mode, reterr) ||
        json_get_string(from, "body", &body, reterr) ||
        json_get_string_or(from, "author", importing->who, &section->author, reterr) ||
        json_get_string_or(from, "generated", "", &generated, reterr))
        return FROZEN_DB_E_LIMIT;
    if (strlen(section->id) > SECTION_ID_MAX || strlen(section->title) > SECTION_TITLE_MAX ||
        strpbrk(section->title, "\r\n"))
        return bad(reterr, "sections: id is at most 40 bytes, title a line of at most 120");
    (void)json_get_bool(from, "required", &section->required, NULL);
    section->is_generated = false;
    section->template_text = "";
    section->line = 1;
    section_join("", generated, body, &text);
    if (text.full)
        return bad(reterr, "a section is too long");
    section->body = renumber(importing, str_text(&text));
    return section->body ? 0 : bad(reterr, "a section is too long");
}

static int import_actions(struct db_conn *conn,
                          const struct importing *importing,
                          struct err *reterr)
{
    const struct json *actions = json_get(importing->body, "actions");
    size_t n = actions && json_is_array(actions) ? json_length(actions) : 0;
    int r = n > IMPORT_ACTIONS_MAX ? bad(reterr, "too many actions") : 0;

    for (size_t i = 0; !r && i < n; i++) {
        const struct json *from = json_at(actions, i);
        struct action_row row = {.postmortem_id = importing->id};
        const char *due = NULL;
        int64_t id = 0;
        const struct {
            const char *name;
            const char *fallback;
            const char **text;
        } texts[] = {
            {"text", "", &row.text},
            {"type", "prevent", &row.type},
            {"tag", "", &row.tag},
            {"owner", "", &row.owner},
            {"state", "open", &row.state},
            {"done_when", "", &row.done_when},
            {"proof_url", "", &row.proof_url},
            {"reason", "", &row.reason},
            {"rule_draft", "", &row.rule_draft},
        };

        for (size_t k = 0; !r && k < sizeof(texts) / sizeof(*texts); k++)
            if (json_get_string_or(from, texts[k].name, texts[k].fallback, texts[k].text, reterr))
                r = FROZEN_DB_E_LIMIT;
        if (!r && json_get_string_or(from, "due_at", NULL, &due, reterr) == 0 && due)
            (void)clock_parse_rfc3339(due, &row.due_ms);
        if (!r)
            r = action_db_save(conn, &row, importing->who, importing->now_ms, &id, reterr);
    }
    return r;
}

static int import_document(struct db_conn *conn,
                           struct importing *importing,
                           const struct incident *incident,
                           struct err *reterr)
{
    const struct json *from = json_get(importing->body, "sections");
    size_t n = from && json_is_array(from) ? json_length(from) : 0;
    struct postmortem_section *sections = arena_array(importing->arena, n + 1, sizeof(*sections));
    struct postmortem_draft draft = {
        .incident_id = incident->id,
        .facts = "{}",
        .author = importing->who,
        .now_ms = importing->now_ms,
        .sections = sections,
        .n_sections = n,
    };
    const char *due = NULL;
    int r = !sections || !n || n > SECTION_MAX ? bad(reterr, "sections: expected 1 to 40") : 0;

    if (!r && (json_get_string(importing->body, "title", &draft.title, reterr) ||
               json_get_string_or(importing->body, "kind", "internal", &draft.kind, reterr) ||
               json_get_string(importing->body, "template", &draft.template_name, reterr) ||
               json_get_string_or(importing->body, "owner", "", &draft.owner, reterr) ||
               json_get_string_or(importing->body, "due_at", NULL, &due, reterr)))
        r = FROZEN_DB_E_LIMIT;
    if (!r && due)
        (void)clock_parse_rfc3339(due, &draft.due_ms);
    for (size_t i = 0; !r && i < n; i++)
        r = read_section(json_at(from, i), importing, &sections[i], reterr);
    return r ? r : postmortem_db_create(conn, &draft, &importing->id, reterr);
}

/* The incident that was asked for, else the one that the document is of, else the one that was made of
 * its facts before, else one made of them: two alertds give the same keys to different incidents, and
 * different keys to the same. */
static int find_incident(struct db_conn *conn,
                         struct importing *importing,
                         struct incident *incident,
                         struct err *reterr)
{
    struct postmortem_bring bring = {.facts = json_get(importing->body, "facts"),
                                     .who = importing->who,
                                     .now_ms = importing->now_ms,
                                     .arena = importing->arena};
    int r = incident_db_get(conn, importing->incident, importing->arena, incident, reterr);

    if (importing->is_named || (r && r != INCIDENT_DB_E_NOT_FOUND))
        return r;
    if (r == 0 && (!bring.facts || incident->opened_at_ms == postmortem_bring_opened(bring.facts)))
        return 0;
    if (bring.facts)
        r = incident_db_get_brought(conn, postmortem_bring_opened(bring.facts),
                                    postmortem_bring_title(bring.facts), importing->arena, incident,
                                    reterr);
    if (bring.facts && r != INCIDENT_DB_E_NOT_FOUND)
        return r;
    r = postmortem_bring(conn, &bring, reterr);
    return r ? r : incident_db_get(conn, bring.key, importing->arena, incident, reterr);
}

static int job_import(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct importing *importing = arg;
    struct incident incident;
    int r = find_incident(conn, importing, &incident, reterr);

    if (!r)
        r = import_graphs(conn, importing, incident.id, reterr);
    if (!r)
        r = import_document(conn, importing, &incident, reterr);
    return r ? r : import_actions(conn, importing, reterr);
}

static void handle_import(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    static const char *const known[] = {"format",   "incident", "kind",   "title",
                                        "template", "owner",    "due_at", "sections",
                                        "actions",  "graphs",   "facts",  NULL};
    const char *other = http_query(request, "incident");
    struct importing importing = {.who = request->who.name, .now_ms = clock_wall_ms()};
    const struct api *api = context;
    struct json *body = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    importing.arena = &arena;
    if (!postmortem_body(request, known, &body, response)) {
        json_free(body);
        return;
    }
    importing.body = body;
    int r = json_get_string(body, "incident", &importing.incident, &err) ? FROZEN_DB_E_LIMIT : 0;

    if (other) {
        importing.incident = other;
        importing.is_named = true;
    }
    if (!r)
        r = db_write(api->state, job_import, &importing, &err);
    json_free(body);
    if (r == FROZEN_DB_E_LIMIT)
        http_fail(response, "bad_data", "%s", err.text);
    else if (r)
        postmortem_fail(response, r, &err);
    else
        postmortem_reply(api, importing.id, true, response);
    if (response->status == 200)
        response->status = 201;
}

static const struct http_route routes[] = {
    {"POST", POSTMORTEMS_PATH "/import", HTTP_SCOPE_OPERATE, HTTP_BIG_BODY, handle_import,
     "a document that was exported as JSON; for an incident that has none, or with its own"},
};

const struct api_table api_postmortem_import_routes = {routes, sizeof(routes) / sizeof(routes[0])};
