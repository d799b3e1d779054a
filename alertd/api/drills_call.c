/*
 * Pieces of the handlers about drills. See drills_call.h.
 */

#include "alertd/api/drills_call.h"

#include <stdlib.h>

void drills_fail(struct http_response *response, int result, const struct err *err)
{
    static const struct {
        int result;
        const char *type;
    } types[] = {
        {PLAY_E_NOT_FOUND, "not_found"}, {PLAY_E_FORBIDDEN, "forbidden"},
        {PLAY_E_INVALID, "bad_data"},    {PLAY_E_CONFLICT, "conflict"},
        {PLAY_E_LIMITED, "limited"},     {PLAY_E_BROKEN, "execution"},
        {PLAY_E_BUSY, "unavailable"},    {PLAY_E_EXECUTION, "execution"},
        {PLAY_E_TIMEOUT, "timeout"},     {PLAY_E_LARGE, "too_large"},
        {DB_E_FULL, "unavailable"},
    };
    const char *type = "internal";

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].result == result)
            type = types[i].type;
    http_fail(response, type, "%s", err->text);
}

bool drills_ready(const struct api *api, struct http_response *response)
{
    if (api->play)
        return true;
    http_fail(response, "unavailable",
              "drills can't be played here: alertd's log says what is wrong with drills.db");
    return false;
}

bool drills_id(const struct api *api,
               const struct http_request *request,
               int64_t *ret_id,
               struct http_response *response)
{
    char *end = NULL;
    long long id = strtoll(request->path_args[0], &end, 10);

    if (!drills_ready(api, response))
        return false;
    if (end == request->path_args[0] || *end || id < 1) {
        http_fail(response, "not_found", "'%.40s' is no drill's number", request->path_args[0]);
        return false;
    }
    *ret_id = id;
    return true;
}

bool drills_body(const struct http_request *request,
                 const char *const *known,
                 struct json **ret_body,
                 struct http_response *response)
{
    struct err err = {0};
    const char *text = request->body_len ? request->body : "{}";
    size_t len = request->body_len ? request->body_len : 2;
    int r = json_parse(text, len, ret_body, &err);

    if (r == 0)
        r = json_only(*ret_body, known, &err);
    if (r == 0)
        return true;
    if (err.line)
        http_fail(response, "bad_data", "the body, line %u, column %u: %s", err.line, err.column,
                  err.text);
    else
        http_fail(response, "bad_data", "the body: %s", err.text);
    json_free(*ret_body);
    *ret_body = NULL;
    return false;
}

void drills_reply(struct http_response *response, struct str *body)
{
    str_done(&response->body);
    response->body = *body;
    *body = (struct str){0};
}
