#pragma once

/*
 * One HTTP request, blocking, with an end: whatever the other side does, it
 * returns within timeout_ms (name resolution included) and holds at most
 * response_max bytes of the reply.
 *
 * What it refuses to do: follow redirects (the target was configured, and a
 * token goes with it; `location` says where one leads), speak anything but http and https,
 * skip certificate checks unless told to, raise signals, read .netrc or proxy variables.
 *
 *     struct http_request request = {.method = "POST", .url = url, .timeout_ms = 10000,
 *                                    .body = text, .body_len = len};
 *     struct http_response reply;
 *     r = http_client_send(client, &request, &reply, &err);
 *     if (r == 0 && reply.status / 100 == 2) ...
 *     http_response_done(&reply);
 *
 * A client keeps one connection open for the next request to the same place; when
 * the server has closed it meanwhile without a word, the request is sent once more
 * on a new one (so a POST may arrive twice: as with every sender that retries). One
 * thread at a time may use a client; different clients are independent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/net/net_way.h"

enum {
    HTTP_E_REQUEST = 1, /* the URL or a header can't be sent as it is: retrying is vain */
    HTTP_E_RESOLVE = 2, /* the name has no address, or nobody says */
    HTTP_E_CONNECT = 3, /* nobody listens there */
    HTTP_E_TLS = 4,     /* handshake or certificate */
    HTTP_E_TIMEOUT = 5, /* timeout_ms passed, somewhere */
    HTTP_E_REPLY = 6,   /* what came back is not HTTP, or broke off */
};

enum {
    HTTP_RESPONSE_MAX = 64 * 1024, /* response_max when it is 0 */
    HTTP_TIMEOUT_MS = 10000,       /* timeout_ms when it is 0 */
};

struct http_header {
    const char *name;
    const char *value;
};

struct http_request {
    const char *method; /* NULL: POST with a body, GET without */
    const char *url;
    const struct http_header *headers;
    size_t n_headers;
    const void *body; /* NULL: none */
    size_t body_len;
    int64_t timeout_ms;
    size_t response_max;
    const char *ca_file;       /* PEM certificates to trust instead of the system's; NULL */
    const struct net_way *way; /* NULL: the ordinary one. Wins over ca_file */
};

struct http_response {
    int status;             /* 100..599 */
    int64_t retry_after_ms; /* -1: the reply did not say, or gave a date */
    char *body;             /* NUL-terminated */
    size_t body_len;
    bool body_cut;  /* more came than response_max; the rest was not kept */
    char *location; /* where a redirect leads, absolute or not; NULL when it says nothing */
};

struct http_client;

struct http_client *http_client_new(void);
void http_client_free(struct http_client *client); /* NULL is fine */

/* 0: an answer came, of whatever status (http_response_done()). Otherwise one of
 * HTTP_E_*, or -ELIBACC (https without libcurl), with words for a log. */
int http_client_send(struct http_client *client,
                     const struct http_request *request,
                     struct http_response *ret_response,
                     struct err *reterr);

void http_response_done(struct http_response *response);

/* "tls", "timeout", ...: for labels and logs. */
const char *http_error_name(int code);
