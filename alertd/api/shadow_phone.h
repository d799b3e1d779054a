#pragma once

/*
 * The page a shadow's phone opens from a copy of a page: what it says, what they make of it, and
 * then both timelines. Handlers for api/shadow_pages.c's table.
 */

#include "alertd/http/http.h"

void shadow_phone_show(void *context, struct http_request *request, struct http_response *response);
void shadow_phone_change(void *context,
                         struct http_request *request,
                         struct http_response *response);
