/*
 * A POST and what its answer means for a page. See post.h.
 */

#include "alertd/deliver/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/deliver/secret.h"
#include "lib/base/base64.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/net/url.h"

enum {
    QUOTE_BYTES_MAX = 200,
    URL_BYTES_MAX = 4096,
};

/* "https://host:port" of a URL: what may be shown. */
static int shown_length(const char *url)
{
    const char *rest = strstr(url, "://");
    size_t scheme = rest ? (size_t)(rest - url) + 3 : 0;

    return (int)(scheme + strcspn(url + scheme, "/?#"));
}

static enum deliver_verdict verdict_of(int status)
{
    if (status / 100 == 2)
        return DELIVER_ACCEPTED;
    if (status / 100 == 5 || status == 408 || status == 425 || status == 429)
        return DELIVER_LATER;
    return DELIVER_REFUSED;
}

static const char *meaning_of(int status)
{
    if (status / 100 == 3)
        return ": a redirect, which is not followed there; configure where it leads";
    switch (status) {
    case 401: return ": not logged in";
    case 403: return ": not allowed";
    case 404: return ": nothing is there";
    case 413: return ": too large";
    case 429: return ": too many requests";
    case 503: return ": not available";
    default: return "";
    }
}

void post_not_made(struct deliver_outcome *outcome, const struct err *err)
{
    outcome->verdict = DELIVER_REFUSED;
    (void)snprintf(outcome->words, sizeof(outcome->words), "%s", err->text);
}

static const char *failure_of(int code)
{
    switch (code) {
    case HTTP_E_REQUEST: return "the URL or a header can't be sent as it is";
    case HTTP_E_RESOLVE: return "its name has no address";
    case HTTP_E_CONNECT: return "nobody listens there";
    case HTTP_E_TLS: return "no TLS with it: handshake or certificate";
    case HTTP_E_TIMEOUT: return "no answer in time";
    case HTTP_E_REPLY: return "the answer broke off or is not HTTP";
    default: return "the request could not be made";
    }
}

bool post_tls(const struct route_tls *tls, struct net_way *way)
{
    way->ca_file = tls->ca_file;
    way->cert_file = tls->cert_file;
    way->key_file = tls->key_file;
    way->server_name = tls->server_name;
    way->insecure = tls->insecure_skip_verify;
    return net_tls_version_parse(tls->min_version, &way->min) &&
           net_tls_version_parse(tls->max_version, &way->max);
}

/* "Bearer token", "Basic base64" or nothing. */
static int add_authorization(const struct post *post, struct str *out, struct err *reterr)
{
    const struct route_http *as = post->as;
    MEM_AUTO char *secret = NULL;
    int r = 0;

    if (post->bearer && *post->bearer) {
        str_addf(out, "Bearer %s", post->bearer);
    } else if (as && as->basic_auth.username) {
        STR_AUTO struct str pair = STR_INIT(SECRET_BYTES_MAX * 2);

        r = secret_read(&as->basic_auth.password, &secret, reterr);
        if (r)
            return r;
        str_addf(&pair, "%s:%s", as->basic_auth.username, secret);
        str_add(out, "Basic ");
        base64_encode(str_text(&pair), pair.len, out);
    } else if (as) {
        r = secret_read(&as->authorization.credentials, &secret, reterr);
        if (r == 0 && *secret)
            str_addf(out, "%s %s", as->authorization.type ? as->authorization.type : "Bearer",
                     secret);
    }
    return r;
}

static int way_of(const struct route_http *as, struct net_way *ret_way, struct err *reterr)
{
    *ret_way = (struct net_way){0};
    if (!as)
        return 0;
    ret_way->proxy_url = as->proxy_url;
    ret_way->no_proxy = as->no_proxy;
    ret_way->no_http2 = as->no_http2;
    return post_tls(&as->tls, ret_way)
               ? 0
               : err_set(reterr, HTTP_E_REQUEST, "a TLS version is TLS10, TLS11, TLS12 or TLS13");
}

/* Where a redirect may be followed to: the same host, never from https to http. */
static bool may_follow(const char *from, const struct http_response *reply, struct str *ret_url)
{
    char authority[URL_HOST_MAX + 16];
    struct url base;
    struct url next;

    if ((reply->status != 307 && reply->status != 308) || !reply->location ||
        url_parse(from, &base, NULL) || url_resolve(&base, reply->location, &next, NULL) ||
        strcasecmp(base.host, next.host) != 0 || (base.is_https && !next.is_https))
        return false;
    /* the port may change only with the scheme: another port is another server */
    if (base.port != next.port && base.is_https == next.is_https)
        return false;
    str_cut(ret_url, 0);
    str_addf(ret_url, "%s://%s%s", next.is_https ? "https" : "http",
             url_authority(&next, false, authority, sizeof(authority)), next.target);
    return !ret_url->full;
}

