/*
 * Samples in: Prometheus remote write 1.0 and 2.0, and the text format.
 *
 * What the sender is told, since it decides what it does next:
 *
 *     204        all of it is stored and synced, or was before (a replay)
 *     400        broken: nothing is stored; or partly refused: the rest is stored. Not again.
 *     403 409    this token may not push as this agent; this batch had another body. Not again.
 *     413 415    too large; not a format we read. Not again.
 *     429 503    later, after Retry-After seconds: nothing of it was refused for good
 */

#include "lib/wire/push.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/api/api.h"
#include "alertd/ingest/ingest.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/wire/remote_write2_decode.h"

static bool read_uint64(const char *text, uint64_t *ret_value)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end)
        return false;
    *ret_value = value;
    return true;
}

/* One of our headers with a number; absent is 0. False: not a number. */
static bool read_header(const struct http_request *request, const char *name, uint64_t *ret_value)
{
    const char *text = http_header(request, name);

    *ret_value = 0;
    return !text || read_uint64(text, ret_value);
}

/* False: answered. */
static bool read_identity(const struct http_request *request,
                          struct http_response *response,
                          struct ingest_body *body)
{
    uint64_t interval;

    body->agent = http_header(request, PUSH_HEADER_AGENT);
    body->bound_agent = request->who.agent;
    body->source = request->who.name;
    if (read_header(request, PUSH_HEADER_EPOCH, &body->epoch) &&
        read_header(request, PUSH_HEADER_SEQUENCE, &body->sequence) &&
        read_header(request, PUSH_HEADER_INTERVAL, &interval) && interval <= 86400000) {
        body->interval_ms = (int64_t)interval;
        return true;
    }
    http_fail(response, "bad_data",
              "%s, %s and %s are decimal numbers, the interval at most a day in milliseconds",
              PUSH_HEADER_EPOCH, PUSH_HEADER_SEQUENCE, PUSH_HEADER_INTERVAL);
    return false;
}

static void add_count(struct http_request *request,
                      struct http_response *response,
                      const char *name,
                      size_t n)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%zu", n);
    const char *copy = arena_strndup(request->arena, text, (size_t)len);

    if (copy)
        http_add_header(response, name, copy);
}

static void refuse(const struct api *api,
                   struct http_response *response,
                   int r,
                   const struct err *err)
{
    switch (r) {
    case INGEST_E_MALFORMED: http_fail(response, "bad_data", "%s", err->text); return;
    case INGEST_E_TOO_LARGE: http_fail(response, "too_large", "%s", err->text); return;
    case INGEST_E_CONFLICT: http_fail(response, "conflict", "%s", err->text); return;
    case INGEST_E_FORBIDDEN: http_fail(response, "forbidden", "%s", err->text); return;
    case INGEST_E_LIMIT:
        http_fail(response, "limited", "%s", err->text);
        http_add_header(response, "Retry-After", "60");
        return;
    case INGEST_E_FULL:
        http_fail(response, "unavailable", "%s", err->text);
        http_add_header(response, "Retry-After", "30");
        return;
    default:
        log_warn(api->log, "push", "a batch could not be stored", "error=\"%s\"", err->text);
        http_fail(response, "unavailable", "the samples could not be stored: %s", err->text);
        http_add_header(response, "Retry-After", "5");
        return;
    }
}

static void push(const struct api *api,
                 struct http_request *request,
                 struct http_response *response,
                 struct ingest_body *body)
{
    struct ingest_answer answer;
    struct err err = {0};

    body->bytes = request->body;
    body->len = request->body_len;
    if (!read_identity(request, response, body))
        return;
    int r = ingest_push(api->ingest, body, &answer, &err);
    if (r != 0) {
        refuse(api, response, r, &err);
        return;
    }
    add_count(request, response, "X-Prometheus-Remote-Write-Samples-Written",
              answer.outcome.stored + answer.outcome.duplicate);
    if (body->format == INGEST_REMOTE_WRITE_2) { /* a sender of 2.0 misses them otherwise */
        add_count(request, response, "X-Prometheus-Remote-Write-Histograms-Written", 0);
        add_count(request, response, "X-Prometheus-Remote-Write-Exemplars-Written", 0);
    }
    if (answer.n_refused > 0)
        http_fail(response, "bad_data", "%s", answer.partial);
    else if (answer.n_unsupported > 0)
        http_fail(response, "bad_data",
                  "%zu native histograms refused: they are not supported; the samples are stored",
                  answer.n_unsupported);
    else
        response->status = 204;
}

