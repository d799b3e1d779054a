/*
 * http_client's way through libcurl. See http_curl.h.
 *
 * CURLOPT_QUICK_EXIT matters more than it looks: without it libcurl 7.88 waits for
 * its resolver thread, and a name server that answers nothing turns a timeout of
 * 1 s into 10 s (measured).
 */

#include "lib/net/http_curl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/net/curl_load.h"

enum {
    CONNECT_MS = 5000 /* a host that is there answers within this */
};

struct http_curl {
    struct curl_api api;
    CURL *easy; /* kept between requests: it holds the open connection */
};

/* What the write callback fills. */
struct reply_body {
    struct str text;
    bool cut;
};

int http_curl_new(struct http_curl **ret_client, struct err *reterr)
{
    struct curl_api api;
    int r = curl_load(&api, reterr);

    if (r)
        return r;

    CURL *easy = api.easy_init();

    if (!easy)
        return err_set(reterr, -ELIBACC, "libcurl gives no handle");

    struct http_curl *client = mem_zalloc(sizeof(*client));

    client->api = api;
    client->easy = easy;
    *ret_client = client;
    return 0;
}

void http_curl_free(struct http_curl *client)
{
    if (!client)
        return;
    client->api.easy_cleanup(client->easy);
    free(client);
}

/* Past the ceiling the rest is read and forgotten: breaking off would cost the
 * connection, and the deadline bounds how long it can last. */
static size_t keep_body(char *bytes, size_t size, size_t n, void *into)
{
    struct reply_body *body = into;
    size_t len = size * n;
    size_t room = body->text.limit - body->text.len;

    str_addn(&body->text, bytes, len < room ? len : room);
    body->cut = body->cut || len > room;
    return len;
}

static int error_of(CURLcode code)
{
    switch ((int)code) { /* the few that say whose fault it is; libcurl has a hundred */
    case CURLE_URL_MALFORMAT: return HTTP_E_REQUEST;
    case CURLE_COULDNT_RESOLVE_HOST: return HTTP_E_RESOLVE;
    case CURLE_COULDNT_CONNECT: return HTTP_E_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return HTTP_E_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return HTTP_E_TLS;
    default: return HTTP_E_REPLY;
    }
}

static struct curl_slist *headers_of(const struct curl_api *api, const struct http_request *request)
{
    struct curl_slist *list = api->slist_append(NULL, "Expect:"); /* no waiting for 100 */

    for (size_t i = 0; i < request->n_headers; i++) {
        STR_AUTO struct str line = STR_INIT(HTTP_RESPONSE_MAX);

        str_addf(&line, "%s: %s", request->headers[i].name, request->headers[i].value);
        list = api->slist_append(list, str_text(&line));
    }
    return list;
}

static void set_safety(const struct http_curl *client, const struct http_request *request)
{
    __typeof__(curl_easy_setopt) *set = client->api.easy_setopt;
    CURL *easy = client->easy;
    long timeout_ms = (long)request->timeout_ms;

    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);
    set(easy, CURLOPT_PROXY, "");
    set(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms < CONNECT_MS ? timeout_ms : (long)CONNECT_MS);
}

static void set_request(const struct http_curl *client,
                        const struct http_request *request,
                        const struct curl_slist *headers)
{
    __typeof__(curl_easy_setopt) *set = client->api.easy_setopt;
    CURL *easy = client->easy;

    set(easy, CURLOPT_URL, request->url);
    set(easy, CURLOPT_HTTPHEADER, headers);
    set(easy, CURLOPT_USERAGENT, "watchbill");
    if (request->body) {
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        set(easy, CURLOPT_POSTFIELDS, request->body);
    }
    if (strcmp(request->method, "HEAD") == 0)
        set(easy, CURLOPT_NOBODY, 1L);
    else
        set(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Seconds, or -1: libcurl turns a date into seconds too, which is as good. */
static int64_t retry_after_of(const struct http_curl *client)
{
    curl_off_t seconds = 0;

    if (client->api.easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK ||
        seconds <= 0)
        return -1;
    return seconds > 86400 ? 86400000 : (int64_t)seconds * 1000;
}

int http_curl_send(struct http_curl *client,
                   const struct http_request *request,
                   struct http_response *ret_response,
                   struct err *reterr)
{
    char words[CURL_ERROR_SIZE] = "";
    struct reply_body body = {.text = STR_INIT(request->response_max)};
    long status = 0;

    client->api.easy_reset(client->easy);
    set_safety(client, request);

    struct curl_slist *headers = headers_of(&client->api, request);

    set_request(client, request, headers);
    client->api.easy_setopt(client->easy, CURLOPT_ERRORBUFFER, words);
    client->api.easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, keep_body);
    client->api.easy_setopt(client->easy, CURLOPT_WRITEDATA, &body);

    CURLcode code = client->api.easy_perform(client->easy);

    client->api.slist_free_all(headers);
    client->api.easy_setopt(client->easy, CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK) {
        str_done(&body.text);
        return err_set(reterr, error_of(code), "%s: %s", request->url,
                       words[0] ? words : client->api.easy_strerror(code));
    }
    client->api.easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    ret_response->status = (int)status;
    ret_response->retry_after_ms = retry_after_of(client);
    ret_response->body_len = body.text.len;
    ret_response->body_cut = body.cut;
    ret_response->body = str_take(&body.text);
    return 0;
}
