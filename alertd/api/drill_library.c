/*
 * The calls about drills of one's own: one made of an incident, its text and files, and what it
 * does when nobody acts.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/drill_incident.h"
#include "alertd/api/drill_own.h"
#include "alertd/api/record_call.h"
#include "lib/base/mem.h"

static bool find_own(const struct api *api,
                     const char *name,
                     struct drill_own *ret_own,
                     struct http_response *response)
{
    if (drill_own_at(api, name, ret_own) && drill_own_exists(ret_own))
        return true;
    http_fail(response, "not_found", "there is no drill of your own called %.60s", name);
    return false;
}

static bool asks(const struct http_request *request, const char *name, const char *wanted)
{
    const char *value = http_query(request, name);

    return value && strcmp(value, wanted) == 0;
}

static struct drill_incident_wish wish_of(const struct http_request *request)
{
    return (struct drill_incident_wish){.scrub_hosts = asks(request, "scrub", "hosts")};
}

/* --- Text and files -------------------------------------------------------------------------------------- */

static const char *const file_names[] = {DRILL_FROM_RULES, DRILL_FROM_ROUTES, DRILL_FROM_SAMPLES};

static void write_files(struct drill_own *own, struct json_out *out)
{
    json_key(out, "files");
    json_open(out, '[');
    for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++) {
        MEM_AUTO char *text = NULL;
        size_t len = 0;

        if (drill_own_read(own, DRILL_READ_BESIDE, file_names[i], &text, &len, NULL) != 0)
            continue;
        json_open(out, '{');
        json_kv_string(out, "name", file_names[i]);
        json_kv_int(out, "bytes", (int64_t)len);
        if (i < 2) /* what people edit; samples are asked for by themselves */
            json_kv_string(out, "text", text);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void handle_get(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct drill_own own;
    MEM_AUTO char *text = NULL;
    struct err err = {0};
    size_t len = 0;

    if (!find_own(context, request->path_args[0], &own, response))
        return;
    if (drill_own_read(&own, DRILL_READ_BESIDE, DRILL_FROM_TEXT, &text, &len, &err) != 0) {
        http_fail(response, "internal", "%s", err.text);
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "name", request->path_args[0]);
    json_kv_bool(&out, "own", true);
    json_kv_string(&out, "text", text);
    write_files(&own, &out);
    json_close(&out, '}');
}

static void handle_file(void *context, struct http_request *request, struct http_response *response)
{
    struct drill_own own;
    MEM_AUTO char *text = NULL;
    size_t len = 0;

    if (!find_own(context, request->path_args[0], &own, response))
        return;
    if (drill_own_read(&own, DRILL_READ_BESIDE, request->path_args[1], &text, &len, NULL) != 0) {
        http_fail(response, "not_found", "there is no file %.60s beside the drill",
                  request->path_args[1]);
        return;
    }
    response->content_type = "text/plain; charset=utf-8";
    response->body.limit = DRILL_OWN_FILE_MAX;
    str_addn(&response->body, text, len);
}

/* What is about to be saved instead of files that are there. */
struct draft {
    struct drill_own own;
    const struct json *files; /* NULL: none */
    struct str rules_of_now;  /* "": those of then */
};

static const char *draft_file(const struct draft *draft, const char *name)
{
    const struct json *file = draft->files ? json_get(draft->files, name) : NULL;

    return file ? json_text(file) : NULL;
}

static int read_draft(void *arg,
                      enum drill_read_what what,
                      const char *name,
                      char **ret_text,
                      size_t *ret_len,
                      struct err *reterr)
{
    struct draft *draft = arg;
    const char *text = what == DRILL_READ_BESIDE ? draft_file(draft, name) : NULL;

    if (what == DRILL_READ_BESIDE && draft->rules_of_now.len && strcmp(name, DRILL_FROM_RULES) == 0)
        text = str_text(&draft->rules_of_now);

    if (!text)
        return drill_own_read(&draft->own, what, name, ret_text, ret_len, reterr);
    *ret_text = mem_strdup(text);
    *ret_len = strlen(text);
    return 0;
}

/* {"text"?, "files"?: {name: text}}: text NULL is the one that is there. */
static bool read_body(const struct http_request *request,
                      struct draft *draft,
                      const char **ret_text,
                      struct json **ret_body,
                      struct http_response *response)
{
    static const char *const known[] = {"text", "files", NULL};
    const char *name = NULL;
    const struct json *file = NULL;
    struct err err = {0};

    if (!record_call_body(request, ret_body, response))
        return false;
    if (json_only(*ret_body, known, &err) ||
        json_get_string_or(*ret_body, "text", NULL, ret_text, &err) ||
        (json_has(*ret_body, "files") &&
         json_get_object(*ret_body, "files", &draft->files, &err))) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    for (size_t i = 0; draft->files && json_member(draft->files, i, &name, &file); i++)
        if (!drill_own_file_ok(name) || strcmp(name, DRILL_FROM_TEXT) == 0 || !json_text(file)) {
            http_fail(response, "bad_data", "files: a name such as rules.yml, and its text");
            return false;
        }
    return true;
}

static bool load_draft(struct draft *draft,
                       const char *text,
                       struct drill_case **ret_case,
                       struct http_response *response)
{
    MEM_AUTO char *there = NULL;
    size_t len = text ? strlen(text) : 0;
    struct err err = {0};
    int r = text ? 0
                 : drill_own_read(&draft->own, DRILL_READ_BESIDE, DRILL_FROM_TEXT, &there, &len,
                                  &err);

    if (!r)
        r = drill_own_load(text ? text : there, len, read_draft, draft, ret_case, &err);
    if (r)
        http_fail(response, "bad_data", "%s", err.text);
    return r == 0;
}

static int save(const struct draft *draft, const char *text, struct err *reterr)
{
    const char *name = NULL;
    const struct json *file = NULL;
    int r = 0;

    for (size_t i = 0; !r && draft->files && json_member(draft->files, i, &name, &file); i++)
        r = drill_own_write(&draft->own, name, json_text(file), strlen(json_text(file)), reterr);
    if (!r && text)
        r = drill_own_write(&draft->own, DRILL_FROM_TEXT, text, strlen(text), reterr);
    return r;
}

/* Nothing that can't be played is saved. */
static void handle_put(void *context, struct http_request *request, struct http_response *response)
{
    struct draft draft = {0};
    struct json *body = NULL;
    struct drill_case *loaded = NULL;
    const char *text = NULL;
    struct err err = {0};

    if (!drill_own_at(context, request->path_args[0], &draft.own)) {
        http_fail(response, "bad_data", "a drill's name has small letters, digits and dashes");
        return;
    }
    if (read_body(request, &draft, &text, &body, response) &&
        load_draft(&draft, text, &loaded, response)) {
        if (save(&draft, text, &err) != 0)
            http_fail(response, "internal", "%s", err.text);
        else
            handle_get(context, request, response);
    }
    drill_case_free(loaded);
    json_free(body);
}

static void handle_preview(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct draft draft = {0};
    struct json *body = NULL;
    struct drill_case *loaded = NULL;
    const char *text = NULL;

    if (!drill_own_at(context, request->path_args[0], &draft.own)) {
        http_fail(response, "not_found", "there is no such drill");
        return;
    }
    draft.rules_of_now = (struct str)STR_INIT(DRILL_OWN_FILE_MAX);
    if ((request->body_len == 0 || read_body(request, &draft, &text, &body, response)) &&
        (!asks(request, "rules", "now") ||
         drill_incident_rules_now(context, request->path_args[0], &draft.rules_of_now, response)) &&
        load_draft(&draft, text, &loaded, response)) {
        json_open(&out, '{');
        drill_own_preview(loaded, read_draft, &draft, &out);
        json_close(&out, '}');
    }
    str_done(&draft.rules_of_now);
    drill_case_free(loaded);
    json_free(body);
}

/* --- Of an incident -------------------------------------------------------------------------------------- */

static void write_made(struct drill_made *made,
                       const char *name,
                       bool with_texts,
                       struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct drill_case *loaded = NULL;
    const struct str *text = NULL;
    const char *file = NULL;
    struct err err = {0};

    if (drill_own_load(str_text(&made->text), made->text.len, drill_made_read, made, &loaded,
                       &err)) {
        http_fail(response, "internal", "what was made of it is no drill: %s", err.text);
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "name", name);
    json_key(&out, "files");
    json_open(&out, '[');
    for (size_t i = 0; drill_made_file(made, i, &file, &text); i++) {
        json_open(&out, '{');
        json_kv_string(&out, "name", file);
        json_kv_int(&out, "bytes", (int64_t)text->len);
        if (with_texts)
            json_kv_string(&out, "text", str_text(text));
        json_close(&out, '}');
    }
    json_close(&out, ']');
    drill_own_preview(loaded, drill_incident_read, made, &out);
    json_close(&out, '}');
    drill_case_free(loaded);
}

static void handle_look(void *context, struct http_request *request, struct http_response *response)
{
    const struct drill_incident_wish wish = wish_of(request);
    struct drill_made made;
    char name[DRILL_OWN_NAME_MAX + 1];

    drill_incident_name(request->path_args[0], name);
    response->body.limit = 2 * (size_t)DRILL_OWN_FILE_MAX;
    if (!drill_incident_make(context, request->path_args[0], &wish, &made, response))
        return;
    write_made(&made, name, true, response);
    drill_made_done(&made);
}

static int write_all(const struct drill_own *own, const struct drill_made *made, struct err *reterr)
{
    const struct str *text = NULL;
    const char *file = NULL;
    int r = 0;

    for (size_t i = 1; !r && drill_made_file(made, i, &file, &text); i++)
        r = drill_own_write(own, file, str_text(text), text->len, reterr);
    return r ? r
             : drill_own_write(own, DRILL_FROM_TEXT, str_text(&made->text), made->text.len, reterr);
}

static void handle_make(void *context, struct http_request *request, struct http_response *response)
{
    const struct drill_incident_wish wish = wish_of(request);
    struct drill_own own;
    struct drill_made made;
    struct err err = {0};
    char name[DRILL_OWN_NAME_MAX + 1];

    drill_incident_name(request->path_args[0], name);
    if (!drill_own_at(context, name, &own)) {
        http_fail(response, "not_found", "there is no incident %.60s", request->path_args[0]);
        return;
    }
    if (drill_own_exists(&own) && !asks(request, "again", "1")) {
        http_fail(response, "conflict",
                  "there is a drill %s already; ?again=1 makes it anew, without what was edited",
                  name);
        return;
    }
    if (!drill_incident_make(context, request->path_args[0], &wish, &made, response))
        return;
    if (write_all(&own, &made, &err) != 0) {
        http_fail(response, "internal", "%s", err.text);
    } else {
        write_made(&made, name, false, response);
        if (response->status == 200)
            response->status = 201;
    }
    drill_made_done(&made);
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/incidents/{key}/drill", HTTP_SCOPE_READ, 0, handle_look,
     "the drill that would be made of an incident, with its files"},
    {"POST", "/api/alertd/v1/incidents/{key}/drill", HTTP_SCOPE_OPERATE, 0, handle_make,
     "makes a drill of an incident"},
    {"GET", "/api/alertd/v1/drills/library/{name}", HTTP_SCOPE_READ, 0, handle_get,
     "a drill of one's own: its text, and files"},
    {"GET", "/api/alertd/v1/drills/library/{name}/files/{file}", HTTP_SCOPE_READ, 0, handle_file,
     "a file beside a drill of one's own"},
    {"PUT", "/api/alertd/v1/drills/library/{name}", HTTP_SCOPE_OPERATE, HTTP_BIG_BODY, handle_put,
     "saves a drill of one's own, when it can be played"},
    {"POST", "/api/alertd/v1/drills/library/{name}/preview", HTTP_SCOPE_OPERATE,
     HTTP_BIG_BODY | HTTP_SAFE_POST, handle_preview,
     "what comes in a drill when nobody acts, and what is doubtful in it"},
};

const struct api_table api_drill_library_routes = {routes, sizeof(routes) / sizeof(routes[0])};
