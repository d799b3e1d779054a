/*
 * One HTTP exchange: refuses what must not leave, and chooses the way. See
 * http_exchange.h.
 */

#include "lib/net/http_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/net/http_curl.h"
#include "lib/net/http_plain.h"
#include "lib/net/url.h"

struct http_transport {
    bool keep_alive;
    struct http_plain *plain; /* each made when the first request needs it */
    struct http_curl *curl;
};

struct http_transport *http_transport_new(bool keep_alive)
{
    struct http_transport *transport = mem_zalloc(sizeof(*transport));

    transport->keep_alive = keep_alive;
    return transport;
}

void http_transport_free(struct http_transport *transport)
{
    if (!transport)
        return;
    http_plain_free(transport->plain);
    http_curl_free(transport->curl);
    free(transport);
}

void http_exchange_done(struct http_exchange *exchange)
{
    if (!exchange)
        return;
    free(exchange->body);
    *exchange = (struct http_exchange){0};
}

/* Nothing a caller was given may end a header line early and start another. */
static bool is_clean(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 32 && *text != '\t') || *text == 127)
            return false;
    return true;
}

static bool is_token(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    return len > 0 && text[len] == '\0';
}

static int check(const struct http_request *request, struct url *ret_url, struct err *reterr)
{
    if (url_parse(request->url, ret_url, reterr))
        return HTTP_E_REQUEST;
    if (request->method && !is_token(request->method))
        return err_set(reterr, HTTP_E_REQUEST, "\"%.40s\" is no method", request->method);
    for (size_t i = 0; i < request->n_headers; i++)
        if (!is_token(request->headers[i].name) || !is_clean(request->headers[i].value))
            return err_set(reterr, HTTP_E_REQUEST, "header %.60s holds what no header may",
                           request->headers[i].name);
    return 0;
}

int http_transport_send(struct http_transport *transport,
                        const struct http_request *request,
                        struct http_exchange *ret_exchange,
                        struct err *reterr)
{
    struct http_request complete = *request;
    struct url url;
    int r = check(request, &url, reterr);

    if (r)
        return r;
    if (!complete.method)
        complete.method = complete.body ? "POST" : "GET";
    if (complete.timeout_ms <= 0)
        complete.timeout_ms = HTTP_TIMEOUT_MS;
    if (complete.response_max == 0)
        complete.response_max = HTTP_RESPONSE_MAX;
    if (!url.is_https && !(complete.way && complete.way->proxy_url)) {
        if (!transport->plain)
            transport->plain = http_plain_new(transport->keep_alive);
        return http_plain_send(transport->plain, &complete, &url, ret_exchange, reterr);
    }
    if (!transport->curl)
        r = http_curl_new(transport->keep_alive, &transport->curl, reterr);
    return r ? r : http_curl_send(transport->curl, &complete, &url, ret_exchange, reterr);
}
