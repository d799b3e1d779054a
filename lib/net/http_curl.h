#pragma once

/*
 * http_exchange's way through libcurl: for https and proxies. Private to lib/net.
 */

#include "lib/base/err.h"
#include "lib/net/http_exchange.h"
#include "lib/net/url.h"

struct http_curl;

/* 0 or -ELIBACC. */
int http_curl_new(bool keep_alive, struct http_curl **ret_curl, struct err *reterr);
void http_curl_free(struct http_curl *curl);

/* As http_transport_send(), with every default filled in. */
int http_curl_send(struct http_curl *curl,
                   const struct http_request *request,
                   const struct url *url,
                   struct http_exchange *ret_exchange,
                   struct err *reterr);
