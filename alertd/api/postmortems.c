/*
 * The calls about postmortems: list, draft, read, save, review, preview, export, and the
 * graphs that were frozen for them.
 *
 * A change is answered when it is committed, and told to the live views then.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/postmortem_draft.h"
#include "alertd/api/postmortem_files.h"
#include "alertd/api/read.h"
#include "alertd/db/incident_db.h"
#include "alertd/postmortem/document.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"

enum {
    READ_BYTES_MAX = 64 * 1024 * 1024,
    TITLE_BYTES_MAX = 500,
};

/* Turns a result of the db and of drafting into the reply's error. */
static void fail(struct http_response *response, int r, const struct err *err)
{
    switch (r) {
    case INCIDENT_DB_E_NOT_FOUND:
    case POSTMORTEM_DB_E_NOT_FOUND: http_fail(response, "not_found", "%s", err->text); break;
    case POSTMORTEM_DB_E_EXISTS:
    case POSTMORTEM_DB_E_STALE:
    case POSTMORTEM_DB_E_PUBLISHED: http_fail(response, "conflict", "%s", err->text); break;
    case POSTMORTEM_DRAFT_E_TEMPLATE: http_fail(response, "bad_data", "%s", err->text); break;
    case INCIDENT_DB_E_LIMIT:
    case POSTMORTEM_DB_E_LIMIT:
    case POSTMORTEM_DRAFT_E_LIMIT: http_fail(response, "too_large", "%s", err->text); break;
    case DB_E_FULL: http_fail(response, "unavailable", "%s", err->text); break;
    default: http_fail(response, "internal", "%s", err->text); break;
    }
}

static bool read_id(const char *text,
                    const char *suffix,
                    int64_t *ret_id,
                    struct http_response *response)
{
    char *end = NULL;

    errno = 0;
    long long id = text[0] >= '1' && text[0] <= '9' ? strtoll(text, &end, 10) : 0;

    if (!id || errno || strcmp(end, suffix) != 0) {
        http_fail(response, "not_found", "there is nothing named %.60s", text);
        return false;
    }
    *ret_id = id;
    return true;
}

/* The body, an object with these members at most. */
static bool read_body(const struct http_request *request,
                      const char *const *known,
                      struct json **ret_body,
                      struct http_response *response)
{
    struct err err = {0};
    int r = json_parse(request->body, request->body_len, ret_body, &err);

    if (!r && !json_is_object(*ret_body))
        r = err_set(&err, JSON_E_TYPE, "the body: expected an object");
    if (!r)
        r = json_only(*ret_body, known, &err);
    if (r)
        http_fail(response, "bad_data", "%s", err.text);
    return r == 0;
}

static void write_members(struct json_out *out, const struct postmortem_row *row)
{
    json_kv_int(out, "id", row->id);
    json_kv_string(out, "incident", row->incident);
    json_kv_string(out, "title", row->title);
    json_kv_string(out, "template", row->template_name);
    json_kv_string(out, "status", row->status);
    json_kv_int(out, "revision", row->revision);
    json_kv_time(out, "created_at", row->created_ms);
    json_kv_time(out, "updated_at", row->updated_ms);
    json_kv_string(out, "updated_by", row->updated_by);
    json_kv_int(out, "open_prompts", row->open_prompts);
}

static void tell(const struct api *api, const struct postmortem_row *row)
{
    STR_AUTO struct str text = STR_INIT(256);
    struct json_out out = JSON_OUT(&text);

    json_open(&out, '{');
    json_kv_string(&out, "key", row->incident);
    json_kv_int(&out, "id", row->id);
    json_close(&out, '}');
    http_hub_publish(api->hub, "postmortem", str_text(&text));
}

/* The reply is the postmortem as it is now; changed also tells the live views. */
static void reply(const struct api *api, int64_t id, bool changed, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    struct postmortem_row row;
    struct db_conn *conn = NULL;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = postmortem_db_get(conn, id, &arena, &row, &err);

    db_read_end(api->state, conn);
    if (r) {
        fail(response, r, &err);
        return;
    }
    if (changed)
        tell(api, &row);
    json_open(&out, '{');
    write_members(&out, &row);
    json_kv_string(&out, "markdown", row.markdown);
    json_close(&out, '}');
}

