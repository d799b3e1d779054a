/*
 * A postmortem without JavaScript: read it, and save its sections by form posts.
 *
 *   GET  /pm/{id}/plain             the document, a form for each section that people write
 *   POST /pm/{id}/plain/{section}   303 back; 409 shows both texts, and yours in the form
 *
 * Forms can not carry a header: the session's token is a field of them, and what another
 * site's page sent is refused here, as the gate does for the calls of the API.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/phone.h"
#include "alertd/api/postmortem_call.h"
#include "alertd/postmortem/markdown.h"
#include "alertd/postmortem/section.h"
#include "alertd/postmortem/svg.h"
#include "lib/base/clock.h"
#include "lib/base/html.h"

/* --- who may --- */

static bool may(const struct http_request *request, unsigned scope, struct http_response *response)
{
    if (request->who.scopes & scope)
        return true;
    phone_say(response, 401, "Log in first", "This page needs a session: log in at /login.");
    return false;
}

static bool is_ours(const struct http_request *request)
{
    const char *site = http_header(request, "Sec-Fetch-Site");
    const char *origin = http_header(request, "Origin");
    const char *host = http_header(request, "Host");

    if (site)
        return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    if (!origin)
        return true;
    const char *name = strstr(origin, "://");

    return name && host && strcmp(name + 3, host) == 0;
}

static bool may_post(const struct http_request *request, struct http_response *response)
{
    const char *token = http_query(request, "csrf");

    if (!may(request, HTTP_SCOPE_OPERATE, response))
        return false;
    if (is_ours(request) &&
        (!request->who.by_cookie || (token && strcmp(token, request->who.csrf) == 0)))
        return true;
    phone_say(response, 403, "That was not this page's form",
              "Open the page again and save there.");
    return false;
}

/* --- the page --- */

static void add_markdown(const struct postmortem_view *view, const char *text, struct str *out)
{
    struct markdown_graph *graphs = arena_array(view->arena, view->n_graphs + 1, sizeof(*graphs));
    struct markdown *document;
    size_t n = 0;

    for (size_t i = 0; graphs && i < view->n_graphs; i++) {
        STR_AUTO struct str svg = STR_INIT(SVG_TEXT_MAX);

        if (postmortem_view_graph(view, &view->graphs[i], &svg, NULL))
            continue;
        graphs[n] = (struct markdown_graph){
            .id = view->graphs[i].id,
            .svg = arena_strndup(view->arena, str_text(&svg), svg.len),
            .caption = view->graphs[i].query};
        n += graphs[n].svg != NULL;
    }
    if (graphs && markdown_parse(view->arena, text, strlen(text), &document, NULL) == 0)
        markdown_html(document, graphs, n, out);
    else
        str_add(out, "<p>It is too large to be shown.</p>\n");
}

static void add_form(const struct http_request *request,
                     const struct postmortem_view *view,
                     const struct postmortem_section *row,
                     const char *text,
                     struct str *out)
{
    str_addf(out,
             "<form method=\"post\" action=\"/pm/%lld/plain/%s\">"
             "<input type=\"hidden\" name=\"revision\" value=\"%lld\">"
             "<input type=\"hidden\" name=\"csrf\" value=\"%s\">"
             "<label for=\"t-%s\">Markdown of ",
             (long long)view->row.id, row->id, (long long)row->revision, request->who.csrf,
             row->id);
    html_escape(out, *row->title ? row->title : row->id);
    str_addf(out, "</label><textarea id=\"t-%s\" name=\"markdown\" rows=\"8\">\n", row->id);
    html_escape(out, text);
    str_add(out, "</textarea><button>Save this section</button></form>\n");
}

static void add_section(const struct http_request *request,
                        const struct postmortem_view *view,
                        const struct postmortem_seen *seen,
                        struct str *out)
{
    STR_AUTO struct str text = STR_INIT(POSTMORTEM_MARKDOWN_MAX);
    bool written = !seen->row.is_generated || seen->row.detached_from;

    postmortem_view_section(view, seen, &text);
    add_markdown(view, str_text(&text), out);
    if (written && !view->frozen && (request->who.scopes & HTTP_SCOPE_OPERATE))
        add_form(request, view, &seen->row, seen->row.body, out);
}

static void write_page(const struct http_request *request,
                       const struct postmortem_view *view,
                       struct str *out)
{
    phone_open(out, view->row.title);
    str_addf(
        out,
        "<p class=\"soft\">%s \xc2\xb7 %s \xc2\xb7 <a href=\"/pm/%lld\">with JavaScript</a></p>\n",
        view->row.incident, view->row.status, (long long)view->row.id);
    if (view->frozen)
        add_markdown(view, view->frozen->markdown, out);
    for (size_t i = 0; !view->frozen && i < view->n_sections; i++)
        add_section(request, view, &view->sections[i], out);
    phone_close(out);
}

