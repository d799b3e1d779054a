/*
 * One request, from its request line to its reply. See call.h for the stages.
 */

#include "alertd/http/call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/http/stages.h"
#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"

static const char cookie_name[] = "watchbill_session";

static enum MHD_Result send_reply(struct call *call)
{
    struct http_server *server = call->server;
    uint64_t bytes = call->response.static_bytes ? call->response.static_len : BIG_REPLY_BYTES;

    call->stage = CALL_SENT;
    peers_phase(&server->peers, call->peer, PEER_SENDING, bytes, clock_mono_ms());
    return MHD_queue_response(call->connection, (unsigned)call->response.status, call->reply);
}

/* The reply is in call->response; the caller has nothing more to say. On the network
 * thread. */
static enum MHD_Result answer(struct call *call)
{
    call_make_reply(call);
    return send_reply(call);
}

/* As answer(), and the connection ends: what follows on it cannot be trusted, or would
 * only be thrown away. */
static enum MHD_Result answer_and_close(struct call *call)
{
    call->close = true;
    return answer(call);
}

/* --- head --- */

/* libmicrohttpd cuts the head in place: each part it hands out lies where it came from the
 * wire. So what it hides (the rest of a value after a NUL, the seam of a folded field, a
 * line end without its carriage return) shows as a part that is not where it must be. */
struct head {
    struct gate gate;
    const char *next; /* where the next line begins */
    bool is_whole;    /* every part was found there so far */
};

static enum MHD_Result each_header(void *arg,
                                   enum MHD_ValueKind kind,
                                   const char *name,
                                   size_t name_len,
                                   const char *value,
                                   size_t value_len)
{
    struct head *head = arg;

    (void)kind;
    gate_header(&head->gate, name, name_len, value ? value : "", value_len);
    head->is_whole &= name == head->next && value;
    head->next = value ? value + value_len + strlen("\r\n") : NULL;
    return MHD_YES;
}

