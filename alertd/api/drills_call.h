#pragma once

/*
 * Pieces of the handlers about drills: what went wrong, which session, the body.
 */

#include "alertd/api/api.h"
#include "alertd/play/play.h"
#include "lib/json/read.h"

#define DRILLS_PATH "/api/alertd/v1/drills"

/* A PLAY_E_* or a failure of the disk as a reply. */
void drills_fail(struct http_response *response, int result, const struct err *err);
/* False when drills are not there at all, and the reply says so. */
bool drills_ready(const struct api *api, struct http_response *response);
/* The number in the path; false when the reply is an error already. */
bool drills_id(const struct api *api,
               const struct http_request *request,
               int64_t *ret_id,
               struct http_response *response);
/* A body that is an object with these keys alone (NULL-terminated); json_free(). */
bool drills_body(const struct http_request *request,
                 const char *const *known,
                 struct json **ret_body,
                 struct http_response *response);
/* Hands the text to the response. */
void drills_reply(struct http_response *response, struct str *body);
