/*
 * From what a handler said to what is sent. See http.h and call.h.
 *
 * Every reply, errors included, carries the headers that keep a browser from being
 * tricked; a handler that names one of them itself overrides it.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "alertd/http/call.h"
#include "lib/base/bug.h"
#include "lib/json/write.h"

enum {
    ZIP_FROM = 1024,
};

static const struct http_param always[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
     "font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; "
     "base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'"},
    {"Cache-Control", "no-store"},
};

static const struct {
    const char *type;
    int status;
} statuses[] = {
    {"bad_data", 400},    {"unauthorized", 401}, {"forbidden", 403}, {"not_found", 404},
    {"method", 405},      {"conflict", 409},     {"too_large", 413}, {"unsupported", 415},
    {"misdirected", 421}, {"execution", 422},    {"limited", 429},   {"internal", 500},
    {"unavailable", 503}, {"timeout", 503},
};

void http_add_header(struct http_response *response, const char *name, const char *value)
{
    if (response->n_headers == sizeof(response->headers) / sizeof(response->headers[0]))
        UNREACHABLE("a handler sets more headers than a response has room for");
    response->headers[response->n_headers++] = (struct http_param){name, value};
}

void http_fail(struct http_response *response, const char *error_type, const char *fmt, ...)
{
    STR_AUTO struct str words = STR_INIT(1024);
    va_list ap;

    va_start(ap, fmt);
    str_addv(&words, fmt, ap);
    va_end(ap);
    http_fail_warned(response, error_type, str_text(&words), NULL, 0);
}

void http_fail_warned(struct http_response *response,
                      const char *error_type,
                      const char *words,
                      const char *const *warnings,
                      size_t n_warnings)
{
    struct json_out out = JSON_OUT(&response->body);

    response->status = 500;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (strcmp(statuses[i].type, error_type) == 0)
            response->status = statuses[i].status;
    response->content_type = "application/json";
    response->static_bytes = NULL;
    str_cut(&response->body, 0);
    json_open(&out, '{');
    json_kv_string(&out, "status", "error");
    json_kv_string(&out, "errorType", error_type);
    json_kv_string(&out, "error", words);
    if (n_warnings > 0)
        json_kv_strings(&out, "warnings", warnings, n_warnings);
    json_close(&out, '}');
}

/* Whether a list-valued request header has the token, and not with q=0. */
bool call_says(const struct call *call, const char *header, const char *token)
{
    const char *at = http_header(&call->request, header);
    size_t len = strlen(token);

    while (at && *at) {
        at += strspn(at, " \t,");
        size_t item = strcspn(at, ",");
        size_t name = strcspn(at, ",; \t");

        if (name == len && strncasecmp(at, token, len) == 0) {
            const char *q = memmem(at, item, "q=0", 3);

            return !q || (q[3] == '.' && strspn(q + 4, "0") != strspn(q + 4, "0123456789"));
        }
        at += item;
    }
    return false;
}

static bool has_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->n_headers; i++)
        if (strcasecmp(response->headers[i].name, name) == 0)
            return true;
    return false;
}

static bool is_text(const char *type)
{
    return strncmp(type, "text/", 5) == 0 || strncmp(type, "application/json", 16) == 0 ||
           strncmp(type, "image/svg", 9) == 0 || strncmp(type, "application/javascript", 22) == 0;
}

/* Replaces the body by its gzip form when the client takes it and it pays. */
static void zip(struct call *call)
{
    struct http_response *response = &call->response;
    z_stream stream = {.next_in = (unsigned char *)response->body.text,
                       .avail_in = (unsigned)response->body.len};

    if (response->body.len < ZIP_FROM || response->static_bytes ||
        !is_text(response->content_type) || has_header(response, "Content-Encoding"))
        return;
    http_add_header(response, "Vary", "Accept-Encoding");
    if (!call_says(call, "Accept-Encoding", "gzip") ||
        deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    size_t room = deflateBound(&stream, stream.avail_in);
    char *zipped = malloc(room); /* as large as the reply: without room it goes as it is */
    stream.next_out = (unsigned char *)zipped;
    stream.avail_out = (unsigned)room;
    if (zipped && deflate(&stream, Z_FINISH) == Z_STREAM_END) {
        size_t len = room - stream.avail_out;

        str_done(&response->body);
        response->body.text = zipped;
        response->body.len = len;
        response->body.capacity = room;
        http_add_header(response, "Content-Encoding", "gzip");
        zipped = NULL;
    }
    free(zipped);
    (void)deflateEnd(&stream);
}

static struct MHD_Response *make(struct call *call)
{
    struct http_response *response = &call->response;

    if (response->sse) {
        struct http_sse *sse = response->sse;

        response->sse = NULL; /* the reply owns it now */
        return sse_response(sse, call->connection);
    }
    if (response->static_bytes) {
        /* MHD_RESPMEM_PERSISTENT only reads, but asks for a pointer it could write. */
        union {
            const void *from;
            void *to;
        } bytes = {response->static_bytes};

        return MHD_create_response_from_buffer(response->static_len, bytes.to,
                                               MHD_RESPMEM_PERSISTENT);
    }
    size_t len = response->body.len;
    return MHD_create_response_from_buffer(len, str_take(&response->body), MHD_RESPMEM_MUST_FREE);
}

void call_make_reply(struct call *call)
{
    struct http_response *response = &call->response;

    if (response->body.full) {
        size_t limit = response->body.limit;

        http_fail(response, "too_large", "the answer is larger than %zu bytes: ask for less",
                  limit);
    }
    if (!response->sse)
        zip(call);
    struct MHD_Response *reply = make(call);
    if (!reply)
        UNREACHABLE("libmicrohttpd has no memory for a response");

    for (size_t i = 0; i < response->n_headers; i++)
        (void)MHD_add_response_header(reply, response->headers[i].name, response->headers[i].value);
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (!has_header(response, always[i].name))
            (void)MHD_add_response_header(reply, always[i].name, always[i].value);
    if (response->status != 204 && response->status != 304)
        (void)MHD_add_response_header(reply, "Content-Type", response->content_type);
    if (response->status == 401)
        (void)MHD_add_response_header(reply, "WWW-Authenticate", "Bearer");
    if (call->close)
        (void)MHD_add_response_header(reply, "Connection", "close");
    call->reply = reply;
}
