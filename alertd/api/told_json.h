#pragma once

/*
 * What could not be read (promql/told.h) beside what an answer says of the rest, and behind why there is none.
 */

#include "alertd/http/http.h"
#include "alertd/promql/told.h"
#include "lib/json/write.h"

/* "warnings":[...], a member of an open object. */
void told_json(const struct told *told, struct json_out *out);
/* http_fail() with what could not be read until then. told NULL: nothing was to be read. */
void told_fail(struct http_response *response,
               const struct told *told,
               const char *error_type,
               const char *words);
