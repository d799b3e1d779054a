/*
 * The calls about postmortems: list, find, draft, read, change what stands around the text,
 * set the status, preview, and the graphs that were frozen for them. Sections, reviews,
 * actions, publishing and exports have files of their own.
 *
 * A change is answered when it is committed, and told to the live views then.
 */

#include <string.h>

#include "alertd/api/learnt.h"
#include "alertd/api/postmortem_call.h"
#include "alertd/api/postmortem_draft.h"
#include "alertd/api/postmortem_files.h"
#include "alertd/api/read.h"
#include "alertd/postmortem/choice.h"
#include "alertd/postmortem/markdown.h"
#include "lib/base/clock.h"

enum {
    READ_BYTES_MAX = 64 * 1024 * 1024,
};

/* --- GET .../postmortems --- */

static void write_hits(struct json_out *out, const struct postmortem_hit *hits, size_t n)
{
    json_key(out, "hits");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_int(out, "id", hits[i].id);
        json_kv_string(out, "title", hits[i].title);
        json_kv_string(out, "incident", hits[i].incident);
        json_kv_string(out, "snippet", hits[i].snippet);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_rows(struct json_out *out, const struct postmortem_row *rows, size_t n)
{
    json_key(out, "postmortems");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        postmortem_json_head(out, &rows[i]);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* q=words finds them, best first. */
static void handle_list(void *context, struct http_request *request, struct http_response *response)
{
    const char *words = http_query(request, "q");
    struct json_out out = JSON_OUT(&response->body);
    struct postmortem_row *rows = NULL;
    struct postmortem_hit *hits = NULL;
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = words ? postmortem_search_db_find(conn, words, &arena, &hits, &n, &err)
                  : postmortem_db_list(conn, &arena, &rows, &n, &err);

    db_read_end(api->state, conn);
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    if (words)
        write_hits(&out, hits, n);
    else
        write_rows(&out, rows, n);
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

static bool read_record(const struct api *api,
                        const char *key,
                        struct arena *arena,
                        struct postmortem_record *ret_record,
                        struct http_response *response)
{
    struct db_conn *conn = NULL;
    struct err err = {0};

    if (!api_read_begin(api, &conn, response))
        return false;
    int r = postmortem_record_read(conn, key, arena, ret_record, &err);

    db_read_end(api->state, conn);
    if (r)
        postmortem_fail(response, r, &err);
    return r == 0;
}

static void write_choice(struct json_out *out, const struct choice *choice)
{
    json_key(out, "chosen");
    json_open(out, '{');
    json_kv_string(out, "id", choice->template_name);
    json_kv_string(out, "why", choice->why);
    json_kv_int(out, "due_days", choice->due_ms / (24 * 3600 * 1000));
    json_close(out, '}');
}

/* incident=INC-...: also which of them the table chooses for it. */
static void handle_templates(void *context,
                             struct http_request *request,
                             struct http_response *response)
{
    const char *key = http_query(request, "incident");
    struct json_out out = JSON_OUT(&response->body);
    struct postmortem_record record;
    ARENA_AUTO struct arena arena;
    struct template_set set;
    struct err err = {0};

    arena_init(&arena, POSTMORTEM_RECORD_BYTES_MAX);
    if (postmortem_files_read(context, &arena, &set, &err)) {
        http_fail(response, "internal", "%s", err.text);
        return;
    }
    if (key && !read_record(context, key, &arena, &record, response))
        return;
    json_open(&out, '{');
    json_key(&out, "templates");
    json_open(&out, '[');
    for (size_t i = 0; i < set.n; i++)
        if (set.files[i].name[0] != '_' && template_find(&set, set.files[i].name) == &set.files[i])
            write_template(&out, &set.files[i]);
    json_close(&out, ']');
    if (key) {
        const struct choice choice = postmortem_draft_choose(&record, clock_wall_ms());

        write_choice(&out, &choice);
    }
    json_close(&out, '}');
}

/* --- POST .../postmortems --- */

static bool fill_wish(const struct json *body,
                      struct postmortem_wish *wish,
                      struct http_response *response)
{
    struct err err = {0};

    if (json_get_string(body, "incident", &wish->incident, &err) ||
        json_get_string_or(body, "template", "", &wish->template_name, &err)) {
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

    if (postmortem_body(request, known, &body, response) && fill_wish(body, &wish, response)) {
        int r = postmortem_draft(context, &wish, &id, &err);

        if (r)
            postmortem_fail(response, r, &err);
        else
            postmortem_reply(context, id, true, response);
        if (response->status == 200)
            response->status = 201;
    }
    json_free(body);
}

/* --- GET, PUT .../postmortems/{id} --- */

static void handle_get(void *context, struct http_request *request, struct http_response *response)
{
    const char *seen = http_query(request, "view");
    int64_t id;

    if (!postmortem_id(request->path_args[0], "", &id, response))
        return;
    if (seen && strcmp(seen, "page") == 0)
        postmortem_reply_page(context, id, response);
    else
        postmortem_reply(context, id, false, response);
}

static int job_change(struct db_conn *conn, void *arg, struct err *reterr)
{
    return postmortem_db_change(conn, arg, reterr);
}

static void handle_change(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    static const char *const known[] = {"title", "owner", "due_at", NULL};
    struct postmortem_change change = {.actor = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;

    if (!postmortem_id(request->path_args[0], "", &change.id, response))
        return;
    bool fine = postmortem_body(request, known, &body, response) &&
                postmortem_text(body, "title", POSTMORTEM_TITLE_MAX, &change.title, response) &&
                postmortem_text(body, "owner", POSTMORTEM_NAME_MAX, &change.owner, response) &&
                postmortem_time(body, "due_at", &change.due_ms, response);

    if (fine && change.title && !*change.title) {
        http_fail(response, "bad_data", "title: 1 to %d bytes", POSTMORTEM_TITLE_MAX);
        fine = false;
    }
    change.sets_due = fine && json_get(body, "due_at") != NULL;
    if (fine)
        postmortem_change(context, change.id, job_change, &change, response);
    json_free(body);
}

/* --- POST .../postmortems/{id}/status --- */

struct status_change {
    const struct api *api;
    int64_t id;
    const char *status;
    const char *actor;
    int64_t now_ms;
};

/* Reviewed is what somebody but the owner approved. */
static int check_review(struct db_conn *conn,
                        const struct status_change *change,
                        struct err *reterr)
{
    struct postmortem_view view;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    int r = postmortem_view_load(change->api, conn, change->id, change->now_ms, &arena, &view,
                                 reterr);

    for (size_t i = 0; !r && i < view.n_blockers; i++)
        if (strncmp(view.blockers[i], "Nobody but its owner", 20) == 0 ||
            strncmp(view.blockers[i], "Changes are asked", 17) == 0)
            r = err_set(reterr, POSTMORTEM_DB_E_STEP, "%s", view.blockers[i]);
    return r;
}

static int job_status(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct status_change *change = arg;
    int r = strcmp(change->status, "reviewed") == 0 ? check_review(conn, change, reterr) : 0;

    return r ? r
             : postmortem_db_set_status(conn, change->id, change->status, change->actor,
                                        change->now_ms, reterr);
}

static bool fill_status(const struct json *body,
                        struct status_change *change,
                        struct http_response *response)
{
    static const char *const known[] = {"draft", "in_review", "reviewed", "closed"};
    struct err err = {0};

    if (json_get_string(body, "status", &change->status, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(known[i], change->status) == 0)
            return true;
    http_fail(response, "bad_data",
              "status: expected draft, in_review, reviewed or closed; published is what"
              " .../publish makes it");
    return false;
}

static void handle_status(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    static const char *const known[] = {"status", NULL};
    struct status_change change = {
        .api = context, .actor = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;

    if (!postmortem_id(request->path_args[0], "", &change.id, response))
        return;
    if (postmortem_body(request, known, &body, response) && fill_status(body, &change, response))
        postmortem_change(context, change.id, job_status, &change, response);
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
    if (!postmortem_body(request, known, &body, response)) {
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

/* --- GET .../postmortems/{id}/facts, .../incidents/{key}/facts --- */

static void handle_facts(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct postmortem_view view;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    int64_t id;

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    if (!postmortem_id(request->path_args[0], "", &id, response))
        return;
    int r = postmortem_view_read(context, id, &arena, &view, &err);

    if (r)
        postmortem_fail(response, r, &err);
    else if (view.frozen)
        json_raw(&out, view.frozen->facts);
    else
        fact_json(view.facts, &out);
}

static void handle_incident_facts(void *context,
                                  struct http_request *request,
                                  struct http_response *response)
{
    const struct postmortem_row row = {.template_name = "", .status = "", .owner = ""};
    const struct postmortem_about about = {.row = &row, .now_ms = clock_wall_ms()};
    struct json_out out = JSON_OUT(&response->body);
    struct postmortem_record record;
    const struct fact *facts = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, POSTMORTEM_RECORD_BYTES_MAX);
    if (!read_record(context, request->path_args[0], &arena, &record, response))
        return;
    if (!record.learnt.made_ms) /* no document yet: a look of its own, kept by nobody */
        (void)learnt_make(context, &record, about.now_ms);
    int r = postmortem_record_facts(context, &record, &about, &facts, &err);

    if (r)
        postmortem_fail(response, r, &err);
    else
        fact_json(facts, &out);
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
    if (!postmortem_id(request->path_args[0], ".svg", &id, response))
        return;
    if (!api_read_begin(api, &conn, response))
        return;
    int r = graph_db_get(conn, id, &arena, &graph, &err);

    db_read_end(api->state, conn);
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    response->content_type = "image/svg+xml";
    str_add(&response->body, graph.svg);
}

static const struct http_route routes[] = {
    {"GET", POSTMORTEMS_PATH, HTTP_SCOPE_READ, 0, handle_list,
     "postmortems, newest first, without their text; q= finds words"},
    {"POST", POSTMORTEMS_PATH, HTTP_SCOPE_OPERATE, 0, handle_create, "draft one for an incident"},
    {"GET", POSTMORTEMS_PATH "/templates", HTTP_SCOPE_READ, 0, handle_templates,
     "the templates at hand; incident= says which is chosen for it"},
    {"GET", POSTMORTEMS_PATH "/{id}", HTTP_SCOPE_READ, 0, handle_get,
     "one, with its text; view=page: without the text as one"},
    {"PUT", POSTMORTEMS_PATH "/{id}", HTTP_SCOPE_OPERATE, 0, handle_change,
     "title, owner, due date"},
    {"POST", POSTMORTEMS_PATH "/{id}/status", HTTP_SCOPE_OPERATE, 0, handle_status,
     "draft, in_review, reviewed, closed"},
    {"POST", POSTMORTEMS_PATH "/{id}/preview", HTTP_SCOPE_READ, HTTP_SAFE_POST, handle_preview,
     "Markdown as a tree"},
    {"GET", POSTMORTEMS_PATH "/{id}/facts", HTTP_SCOPE_READ, 0, handle_facts,
     "every fact that its sections can name"},
    {"GET", "/api/alertd/v1/incidents/{key}/facts", HTTP_SCOPE_READ, 0, handle_incident_facts,
     "what a postmortem of the incident would be made of"},
    {"GET", "/api/alertd/v1/graphs/{file}", HTTP_SCOPE_READ, 0, handle_graph,
     "a frozen graph: 12.svg"},
};

const struct api_table api_postmortems_routes = {routes, sizeof(routes) / sizeof(routes[0])};
