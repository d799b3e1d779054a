/*
 * What a handler sees of a request: parameters, headers, a body without compression.
 * See http.h and call.h.
 */

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "alertd/http/call.h"
#include "lib/base/mem.h"

enum {
    PARAMS_MAX = 1000,
    UNZIP_STEP = 64 * 1024,
};

const char *http_header(const struct http_request *request, const char *name)
{
    const struct call *call = request->native;

    return call ? MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name) : NULL;
}

bool http_is_left(const struct http_request *request)
{
    const struct call *call = request->native;
    struct pollfd end = {.fd = call ? call->peer->fd : -1, .events = POLLRDHUP};

    return call && poll(&end, 1, 0) > 0 && (end.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

const char *http_query_at(const struct http_request *request, const char *name, size_t index)
{
    for (size_t i = 0; i < request->n_query; i++)
        if (strcmp(request->query[i].name, name) == 0 && index-- == 0)
            return request->query[i].value;
    return NULL;
}

const char *http_query(const struct http_request *request, const char *name)
{
    return http_query_at(request, name, 0);
}

/* One "name=value" of len bytes. */
static int read_param(struct arena *arena,
                      const char *text,
                      size_t len,
                      struct http_param *ret_param)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals ? (size_t)(equals - text) : len;
    int code;

    ret_param->name = router_unescape(arena, text, name_len, true, &code);
    if (!ret_param->name)
        return code;
    if (!equals) {
        ret_param->value = "";
        return 0;
    }
    ret_param->value = router_unescape(arena, equals + 1, len - name_len - 1, true, &code);
    return ret_param->value ? 0 : code;
}

/* Appends the pairs of `text` to the request's parameters. */
static int add_params(struct call *call, const char *text, size_t text_len)
{
    struct http_request *request = &call->request;
    struct http_param *params;
    size_t n = 1;

    for (size_t i = 0; i < text_len; i++)
        n += text[i] == '&';
    if (n + request->n_query > PARAMS_MAX)
        return ROUTER_E_LIMIT;
    params = arena_array(&call->arena, n + request->n_query, sizeof(*params));
    if (!params)
        return ROUTER_E_LIMIT;
    if (request->n_query)
        memcpy(params, request->query, request->n_query * sizeof(*params));
    request->query = params;
    for (const char *at = text, *end = text + text_len; at < end;) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        size_t len = stop ? (size_t)(stop - at) : (size_t)(end - at);

        if (len) {
            int r = read_param(&call->arena, at, len, &params[request->n_query]);

            if (r != 0)
                return r;
            request->n_query++;
        }
        at += len + 1;
    }
    return 0;
}

int call_read_target(struct call *call)
{
    const char *question = strchr(call->raw_target, '?');

    return question ? add_params(call, question + 1, strlen(question + 1)) : 0;
}

int call_read_form(struct call *call)
{
    const char *type = http_header(&call->request, "Content-Type");

    if (!type || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0)
        return 0;
    return add_params(call, call->request.body, call->request.body_len);
}

/* Fills *plain up to its limit; Z_STREAM_END when all was well. */
static int inflate_into(z_stream *stream, struct str *plain)
{
    MEM_AUTO char *step = mem_alloc(UNZIP_STEP);
    int r = Z_OK;

    while (r == Z_OK && !plain->full) {
        stream->next_out = (unsigned char *)step;
        stream->avail_out = UNZIP_STEP;
        r = inflate(stream, Z_NO_FLUSH);
        str_addn(plain, step, UNZIP_STEP - stream->avail_out);
        if (r == Z_OK && stream->avail_in == 0 && stream->avail_out == UNZIP_STEP)
            return Z_BUF_ERROR; /* cut off */
    }
    return r;
}

/* The body without gzip; 413 or 400 in call->response otherwise. */
int call_unzip(struct call *call)
{
    struct http_response *response = &call->response;
    struct str plain = STR_INIT(call->body.limit);
    z_stream stream = {.next_in = (unsigned char *)call->body.text,
                       .avail_in = (unsigned)call->body.len};
    int r;

    if (!call_says(call, "Content-Encoding", "gzip"))
        return 0;
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
        http_fail(response, "internal", "zlib does not start");
        return -1;
    }
    r = inflate_into(&stream, &plain);
    (void)inflateEnd(&stream);
    if (plain.full)
        http_fail(response, "too_large", "the body is larger than %zu bytes when unzipped",
                  plain.limit);
    else if (r != Z_STREAM_END || stream.avail_in)
        http_fail(response, "bad_data", "the body is not one gzip stream");
    if (plain.full || r != Z_STREAM_END || stream.avail_in) {
        str_done(&plain);
        return -1;
    }
    str_done(&call->body);
    call->body = plain;
    return 0;
}
