#pragma once

/*
 * A POST and what its answer means for a page. Private to deliver/.
 *
 *     struct http_response reply;
 *
 *     if (post_ask(http, &post, outcome, &reply)) {   // an answer came; judged by its status
 *         ... what its body says of it ...
 *         http_response_done(&reply);
 *     }
 *
 * Who we say we are (route_http), whose certificates count and which proxy it goes through
 * are seen to here, for every kind that speaks HTTP.
 */

#include <stdbool.h>
#include <stddef.h>

#include "alertd/deliver/receiver.h"
#include "lib/net/http_client.h"

enum {
    POST_HEADERS_MAX = 8,
    POST_REDIRECTS_MAX = 5,
};

struct post {
    const char *url;
    const struct route_http *as; /* http_config; NULL: none */
    const char *bearer;          /* a token that goes before what `as` says; NULL or "": none */
    const char *idempotency_key; /* NULL: none is sent */
    const char *body;            /* JSON */
    size_t body_len;
    int64_t timeout_ms; /* redirects included */
};

/* 2xx is accepted; 5xx, 408, 425, 429 and everything below HTTP is later; the rest is
 * refused. A 307 or 308 is followed within the same host and never away from https, the
 * others would drop the page and are refused. Words name the host, never the path: that may
 * be a secret. */
void post_send(struct http_client *http, const struct post *post, struct deliver_outcome *outcome);

/* The same, and the answer; false when none came. */
bool post_ask(struct http_client *http,
              const struct post *post,
              struct deliver_outcome *outcome,
              struct http_response *ret_reply);

/* For an attempt that could not be made: words of *err, tried again rarely. */
void post_not_made(struct deliver_outcome *outcome, const struct err *err);

/* Adds what the other side said to the words: one line, at most 200 bytes, and nothing at
 * all when it repeats the secret. */
void post_quote(struct deliver_outcome *outcome, const char *said, const char *secret);

/* tls_config for lib/net. False: a version is none. */
bool post_tls(const struct route_tls *tls, struct net_way *way);