/* "application/x-protobuf", perhaps with proto=: which version it is. False: another format. */
static bool read_format(const char *content_type, enum ingest_format *ret_format)
{
    static const char type[] = "application/x-protobuf";
    static const char old[] = "prometheus.WriteRequest";
    const char *proto;

    *ret_format = INGEST_REMOTE_WRITE;
    if (!content_type || strncasecmp(content_type, type, sizeof(type) - 1) != 0)
        return false;
    proto = strcasestr(content_type + sizeof(type) - 1, "proto=");
    if (!proto)
        return true;
    proto += sizeof("proto=") - 1;
    size_t len = strcspn(proto, "; \t");
    if (len == sizeof(REMOTE_WRITE2_PROTO) - 1 && strncmp(proto, REMOTE_WRITE2_PROTO, len) == 0)
        *ret_format = INGEST_REMOTE_WRITE_2;
    return *ret_format == INGEST_REMOTE_WRITE_2 ||
           (len == sizeof(old) - 1 && strncmp(proto, old, len) == 0);
}

static const char unknown_format[] =
    "expected Content-Type: application/x-protobuf, with proto=prometheus.WriteRequest (remote "
    "write 1.0, as without) or proto=" REMOTE_WRITE2_PROTO " (2.0)";

static void unsupported(struct http_response *response, const char *words)
{
    http_fail(response, "bad_data", "%s", words);
    response->status = 415;
}

static void post_write(void *context, struct http_request *request, struct http_response *response)
{
    const char *encoding = http_header(request, "Content-Encoding");
    struct ingest_body body = {.now_ms = clock_wall_ms()};

    if (!read_format(http_header(request, "Content-Type"), &body.format))
        unsupported(response, unknown_format);
    else if (!encoding || strcasecmp(encoding, "snappy") != 0)
        unsupported(response, "expected Content-Encoding: snappy");
    else
        push(context, request, response, &body);
}

static void post_import(void *context, struct http_request *request, struct http_response *response)
{
    const char *content_type = http_header(request, "Content-Type");
    const char *timestamp = http_query(request, "timestamp");
    struct ingest_body body = {.format = INGEST_TEXT, .now_ms = clock_wall_ms()};
    char *end = NULL;

    if (content_type && strncasecmp(content_type, "application/openmetrics-text", 28) == 0)
        body.format = INGEST_OPENMETRICS;
    body.default_t_ms = body.now_ms;
    if (timestamp) {
        errno = 0;
        body.default_t_ms = strtoll(timestamp, &end, 10);
        if (errno != 0 || end == timestamp || *end) {
            http_fail(response, "bad_data", "timestamp: expected milliseconds, got \"%.40s\"",
                      timestamp);
            return;
        }
    }
    push(context, request, response, &body);
}

/* What came of a body of history, by count: an import goes on when some of it was refused. */
static void post_history(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    const struct api *api = context;
    struct ingest_body body = {.now_ms = clock_wall_ms(),
                               .bytes = request->body,
                               .len = request->body_len,
                               .is_history = true};
    struct json_out out = JSON_OUT(&response->body);
    struct ingest_answer answer;
    struct err err = {0};

    if (!read_format(http_header(request, "Content-Type"), &body.format)) {
        unsupported(response, unknown_format);
        return;
    }
    if (!read_identity(request, response, &body))
        return;
    int r = ingest_push(api->ingest, &body, &answer, &err);
    if (r != 0) {
        refuse(api, response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_kv_int(&out, "stored", (int64_t)answer.outcome.stored);
    json_kv_int(&out, "duplicate", (int64_t)answer.outcome.duplicate);
    json_kv_int(&out, "refused", (int64_t)(answer.n_refused + answer.n_unsupported));
    json_kv_bool(&out, "replayed", answer.outcome.replayed);
    json_kv_string(&out, "words", answer.partial);
    json_close(&out, '}');
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/samples/history", HTTP_SCOPE_ADMIN, HTTP_BIG_BODY, post_history,
     "remote write of any age that the retention keeps; answers what came of it"},
    {"POST", "/api/v1/write", HTTP_SCOPE_PUSH, HTTP_BIG_BODY, post_write,
     "Prometheus remote write 1.0 and 2.0: 204 means stored and synced"},
    {"POST", "/api/v1/import/prometheus", HTTP_SCOPE_PUSH, HTTP_BIG_BODY, post_import,
     "text exposition or OpenMetrics; ?timestamp=MS for samples without a time"},
};

const struct api_table api_push_routes = {routes, sizeof(routes) / sizeof(routes[0])};
