#pragma once

/*
 * HTTP/1.1 over a socket of our own: http_exchange's way for http://. Private to
 * lib/net.
 */

#include "lib/net/http_exchange.h"
#include "lib/net/url.h"

struct http_plain;

struct http_plain *http_plain_new(bool keep_alive);
void http_plain_free(struct http_plain *plain);

/* As http_transport_send(), with every default filled in. */
int http_plain_send(struct http_plain *plain,
                    const struct http_request *request,
                    const struct url *url,
                    struct http_exchange *ret_exchange,
                    struct err *reterr);
