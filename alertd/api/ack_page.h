#pragma once

/*
 * The page a phone opens from a notification: what is wrong, one button, no JavaScript.
 * Handlers for api/incidents.c's table.
 */

#include "alertd/http/http.h"

void ack_page_show(void *context, struct http_request *request, struct http_response *response);
void ack_page_change(void *context, struct http_request *request, struct http_response *response);
