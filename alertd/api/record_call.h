#pragma once

/*
 * What the handlers about the incident record share: the body, who sends it, the answer when
 * something is wrong.
 */

#include "alertd/api/api.h"
#include "alertd/api/record_in.h"

enum {
    RECORD_CALL_BYTES_MAX = 128 * 1024 * 1024, /* for one reply */
};

/* The body as JSON, up to the size of a big body; false: answered. json_free(). */
bool record_call_body(const struct http_request *request,
                      struct json **ret_body,
                      struct http_response *response);
/* The answer to a result of record_in.h. */
void record_call_wrong(struct http_response *response, int result, const struct err *err);

/* What the incident's record is read from, and what it says; false: answered. */
bool record_call_read(const struct api *api,
                      const char *key,
                      struct arena *arena,
                      struct incident_record *ret,
                      struct http_response *response);
/* A number within the query; fallback when absent. False: answered. */
bool record_call_number(const struct http_request *request,
                        const char *name,
                        int64_t fallback,
                        int64_t *ret_value,
                        struct http_response *response);
