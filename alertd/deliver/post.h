#pragma once

/*
 * A POST and what its answer means for a page. Private to deliver/.
 */

#include <stddef.h>

#include "alertd/deliver/receiver.h"
#include "lib/net/http_client.h"

enum {
    POST_HEADERS_MAX = 8
};

struct post {
    const char *url;
    const struct http_header *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
    int64_t timeout_ms;
};

/* 2xx is accepted; 5xx, 408, 425, 429 and everything below HTTP is later; the rest, also
 * a redirect (credentials do not travel), is refused. Words name the host, never the path:
 * that may be a secret. */
void post_send(struct http_client *http, const struct post *post, struct deliver_outcome *outcome);

/* For an attempt that could not be made: words of *err, tried again rarely. */
void post_not_made(struct deliver_outcome *outcome, const struct err *err);
