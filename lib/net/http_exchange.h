#pragma once

/*
 * One HTTP exchange and what it cost, phase by phase: what http_client.h is made
 * of, and what the http probe reports.
 *
 *   |-- resolve --|-- connect --|-- tls --|-- processing --|-- transfer --|
 *   name          TCP           TLS       first byte        last byte
 *
 * Plain http goes over a socket of our own (http_plain.c): half a page of code per
 * feature, no memory to speak of, and a process that needs no more never loads
 * libcurl and OpenSSL (8 MB, see curl_load.h). https and proxies go through libcurl.
 *
 * Redirects are never followed here; `location` says where one leads.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/net/http_client.h"

enum {
    HTTP_LOCATION_MAX = 2048
};

struct http_exchange {
    int status;
    double version; /* 1.0, 1.1, 2 */
    int64_t resolve_us, connect_us, tls_us, processing_us, transfer_us;
    int64_t content_length; /* -1: the reply did not say */
    int64_t retry_after_ms; /* -1: the reply did not say */
    uint64_t body_total;    /* bytes of the decoded body, kept or not */
    char *body;             /* the first response_max of them, NUL-terminated; free() */
    size_t body_len;
    char location[HTTP_LOCATION_MAX]; /* "" when there is none */
    char peer[INET6_ADDRSTRLEN];
    bool is_tls;
    int64_t cert_expiry_ms; /* Unix time; the earliest of the server's chain, 0 unknown */
};

struct http_transport;

/* keep_alive: hold the connection for the next request to the same place. Probes
 * say false: they measure what a new visitor meets. */
struct http_transport *http_transport_new(bool keep_alive);
void http_transport_free(struct http_transport *transport); /* NULL is fine */

/* Fields of the request left 0 get their defaults. 0, HTTP_E_* or -ELIBACC with words
 * that begin with the URL. After success http_exchange_done(). */
int http_transport_send(struct http_transport *transport,
                        const struct http_request *request,
                        struct http_exchange *ret_exchange,
                        struct err *reterr);

void http_exchange_done(struct http_exchange *exchange);
