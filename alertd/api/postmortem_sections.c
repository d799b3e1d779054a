/*
 * The calls about a document's sections: save over the revision one had before one, see what
 * changed, take what facts say over as one's own text, and give it back.
 *
 *   PUT with If-Match: "3"  --newest is 3-->  200, ETag: "4"
 *                           --newest is 4-->  409 with both texts and their difference
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/postmortem_call.h"
#include "alertd/api/read.h"
#include "alertd/postmortem/lines.h"
#include "alertd/postmortem/section.h"
#include "lib/base/clock.h"

enum {
    DIFF_BYTES_MAX = 64 * 1024 * 1024
};

static const struct postmortem_seen *find(const struct postmortem_view *view, const char *id)
{
    for (size_t i = 0; i < view->n_sections; i++)
        if (strcmp(view->sections[i].row.id, id) == 0)
            return &view->sections[i];
    return NULL;
}

static void write_diff(struct json_out *out,
                       struct arena *arena,
                       const char *before,
                       const char *after)
{
    struct lines_edit *edits = NULL;
    size_t n = 0;

    json_key(out, "diff");
    if (lines_diff(arena, before, after, &edits, &n, NULL)) {
        json_null(out);
        return;
    }
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        json_kv_string(out, "kind", lines_kind_name(edits[i].kind));
        json_key(out, "text");
        json_stringn(out, edits[i].text, edits[i].len);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* --- PUT .../sections/{section} --- */

struct saving {
    const struct api *api;
    struct postmortem_save save;
    bool detach;
    int64_t revision;
};

/* What facts say now becomes the beginning of the person's text. */
static int detach(struct db_conn *conn,
                  struct saving *saving,
                  struct arena *arena,
                  struct err *reterr)
{
    STR_AUTO struct str body = STR_INIT(SECTION_BODY_MAX);
    struct postmortem_view view;
    int r = postmortem_view_load(saving->api, conn, saving->save.id, saving->save.now_ms, arena,
                                 &view, reterr);
    const struct postmortem_seen *seen = r ? NULL : find(&view, saving->save.section);

    if (r || !seen)
        return r ? r : err_set(reterr, POSTMORTEM_DB_E_NOT_FOUND, "there is no such section");
    section_join("", seen->generated, seen->row.body, &body);
    saving->save.body = arena_strndup(arena, str_text(&body), body.len);
    saving->save.detach_from = seen->generated;
    return saving->save.body && !body.full
               ? 0
               : err_set(reterr, POSTMORTEM_DB_E_LIMIT, "what facts say is too long to be edited");
}

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct saving *saving = arg;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    int r = saving->detach ? detach(conn, saving, &arena, reterr) : 0;

    return r ? r : postmortem_section_db_save(conn, &saving->save, &saving->revision, reterr);
}

/* The revision of If-Match, or of the body; false: the reply is 400. */
static bool read_base(const struct http_request *request,
                      const struct json *body,
                      int64_t *ret_revision,
                      struct http_response *response)
{
    const char *match = http_header(request, "If-Match");
    struct err err = {0};

    if (match) {
        match += *match == '"';
        char *end = NULL;
        long long revision = strtoll(match, &end, 10);

        if (end == match || revision < 1 || (*end && strcmp(end, "\"") != 0)) {
            http_fail(response, "bad_data", "If-Match: expected a revision, like \"3\"");
            return false;
        }
        *ret_revision = revision;
        return true;
    }
    if (json_get_int(body, "revision", ret_revision, &err)) {
        http_fail(response, "bad_data",
                  "say which revision you changed: If-Match: \"3\", or revision");
        return false;
    }
    return true;
}

/* 409, and nothing is lost: theirs, yours, and what lies between. */
static void reply_stale(const struct saving *saving,
                        const struct err *err,
                        struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct postmortem_view view;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    if (postmortem_view_read(saving->api, saving->save.id, &arena, &view, NULL)) {
        http_fail(response, "conflict", "%s", err->text);
        return;
    }
    const struct postmortem_seen *theirs = find(&view, saving->save.section);

    response->status = 409;
    json_open(&out, '{');
    json_kv_string(&out, "status", "error");
    json_kv_string(&out, "errorType", "conflict");
    json_kv_string(&out, "error", err->text);
    if (theirs) {
        json_key(&out, "theirs");
        postmortem_json_section(&out, theirs);
        json_kv_string(&out, "yours", saving->save.body);
        write_diff(&out, &arena, theirs->row.body, saving->save.body);
    }
    json_close(&out, '}');
}

