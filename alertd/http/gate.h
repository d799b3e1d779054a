#pragma once

/*
 * The gate: what a request's head must be before anything looks at it. Pure.
 *
 * libmicrohttpd 0.9.75 is lenient to the point of request smuggling: it takes two
 * lengths, a length beside chunking, two hosts, names with spaces, any method, any
 * transfer encoding. Behind a proxy that reads such a head differently, the rest of one
 * request becomes another one. RFC 9112 says to refuse; so we do, with 400, and close.
 *
 *     gate_start(&gate, "POST", "HTTP/1.1", "/api/v1/write");
 *     for each header: gate_header(&gate, name, name_len, value, value_len);
 *     status = gate_finish(&gate);          0, or 400 413 414 431 and gate.why
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GATE_TARGET_MAX = 8 * 1024, /* longer queries are POSTed as a form */
    GATE_HEAD_MAX = 16 * 1024,  /* names and values together */
    GATE_HEADERS_MAX = 100,
};

struct gate {
    int status; /* 0 while nothing is wrong */
    const char *why;
    bool body_allowed;
    bool is_http_1_0;
    unsigned n_headers, n_hosts, n_lengths, n_encodings;
    size_t head_bytes;
    int64_t content_length; /* -1: none was given */
};

void gate_start(struct gate *gate, const char *method, const char *version, const char *target);
void gate_header(
    struct gate *gate, const char *name, size_t name_len, const char *value, size_t value_len);
int gate_finish(struct gate *gate);

/* For what only the caller can see; the first reason stands. `why` is a loan. */
void gate_refuse(struct gate *gate, int status, const char *why);

/* Whether a Host header names us: an IP literal (a name rebound to us by a hostile DNS
 * server is the attack; a literal cannot be rebound), localhost, or one of `names`;
 * any port. */
bool gate_host_is_ours(const char *host, const char *const *names, size_t n_names);

/* Whether an Origin header ("http://name:port") is the page's own: the same host and
 * port as the Host header, or the external URL's. */
bool gate_origin_is_ours(const char *origin, const char *host, const char *external_url);
