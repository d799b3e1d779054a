/*
 * The calls that take a document out and bring it in: Markdown, one HTML file, JSON that is
 * read back, a tar with all of it; names as they are, or roles instead.
 *
 *   tar: postmortem.md  graphs/12.svg ...  facts.json  timeline.csv
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/postmortem_call.h"
#include "alertd/api/read.h"
#include "alertd/postmortem/archive.h"
#include "alertd/postmortem/document.h"
#include "alertd/postmortem/graph.h"
#include "alertd/postmortem/section.h"
#include "alertd/postmortem/svg.h"
#include "lib/base/clock.h"

enum {
    EXPORT_FORMAT = 1, /* of the JSON */
    CSV_MAX = 16 * 1024 * 1024,
    IMPORT_ACTIONS_MAX = 500,
};

/* --- the pieces --- */

/* With graphs as files beside it, for whoever reads it without alertd. */
static void link_graphs(const char *markdown, struct str *out)
{
    static const char opening[] = "](graph:";
    const char *at;

    while ((at = strstr(markdown, opening))) {
        size_t digits = strspn(at + sizeof(opening) - 1, "0123456789");

        str_addn(out, markdown, (size_t)(at - markdown));
        str_addf(out, "](graphs/%.*s.svg", (int)digits, at + sizeof(opening) - 1);
        markdown = at + sizeof(opening) - 1 + digits;
    }
    str_add(out, markdown);
}

static void add_field(const char *text, struct str *out)
{
    /* A spreadsheet takes what begins like this for a formula. */
    bool is_formula = text[0] && strchr("=+-@\t\r", text[0]);

    str_add(out, is_formula ? "\"'" : "\"");
    for (; *text; text++) {
        if (*text == '"')
            str_addc(out, '"');
        str_addc(out, *text);
    }
    str_addc(out, '"');
}

static const char *text_of(const struct fact *row, const char *group, const char *name)
{
    const struct fact *from = group ? fact_member(row, group, strlen(group)) : row;
    const struct fact *member = from ? fact_member(from, name, strlen(name)) : NULL;

    return member && member->text ? member->text : "";
}

static void add_timeline(const struct fact *facts, struct str *out)
{
    const struct fact *rows = fact_member(facts, "timeline", 8);

    str_add(out, "time,letter,kind,text,actor,source\r\n");
    for (const struct fact *row = rows ? rows->first : NULL; row; row = row->next) {
        add_field(text_of(row, "time", "iso"), out);
        static const char *const names[] = {"letter", "kind", "text", "actor", "source"};

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
            str_addc(out, ',');
            add_field(text_of(row, NULL, names[i]), out);
        }
        str_add(out, "\r\n");
    }
}

/* --- JSON: what import reads --- */

