#pragma once

/*
 * http_client's way through libcurl: for https. Private to lib/net.
 */

#include "lib/base/err.h"
#include "lib/net/http_client.h"

struct http_curl;

/* 0 or -ELIBACC. */
int http_curl_new(struct http_curl **ret_client, struct err *reterr);
void http_curl_free(struct http_curl *client);

/* As http_client_send(); timeout_ms and response_max are set. */
int http_curl_send(struct http_curl *client,
                   const struct http_request *request,
                   struct http_response *ret_response,
                   struct err *reterr);
