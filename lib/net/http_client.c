/*
 * One HTTP request, blocking, with an end. See http_client.h.
 */

#include "lib/net/http_client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/mem.h"
#include "lib/net/http_curl.h"

struct http_client {
    struct http_curl *curl; /* made at the first request that needs it */
};

struct http_client *http_client_new(void)
{
    return mem_zalloc(sizeof(struct http_client));
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    http_curl_free(client->curl);
    free(client);
}

/* Nothing a caller was given may end a header line early and start another. */
static bool is_clean(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 32 && *text != '\t')
            return false;
    return true;
}

static int check(const struct http_request *request, struct err *reterr)
{
    if (strncasecmp(request->url, "http://", 7) != 0 &&
        strncasecmp(request->url, "https://", 8) != 0)
        return err_set(reterr, HTTP_E_REQUEST, "\"%.100s\" is neither http:// nor https://",
                       request->url);
    if (!is_clean(request->url) || strchr(request->url, ' '))
        return err_set(reterr, HTTP_E_REQUEST, "the URL holds a blank or a control character");
    for (size_t i = 0; i < request->n_headers; i++)
        if (!is_clean(request->headers[i].name) || !is_clean(request->headers[i].value))
            return err_set(reterr, HTTP_E_REQUEST, "header %s holds a control character",
                           request->headers[i].name);
    return 0;
}

int http_client_send(struct http_client *client,
                     const struct http_request *request,
                     struct http_response *ret_response,
                     struct err *reterr)
{
    struct http_request complete = *request;
    int r = check(request, reterr);

    if (r == 0 && !client->curl)
        r = http_curl_new(&client->curl, reterr);
    if (r)
        return r;
    if (!complete.method)
        complete.method = complete.body ? "POST" : "GET";
    if (complete.timeout_ms <= 0)
        complete.timeout_ms = HTTP_TIMEOUT_MS;
    if (complete.response_max == 0)
        complete.response_max = HTTP_RESPONSE_MAX;
    return http_curl_send(client->curl, &complete, ret_response, reterr);
}

void http_response_done(struct http_response *response)
{
    if (!response)
        return;
    free(response->body);
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
