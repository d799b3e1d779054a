/*
 * Publishing a document: what it says, its page, its graphs, its facts and the samples behind
 * them are frozen as a version that nothing changes any more.
 *
 *   (before the job) samples that came in since the draft are read
 *   (one job) they are stored; the view is made; nothing may stand in its way; the version
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/learnt.h"
#include "alertd/api/postmortem_call.h"
#include "alertd/api/postmortem_freeze.h"
#include "alertd/api/read.h"
#include "alertd/postmortem/document.h"
#include "lib/base/clock.h"

enum {
    PUBLISH_E_BLOCKED = 70,
    FROZEN_READ_MAX = 256 * 1024 * 1024,
};

#define ALONE "Nobody but its owner approved it"

static const char *keep(struct arena *arena, const struct str *text)
{
    return text->full ? NULL : arena_strndup(arena, str_text(text), text->len);
}

/* --- POST .../publish --- */

struct publishing {
    const struct api *api;
    int64_t id;
    bool alone; /* nobody else can review it, and that is said */
    const char *who;
    int64_t now_ms;
    struct freeze *freeze; /* what came in since the draft; NULL: nothing */
    struct arena *arena;
    const struct postmortem_view *blocked; /* what stood in its way */
};

/* Were the graphs of the draft cut by the moment it was made? */
static bool grew(const struct freeze *freeze, const struct postmortem_view *view)
{
    for (size_t i = 0; i < view->n_graphs; i++)
        if (!view->graphs[i].is_chosen)
            return freeze->n_graphs &&
                   freeze->graphs[0].plan.end_ms > view->graphs[i].end_ms + view->graphs[i].step_ms;
    return freeze->n_graphs > 0;
}

static int store_frozen(struct db_conn *conn,
                        const struct publishing *publishing,
                        const struct postmortem_view *view,
                        struct err *reterr)
{
    struct graph_row rows[FREEZE_GRAPHS_MAX];
    int r = 0;

    if (!publishing->freeze)
        return 0;
    if (grew(publishing->freeze, view))
        r = freeze_store_graphs(publishing->freeze, conn, false, rows, reterr);
    if (!r)
        r = freeze_store_samples(publishing->freeze, conn, reterr);
    return r ? r : learnt_store(conn, publishing->freeze->record, reterr);
}

static int check(struct publishing *publishing,
                 const struct postmortem_view *view,
                 struct err *reterr)
{
    size_t n = view->n_blockers;

    if (strcmp(view->row.status, "reviewed") != 0 && !publishing->alone)
        return err_set(reterr, POSTMORTEM_DB_E_STEP,
                       "it is %s: it is published when it is reviewed", view->row.status);
    if (postmortem_is_frozen(&view->row))
        return err_set(reterr, POSTMORTEM_DB_E_STEP, "it is %s already", view->row.status);
    for (size_t i = 0; i < view->n_blockers; i++)
        n -= publishing->alone && strcmp(view->blockers[i], ALONE) == 0;
    publishing->blocked = n ? view : NULL;
    return n ? err_set(reterr, PUBLISH_E_BLOCKED, "%zu things stand in its way; the first: %s", n,
                       publishing->alone && strcmp(view->blockers[0], ALONE) == 0
                           ? view->blockers[1]
                           : view->blockers[0])
             : 0;
}

struct pieces {
    struct str markdown, html, facts, sections;
};

static void pieces_done(struct pieces *pieces)
{
    str_done(&pieces->markdown);
    str_done(&pieces->html);
    str_done(&pieces->facts);
    str_done(&pieces->sections);
}

static int fill_version(const struct postmortem_view *view,
                        struct pieces *pieces,
                        struct postmortem_version *version,
                        struct err *reterr)
{
    struct postmortem_version_graph *graphs = arena_array(view->arena, view->n_graphs + 1,
                                                          sizeof(*graphs));
    struct json_out facts = JSON_OUT(&pieces->facts);
    struct json_out sections = JSON_OUT(&pieces->sections);

    postmortem_view_markdown(view, &pieces->markdown);
    fact_json(view->facts, &facts);
    postmortem_json_sections(&sections, view);
    int r = postmortem_html(view, str_text(&pieces->markdown), &pieces->html, reterr);

