/*
 * Pieces of the handlers about the incident record. See record_call.h.
 */

#include "alertd/api/record_call.h"

#include <errno.h>
#include <stdlib.h>

#include "alertd/api/incident_json.h"
#include "alertd/api/read.h"

enum {
    BODY_BYTES_MAX = 32 * 1024 * 1024,
};

bool record_call_body(const struct http_request *request,
                      struct json **ret_body,
                      struct http_response *response)
{
    struct err err = {0};
    int r = json_parse_upto(request->body, request->body_len, BODY_BYTES_MAX, ret_body, &err);

    if (r && err.line)
        http_fail(response, "bad_data", "the body, line %u, column %u: %s", err.line, err.column,
                  err.text);
    else if (r)
        http_fail(response, "bad_data", "the body: %s", err.text);
    return r == 0;
}

void record_call_wrong(struct http_response *response, int result, const struct err *err)
{
    http_fail(response, result == RECORD_IN_E_LIMIT ? "too_large" : "bad_data", "%s", err->text);
}

bool record_call_read(const struct api *api,
                      const char *key,
                      struct arena *arena,
                      struct incident_record *ret,
                      struct http_response *response)
{
    struct db_conn *conn = NULL;
    struct err err = {0};

    if (!api_read_begin(api, &conn, response))
        return false;
    int r = incident_db_record(conn, key, arena, ret, &err);

    db_read_end(api->state, conn);
    if (r)
        incident_json_fail(response, r, &err);
    return r == 0;
}

bool record_call_number(const struct http_request *request,
                        const char *name,
                        int64_t fallback,
                        int64_t *ret_value,
                        struct http_response *response)
{
    const char *text = http_query(request, name);
    char *end = NULL;

    *ret_value = fallback;
    if (!text || !*text)
        return true;
    errno = 0;
    *ret_value = strtoll(text, &end, 10);
    if (errno == 0 && !*end)
        return true;
    http_fail(response, "bad_data", "%s: expected a whole number", name);
    return false;
}
