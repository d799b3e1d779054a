#pragma once

/*
 * An HTTP/1.x reply read from a stream: status line, header, body by length, by
 * chunks or to the end. Private to lib/net.
 *
 * Whoever answers is not trusted: the header is at most 16 KiB, a reply whose
 * lengths contradict each other or that both has a length and is chunked is
 * refused, and a body past BODY_TOTAL_MAX ends the exchange.
 */

#include "lib/net/http_exchange.h"

struct http_reader {
    int fd;
    int64_t deadline_ms;
    int64_t first_byte_us; /* clock_mono_us() of the first byte; 0 before */
    size_t at, len;        /* unread bytes: buffer[at..len) */
    char buffer[4096];
};

struct http_reply {
    struct http_exchange *exchange;
    size_t body_max;     /* bytes to keep */
    bool has_body;       /* false for HEAD */
    bool closes;         /* out: the connection ends with this reply */
    bool stop_when_full; /* past body_max read no more (and so close) */
};

/* 0, HTTP_E_TIMEOUT or HTTP_E_REPLY. -EPIPE when the stream ended before its first
 * byte: a kept connection that the server had closed. */
int http_reply_read(struct http_reader *reader, struct http_reply *reply, struct err *reterr);
