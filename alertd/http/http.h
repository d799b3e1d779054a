#pragma once

/*
 * HTTP, and nothing but HTTP: libmicrohttpd's one home. Knows no alert.
 *
 *   socket -> gate (malformed? 400 and close) -> limits -> route table -> who is it?
 *          -> scope allowed? -> body complete -> worker thread: handler() -> response
 *
 * The gate refuses what libmicrohttpd lets through (two lengths, length with
 * chunking, header names with spaces ...: gate.c). Handlers run on a worker pool, one
 * request at a time per worker, and may block for a commit; the connection is
 * suspended meanwhile. Routes marked HTTP_INLINE run on the network thread and must
 * not block.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

/* What a token or session may do. */
enum http_scope {
    HTTP_SCOPE_NONE = 0, /* for a route: anyone */
    HTTP_SCOPE_PUSH = 1,
    HTTP_SCOPE_READ = 2,
    HTTP_SCOPE_OPERATE = 4, /* includes read */
    HTTP_SCOPE_ADMIN = 8,   /* includes all */
};

struct http_identity {
    unsigned scopes;  /* bits of enum http_scope, closure applied */
    char name[64];    /* the actor in timelines: the token's name */
    int64_t token_id; /* 0 when auth is off */
    char agent[64];   /* a push token's agent: it may write as this one only; "" as any */
    bool by_cookie;   /* a browser session: CSRF rules apply */
    char csrf[44];    /* the session's CSRF token, for pages that need to embed it */
};

struct http_param {
    const char *name;
    const char *value;
};

struct http_request {
    const char *method;       /* "HEAD" arrives as "GET" */
    const char *path;         /* decoded, normalised */
    struct http_param *query; /* URL query, then form body when it is urlencoded */
    size_t n_query;
    const char *path_args[4]; /* what {…} in the route matched, decoded */
    const char *body;         /* NUL-terminated; after Content-Encoding: gzip is undone */
    size_t body_len;
    const char *peer;  /* "127.0.0.1" */
    int64_t waited_us; /* for a worker, behind requests before it */
    struct http_identity who;
    struct arena *arena; /* dies with the request */
    void *native;        /* connection, for http_header() */
};

const char *http_header(const struct http_request *request, const char *name); /* NULL */
const char *http_query(const struct http_request *request, const char *name);  /* NULL */
/* The index-th value of a repeated parameter (match[]); NULL past the last. */
const char *http_query_at(const struct http_request *request, const char *name, size_t index);

/* Whoever asked closed the connection: nobody will read the answer. For handlers that take long. */
bool http_is_left(const struct http_request *request);

struct http_response {
    int status;               /* 200 */
    const char *content_type; /* "application/json" */
    struct str body;          /* limit 64 MiB unless the handler changes it */
    struct http_param headers[12];
    size_t n_headers;
    const void *static_bytes; /* instead of body: must live for ever */
    size_t static_len;
    struct http_sse *sse; /* set by http_sse_join(): the reply is an event stream */
};

void http_add_header(struct http_response *response, const char *name, const char *value);
/* {"status":"error","errorType":type,"error":words} and the HTTP status of the type:
 * bad_data 400, unauthorized 401, forbidden 403, not_found 404, conflict 409,
 * too_large 413, execution 422, limited 429, internal 500, unavailable 503, timeout 503. */
void http_fail(struct http_response *response, const char *error_type, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with "warnings":[...] where there are any: it may have failed for what could not be read. */
void http_fail_warned(struct http_response *response,
                      const char *error_type,
                      const char *words,
                      const char *const *warnings,
                      size_t n_warnings);

typedef void http_handler(void *context,
                          struct http_request *request,
                          struct http_response *response);

enum {
    HTTP_INLINE = 1,    /* runs on the network thread: quick, no blocking */
    HTTP_BIG_BODY = 2,  /* pushes: up to max_body; others 256 KiB */
    HTTP_SAFE_POST = 4, /* a POST that changes nothing (a long query): no CSRF token asked */
};

struct http_route {
    const char *method;
    const char *pattern; /* "/api/alertd/v1/incidents/{key}/ack"; a trailing "/" matches below */
    unsigned scope;      /* enum http_scope: what the caller must have */
    unsigned flags;
    http_handler *handler;
    const char *doc; /* one line: docs/api.md is checked against it */
};

/* Who sends this request: fills *ret_who from Authorization or else the cookie (the other
 * is NULL). Called on the network thread before the body is read, so that nobody unknown
 * can make us read 32 MiB: it must not block. 0, or HTTP_E_UNKNOWN. */
enum {
    HTTP_E_UNKNOWN = 1
};
typedef int http_authenticate(void *context,
                              const char *bearer_token,
                              const char *session_cookie,
                              struct http_identity *ret_who);

enum {
    HTTP_BODY_DEFAULT = 32 * 1024 * 1024,
    HTTP_BODY_LIMIT = 128 * 1024 * 1024, /* of all requests together */
};

struct http_options {
    const char *const *listen; /* "127.0.0.1:9797", "[::1]:9797" */
    size_t n_listen;
    const char *const *hosts; /* Host names that are ours; IP literals and localhost always */
    size_t n_hosts;
    const char *external_url; /* an origin that is ours, or NULL */
    bool auth_off;
    const struct http_route *const *routes; /* NULL-terminated list of tables */
    const size_t *n_routes;
    void *context; /* for handlers and authenticate */
    http_authenticate *authenticate;
    size_t max_body; /* bytes on the wire of a push: HTTP_BODY_DEFAULT, HTTP_BODY_LIMIT at most */
    unsigned max_connections;          /* 1,024 */
    unsigned max_connections_per_peer; /* 64; loopback eight times that */
    unsigned n_workers;                /* 8 */
    unsigned max_reads;                /* answered at once, 0 or at most: half of the workers */
    const struct log *log;
};

struct http_server;
int http_server_start(const struct http_options *options,
                      struct http_server **ret_server,
                      struct err *reterr);
/* Stops accepting, lets running handlers end (10 s), closes streams. NULL is fine. */
void http_server_stop(struct http_server *server);
/* The port of listen address i (for ":0"). */
unsigned http_server_port(const struct http_server *server, size_t i);

struct http_stats {
    uint64_t requests, refused_by_gate, refused_by_limit, unauthorized, connections, sse_clients;
};
void http_server_stats(struct http_server *server, struct http_stats *ret_stats);

struct http_route_stats {
    const char *method, *pattern; /* the last one is "" and "(none)": no route matched */
    uint64_t by_class[6];         /* [2]: answered 2xx ... [0]: cut before an answer */
    uint64_t duration_us;
};
/* Of the index-th route, counted over all tables; false past the end. */
bool http_server_route_stats(struct http_server *server,
                             size_t index,
                             struct http_route_stats *ret_stats);

/* --- Server-sent events: one hub, a ring of the last 1,024 events for Last-Event-ID. --- */
struct http_hub;
struct http_hub *http_hub_new(void);
void http_hub_free(struct http_hub *hub);
/* From any thread, never blocks: `event: type`, `data: json` (one line, under 16 KiB). */
void http_hub_publish(struct http_hub *hub, const char *type, const char *json);
/* In a handler: the response becomes a stream of the hub's events after the request's
 * Last-Event-ID header or last_event_id parameter (from now without one), with a comment
 * every 15 s. Who asks for more than the ring still has gets `event: lost` first. A server
 * serves streams of one hub; the hub must outlive it. */
void http_sse_join(struct http_hub *hub,
                   const struct http_request *request,
                   struct http_response *response);