static void write_sections(struct json_out *out, const struct postmortem_view *view)
{
    json_key(out, "sections");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_sections; i++) {
        const struct postmortem_section *row = &view->sections[i].row;

        json_open(out, '{');
        json_kv_string(out, "id", row->id);
        json_kv_string(out, "title", row->title);
        json_kv_string(out, "mode", row->is_generated ? "generated" : "human");
        json_kv_bool(out, "required", row->required);
        json_kv_string(out, "generated", row->detached_from ? "" : view->sections[i].generated);
        json_kv_string(out, "body", row->body);
        json_kv_string(out, "author", row->author);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_actions(struct json_out *out, const struct postmortem_view *view)
{
    json_key(out, "actions");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_actions; i++) {
        const struct action_row *action = &view->actions[i];

        json_open(out, '{');
        json_kv_string(out, "text", action->text);
        json_kv_string(out, "type", action->type);
        json_kv_string(out, "tag", action->tag);
        json_kv_string(out, "owner", action->owner);
        json_kv_time(out, "due_at", action->due_ms);
        json_kv_string(out, "state", action->state);
        json_kv_string(out, "done_when", action->done_when);
        json_kv_string(out, "proof_url", action->proof_url);
        json_kv_string(out, "reason", action->reason);
        json_kv_string(out, "rule_draft", action->rule_draft);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_graphs(struct json_out *out, const struct postmortem_view *view)
{
    json_key(out, "graphs");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_graphs; i++) {
        const struct graph_row *graph = &view->graphs[i];

        json_open(out, '{');
        json_kv_int(out, "id", graph->id);
        json_kv_string(out, "title", graph->title);
        json_kv_string(out, "query", graph->query);
        json_kv_int(out, "start_ms", graph->start_ms);
        json_kv_int(out, "end_ms", graph->end_ms);
        json_kv_int(out, "step_ms", graph->step_ms);
        json_kv_int(out, "captured_ms", graph->captured_ms);
        json_kv_int(out, "n_points", graph->n_points);
        if (graph->has_threshold)
            json_kv_float(out, "threshold", graph->threshold);
        json_kv_string(out, "series", graph->series); /* JSON in a text: it is read back whole */
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void export_json(const struct postmortem_view *view, struct str *out)
{
    struct json_out json = JSON_OUT(out);

    json_open(&json, '{');
    json_kv_int(&json, "format", EXPORT_FORMAT);
    json_kv_string(&json, "incident", view->row.incident);
    json_kv_string(&json, "kind", view->row.kind);
    json_kv_string(&json, "title", view->row.title);
    json_kv_string(&json, "template", view->row.template_name);
    json_kv_string(&json, "owner", view->row.owner);
    json_kv_time(&json, "due_at", view->row.due_ms);
    write_sections(&json, view);
    write_actions(&json, view);
    write_graphs(&json, view);
    json_key(&json, "facts");
    if (view->frozen)
        json_raw(&json, view->frozen->facts);
    else
        fact_json(view->facts, &json);
    json_close(&json, '}');
}

/* --- tar --- */

static int add_graphs(const struct postmortem_view *view, struct str *out, struct err *reterr)
{
    for (size_t i = 0; i < view->n_graphs; i++) {
        STR_AUTO struct str svg = STR_INIT(SVG_TEXT_MAX);
        char name[64];
        int r = postmortem_view_graph(view, &view->graphs[i], &svg, reterr);

        if (r)
            return r;
        (void)snprintf(name, sizeof(name), "graphs/%lld.svg", (long long)view->graphs[i].id);
        archive_add(out, name, str_text(&svg), svg.len, view->row.updated_ms);
    }
    return 0;
}

static int export_tar(const struct postmortem_view *view,
                      const char *markdown,
                      struct str *out,
                      struct err *reterr)
{
    STR_AUTO struct str linked = STR_INIT(POSTMORTEM_MARKDOWN_MAX);
    STR_AUTO struct str facts = STR_INIT(POSTMORTEM_FACTS_JSON_MAX);
    STR_AUTO struct str timeline = STR_INIT(CSV_MAX);
    struct json_out json = JSON_OUT(&facts);
    int64_t at_ms = view->row.updated_ms;

    link_graphs(markdown, &linked);
    archive_add(out, "postmortem.md", str_text(&linked), linked.len, at_ms);
    int r = add_graphs(view, out, reterr);

    if (r)
        return r;
    if (view->frozen)
        str_add(&facts, view->frozen->facts);
    else
        fact_json(view->facts, &json);
    archive_add(out, "facts.json", str_text(&facts), facts.len, at_ms);
    add_timeline(view->facts, &timeline);
    archive_add(out, "timeline.csv", str_text(&timeline), timeline.len, at_ms);
    archive_end(out);
    return 0;
}

/* --- GET .../export --- */

static const struct {
    const char *format;
    const char *content_type;
} formats[] = {
    {"md", "text/markdown; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"json", "application/json"},
    {"tar", "application/x-tar"},
};

/* Saved, not shown: the file brings its own style, which our pages' policy forbids. */
static void name_file(struct http_request *request,
                      struct http_response *response,
                      const struct postmortem_row *row,
                      const char *format)
{
    STR_AUTO struct str value = STR_INIT(200);

    str_addf(&value, "attachment; filename=\"%s.%s\"", row->incident, format);
    const char *kept = arena_strndup(request->arena, str_text(&value), value.len);

    if (kept)
        http_add_header(response, "Content-Disposition", kept);
}

static int write_export(const struct postmortem_view *view,
                        const char *format,
                        bool roles,
                        struct http_response *response,
                        struct err *reterr)
{
    STR_AUTO struct str named = STR_INIT(POSTMORTEM_MARKDOWN_MAX);
    STR_AUTO struct str told = STR_INIT(POSTMORTEM_MARKDOWN_MAX);

    postmortem_view_markdown(view, &named);
    if (roles)
        roles_replace(&view->roles, str_text(&named), &told);
    const char *markdown = str_text(roles ? &told : &named);

    if (strcmp(format, "json") == 0)
        export_json(view, &response->body);
    else if (strcmp(format, "tar") == 0)
        return export_tar(view, markdown, &response->body, reterr);
    else if (strcmp(format, "md") == 0)
        str_add(&response->body, markdown);
    else if (view->frozen && !roles)
        str_add(&response->body, view->frozen->html);
    else
        return postmortem_html(view, markdown, &response->body, reterr);
    return 0;
}

static const char *content_type_of(const char *format)
{
    for (size_t i = 0; format && i < sizeof(formats) / sizeof(*formats); i++)
        if (strcmp(formats[i].format, format) == 0)
            return formats[i].content_type;
    return NULL;
}

static void handle_export(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const char *format = http_query(request, "format");
    const char *audience = http_query(request, "audience");
    bool roles = audience && strcmp(audience, "public") == 0;
    const char *content_type = content_type_of(format);
    struct postmortem_view view;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    int64_t id;

    arena_init(&arena, 2 * (size_t)POSTMORTEM_VIEW_BYTES_MAX);
    if (!postmortem_id(request->path_args[0], "", &id, response))
        return;
    if (!content_type || (audience && !roles)) {
        http_fail(response, "bad_data",
                  audience && !roles ? "audience: expected public, or none"
                                     : "format: expected md, html, json or tar");
        return;
    }
    if (roles && strcmp(format, "md") != 0 && strcmp(format, "html") != 0) {
        http_fail(response, "bad_data", "the public has md and html: facts carry names");
        return;
    }
    int r = postmortem_view_read(context, id, &arena, &view, &err);

    if (!r)
        r = write_export(&view, format, roles, response, &err);
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    response->content_type = content_type;
    name_file(request, response, &view.row, format);
}

/* --- POST .../postmortems/import --- */

struct importing {
    const struct json *body;
    const char *incident;
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

static int job_import(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct importing *importing = arg;
    struct incident incident;
    int r = incident_db_get(conn, importing->incident, importing->arena, &incident, reterr);

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

    if (other)
        importing.incident = other;
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
    {"GET", POSTMORTEMS_PATH "/{id}/export", HTTP_SCOPE_READ, 0, handle_export,
     "the file: format=md|html|json|tar; audience=public: roles instead of names"},
    {"POST", POSTMORTEMS_PATH "/import", HTTP_SCOPE_OPERATE, HTTP_BIG_BODY, handle_import,
     "a document that was exported as JSON, for an incident that has none"},
};

const struct api_table api_postmortem_export_routes = {routes, sizeof(routes) / sizeof(routes[0])};