    for (size_t i = 0; !r && graphs && i < view->n_graphs; i++) {
        STR_AUTO struct str svg = STR_INIT(SVG_TEXT_MAX);

        r = postmortem_view_graph(view, &view->graphs[i], &svg, reterr);
        graphs[i] = (struct postmortem_version_graph){view->graphs[i].id, keep(view->arena, &svg)};
        if (!r && !graphs[i].svg)
            graphs = NULL;
    }
    if (r)
        return r;
    if (!graphs || pieces->facts.full || pieces->sections.full || pieces->markdown.full)
        return err_set(reterr, POSTMORTEM_DB_E_LIMIT, "the document is too large to publish");
    version->markdown = str_text(&pieces->markdown);
    version->html = str_text(&pieces->html);
    version->facts = str_text(&pieces->facts);
    version->sections = str_text(&pieces->sections);
    version->graphs = graphs;
    version->n_graphs = view->n_graphs;
    return 0;
}

static int add_version(struct db_conn *conn,
                       const struct publishing *publishing,
                       struct postmortem_view *view,
                       struct err *reterr)
{
    struct pieces pieces = {STR_INIT(POSTMORTEM_MARKDOWN_MAX), STR_INIT(DOCUMENT_HTML_MAX),
                            STR_INIT(POSTMORTEM_FACTS_JSON_MAX),
                            STR_INIT(POSTMORTEM_FACTS_JSON_MAX)};
    struct postmortem_version version = {
        .title = view->row.title,
        .published_ms = publishing->now_ms,
        .published_by = publishing->who,
    };
    int64_t number = 0;

    view->row.status = "published"; /* as its page says it */
    view->row.updated_by = publishing->who;
    view->row.updated_ms = publishing->now_ms;
    int r = fill_version(view, &pieces, &version, reterr);

    if (!r)
        r = postmortem_version_db_add(conn, publishing->id, &version, &number, reterr);
    pieces_done(&pieces);
    return r;
}

static int job_publish(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct publishing *publishing = arg;
    struct postmortem_view *view = arena_alloc(publishing->arena, sizeof(*view));
    int r = view ? postmortem_view_load(publishing->api, conn, publishing->id, publishing->now_ms,
                                        publishing->arena, view, reterr)
                 : -ENOMEM;

    if (!r)
        r = check(publishing, view, reterr);
    if (!r)
        r = store_frozen(conn, publishing, view, reterr);
    if (!r && publishing->freeze) /* with the graphs that were just stored */
        r = postmortem_view_load(publishing->api, conn, publishing->id, publishing->now_ms,
                                 publishing->arena, view, reterr);
    return r ? r : add_version(conn, publishing, view, reterr);
}

