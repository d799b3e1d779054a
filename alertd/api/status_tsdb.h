#pragma once

/* What takes the samples' space: one handler, named in status.c's table. */

#include "alertd/http/http.h"

void status_tsdb_get(void *context, struct http_request *request, struct http_response *response);