static void store(struct saving *saving,
                  struct http_request *request,
                  struct http_response *response)
{
    struct err err = {0};
    int r = db_write(saving->api->state, job_save, saving, &err);

    if (r == POSTMORTEM_DB_E_STALE && saving->save.body) {
        reply_stale(saving, &err, response);
        return;
    }
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    char etag[32];

    (void)snprintf(etag, sizeof(etag), "\"%lld\"", (long long)saving->revision);
    const char *kept = arena_strndup(request->arena, etag, strlen(etag));

    if (kept)
        http_add_header(response, "ETag", kept);
    postmortem_reply(saving->api, saving->save.id, true, response);
}

static void handle_save(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"markdown", "revision", "note", "detach", "attach", NULL};
    struct saving saving = {
        .api = context,
        .save = {.section = request->path_args[1],
                 .author = request->who.name,
                 .now_ms = clock_wall_ms()},
    };
    struct json *body = NULL;

    if (!postmortem_id(request->path_args[0], "", &saving.save.id, response))
        return;
    bool fine = postmortem_body(request, known, &body, response) &&
                read_base(request, body, &saving.save.base_revision, response) &&
                postmortem_text(body, "markdown", SECTION_BODY_MAX, &saving.save.body, response) &&
                postmortem_text(body, "note", POSTMORTEM_NOTE_MAX, &saving.save.note, response);

    if (fine && json_has(body, "detach"))
        (void)json_get_bool(body, "detach", &saving.detach, NULL);
    if (fine && json_has(body, "attach"))
        (void)json_get_bool(body, "attach", &saving.save.attach, NULL);
    if (fine && !saving.save.body && !saving.detach) {
        http_fail(response, "bad_data", "markdown: expected a string");
        fine = false;
    }
    if (fine)
        store(&saving, request, response);
    json_free(body);
}

/* --- GET .../sections/{section}/revisions --- */

static void handle_revisions(void *context,
                             struct http_request *request,
                             struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct postmortem_revision *rows = NULL;
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    size_t n = 0;
    int64_t id;

    arena_init(&arena, DIFF_BYTES_MAX);
    if (!postmortem_id(request->path_args[0], "", &id, response) ||
        !api_read_begin(api, &conn, response))
        return;
    int r = postmortem_section_db_revisions(conn, id, request->path_args[1], &arena, &rows, &n,
                                            &err);

    db_read_end(api->state, conn);
    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "revisions");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&out, '{');
        json_kv_int(&out, "revision", rows[i].revision);
        json_kv_string(&out, "author", rows[i].author);
        json_kv_time(&out, "at", rows[i].recorded_ms);
        json_kv_string(&out, "note", rows[i].note);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

/* --- GET .../sections/{section}/diff and .../diff --- */

/* A number of the query; `fallback` when absent; false: the reply is 400. */
static bool read_number(const struct http_request *request,
                        const char *name,
                        int64_t fallback,
                        int64_t *ret_number,
                        struct http_response *response)
{
    const char *text = http_query(request, name);
    char *end = NULL;

    *ret_number = fallback;
    if (!text)
        return true;
    *ret_number = strtoll(text, &end, 10);
    if (end == text || *end || *ret_number < 0) {
        http_fail(response, "bad_data", "%s: expected a revision", name);
        return false;
    }
    return true;
}

struct sides {
    const char *before, *after;
};

static int read_sides(struct db_conn *conn,
                      int64_t id,
                      const char *section,
                      const int64_t *numbers,
                      struct arena *arena,
                      struct sides *ret_sides,
                      struct err *reterr)
{
    struct postmortem_revision from;
    struct postmortem_revision to;
    int r = postmortem_section_db_revision(conn, id, section, numbers[0], arena, &from, reterr);