/* Everything from the method to the empty line, as RFC 9112 2.2 and 5.2 want it. */
static void read_head(struct call *call, struct head *head, const char *method, const char *version)
{
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(
        call->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    bool target_is_whole = version == call->target_in_mhd + strlen(call->raw_target) + 1;

    head->is_whole = true;
    head->next = version + strlen(version) + strlen("\r\n");
    gate_start(&head->gate, method, version, call->raw_target);
    (void)MHD_get_connection_values_n(call->connection, MHD_HEADER_KIND, each_header, head);
    (void)gate_finish(&head->gate);
    if (!target_is_whole)
        gate_refuse(&head->gate, 400, "the request target has a NUL");
    if (!head->is_whole || !size || head->next + strlen("\r\n") != method + size->header_size)
        gate_refuse(&head->gate, 400,
                    "the header has a NUL, a folded field or a line that does not end in CR LF");
}

static bool pass_gate(struct call *call, struct head *head, const char *method, const char *version)
{
    read_head(call, head, method, version);
    if (!head->gate.status)
        return true;
    atomic_fetch_add(&call->server->refused_by_gate, 1);
    http_fail(&call->response, "bad_data", "%s", head->gate.why);
    call->response.status = head->gate.status;
    return false;
}

static bool pass_host(struct call *call)
{
    const struct http_options *options = &call->server->options;
    const char *host = http_header(&call->request, "Host");

    if (gate_host_is_ours(host, options->hosts, options->n_hosts))
        return true;
    atomic_fetch_add(&call->server->refused_by_gate, 1);
    http_fail(&call->response, "misdirected",
              "this is not %s: reach it by its address, or name it in --web.external-url", host);
    return false;
}

/* What Alertmanager's clients read of an error of its framework. */
static bool wants_code(const struct call *call)
{
    return strncmp(call->raw_target, "/api/v2/", 8) == 0;
}

static void fail_with_code(struct call *call, int status, const char *words)
{
    struct json_out out = JSON_OUT(&call->response.body);

    str_cut(&call->response.body, 0);
    call->response.status = status;
    json_open(&out, '{');
    json_kv_int(&out, "code", status);
    json_kv_string(&out, "message", words);
    json_close(&out, '}');
}

/* Prometheus' own 404, which clients that probe for optional endpoints look for. */
static void no_such_path(struct call *call)
{
    STR_AUTO struct str words = STR_INIT(8192);

    if (wants_code(call)) {
        str_addf(&words, "path %.*s was not found", (int)strcspn(call->raw_target, "?"),
                 call->raw_target);
        fail_with_code(call, 404, str_text(&words));
        return;
    }
    if (strncmp(call->raw_target, "/api/v1/", 8) != 0) {
        http_fail(&call->response, "not_found", "no such path");
        return;
    }
    call->response.status = 404;
    call->response.content_type = "text/plain; charset=utf-8";
    str_add(&call->response.body, "404 page not found\n");
}

static void no_such_method(struct call *call, const char *allow)
{
    STR_AUTO struct str words = STR_INIT(1024);

    http_fail(&call->response, "method", "%s is not answered here, %s is", call->request.method,
              allow);
    if (wants_code(call)) {
        str_addf(&words, "method %s is not allowed, but [", call->request.method);
        for (const char *at = allow; *at; at += strspn(at, ", ")) { /* HEAD is no route */
            size_t len = strcspn(at, ",");

            if (strncmp(at, "HEAD", len) != 0)
                str_addf(&words, "%s%.*s", at == allow ? "" : ",", (int)len, at);
            at += len;
        }
        str_add(&words, "] are");
        fail_with_code(call, 405, str_text(&words));
    }
    http_add_header(&call->response, "Allow", arena_strndup(&call->arena, allow, strlen(allow)));
}

static bool find_route(struct call *call)
{
    char allow[ROUTER_ALLOW_MAX];
    struct router_hit hit;
    size_t len = strcspn(call->raw_target, "?");
    const char *raw_path = arena_strndup(&call->arena, call->raw_target, len);
    int r = router_find(&call->server->router, &call->arena, call->request.method, raw_path, &hit,
                        allow);

    if (r == ROUTER_E_PATH) {
        no_such_path(call);
    } else if (r == ROUTER_E_METHOD) {
        no_such_method(call, allow);
    } else if (r != 0) {
        http_fail(&call->response, "bad_data", "the path is malformed");
    } else if (call_read_target(call) != 0) {
        http_fail(&call->response, "bad_data", "the query is malformed or has too many parameters");
    } else {
        call->route = hit.route;
        call->route_index = hit.index;
        call->request.path = hit.path;
        memcpy(call->request.path_args, hit.args, sizeof(hit.args));
        return true;
    }
    return false;
}

/* The value of our cookie in a Cookie header, copied; NULL when it is not there. */
static const char *find_cookie(struct call *call)
{
    const char *at = http_header(&call->request, "Cookie");
    size_t name_len = sizeof(cookie_name) - 1;

    while (at && *at) {
        at += strspn(at, "; ");
        if (strncmp(at, cookie_name, name_len) == 0 && at[name_len] == '=') {
            at += name_len + 1;
            return arena_strndup(&call->arena, at, strcspn(at, "; "));
        }
        at += strcspn(at, ";");
    }
    return NULL;
}

static const char *find_bearer(struct call *call)
{
    const char *value = http_header(&call->request, "Authorization");

    if (!value || strncasecmp(value, "Bearer ", 7) != 0)
        return NULL;
    return value + 7 + strspn(value + 7, " ");
}

static bool identify(struct call *call)
{
    const struct http_options *options = &call->server->options;
    struct http_identity *who = &call->request.who;
    const char *bearer = find_bearer(call);
    const char *cookie = bearer ? NULL : find_cookie(call);
    bool known = false;

    if (options->auth_off) {
        *who = (struct http_identity){.scopes = HTTP_SCOPE_PUSH | HTTP_SCOPE_READ |
                                                HTTP_SCOPE_OPERATE | HTTP_SCOPE_ADMIN,
                                      .name = "anyone"};
        known = true;
    } else if (bearer || cookie) {
        known = options->authenticate(options->context, bearer, cookie, who) == 0;
    }
    if (!known)
        *who = (struct http_identity){0};
    if (call->route->scope == HTTP_SCOPE_NONE)
        return true;
    if (!known) {
        atomic_fetch_add(&call->server->unauthorized, 1);
        http_fail(&call->response, "unauthorized",
                  bearer || cookie ? "this token or session is not known, or no longer valid"
                                   : "a token is needed: Authorization: Bearer wb_...");
    } else if ((who->scopes & call->route->scope) != call->route->scope) {
        known = false;
        http_fail(&call->response, "forbidden", "%s may not do this", who->name);
    }
    return known;
}

/* Whether the page that sent this is ours, as far as the browser says. */
static bool is_same_origin(struct call *call)
{
    const struct http_options *options = &call->server->options;
    const char *origin = http_header(&call->request, "Origin");
    const char *site = http_header(&call->request, "Sec-Fetch-Site");
    const char *host = http_header(&call->request, "Host");

    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return false;
    /* A plain form of a page without referrer says "null": then Sec-Fetch-Site decides. */
    if (!origin || strcmp(origin, "null") == 0)
        return site != NULL;
    return gate_origin_is_ours(origin, host, options->external_url);
}

/* A page of somebody else's can make the browser send a request with our cookie, and
 * without any to a daemon that asks for none. A bearer token it does not have. */
static bool pass_csrf(struct call *call)
{
    const struct http_identity *who = &call->request.who;
    const char *token = http_header(&call->request, "X-CSRF-Token");
    bool from_browser = http_header(&call->request, "Origin") ||
                        http_header(&call->request, "Sec-Fetch-Site");

    if (strcmp(call->request.method, "GET") == 0 || call->route->scope == HTTP_SCOPE_NONE)
        return true;
    if (!who->by_cookie && (!call->server->options.auth_off || !from_browser))
        return true;
    if (!is_same_origin(call)) {
        http_fail(&call->response, "forbidden",
                  "this came from another site's page: Origin and Host differ");
        return false;
    }
    if (who->by_cookie && !(call->route->flags & HTTP_SAFE_POST) &&
        (!token || strcmp(token, who->csrf) != 0)) {
        http_fail(&call->response, "forbidden", "X-CSRF-Token is missing or wrong");
        return false;
    }
    return true;
}

static bool pass_body(struct call *call, const struct gate *gate)
{
    call->body = STR_INIT(call->route->flags & HTTP_BIG_BODY ? call->server->options.max_body
                                                             : BODY_MAX);
    if (gate->content_length > (int64_t)call->body.limit) {
        atomic_fetch_add(&call->server->refused_by_limit, 1);
        http_fail(&call->response, "too_large", "a body of %lld bytes: at most %zu are taken",
                  (long long)gate->content_length, call->body.limit);
        return false;
    }
    return true;
}

/* First call for a request: everything that can be said before its body is. */
enum MHD_Result call_head(struct call *call, const char *method, const char *version)
{
    struct http_server *server = call->server;
    struct http_request *request = &call->request;
    struct head head;

    atomic_fetch_add(&server->requests, 1);
    call->head_only = strcmp(method, "HEAD") == 0;
    request->method = call->head_only ? "GET" : arena_strndup(&call->arena, method, strlen(method));
    call->close = call->peer->n_requests >= REQUESTS_PER_CONNECTION;
    if (!pass_gate(call, &head, method, version))
        return answer_and_close(call);
    if (atomic_load(&server->stopping)) {
        http_fail(&call->response, "unavailable", "alertd is stopping");
        return answer_and_close(call);
    }
    call->refused = !pass_host(call) || !find_route(call) || !identify(call) || !pass_csrf(call) ||
                    !pass_body(call, &head.gate);
    bool has_body = head.gate.content_length > 0 || head.gate.n_encodings;
    if (call->refused && (head.gate.content_length > BODY_MAX || head.gate.n_encodings))
        return answer_and_close(call); /* too much to read for nothing */
    call->stage = CALL_BODY;
    peers_phase(&server->peers, call->peer, has_body ? PEER_BODY : PEER_WORK, 0, clock_mono_ms());
    return MHD_YES;
}

/* --- body --- */

enum MHD_Result call_take_body(struct call *call, const char *bytes, size_t len)
{
    struct http_server *server = call->server;

    peers_body_bytes(&server->peers, call->peer, len);
    if (call->refused)
        return MHD_YES;
    call->counted_bytes += len;
    if (atomic_fetch_add(&server->body_bytes, len) + len > BODIES_MAX) {
        http_fail(&call->response, "unavailable", "too many large requests at once: try again");
        http_add_header(&call->response, "Retry-After", "1");
        call->refused = true;
    }
    str_addn(&call->body, bytes, len);
    if (call->body.full) {
        http_fail(&call->response, "too_large", "the body is larger than %zu bytes",
                  call->body.limit);
        call->refused = true;
    }
    if (!call->refused)
        return MHD_YES;
    atomic_fetch_add(&server->refused_by_limit, 1);
    size_t limit = call->body.limit;
    str_done(&call->body);
    /* No reply can be sent before the body's end; one without an end is cut instead. */
    return limit <= BODY_MAX ? MHD_YES : MHD_NO;
}

/* --- work --- */

static void log_call(const struct call *call)
{
    const char *pattern = call->route ? call->route->pattern : "(none)";

    /* The pattern, never the path or the query: tokens travel in them. */
    log_debug(call->server->options.log, "http", "request",
              "method=%s route=%s status=%d duration_us=%lld peer=%s", call->request.method,
              pattern, call->response.status, (long long)(clock_mono_us() - call->started_us),
              call->peer->address);
}

static void run_handler(struct call *call)
{
    struct http_request *request = &call->request;
    struct http_response *response = &call->response;

    if (call_unzip(call) != 0)
        return;
    request->body = str_text(&call->body);
    request->body_len = call->body.len;
    if (strcmp(request->method, "POST") == 0 && call_read_form(call) != 0) {
        http_fail(response, "bad_data", "the form is malformed or has too many fields");
        return;
    }
    call->route->handler(call->server->options.context, request, response);
    struct http_hub *hub = response->sse ? sse_hub(response->sse) : NULL;
    if (hub)
        atomic_store(&call->server->hub, hub);
}

void call_work(struct call *call)
{
    run_handler(call);
    call_make_reply(call);
    call->stage = CALL_ANSWER;
    MHD_resume_connection(call->connection);
}

void call_drop(struct call *call)
{
    http_fail(&call->response, "unavailable", "alertd is busy: try again");
    http_add_header(&call->response, "Retry-After", "1");
    call_make_reply(call);
    call->stage = CALL_ANSWER;
    MHD_resume_connection(call->connection);
}

static enum lane lane_of(const struct call *call)
{
    if (call->route->flags & HTTP_BIG_BODY)
        return LANE_PUSH;
    if (call->route->flags & HTTP_SAFE_POST || strcmp(call->request.method, "GET") == 0)
        return LANE_READ;
    return LANE_ACT;
}

/* The request is whole. */
enum MHD_Result call_dispatch(struct call *call)
{
    peers_phase(&call->server->peers, call->peer, PEER_WORK, 0, clock_mono_ms());
    if (call->refused)
        return answer(call);
    if (call->route->flags & HTTP_INLINE) {
        run_handler(call);
        return answer(call);
    }
    call->stage = CALL_WORK;
    MHD_suspend_connection(call->connection);
    if (!pool_push(&call->server->pool, call, lane_of(call))) {
        atomic_fetch_add(&call->server->refused_by_limit, 1);
        call_drop(call);
    }
    return MHD_YES;
}

enum MHD_Result call_answer(struct call *call)
{
    return send_reply(call);
}

/* --- life --- */

struct call *call_new(struct http_server *server,
                      struct MHD_Connection *connection,
                      const char *target)
{
    struct call *call = mem_zalloc(sizeof(*call));
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    atomic_fetch_add(&server->n_calls, 1);
    arena_init(&call->arena, CALL_ARENA_MAX);
    call->server = server;
    call->connection = connection;
    call->peer = info->socket_context;
    call->raw_target = mem_strdup(target);
    call->target_in_mhd = target;
    call->started_us = clock_mono_us();
    call->request.native = call;
    call->request.arena = &call->arena;
    call->request.method = "";
    call->request.body = "";
    call->request.peer = call->peer->address;
    call->response.status = 200;
    call->response.content_type = "application/json";
    call->response.body = STR_INIT(64UL * 1024 * 1024);
    peers_phase(&server->peers, call->peer, PEER_HEAD, 0, clock_mono_ms());
    return call;
}

static void count_call(const struct call *call)
{
    struct http_server *server = call->server;
    size_t at = call->route ? call->route_index : server->n_routes;
    unsigned class = (unsigned)call->response.status / 100;

    if (class < 6)
        atomic_fetch_add(&server->counts[at].by_class[class], 1);
    atomic_fetch_add(&server->counts[at].duration_us,
                     (unsigned long long)(clock_mono_us() - call->started_us));
}

void call_free(struct call *call)
{
    struct http_server *server = call->server;

    count_call(call);
    log_call(call);
    peers_phase(&server->peers, call->peer, PEER_IDLE, 0, clock_mono_ms());
    atomic_fetch_sub(&server->body_bytes, call->counted_bytes);
    if (call->reply)
        MHD_destroy_response(call->reply);
    sse_free(call->response.sse);
    str_done(&call->body);
    str_done(&call->response.body);
    arena_reset(&call->arena);
    free(call->raw_target);
    free(call);
    atomic_fetch_sub(&server->n_calls, 1);
}
