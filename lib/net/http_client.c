/*
 * One HTTP request, blocking, with an end. See http_client.h.
 */

#include "lib/net/http_client.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/net/http_exchange.h"

struct http_client {
    struct http_transport *transport;
};

struct http_client *http_client_new(void)
{
    struct http_client *client = mem_zalloc(sizeof(*client));

    client->transport = http_transport_new(true);
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    http_transport_free(client->transport);
    free(client);
}

int http_client_send(struct http_client *client,
                     const struct http_request *request,
                     struct http_response *ret_response,
                     struct err *reterr)
{
    struct http_exchange exchange;
    int r = http_transport_send(client->transport, request, &exchange, reterr);

    if (r)
        return r;
    *ret_response = (struct http_response){
        .status = exchange.status,
        .retry_after_ms = exchange.retry_after_ms,
        .body = exchange.body, /* handed over */
        .body_len = exchange.body_len,
        .body_cut = exchange.body_total > exchange.body_len,
        .location = exchange.location[0] ? mem_strdup(exchange.location) : NULL,
    };
    return 0;
}

void http_response_done(struct http_response *response)
{
    if (!response)
        return;
    free(response->body);
    free(response->location);
    *response = (struct http_response){0};
}

const char *http_error_name(int code)
{
    static const char *const names[] = {
        [HTTP_E_REQUEST] = "request", [HTTP_E_RESOLVE] = "resolve", [HTTP_E_CONNECT] = "connect",
        [HTTP_E_TLS] = "tls",         [HTTP_E_TIMEOUT] = "timeout", [HTTP_E_REPLY] = "reply",
    };

    return code >= HTTP_E_REQUEST && code <= HTTP_E_REPLY ? names[code] : "system";
}