static void reply_blocked(const struct publishing *publishing,
                          const struct err *err,
                          struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    response->status = 409;
    json_open(&out, '{');
    json_kv_string(&out, "status", "error");
    json_kv_string(&out, "errorType", "conflict");
    json_kv_string(&out, "error", err->text);
    json_key(&out, "blockers");
    json_open(&out, '[');
    for (size_t i = 0; i < publishing->blocked->n_blockers; i++)
        json_string(&out, publishing->blocked->blockers[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* The samples first: a query may take seconds, a job may not. */
static void publish(struct publishing *publishing, struct http_response *response)
{
    struct postmortem_view before;
    struct freeze freeze;
    struct err err = {0};
    int r = postmortem_view_read(publishing->api, publishing->id, publishing->arena, &before, &err);

    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    freeze_init(&freeze, publishing->api, &before.record, publishing->now_ms);
    if (strcmp(before.row.kind, "public") != 0) {
        freeze_rules(&freeze);
        (void)learnt_again(publishing->api, &before.record, publishing->now_ms);
    }
    publishing->freeze = &freeze;
    r = db_write(publishing->api->state, job_publish, publishing, &err);
    freeze_done(&freeze);
    if (r == PUBLISH_E_BLOCKED)
        reply_blocked(publishing, &err, response);
    else if (r)
        postmortem_fail(response, r, &err);
    else
        postmortem_reply(publishing->api, publishing->id, true, response);
}

static void handle_publish(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    static const char *const known[] = {"alone", NULL};
    struct publishing publishing = {
        .api = context, .who = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, 3 * (size_t)POSTMORTEM_VIEW_BYTES_MAX);
    publishing.arena = &arena;
    if (!postmortem_id(request->path_args[0], "", &publishing.id, response))
        return;
    if (postmortem_body(request, known, &body, response)) {
        if (json_has(body, "alone"))
            (void)json_get_bool(body, "alone", &publishing.alone, NULL);
        publish(&publishing, response);
    }
    json_free(body);
}

/* --- GET .../versions/{version} --- */

static void reply_version(const struct postmortem_version *version,
                          const struct err *broken,
                          struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_kv_int(&out, "version", version->version);
    json_kv_string(&out, "title", version->title);
    json_kv_time(&out, "published_at", version->published_ms);
    json_kv_string(&out, "published_by", version->published_by);
    postmortem_json_hash(&out, "sha256", version->sha256);
    postmortem_json_hash(&out, "samples_sha256", version->samples_sha256);
    json_kv_bool(&out, "unchanged", !broken);
    json_kv_string(&out, "trouble", broken ? broken->text : NULL);
    json_kv_string(&out, "markdown", version->markdown);
    json_kv_string(&out, "html", version->html);
    json_key(&out, "facts");
    json_raw(&out, version->facts);
    json_key(&out, "sections");
    json_raw(&out, version->sections);
    json_key(&out, "graphs");
    json_open(&out, '[');
    for (size_t i = 0; i < version->n_graphs; i++) {
        json_open(&out, '{');
        json_kv_int(&out, "id", version->graphs[i].graph_id);
        json_kv_string(&out, "svg", version->graphs[i].svg);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

static void handle_version(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    struct postmortem_version version;
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    struct err broken = {0};
    int64_t number;
    int64_t id;

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    if (!postmortem_id(request->path_args[0], "", &id, response) ||
        !postmortem_id(request->path_args[1], "", &number, response) ||
        !api_read_begin(api, &conn, response))
        return;
    int r = postmortem_version_db_get(conn, id, number, &arena, &version, &err);
    int changed = r ? 0 : postmortem_version_db_verify(conn, id, number, &arena, &broken);

    db_read_end(api->state, conn);
    if (r || (changed && changed != -EIO))
        postmortem_fail(response, r ? r : changed, r ? &err : &broken);
    else
        reply_version(&version, changed ? &broken : NULL, response);
}

/* --- GET /api/alertd/v1/frozen/{incident} --- */

static void write_sum(const struct frozen_sum *sum, struct json_out *out)
{
    json_kv_int(out, "series_kept", sum->n_series);
    json_kv_int(out, "samples_kept", sum->n_samples);
    json_kv_time(out, "from", sum->from_ms);
    json_kv_time(out, "to", sum->to_ms);
    postmortem_json_hash(out, "sha256", sum->sha256);
}

static void write_series(const struct source_series *series, struct json_out *out)
{
    json_open(out, '{');
    json_key(out, "metric");
    json_open(out, '{');
    for (size_t i = 0; i < series->labels->n; i++)
        json_kv_string(out, series->labels->at[i].name, series->labels->at[i].value);
    json_close(out, '}');
    json_key(out, "t_ms");
    json_open(out, '[');
    for (size_t i = 0; i < series->n; i++)
        json_int(out, series->t_ms[i]);
    json_close(out, ']');
    json_key(out, "values");
    json_open(out, '[');
    for (size_t i = 0; i < series->n; i++)
        json_float(out, series->values[i]);
    json_close(out, ']');
    json_close(out, '}');
}

/* What is kept of an incident past retention; samples=true: every sample of it. */
static void handle_frozen(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const char *wanted = http_query(request, "samples");
    struct json_out out = JSON_OUT(&response->body);
    struct source_series *series = NULL;
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct incident incident;
    struct frozen_sum sum;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, FROZEN_READ_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = incident_db_get(conn, request->path_args[0], &arena, &incident, &err);

    if (!r)
        r = frozen_db_sum(conn, incident.id, INT64_MAX, &sum, &err);
    if (!r && wanted && strcmp(wanted, "true") == 0)
        r = frozen_db_list(conn, incident.id, &arena, &series, &n, &err);
    db_read_end(api->state, conn);
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "incident", incident.key);
    write_sum(&sum, &out);
    json_key(&out, "series");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        write_series(&series[i], &out);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* --- POST .../graphs, GET .../graphs/{graph} --- */

struct choosing {
    struct freeze *freeze;
    int64_t id;
    const char *who;
    struct graph_row rows[FREEZE_GRAPHS_MAX];
};

static int job_graph(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct choosing *choosing = arg;
    int r = freeze_store_graphs(choosing->freeze, conn, true, choosing->rows, reterr);

    if (!r)
        r = freeze_store_samples(choosing->freeze, conn, reterr);
    return r ? r
             : postmortem_db_touch(conn, choosing->id, choosing->who, choosing->freeze->now_ms,
                                   reterr);
}

/* A window that nobody gave is that of the incident, with half of it around. */
static void fill_window(const struct postmortem_record *record,
                        int64_t now_ms,
                        struct freeze_wish *wish)
{
    int64_t start_ms = record->incident.opened_at_ms;
    int64_t end_ms = record->incident.resolved_at_ms ? record->incident.resolved_at_ms : now_ms;
    int64_t margin_ms = (end_ms - start_ms) / 2;

    margin_ms = margin_ms < GRAPH_MARGIN_MS ? GRAPH_MARGIN_MS : margin_ms;
    if (!wish->start_ms)
        wish->start_ms = start_ms - margin_ms;
    if (!wish->end_ms)
        wish->end_ms = end_ms + margin_ms < now_ms ? end_ms + margin_ms : now_ms;
}

static void choose_graph(const struct api *api,
                         struct choosing *choosing,
                         struct freeze_wish *wish,
                         struct http_response *response)
{
    struct postmortem_view view;
    struct freeze freeze;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    int r = postmortem_view_read(api, choosing->id, &arena, &view, &err);

    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    fill_window(&view.record, view.now_ms, wish);
    freeze_init(&freeze, api, &view.record, view.now_ms);
    choosing->freeze = &freeze;
    r = wish->end_ms > wish->start_ms
            ? freeze_query(&freeze, wish, &err)
            : err_set(&err, FREEZE_E_QUERY, "from and to: a window that begins before it ends");
    if (r)
        postmortem_fail(response, r, &err);
    else
        postmortem_change(api, choosing->id, job_graph, choosing, response);
    choosing->freeze = NULL;
    freeze_done(&freeze);
}

static void handle_add_graph(void *context,
                             struct http_request *request,
                             struct http_response *response)
{
    static const char *const known[] = {"query", "title", "from", "to", NULL};
    struct choosing choosing = {.who = request->who.name};
    struct freeze_wish wish = {.title = ""};
    struct json *body = NULL;
    const char *title = NULL;

    if (!postmortem_id(request->path_args[0], "", &choosing.id, response))
        return;
    bool fine = postmortem_body(request, known, &body, response) &&
                postmortem_text(body, "query", 16 * 1024, &wish.query, response) &&
                postmortem_text(body, "title", 200, &title, response) &&
                postmortem_time(body, "from", &wish.start_ms, response) &&
                postmortem_time(body, "to", &wish.end_ms, response);

    if (fine && (!wish.query || !*wish.query)) {
        http_fail(response, "bad_data", "query: expected PromQL");
        fine = false;
    }
    wish.title = title ? title : "";
    if (fine)
        choose_graph(context, &choosing, &wish, response);
    json_free(body);
}

static void handle_graph(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    struct postmortem_view view;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    int64_t graph;
    int64_t id;

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    if (!postmortem_id(request->path_args[0], "", &id, response) ||
        !postmortem_id(request->path_args[1], ".svg", &graph, response))
        return;
    int r = postmortem_view_read(context, id, &arena, &view, &err);

    for (size_t i = 0; !r && i < view.n_graphs; i++)
        if (view.graphs[i].id == graph) {
            r = postmortem_view_graph(&view, &view.graphs[i], &response->body, &err);
            response->content_type = "image/svg+xml";
            if (!r)
                return;
        }
    if (r)
        postmortem_fail(response, r, &err);
    else
        http_fail(response, "not_found", "the document has no graph %lld", (long long)graph);
}

static const struct http_route routes[] = {
    {"POST", POSTMORTEMS_PATH "/{id}/publish", HTTP_SCOPE_OPERATE, 0, handle_publish,
     "freeze it as a version; 409 says what stands in its way"},
    {"GET", POSTMORTEMS_PATH "/{id}/versions/{version}", HTTP_SCOPE_READ, 0, handle_version,
     "a published version, and whether it is unchanged"},
    {"POST", POSTMORTEMS_PATH "/{id}/graphs", HTTP_SCOPE_OPERATE, 0, handle_add_graph,
     "freeze a graph of any query for it"},
    {"GET", POSTMORTEMS_PATH "/{id}/graphs/{file}", HTTP_SCOPE_READ, 0, handle_graph,
     "a graph of it with the timeline's letters: 12.svg"},
    {"GET", "/api/alertd/v1/frozen/{incident}", HTTP_SCOPE_READ, 0, handle_frozen,
     "the samples kept of an incident past retention; samples=true"},
};

const struct api_table api_postmortem_publish_routes = {routes, sizeof(routes) / sizeof(routes[0])};