/* --- GET .../postmortems --- */

static void handle_list(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    struct postmortem_row *rows = NULL;
    struct db_conn *conn = NULL;
    struct err err = {0};
    size_t n = 0;

    (void)request;
    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = postmortem_db_list(conn, &arena, &rows, &n, &err);

    db_read_end(api->state, conn);
    if (r) {
        fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "postmortems");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&out, '{');
        write_members(&out, &rows[i]);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

/* --- GET .../postmortems/templates --- */

static void write_template(struct json_out *out, const struct template_file *file)
{
    STR_AUTO struct str title = STR_INIT(1000);
    size_t len = strlen(file->name) - 3; /* without .md */

    template_title(file, &title);
    json_open(out, '{');
    json_key(out, "id");
    json_stringn(out, file->name, len);
    json_kv_string(out, "title", str_text(&title));
    json_close(out, '}');
}

static void handle_templates(void *context,
                             struct http_request *request,
                             struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    struct template_set set;
    struct err err = {0};

    (void)request;
    arena_init(&arena, READ_BYTES_MAX);
    if (postmortem_files_read(context, &arena, &set, &err)) {
        http_fail(response, "internal", "%s", err.text);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "templates");
    json_open(&out, '[');
    for (size_t i = 0; i < set.n; i++)
        if (set.files[i].name[0] != '_' && template_find(&set, set.files[i].name) == &set.files[i])
            write_template(&out, &set.files[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* --- POST .../postmortems --- */

static bool fill_wish(const struct json *body,
                      struct postmortem_wish *wish,
                      struct http_response *response)
{
    struct err err = {0};

    if (json_get_string(body, "incident", &wish->incident, &err) ||
        json_get_string_or(body, "template", "standard", &wish->template_name, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    return true;
}

static void handle_create(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    static const char *const known[] = {"incident", "template", NULL};
    struct postmortem_wish wish = {.author = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;
    struct err err = {0};
    int64_t id = 0;

    if (read_body(request, known, &body, response) && fill_wish(body, &wish, response)) {
        int r = postmortem_draft(context, &wish, &id, &err);

        if (r)
            fail(response, r, &err);
        else
            reply(context, id, true, response);
        if (response->status == 200)
            response->status = 201;
    }
    json_free(body);
}

/* --- GET, PUT .../postmortems/{id} --- */

static void handle_get(void *context, struct http_request *request, struct http_response *response)
{
    int64_t id;

    if (read_id(request->path_args[0], "", &id, response))
        reply(context, id, false, response);
}

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    return postmortem_db_save(conn, arg, reterr);
}

static bool fill_save(const struct json *body,
                      struct postmortem_save *save,
                      struct http_response *response)
{
    struct err err = {0};

    if (json_get_string(body, "markdown", &save->markdown, &err) ||
        json_get_int(body, "revision", &save->base_revision, &err) ||
        json_get_string_or(body, "title", NULL, &save->title, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    if (save->title && (!*save->title || strlen(save->title) > TITLE_BYTES_MAX)) {
        http_fail(response, "bad_data", "title: 1 to %d bytes", TITLE_BYTES_MAX);
        return false;
    }
    return true;
}

static void handle_save(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"title", "markdown", "revision", NULL};
    const struct api *api = context;
    struct postmortem_save save = {.author = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;
    struct err err = {0};

    if (!read_id(request->path_args[0], "", &save.id, response))
        return;
    if (read_body(request, known, &body, response) && fill_save(body, &save, response)) {
        int r = db_write(api->state, job_save, &save, &err);

        if (r)
            fail(response, r, &err);
        else
            reply(api, save.id, true, response);
    }
    json_free(body);
}

/* --- POST .../postmortems/{id}/status --- */

struct status_change {
    int64_t id;
    const char *status;
    const char *actor;
    int64_t now_ms;
};

static int job_status(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct status_change *change = arg;

    return postmortem_db_set_status(conn, change->id, change->status, change->actor, change->now_ms,
                                    reterr);
}

static bool fill_status(const struct json *body,
                        struct status_change *change,
                        struct http_response *response)
{
    static const char *const known[] = {"draft", "in_review", "published"};
    struct err err = {0};

    if (json_get_string(body, "status", &change->status, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(known[i], change->status) == 0)
            return true;
    http_fail(response, "bad_data", "status: expected draft, in_review or published");
    return false;
}

static void handle_status(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    static const char *const known[] = {"status", NULL};
    const struct api *api = context;
    struct status_change change = {.actor = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;
    struct err err = {0};

    if (!read_id(request->path_args[0], "", &change.id, response))
        return;
    if (read_body(request, known, &body, response) && fill_status(body, &change, response)) {
        int r = db_write(api->state, job_status, &change, &err);

        if (r)
            fail(response, r, &err);
        else
            reply(api, change.id, true, response);
    }
    json_free(body);
}

/* --- POST .../postmortems/{id}/preview --- */

static void handle_preview(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    static const char *const known[] = {"markdown", NULL};
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    const char *markdown = NULL;
    struct json *body = NULL;
    struct markdown *document;
    struct err err = {0};

    (void)context;
    arena_init(&arena, MARKDOWN_TREE_MAX);
    if (!read_body(request, known, &body, response)) {
        json_free(body);
        return;
    }
    if (json_get_string(body, "markdown", &markdown, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
    } else if (markdown_parse(&arena, markdown, strlen(markdown), &document, &err)) {
        http_fail(response, "too_large", "%s", err.text);
    } else {
        json_open(&out, '{');
        json_key(&out, "nodes");
        markdown_json(document, &out);
        json_close(&out, '}');
    }
    json_free(body);
}

/* --- GET .../postmortems/{id}/export --- */

/* "2026-11-23 22:27:00" */
static void add_instant(int64_t at_ms, struct str *out)
{
    char text[CLOCK_TEXT_MAX];

    (void)clock_rfc3339(at_ms, text);
    str_addf(out, "%.10s %.8s", text, text + 11);
}

static void caption(const struct graph_row *graph, struct str *out)
{
    str_addf(out, "%s \xc2\xb7 ", graph->query);
    add_instant(graph->start_ms, out);
    str_add(out, " to ");
    add_instant(graph->end_ms, out);
    str_addf(out, " UTC, a point each %lld s, %lld points, captured ",
             (long long)(graph->step_ms / 1000), (long long)graph->n_points);
    add_instant(graph->captured_ms, out);
    str_add(out, " UTC from the samples of alertd");
}

/* All graphs of the incident, as the document may name any. */
static struct markdown_graph *list_graphs(struct arena *arena,
                                          const struct graph_row *rows,
                                          size_t n)
{
    struct markdown_graph *graphs = arena_array(arena, n + 1, sizeof(*graphs));

    for (size_t i = 0; graphs && i < n; i++) {
        STR_AUTO struct str words = STR_INIT(64 * 1024);

        caption(&rows[i], &words);
        graphs[i] = (struct markdown_graph){
            .id = rows[i].id,
            .svg = rows[i].svg,
            .caption = arena_strndup(arena, str_text(&words), words.len),
        };
        if (!graphs[i].caption)
            return NULL;
    }
    return graphs;
}

static void export_html(const struct postmortem_row *row,
                        const struct graph_row *graphs,
                        size_t n_graphs,
                        struct arena *arena,
                        struct http_response *response)
{
    struct document document = {
        .title = row->title,
        .incident_key = row->incident,
        .status = row->status,
        .updated_by = row->updated_by,
        .updated_at_ms = row->updated_ms,
        .revision = row->revision,
        .graphs = list_graphs(arena, graphs, n_graphs),
        .n_graphs = n_graphs,
    };
    struct markdown *body;
    struct err err = {0};

    if (!document.graphs ||
        markdown_parse(arena, row->markdown, strlen(row->markdown), &body, &err)) {
        http_fail(response, "too_large", "the document is too large to export");
        return;
    }
    document.body = body;
    response->content_type = "text/html; charset=utf-8";
    if (document_html(&document, &response->body, &err))
        http_fail(response, "too_large", "%s", err.text);
}

static int read_for_export(struct db_conn *conn,
                           int64_t id,
                           struct arena *arena,
                           struct postmortem_row *row,
                           struct graph_row **ret_graphs,
                           size_t *ret_n,
                           struct err *reterr)
{
    int r = postmortem_db_get(conn, id, arena, row, reterr);

    return r ? r : graph_db_list(conn, row->incident_id, arena, ret_graphs, ret_n, reterr);
}

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

static void handle_export(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const char *format = http_query(request, "format");
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct graph_row *graphs = NULL;
    struct postmortem_row row;
    struct db_conn *conn = NULL;
    struct err err = {0};
    size_t n_graphs = 0;
    int64_t id;

    arena_init(&arena, READ_BYTES_MAX);
    if (!read_id(request->path_args[0], "", &id, response))
        return;
    if (!format || (strcmp(format, "md") != 0 && strcmp(format, "html") != 0)) {
        http_fail(response, "bad_data", "format: expected md or html");
        return;
    }
    if (!api_read_begin(api, &conn, response))
        return;
    int r = read_for_export(conn, id, &arena, &row, &graphs, &n_graphs, &err);

    db_read_end(api->state, conn);
    if (r) {
        fail(response, r, &err);
        return;
    }
    if (strcmp(format, "html") == 0) {
        export_html(&row, graphs, n_graphs, &arena, response);
    } else {
        response->content_type = "text/markdown; charset=utf-8";
        str_add(&response->body, row.markdown);
    }
    if (response->status == 200)
        name_file(request, response, &row, format);
}

/* --- GET .../graphs/{id}.svg --- */

static void handle_graph(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct graph_row graph;
    struct err err = {0};
    int64_t id;

    arena_init(&arena, READ_BYTES_MAX);
    if (!read_id(request->path_args[0], ".svg", &id, response))
        return;
    if (!api_read_begin(api, &conn, response))
        return;
    int r = graph_db_get(conn, id, &arena, &graph, &err);

    db_read_end(api->state, conn);
    if (r) {
        fail(response, r, &err);
        return;
    }
    response->content_type = "image/svg+xml";
    str_add(&response->body, graph.svg);
}

#define PATH "/api/alertd/v1/postmortems"

static const struct http_route routes[] = {
    {"GET", PATH, HTTP_SCOPE_READ, 0, handle_list, "postmortems, newest first, without their text"},
    {"POST", PATH, HTTP_SCOPE_OPERATE, 0, handle_create, "draft one for an incident"},
    {"GET", PATH "/templates", HTTP_SCOPE_READ, 0, handle_templates, "the templates at hand"},
    {"GET", PATH "/{id}", HTTP_SCOPE_READ, 0, handle_get, "one, with its text"},
    {"PUT", PATH "/{id}", HTTP_SCOPE_OPERATE, 0, handle_save, "save a new revision"},
    {"POST", PATH "/{id}/status", HTTP_SCOPE_OPERATE, 0, handle_status,
     "draft, in_review, published"},
    {"POST", PATH "/{id}/preview", HTTP_SCOPE_READ, HTTP_SAFE_POST, handle_preview,
     "Markdown as a tree"},
    {"GET", PATH "/{id}/export", HTTP_SCOPE_READ, 0, handle_export, "the file: format=md|html"},
    {"GET", "/api/alertd/v1/graphs/{file}", HTTP_SCOPE_READ, 0, handle_graph,
     "a frozen graph: 12.svg"},
};

const struct api_table api_postmortems_routes = {routes, sizeof(routes) / sizeof(routes[0])};