static void handle_page(void *context, struct http_request *request, struct http_response *response)
{
    struct postmortem_view view;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    int64_t id;

    arena_init(&arena, 2 * (size_t)POSTMORTEM_VIEW_BYTES_MAX);
    if (!may(request, HTTP_SCOPE_READ | HTTP_SCOPE_OPERATE | HTTP_SCOPE_ADMIN, response) ||
        !postmortem_id(request->path_args[0], "", &id, response))
        return;
    if (postmortem_view_read(context, id, &arena, &view, &err)) {
        phone_say(response, 404, "It is not here", err.text);
        return;
    }
    response->content_type = "text/html; charset=utf-8";
    write_page(request, &view, &response->body);
}

/* --- saving --- */

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    int64_t revision;

    return postmortem_section_db_save(conn, arg, &revision, reterr);
}

/* Both texts, and yours in a form that saves over theirs. */
static void show_stale(const struct api *api,
                       const struct http_request *request,
                       const struct postmortem_save *save,
                       const struct err *err,
                       struct http_response *response)
{
    struct str *out = &response->body;
    struct postmortem_view view;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    response->status = 409;
    response->content_type = "text/html; charset=utf-8";
    phone_open(out, "Somebody was faster");
    str_add(out, "<h1>Somebody was faster</h1><p>");
    html_escape(out, err->text);
    str_add(out, "</p>\n");
    if (postmortem_view_read(api, save->id, &arena, &view, NULL) == 0)
        for (size_t i = 0; i < view.n_sections; i++) {
            if (strcmp(view.sections[i].row.id, save->section) != 0)
                continue;
            str_add(out, "<h2>Theirs</h2><pre>");
            html_escape(out, view.sections[i].row.body);
            str_add(out, "</pre><h2>Yours: saving puts it over theirs</h2>\n");
            add_form(request, &view, &view.sections[i].row, save->body, out);
        }
    phone_close(out);
}

/* Browsers send line breaks of two characters. */
static const char *unix_lines(struct arena *arena, const char *text)
{
    char *copy = arena_strndup(arena, text, strlen(text));
    char *to = copy;

    for (const char *from = copy; from && *from; from++)
        if (*from != '\r' || from[1] != '\n')
            *to++ = *from;
    if (to)
        *to = '\0';
    return copy;
}

static bool read_form(struct http_request *request,
                      struct postmortem_save *save,
                      struct http_response *response)
{
    const char *text = http_query(request, "markdown");
    const char *revision = http_query(request, "revision");

    if (!postmortem_id(request->path_args[0], "", &save->id, response))
        return false;
    save->section = request->path_args[1];
    save->body = text ? unix_lines(request->arena, text) : NULL;
    save->base_revision = revision ? strtoll(revision, NULL, 10) : 0;
    if (save->body && save->base_revision > 0 && strlen(save->body) <= SECTION_BODY_MAX)
        return true;
    phone_say(response, 400, "That did not work", "The form has no text, or it is too long.");
    return false;
}

static void handle_save(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct postmortem_save save = {.author = request->who.name, .now_ms = clock_wall_ms()};
    STR_AUTO struct str back = STR_INIT(200);
    struct err err = {0};

    if (!may_post(request, response) || !read_form(request, &save, response))
        return;
    int r = db_write(api->state, job_save, &save, &err);

    if (r == POSTMORTEM_DB_E_STALE) {
        show_stale(api, request, &save, &err, response);
        return;
    }
    if (r) {
        phone_say(response, r == POSTMORTEM_DB_E_PUBLISHED ? 409 : 404, "That did not work",
                  err.text);
        return;
    }
    str_addf(&back, "/pm/%lld/plain", (long long)save.id);
    const char *kept = arena_strndup(request->arena, str_text(&back), back.len);

    response->status = 303;
    http_add_header(response, "Location", kept ? kept : "/pm");
}

static const struct http_route routes[] = {
    {"GET", "/pm/{id}/plain", HTTP_SCOPE_NONE, 0, handle_page,
     "a postmortem without JavaScript; the session is asked for in the page"},
    {"POST", "/pm/{id}/plain/{section}", HTTP_SCOPE_NONE, 0, handle_save,
     "save a section from that page's form"},
};

const struct api_table api_postmortem_page_routes = {routes, sizeof(routes) / sizeof(routes[0])};