    if (!r)
        r = postmortem_section_db_revision(conn, id, section, numbers[1], arena, &to, reterr);
    if (!r)
        *ret_sides = (struct sides){from.body, to.body};
    return r;
}

static void reply_diff(const struct sides *sides,
                       struct arena *arena,
                       struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_kv_string(&out, "before", sides->before);
    json_kv_string(&out, "after", sides->after);
    write_diff(&out, arena, sides->before, sides->after);
    json_close(&out, '}');
}

static void handle_section_diff(void *context,
                                struct http_request *request,
                                struct http_response *response)
{
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct sides sides;
    struct err err = {0};
    int64_t numbers[2];
    int64_t id;

    arena_init(&arena, DIFF_BYTES_MAX);
    if (!postmortem_id(request->path_args[0], "", &id, response) ||
        !read_number(request, "from", 0, &numbers[0], response) ||
        !read_number(request, "to", 1, &numbers[1], response) ||
        !api_read_begin(api, &conn, response))
        return;
    int r = read_sides(conn, id, request->path_args[1], numbers, &arena, &sides, &err);

    db_read_end(api->state, conn);
    if (r)
        postmortem_fail(response, r, &err);
    else
        reply_diff(&sides, &arena, response);
}

/* Versions: from (0: nothing) to another, or to what it is now. */
static int read_version_sides(const struct api *api,
                              struct db_conn *conn,
                              int64_t id,
                              const int64_t *numbers,
                              struct arena *arena,
                              struct sides *ret_sides,
                              struct err *reterr)
{
    STR_AUTO struct str now = STR_INIT(POSTMORTEM_MARKDOWN_MAX);
    struct postmortem_version from = {.markdown = ""};
    struct postmortem_version to = {.markdown = ""};
    struct postmortem_view view;
    int r = numbers[0] ? postmortem_version_db_get(conn, id, numbers[0], arena, &from, reterr) : 0;

    if (!r && numbers[1])
        r = postmortem_version_db_get(conn, id, numbers[1], arena, &to, reterr);
    if (!r && !numbers[1]) {
        r = postmortem_view_load(api, conn, id, clock_wall_ms(), arena, &view, reterr);
        if (!r)
            postmortem_view_markdown(&view, &now);
        to.markdown = arena_strndup(arena, str_text(&now), now.len);
    }
    if (!r && !to.markdown)
        r = err_set(reterr, POSTMORTEM_DB_E_LIMIT, "too much to compare");
    if (!r)
        *ret_sides = (struct sides){from.markdown, to.markdown};
    return r;
}

static void handle_diff(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct sides sides;
    struct err err = {0};
    int64_t numbers[2];
    int64_t id;

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    if (!postmortem_id(request->path_args[0], "", &id, response) ||
        !read_number(request, "from", 0, &numbers[0], response) ||
        !read_number(request, "to", 0, &numbers[1], response) ||
        !api_read_begin(api, &conn, response))
        return;
    int r = read_version_sides(api, conn, id, numbers, &arena, &sides, &err);

    db_read_end(api->state, conn);
    if (r)
        postmortem_fail(response, r, &err);
    else
        reply_diff(&sides, &arena, response);
}

static const struct http_route routes[] = {
    {"PUT", POSTMORTEMS_PATH "/{id}/sections/{section}", HTTP_SCOPE_OPERATE, 0, handle_save,
     "save a section over the revision of If-Match; 409 has both texts"},
    {"GET", POSTMORTEMS_PATH "/{id}/sections/{section}/revisions", HTTP_SCOPE_READ, 0,
     handle_revisions, "every save of a section, newest first"},
    {"GET", POSTMORTEMS_PATH "/{id}/sections/{section}/diff", HTTP_SCOPE_READ, 0,
     handle_section_diff, "what changed between two revisions: from=2&to=5"},
    {"GET", POSTMORTEMS_PATH "/{id}/diff", HTTP_SCOPE_READ, 0, handle_diff,
     "what changed between two published versions, or since one: from=1&to=2"},
};

const struct api_table api_postmortem_sections_routes = {routes,
                                                         sizeof(routes) / sizeof(routes[0])};
