/*
 * The calls that take a document out: Markdown, one HTML file, JSON that is read back
 * (postmortem_import.c), a tar with all of it; names as they are, or roles instead.
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

static const char *text_at(const struct json *object, const char *name)
{
    const char *text = NULL;

    return object && json_get_string(object, name, &text, NULL) == 0 ? text : "";
}

/* Of the facts as they go along: a published document's are those of then. */
static void add_timeline(const struct json *facts, struct str *out)
{
    static const char *const names[] = {"letter", "kind", "text", "actor", "source"};
    const struct json *rows = json_get(facts, "timeline");

    str_add(out, "time,letter,kind,text,actor,source\r\n");
    for (size_t i = 0; rows && i < json_length(rows); i++) {
        const struct json *row = json_at(rows, i);

        add_field(text_at(json_get(row, "time"), "iso"), out);
        for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
            str_addc(out, ',');
            add_field(text_at(row, names[k]), out);
        }
        str_add(out, "\r\n");
    }
}

/* --- JSON: what import reads --- */

struct leaving {
    const char *id, *title, *generated, *body, *author;
    bool is_generated, required, is_detached;
};

static void write_section(struct json_out *out, const struct leaving *section)
{
    json_open(out, '{');
    json_kv_string(out, "id", section->id);
    json_kv_string(out, "title", section->title);
    json_kv_string(out, "mode", section->is_generated ? "generated" : "human");
    json_kv_bool(out, "required", section->required);
    json_kv_string(out, "generated", section->is_detached ? "" : section->generated);
    json_kv_string(out, "body", section->body);
    json_kv_string(out, "author", section->author);
    json_close(out, '}');
}

/* As they were when it was published. */
static int write_frozen(struct json_out *out, const char *text, struct err *reterr)
{
    struct json *sections = NULL;
    int r = json_parse_upto(text, strlen(text), strlen(text) + 1, &sections, reterr);

    if (r)
        return r;
    for (size_t i = 0; i < json_length(sections); i++) {
        const struct json *from = json_at(sections, i);
        struct leaving section = {.id = text_at(from, "id"),
                                  .title = text_at(from, "title"),
                                  .generated = text_at(from, "generated"),
                                  .body = text_at(from, "body"),
                                  .author = text_at(from, "updated_by"),
                                  .is_generated = strcmp(text_at(from, "mode"), "generated") == 0};

        (void)json_get_bool(from, "required", &section.required, NULL);
        (void)json_get_bool(from, "detached", &section.is_detached, NULL);
        write_section(out, &section);
    }
    json_free(sections);
    return 0;
}

static int write_sections(struct json_out *out,
                          const struct postmortem_view *view,
                          struct err *reterr)
{
    int r = 0;

    json_key(out, "sections");
    json_open(out, '[');
    if (view->frozen)
        r = write_frozen(out, view->frozen->sections, reterr);
    for (size_t i = 0; !view->frozen && i < view->n_sections; i++) {
        const struct postmortem_section *row = &view->sections[i].row;

        write_section(out, &(struct leaving){.id = row->id,
                                             .title = row->title,
                                             .generated = view->sections[i].generated,
                                             .body = row->body,
                                             .author = row->author,
                                             .is_generated = row->is_generated,
                                             .required = row->required,
                                             .is_detached = row->detached_from != NULL});
    }
    json_close(out, ']');
    return r;
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

static int export_json(const struct postmortem_view *view, struct str *out, struct err *reterr)
{
    struct json_out json = JSON_OUT(out);
    int r;

    json_open(&json, '{');
    json_kv_int(&json, "format", EXPORT_FORMAT);
    json_kv_string(&json, "incident", view->row.incident);
    json_kv_string(&json, "kind", view->row.kind);
    json_kv_string(&json, "title", view->row.title);
    json_kv_string(&json, "template", view->row.template_name);
    json_kv_string(&json, "owner", view->row.owner);
    json_kv_time(&json, "due_at", view->row.due_ms);
    r = write_sections(&json, view, reterr);
    write_actions(&json, view);
    write_graphs(&json, view);
    json_key(&json, "facts");
    if (view->frozen)
        json_raw(&json, view->frozen->facts);
    else
        fact_json(view->facts, &json);
    json_close(&json, '}');
    return r;
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
    struct json *read = NULL;
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
    r = json_parse_upto(str_text(&facts), facts.len, POSTMORTEM_FACTS_JSON_MAX, &read, reterr);
    if (r)
        return r;
    add_timeline(read, &timeline);
    json_free(read);
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
        return export_json(view, &response->body, reterr);
    if (strcmp(format, "tar") == 0)
        return export_tar(view, markdown, &response->body, reterr);
    if (strcmp(format, "md") == 0)
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

static bool carries_names(const char *format)
{
    return strcmp(format, "md") != 0 && strcmp(format, "html") != 0;
}

static void refuse_names(struct http_response *response)
{
    http_fail(response, "bad_data", "the public has md and html: facts carry names");
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
    if (roles && carries_names(format)) {
        refuse_names(response);
        return;
    }
    int r = postmortem_view_read(context, id, &arena, &view, &err);

    if (!r && strcmp(view.row.kind, "public") == 0 && carries_names(format)) {
        refuse_names(response);
        return;
    }
    if (!r && roles)
        r = postmortem_view_tell(context, &view, &err);
    if (!r)
        r = write_export(&view, format, roles, response, &err);
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    response->content_type = content_type;
    name_file(request, response, &view.row, format);
}

static const struct http_route routes[] = {
    {"GET", POSTMORTEMS_PATH "/{id}/export", HTTP_SCOPE_READ, 0, handle_export,
     "the file: format=md|html|json|tar; audience=public: roles instead of names"},
};

const struct api_table api_postmortem_export_routes = {routes, sizeof(routes) / sizeof(routes[0])};
