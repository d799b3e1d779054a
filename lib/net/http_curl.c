/*
 * http_exchange's way through libcurl. See http_curl.h.
 *
 * CURLOPT_QUICK_EXIT matters more than it looks: without it libcurl 7.88 waits for
 * its resolver thread, and a name server that answers nothing turns a timeout of
 * 1 s into 10 s (measured).
 */

#include "lib/net/http_curl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/net/curl_load.h"
#include "lib/net/curl_way.h"

enum {
    CONNECT_MS = 5000, /* a host that is there answers within this */
    HEADER_LINE_MAX = 16 * 1024,
};

struct http_curl {
    struct curl_api api;
    CURL *easy; /* kept between requests: it holds the open connection */
    bool keep_alive;
};

/* What the write callback fills. */
struct reply_body {
    struct str text;
    uint64_t total;
};

int http_curl_new(bool keep_alive, struct http_curl **ret_curl, struct err *reterr)
{
    struct curl_api api;
    int r = curl_load(&api, reterr);

    if (r)
        return r;

    CURL *easy = api.easy_init();

    if (!easy)
        return err_set(reterr, -ELIBACC, "libcurl gives no handle");

    struct http_curl *curl = mem_zalloc(sizeof(*curl));

    curl->api = api;
    curl->easy = easy;
    curl->keep_alive = keep_alive;
    *ret_curl = curl;
    return 0;
}

void http_curl_free(struct http_curl *curl)
{
    if (!curl)
        return;
    curl->api.easy_cleanup(curl->easy);
    free(curl);
}

/* Past the ceiling the rest is read and forgotten: breaking off would cost the
 * connection, and the deadline bounds how long it can last. */
static size_t keep_body(char *bytes, size_t size, size_t n, void *into)
{
    struct reply_body *body = into;
    size_t len = size * n;
    size_t room = body->text.limit - body->text.len;

    str_addn(&body->text, bytes, len < room ? len : room);
    body->total += len;
    return len;
}

static int error_of(CURLcode code)
{
    switch ((int)code) { /* the few that say whose fault it is; libcurl has a hundred */
    case CURLE_URL_MALFORMAT: return HTTP_E_REQUEST;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST: return HTTP_E_RESOLVE;
    case CURLE_PROXY:
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
        STR_AUTO struct str line = STR_INIT(HEADER_LINE_MAX);

        str_addf(&line, "%s: %s", request->headers[i].name, request->headers[i].value);
        list = api->slist_append(list, str_text(&line));
    }
    return list;
}

static void set_safety(const struct http_curl *curl, const struct http_request *request)
{
    __typeof__(curl_easy_setopt) *set = curl->api.easy_setopt;
    CURL *easy = curl->easy;
    long timeout_ms = (long)request->timeout_ms;

    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);
    set(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms < CONNECT_MS ? timeout_ms : (long)CONNECT_MS);
    set(easy, CURLOPT_FRESH_CONNECT, curl->keep_alive ? 0L : 1L);
    set(easy, CURLOPT_FORBID_REUSE, curl->keep_alive ? 0L : 1L);
    set(easy, CURLOPT_CERTINFO, 1L);
    if (request->ca_file) {
        set(easy, CURLOPT_CAINFO, request->ca_file);
        set(easy, CURLOPT_CAPATH, NULL);
    }
}

