/*
 * A POST and what its answer means for a page. See post.h.
 */

#include "alertd/deliver/post.h"

#include <stdio.h>
#include <string.h>

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
        return ": a redirect, which is not followed; configure where it leads";
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

void post_send(struct http_client *http, const struct post *post, struct deliver_outcome *outcome)
{
    const struct http_request request = {
        .method = "POST",
        .url = post->url,
        .headers = post->headers,
        .n_headers = post->n_headers,
        .body = post->body,
        .body_len = post->body_len,
        .timeout_ms = post->timeout_ms,
    };
    struct http_response reply = {0};
    struct err err = {0};
    int r = http_client_send(http, &request, &reply, &err);

    if (r) {
        outcome->verdict = r == HTTP_E_REQUEST ? DELIVER_REFUSED : DELIVER_LATER;
        (void)snprintf(outcome->words, sizeof(outcome->words), "%.*s: %s", shown_length(post->url),
                       post->url, failure_of(r));
        return;
    }
    outcome->verdict = verdict_of(reply.status);
    outcome->retry_after_ms = reply.retry_after_ms;
    (void)snprintf(outcome->words, sizeof(outcome->words), "%.*s answered HTTP %d%s",
                   shown_length(post->url), post->url, reply.status, meaning_of(reply.status));
    http_response_done(&reply);
}