static void judge_failure(const struct post *post, int code, struct deliver_outcome *outcome)
{
    outcome->verdict = code == HTTP_E_REQUEST ? DELIVER_REFUSED : DELIVER_LATER;
    (void)snprintf(outcome->words, sizeof(outcome->words), "%.*s%s: %s", shown_length(post->url),
                   post->url, post->as && post->as->proxy_url ? " by its proxy" : "",
                   failure_of(code));
}

static void judge_answer(const struct post *post,
                         const struct http_response *reply,
                         struct deliver_outcome *outcome)
{
    outcome->verdict = verdict_of(reply->status);
    outcome->retry_after_ms = reply->retry_after_ms;
    (void)snprintf(outcome->words, sizeof(outcome->words), "%.*s answered HTTP %d%s",
                   shown_length(post->url), post->url, reply->status, meaning_of(reply->status));
}

/* Sends, and once more to where a redirect leads. As http_client_send(). */
static int send_along(struct http_client *http,
                      const struct http_request *first,
                      bool follow,
                      struct http_response *ret_reply,
                      struct err *reterr)
{
    STR_AUTO struct str url = STR_INIT(URL_BYTES_MAX);
    STR_AUTO struct str next = STR_INIT(URL_BYTES_MAX);
    int64_t deadline_ms = clock_mono_ms() + first->timeout_ms;
    struct http_request request = *first;
    int r = http_client_send(http, &request, ret_reply, reterr);

    for (unsigned n = 0; r == 0 && follow && n < POST_REDIRECTS_MAX; n++) {
        if (!may_follow(request.url, ret_reply, &next))
            break;
        http_response_done(ret_reply);
        str_cut(&url, 0);
        str_add(&url, str_text(&next));
        request.url = str_text(&url);
        request.timeout_ms = deadline_ms - clock_mono_ms();
        if (request.timeout_ms <= 0)
            return HTTP_E_TIMEOUT;
        r = http_client_send(http, &request, ret_reply, reterr);
    }
    return r;
}

bool post_ask(struct http_client *http,
              const struct post *post,
              struct deliver_outcome *outcome,
              struct http_response *ret_reply)
{
    STR_AUTO struct str auth = STR_INIT(SECRET_BYTES_MAX * 4);
    struct http_header headers[POST_HEADERS_MAX] = {
        {"Content-Type", "application/json"},
        {"User-Agent", "watchbill-alertd"},
    };
    struct err err = {0};
    struct net_way way;
    size_t n = 2;

    if (add_authorization(post, &auth, &err) || way_of(post->as, &way, &err)) {
        post_not_made(outcome, &err);
        return false;
    }
    if (post->idempotency_key)
        headers[n++] = (struct http_header){"Idempotency-Key", post->idempotency_key};
    if (auth.len)
        headers[n++] = (struct http_header){"Authorization", str_text(&auth)};

    const struct http_request request = {
        .method = "POST",
        .url = post->url,
        .headers = headers,
        .n_headers = n,
        .body = post->body,
        .body_len = post->body_len,
        .timeout_ms = post->timeout_ms,
        .way = &way,
    };
    int r = send_along(http, &request, !(post->as && post->as->no_follow_redirects), ret_reply,
                       &err);

    if (r)
        judge_failure(post, r, outcome);
    else
        judge_answer(post, ret_reply, outcome);
    return r == 0;
}

void post_send(struct http_client *http, const struct post *post, struct deliver_outcome *outcome)
{
    struct http_response reply = {0};

    if (post_ask(http, post, outcome, &reply))
        http_response_done(&reply);
}

void post_quote(struct deliver_outcome *outcome, const char *said, const char *secret)
{
    STR_AUTO struct str words = STR_INIT(ERR_TEXT_MAX - 1);

    if (!said || !*said || (secret && *secret && strstr(said, secret)))
        return;
    str_addf(&words, "%s: ", outcome->words);
    for (size_t i = 0; said[i] && i < QUOTE_BYTES_MAX; i++) {
        /* a character is not cut in half */
        bool is_whole = i + 4 < QUOTE_BYTES_MAX || ((unsigned char)said[i] & 0xC0) != 0xC0;

        if (!is_whole)
            break;
        str_addc(&words, (unsigned char)said[i] < ' ' || said[i] == 127 ? ' ' : said[i]);
    }
    (void)snprintf(outcome->words, sizeof(outcome->words), "%s", str_text(&words));
}