static void set_request(const struct http_curl *curl, const struct http_request *request)
{
    __typeof__(curl_easy_setopt) *set = curl->api.easy_setopt;
    CURL *easy = curl->easy;

    set(easy, CURLOPT_URL, request->url);
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

/* "Nov  3 22:27:00 2026 GMT", as OpenSSL prints the end of a certificate; 0 when it
 * is something else. */
static int64_t parse_expiry(const char *text)
{
    static const char months[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";
    char month[5] = "";
    char rewritten[CLOCK_TEXT_MAX];
    int64_t at_ms = 0;

    if (strlen(text) < 24)
        return 0;
    memcpy(month, text, 4);

    const char *found = strstr(months, month);

    if (!found)
        return 0;
    (void)snprintf(rewritten, sizeof(rewritten), "%.4s-%02d-%c%cT%.8sZ", text + 16,
                   (int)(found - months) / 4 + 1, text[4] == ' ' ? '0' : text[4], text[5],
                   text + 7);
    return clock_parse_rfc3339(rewritten, &at_ms) == 0 ? at_ms : 0;
}

static int64_t earliest_expiry_of(const struct http_curl *curl)
{
    struct curl_certinfo *chain = NULL;
    int64_t earliest_ms = 0;

    if (curl->api.easy_getinfo(curl->easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain)
        return 0;
    for (int i = 0; i < chain->num_of_certs; i++)
        for (const struct curl_slist *fact = chain->certinfo[i]; fact; fact = fact->next) {
            if (strncmp(fact->data, "Expire date:", 12) != 0)
                continue;

            int64_t expiry_ms = parse_expiry(fact->data + 12);

            if (expiry_ms && (!earliest_ms || expiry_ms < earliest_ms))
                earliest_ms = expiry_ms;
        }
    return earliest_ms;
}

static int64_t info_number(const struct http_curl *curl, CURLINFO what)
{
    curl_off_t value = 0;

    return curl->api.easy_getinfo(curl->easy, what, &value) == CURLE_OK ? (int64_t)value : 0;
}

static int64_t at_least_zero(int64_t us)
{
    return us > 0 ? us : 0;
}

/* libcurl's instants since the start made into phases. */
static void read_phases(const struct http_curl *curl, struct http_exchange *exchange)
{
    int64_t name_us = info_number(curl, CURLINFO_NAMELOOKUP_TIME_T);
    int64_t connect_us = info_number(curl, CURLINFO_CONNECT_TIME_T);
    int64_t tls_us = info_number(curl, CURLINFO_APPCONNECT_TIME_T);
    int64_t sent_us = info_number(curl, CURLINFO_PRETRANSFER_TIME_T);
    int64_t first_us = info_number(curl, CURLINFO_STARTTRANSFER_TIME_T);
    int64_t total_us = info_number(curl, CURLINFO_TOTAL_TIME_T);

    exchange->resolve_us = name_us;
    exchange->connect_us = at_least_zero(connect_us - name_us);
    exchange->tls_us = tls_us ? at_least_zero(tls_us - connect_us) : 0;
    exchange->processing_us = at_least_zero(first_us - sent_us);
    exchange->transfer_us = at_least_zero(total_us - first_us);
    exchange->is_tls = tls_us > 0;
}

static void read_facts(const struct http_curl *curl, struct http_exchange *exchange)
{
    long number = 0;
    const char *text = NULL;

    if (curl->api.easy_getinfo(curl->easy, CURLINFO_RESPONSE_CODE, &number) == CURLE_OK)
        exchange->status = (int)number;
    if (curl->api.easy_getinfo(curl->easy, CURLINFO_HTTP_VERSION, &number) == CURLE_OK)
        exchange->version = number == CURL_HTTP_VERSION_1_0   ? 1.0
                            : number == CURL_HTTP_VERSION_2_0 ? 2.0
                                                              : 1.1;
    if (curl->api.easy_getinfo(curl->easy, CURLINFO_PRIMARY_IP, &text) == CURLE_OK && text)
        (void)snprintf(exchange->peer, sizeof(exchange->peer), "%s", text);
    text = NULL;
    if (curl->api.easy_getinfo(curl->easy, CURLINFO_REDIRECT_URL, &text) == CURLE_OK && text &&
        strlen(text) < sizeof(exchange->location))
        (void)snprintf(exchange->location, sizeof(exchange->location), "%s", text);

    int64_t after_s = info_number(curl, CURLINFO_RETRY_AFTER);

    exchange->retry_after_ms = after_s <= 0 ? -1 : (after_s > 86400 ? 86400 : after_s) * 1000;
    exchange->content_length = info_number(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
    exchange->cert_expiry_ms = earliest_expiry_of(curl);
    read_phases(curl, exchange);
}

/* Whom to trust and which way to go; the Host header stays the configured one's. */
static void set_way(const struct http_curl *curl,
                    const struct http_request *request,
                    const struct url *url,
                    struct curl_slist **headers,
                    struct curl_way *ret_way)
{
    char authority[URL_HOST_MAX + 16];
    char host[URL_HOST_MAX + 32];
    const struct curl_way_url parts = {
        .scheme = url->is_https ? "https://" : "http://",
        .authority = url_authority(url, true, authority, sizeof(authority)),
        .port = url->port,
        .rest = url->target,
    };

    curl_way_set(&curl->api, curl->easy, request->way, &parts, ret_way);
    if (!ret_way->connect_to)
        return;
    (void)snprintf(host, sizeof(host), "Host: %s",
                   url_authority(url, false, authority, sizeof(authority)));
    *headers = curl->api.slist_append(*headers, host);
}

int http_curl_send(struct http_curl *curl,
                   const struct http_request *request,
                   const struct url *url,
                   struct http_exchange *ret_exchange,
                   struct err *reterr)
{
    char words[CURL_ERROR_SIZE] = "";
    struct reply_body body = {.text = STR_INIT(request->response_max)};
    struct http_exchange exchange = {0};
    struct curl_way way;

    curl->api.easy_reset(curl->easy);
    set_safety(curl, request);

    struct curl_slist *headers = headers_of(&curl->api, request);

    set_request(curl, request);
    set_way(curl, request, url, &headers, &way);
    curl->api.easy_setopt(curl->easy, CURLOPT_HTTPHEADER, headers);
    curl->api.easy_setopt(curl->easy, CURLOPT_ERRORBUFFER, words);
    curl->api.easy_setopt(curl->easy, CURLOPT_WRITEFUNCTION, keep_body);
    curl->api.easy_setopt(curl->easy, CURLOPT_WRITEDATA, &body);

    CURLcode code = curl->api.easy_perform(curl->easy);

    curl->api.slist_free_all(headers);
    curl->api.easy_setopt(curl->easy, CURLOPT_HTTPHEADER, NULL);
    curl->api.easy_setopt(curl->easy, CURLOPT_CONNECT_TO, NULL);
    curl_way_done(&curl->api, &way);
    curl->api.easy_setopt(curl->easy, CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK) {
        str_done(&body.text);
        return err_set(reterr, error_of(code), "%.200s: %s", request->url,
                       words[0] ? words : curl->api.easy_strerror(code));
    }
    read_facts(curl, &exchange);
    exchange.body_total = body.total;
    exchange.body_len = body.text.len;
    exchange.body = str_take(&body.text);
    *ret_exchange = exchange;
    return 0;
}
