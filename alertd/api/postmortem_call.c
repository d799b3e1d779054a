/*
 * What the calls about postmortems share. See postmortem_call.h.
 */

#include "alertd/api/postmortem_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/postmortem_draft.h"
#include "alertd/api/postmortem_freeze.h"
#include "alertd/api/read.h"
#include "lib/base/clock.h"

static const struct {
    int code;
    const char *type;
} types[] = {
    {INCIDENT_DB_E_NOT_FOUND, "not_found"},
    {POSTMORTEM_DB_E_NOT_FOUND, "not_found"},
    {POSTMORTEM_DB_E_EXISTS, "conflict"},
    {POSTMORTEM_DB_E_STALE, "conflict"},
    {POSTMORTEM_DB_E_PUBLISHED, "conflict"},
    {POSTMORTEM_DB_E_STEP, "conflict"},
    {POSTMORTEM_DRAFT_E_NOT_YET, "conflict"},
    {POSTMORTEM_DRAFT_E_TEMPLATE, "bad_data"},
    {FREEZE_E_QUERY, "bad_data"},
    {ACTION_DB_E_REASON, "bad_data"},
    {INCIDENT_DB_E_LIMIT, "too_large"},
    {POSTMORTEM_DB_E_LIMIT, "too_large"},
    {POSTMORTEM_RECORD_E_LIMIT, "too_large"},
    {DB_E_FULL, "unavailable"},
};

void postmortem_fail(struct http_response *response, int r, const struct err *err)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (types[i].code == r) {
            http_fail(response, types[i].type, "%s", err->text);
            return;
        }
    http_fail(response, "internal", "%s", err->text);
}

bool postmortem_id(const char *text,
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

bool postmortem_body(const struct http_request *request,
                     const char *const *known,
                     struct json **ret_body,
                     struct http_response *response)
{
    struct err err = {0};
    int r = json_parse_upto(request->body, request->body_len, 8 * 1024 * 1024, ret_body, &err);

    if (!r && !json_is_object(*ret_body))
        r = err_set(&err, JSON_E_TYPE, "the body: expected an object");
    if (!r)
        r = json_only(*ret_body, known, &err);
    if (r)
        http_fail(response, "bad_data", "%s", err.text);
    return r == 0;
}

bool postmortem_text(const struct json *body,
                     const char *key,
                     size_t max,
                     const char **ret_text,
                     struct http_response *response)
{
    struct err err = {0};

    if (json_get_string_or(body, key, NULL, ret_text, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    if (*ret_text && strlen(*ret_text) > max) {
        http_fail(response, "too_large", "%s: at most %zu bytes", key, max);
        return false;
    }
    return true;
}

bool postmortem_time(const struct json *body,
                     const char *key,
                     int64_t *ret_at_ms,
                     struct http_response *response)
{
    const char *text = NULL;

    *ret_at_ms = 0;
    if (!postmortem_text(body, key, 64, &text, response))
        return false;
    if (text && *text && clock_parse_rfc3339(text, ret_at_ms)) {
        http_fail(response, "bad_data", "%s: expected an instant like 2026-11-27T12:00:00Z", key);
        return false;
    }
    return true;
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

static void reply(
    const struct api *api, int64_t id, bool changed, bool whole, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct postmortem_view view;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, POSTMORTEM_VIEW_BYTES_MAX);
    int r = postmortem_view_read(api, id, &arena, &view, &err);

    if (r) {
        postmortem_fail(response, r, &err);
        return;
    }
    if (changed)
        tell(api, &view.row);
    postmortem_json_view(&out, &view, whole);
}

void postmortem_reply(const struct api *api,
                      int64_t id,
                      bool changed,
                      struct http_response *response)
{
    reply(api, id, changed, true, response);
}

void postmortem_reply_page(const struct api *api, int64_t id, struct http_response *response)
{
    reply(api, id, false, false, response);
}

void postmortem_change(
    const struct api *api, int64_t id, db_job *job, void *arg, struct http_response *response)
{
    struct err err = {0};
    int r = db_write(api->state, job, arg, &err);

    if (r)
        postmortem_fail(response, r, &err);
    else
        postmortem_reply(api, id, true, response);
}
