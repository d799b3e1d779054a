/*
 * HTTP/1.1 over a socket of our own. See http_plain.h.
 */

#include "lib/net/http_plain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/net/http_reply.h"
#include "lib/net/tcp.h"

enum {
    REQUEST_HEADER_MAX = 16 * 1024
};

struct http_plain {
    struct resolver *resolver;
    bool keep_alive;
    int fd; /* a connection kept for the next request, or -1 */
    char host[URL_HOST_MAX];
    uint16_t port;
    struct tcp_address peer;
};

struct http_plain *http_plain_new(bool keep_alive)
{
    struct http_plain *plain = mem_zalloc(sizeof(*plain));

    plain->resolver = resolver_new();
    plain->keep_alive = keep_alive;
    plain->fd = -1;
    return plain;
}

static void drop_connection(struct http_plain *plain)
{
    if (plain->fd >= 0)
        (void)close(plain->fd);
    plain->fd = -1;
}

void http_plain_free(struct http_plain *plain)
{
    if (!plain)
        return;
    drop_connection(plain);
    resolver_free(plain->resolver);
    free(plain);
}

static bool has_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return true;
    return false;
}

static void write_head(const struct http_plain *plain,
                       const struct http_request *request,
                       const struct url *url,
                       struct str *head)
{
    char authority[URL_HOST_MAX + 16];

    str_addf(head, "%s %s HTTP/1.1\r\n", request->method, url->target);
    if (!has_header(request, "Host"))
        str_addf(head, "Host: %s\r\n", url_authority(url, false, authority, sizeof(authority)));
    if (!has_header(request, "User-Agent"))
        str_add(head, "User-Agent: watchbill\r\n");
    if (!has_header(request, "Accept"))
        str_add(head, "Accept: */*\r\n");
    for (size_t i = 0; i < request->n_headers; i++)
        str_addf(head, "%s: %s\r\n", request->headers[i].name, request->headers[i].value);
    if (request->body)
        str_addf(head, "Content-Length: %zu\r\n", request->body_len);
    if (!plain->keep_alive)
        str_add(head, "Connection: close\r\n");
    str_add(head, "\r\n");
}

/* A connection that was kept answers for its phases with 0. */
static int connect_to(struct http_plain *plain,
                      const struct url *url,
                      int64_t deadline_ms,
                      struct http_exchange *exchange,
                      struct err *reterr)
{
    struct tcp_dialled dialled;
    int r;

    if (plain->fd >= 0 && plain->port == url->port && strcmp(plain->host, url->host) == 0)
        return 0;
    drop_connection(plain);
    r = tcp_dial(plain->resolver, url->host, url->port, deadline_ms, &dialled, reterr);
    if (r == NET_E_RESOLVE)
        return HTTP_E_RESOLVE;
    if (r)
        return r == NET_E_CONNECT ? HTTP_E_CONNECT : HTTP_E_TIMEOUT;
    plain->fd = dialled.fd;
    plain->port = url->port;
    plain->peer = dialled.peer;
    memcpy(plain->host, url->host, sizeof(plain->host));
    exchange->resolve_us = dialled.resolve_us;
    exchange->connect_us = dialled.connect_us;
    return 0;
}

static int write_request(int fd,
                         const struct str *head,
                         const struct http_request *request,
                         int64_t deadline_ms)
{
    int r = tcp_send(fd, str_text(head), head->len, deadline_ms);

    if (r == 0 && request->body)
        r = tcp_send(fd, request->body, request->body_len, deadline_ms);
    return r;
}

static int exchange_once(struct http_plain *plain,
                         const struct http_request *request,
                         const struct str *head,
                         int64_t deadline_ms,
                         struct http_exchange *exchange,
                         struct err *reterr)
{
    struct http_reader reader = {.fd = plain->fd, .deadline_ms = deadline_ms};
    struct http_reply reply = {
        .exchange = exchange,
        .body_max = request->response_max,
        .has_body = strcmp(request->method, "HEAD") != 0,
        .stop_when_full = plain->keep_alive,
    };
    int r = write_request(plain->fd, head, request, deadline_ms);

    if (r == NET_E_TIMEOUT)
        return err_set(reterr, HTTP_E_TIMEOUT, "the request could not be sent in time");

    /* a server may answer and close before it has read all: look at what it said */
    int64_t sent_us = clock_mono_us();

    r = http_reply_read(&reader, &reply, reterr);
    if (r == 0) {
        exchange->processing_us = reader.first_byte_us > sent_us ? reader.first_byte_us - sent_us
                                                                 : 0;
        exchange->transfer_us = clock_mono_us() - reader.first_byte_us;
    }
    if (r || reply.closes || !plain->keep_alive || reader.at != reader.len)
        drop_connection(plain);
    return r;
}

int http_plain_send(struct http_plain *plain,
                    const struct http_request *request,
                    const struct url *url,
                    struct http_exchange *ret_exchange,
                    struct err *reterr)
{
    STR_AUTO struct str head = STR_INIT(REQUEST_HEADER_MAX);
    int64_t deadline_ms = clock_mono_ms() + request->timeout_ms;
    struct http_exchange exchange;
    bool was_kept;
    int r;

    write_head(plain, request, url, &head);
    if (head.full)
        return err_set(reterr, HTTP_E_REQUEST, "the request's header is larger than 16 KiB");
    do {
        exchange = (struct http_exchange){.retry_after_ms = -1, .content_length = -1};
        was_kept = plain->fd >= 0;
        r = connect_to(plain, url, deadline_ms, &exchange, reterr);
        if (r == 0)
            r = exchange_once(plain, request, &head, deadline_ms, &exchange, reterr);
        /* a kept connection may have been closed by the server meanwhile: that says
         * nothing about the request, so it gets one new connection */
    } while (r == -EPIPE && was_kept);
    if (r == -EPIPE)
        r = HTTP_E_REPLY;
    if (r)
        return err_prefix(reterr, r, "%.200s", request->url);
    (void)tcp_address_text(&plain->peer, exchange.peer);
    *ret_exchange = exchange;
    return 0;
}
