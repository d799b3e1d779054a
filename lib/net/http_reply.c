/*
 * An HTTP/1.x reply read from a stream. See http_reply.h.
 */

#include "lib/net/http_reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/net/tcp.h"

enum {
    LINE_BYTES_MAX = 8 * 1024,
    HEADER_BYTES_MAX = 16 * 1024,
    HEADER_LINES_MAX = 200,
    CHUNK_DIGITS_MAX = 8,
    RETRY_AFTER_DAY_S = 86400,
};
#define BODY_TOTAL_MAX (256ULL * 1024 * 1024)

/* How the body's end is known. */
enum framing {
    FRAMING_CLOSE,
    FRAMING_LENGTH,
    FRAMING_CHUNKED,
};

struct header {
    enum framing framing;
    bool has_length;
    uint64_t length;
};

static int fill(struct http_reader *reader, struct err *reterr)
{
    size_t got = 0;
    int r = tcp_receive(reader->fd, reader->buffer, sizeof(reader->buffer), reader->deadline_ms,
                        &got);

    if (r == NET_E_TIMEOUT)
        return err_set(reterr, HTTP_E_TIMEOUT, "the reply did not come in time");
    if (r || got == 0) {
        if (!reader->first_byte_us)
            return err_set(reterr, -EPIPE, "the connection ended before a reply");
        return err_set(reterr, HTTP_E_REPLY, "the reply broke off");
    }
    if (!reader->first_byte_us)
        reader->first_byte_us = clock_mono_us();
    reader->at = 0;
    reader->len = got;
    return 0;
}

/* One line without its end, into a cleared text. */
static int read_line(struct http_reader *reader, struct str *line, struct err *reterr)
{
    str_cut(line, 0);
    for (;;) {
        if (reader->at == reader->len) {
            int r = fill(reader, reterr);

            if (r)
                return r;
        }

        const char *start = reader->buffer + reader->at;
        const char *feed = memchr(start, '\n', reader->len - reader->at);
        size_t n = feed ? (size_t)(feed - start) : reader->len - reader->at;

        str_addn(line, start, n);
        reader->at += n + (feed != NULL);
        if (line->full)
            return err_set(reterr, HTTP_E_REPLY, "a header line is longer than 8 KiB");
        if (feed)
            break;
    }
    if (line->len && line->text[line->len - 1] == '\r')
        str_cut(line, line->len - 1);
    return 0;
}

static int parse_status(const char *line, struct http_exchange *exchange, struct err *reterr)
{
    if (strncmp(line, "HTTP/1.", 7) != 0 || (line[7] != '0' && line[7] != '1') || line[8] != ' ')
        return err_set(reterr, HTTP_E_REPLY, "not an HTTP reply: \"%.60s\"", line);
    for (int i = 9; i < 12; i++)
        if (line[i] < '0' || line[i] > '9')
            return err_set(reterr, HTTP_E_REPLY, "no status in \"%.60s\"", line);
    exchange->version = line[7] == '1' ? 1.1 : 1.0;
    exchange->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    if (exchange->status < 100 || exchange->status > 599)
        return err_set(reterr, HTTP_E_REPLY, "no status in \"%.60s\"", line);
    return 0;
}

static bool parse_number(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (!*text || strlen(text) > 18)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *ret_value = value;
    return true;
}

static bool has_token(const char *value, const char *token)
{
    size_t len = strlen(token);

    while (*value) {
        value += strspn(value, " \t,");
        size_t n = strcspn(value, ",");
        size_t kept = n;

        while (kept && (value[kept - 1] == ' ' || value[kept - 1] == '\t'))
            kept--;
        if (kept == len && strncasecmp(value, token, len) == 0)
            return true;
        value += n;
    }
    return false;
}

static int take_length(const char *value, struct header *header, struct err *reterr)
{
    uint64_t length = 0;

    if (!parse_number(value, &length) || (header->has_length && length != header->length))
        return err_set(reterr, HTTP_E_REPLY, "the reply's Content-Length makes no sense");
    header->has_length = true;
    header->length = length;
    if (header->framing == FRAMING_CLOSE)
        header->framing = FRAMING_LENGTH;
    return 0;
}

/* "Wed, 21 Oct 2015 07:28:00 GMT", the one form that is to be written; -1: it is not. */
static int64_t parse_date_ms(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4] = "";
    char at[CLOCK_TEXT_MAX];
    int day, year, hour, minute, second;
    int end = 0;
    int64_t at_ms;

    // NOLINTNEXTLINE(cert-err34-c): each number has two or four digits at most, and is looked at
    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, month, &year, &hour,
               &minute, &second, &end) != 6 ||
        end == 0 || text[end])
        return -1;
    const char *found = strstr(months, month);
    if (!found || (found - months) % 3 != 0 || strlen(month) != 3)
        return -1;
    (void)snprintf(at, sizeof(at), "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
                   (int)(found - months) / 3 + 1, day, hour, minute, second);
    return clock_parse_rfc3339(at, &at_ms) == 0 ? at_ms : -1;
}

/* Seconds, or the moment; at most a day. Anything else says nothing. */
static int64_t parse_retry_after_ms(const char *value)
{
    uint64_t seconds;

    if (!parse_number(value, &seconds)) {
        int64_t left_ms = parse_date_ms(value) - clock_wall_ms();

        if (left_ms <= 0)
            return -1;
        seconds = (uint64_t)(left_ms + 999) / 1000;
    }
    return (int64_t)(seconds < RETRY_AFTER_DAY_S ? seconds : RETRY_AFTER_DAY_S) * 1000;
}

static int take_field(const char *name,
                      const char *value,
                      struct header *header,
                      struct http_reply *reply,
                      struct err *reterr)
{
    if (strcasecmp(name, "content-length") == 0)
        return take_length(value, header, reterr);
    if (strcasecmp(name, "transfer-encoding") == 0) {
        if (strcasecmp(value, "chunked") != 0)
            return err_set(reterr, HTTP_E_REPLY, "Transfer-Encoding \"%.40s\" is not spoken",
                           value);
        header->framing = FRAMING_CHUNKED;
    } else if (strcasecmp(name, "connection") == 0) {
        if (has_token(value, "close"))
            reply->closes = true;
        if (has_token(value, "keep-alive"))
            reply->closes = false;
    } else if (strcasecmp(name, "retry-after") == 0) {
        reply->exchange->retry_after_ms = parse_retry_after_ms(value);
    } else if (strcasecmp(name, "location") == 0 && strlen(value) < HTTP_LOCATION_MAX) {
        (void)snprintf(reply->exchange->location, HTTP_LOCATION_MAX, "%s", value);
    }
    return 0;
}

/* "Name:  value " taken apart in place. */
static int read_field(char *line,
                      struct header *header,
                      struct http_reply *reply,
                      struct err *reterr)
{
    char *colon = strchr(line, ':');
    char *value;
    size_t len;

    if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
        return err_set(reterr, HTTP_E_REPLY, "not a header line: \"%.60s\"", line);
    *colon = '\0';
    value = colon + 1 + strspn(colon + 1, " \t");
    len = strlen(value);
    while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        value[--len] = '\0';
    return take_field(line, value, header, reply, reterr);
}

static int read_header(struct http_reader *reader,
                       struct http_reply *reply,
                       struct header *ret_header,
                       struct err *reterr)
{
    STR_AUTO struct str line = STR_INIT(LINE_BYTES_MAX);
    struct header header = {.framing = FRAMING_CLOSE};
    size_t total = 0;
    int r = read_line(reader, &line, reterr);

    if (r == 0)
        r = parse_status(str_text(&line), reply->exchange, reterr);
    if (r)
        return r;
    reply->closes = reply->exchange->version < 1.1;
    reply->exchange->retry_after_ms = -1;
    reply->exchange->location[0] = '\0';
    for (int n = 0;; n++) {
        r = read_line(reader, &line, reterr);
        if (r || line.len == 0)
            break;
        total += line.len;
        if (n == HEADER_LINES_MAX || total > HEADER_BYTES_MAX)
            return err_set(reterr, HTTP_E_REPLY, "the reply's header is larger than 16 KiB");
        r = read_field(line.text, &header, reply, reterr);
        if (r)
            break;
    }
    if (r)
        return r;
    if (header.has_length && header.framing == FRAMING_CHUNKED)
        return err_set(reterr, HTTP_E_REPLY, "the reply has both a length and chunks");
    *ret_header = header;
    return 0;
}

/* Bodies that were read: keeps what fits, counts all; HTTP_E_REPLY past the total. */
static int keep(
    struct http_reply *reply, struct str *body, const char *bytes, size_t len, struct err *reterr)
{
    size_t room = reply->body_max - body->len;

    str_addn(body, bytes, len < room ? len : room);
    reply->exchange->body_total += len;
    if (reply->exchange->body_total > BODY_TOTAL_MAX)
        return err_set(reterr, HTTP_E_REPLY, "the body is larger than 256 MiB");
    return 0;
}

static bool is_enough(const struct http_reply *reply)
{
    return reply->stop_when_full && reply->exchange->body_total > reply->body_max;
}

/* `left` bytes of body, or all there is when to_end. */
static int read_bytes(struct http_reader *reader,
                      struct http_reply *reply,
                      struct str *body,
                      uint64_t left,
                      bool to_end,
                      struct err *reterr)
{
    int r = 0;

    while (r == 0 && (left || to_end) && !is_enough(reply)) {
        if (reader->at == reader->len) {
            r = fill(reader, reterr);
            if (r == HTTP_E_REPLY && to_end)
                return 0; /* the end of the stream is the end of the body */
            if (r)
                return r;
        }

        size_t n = reader->len - reader->at;

        if (!to_end && n > left)
            n = (size_t)left;
        r = keep(reply, body, reader->buffer + reader->at, n, reterr);
        reader->at += n;
        left -= to_end ? 0 : n;
    }
    return r;
}

/* "1a;name=value" -> 26 */
static int parse_chunk_size(const char *line, uint64_t *ret_size, struct err *reterr)
{
    size_t digits = strspn(line, "0123456789abcdefABCDEF");

    if (digits == 0 || digits > CHUNK_DIGITS_MAX || (line[digits] && !strchr("; \t", line[digits])))
        return err_set(reterr, HTTP_E_REPLY, "not a chunk's size: \"%.20s\"", line);
    *ret_size = strtoull(line, NULL, 16);
    return 0;
}

static int read_chunks(struct http_reader *reader,
                       struct http_reply *reply,
                       struct str *body,
                       struct err *reterr)
{
    STR_AUTO struct str line = STR_INIT(LINE_BYTES_MAX);
    uint64_t size = 1;
    int r = 0;

    while (size && !is_enough(reply)) {
        r = read_line(reader, &line, reterr);
        if (r == 0)
            r = parse_chunk_size(str_text(&line), &size, reterr);
        if (r == 0 && size)
            r = read_bytes(reader, reply, body, size, false, reterr);
        if (r == 0 && size && !is_enough(reply))
            r = read_line(reader, &line, reterr);
        if (r)
            return r;
    }
    for (int n = 0; size == 0; n++) { /* trailers, read and forgotten */
        r = read_line(reader, &line, reterr);
        if (r || line.len == 0)
            break;
        if (n == HEADER_LINES_MAX)
            return err_set(reterr, HTTP_E_REPLY, "the reply's trailer does not end");
    }
    return r;
}

static int read_body(struct http_reader *reader,
                     struct http_reply *reply,
                     const struct header *header,
                     struct str *body,
                     struct err *reterr)
{
    int status = reply->exchange->status;

    if (!reply->has_body || status == 204 || status == 304)
        return 0;
    switch (header->framing) {
    case FRAMING_LENGTH: return read_bytes(reader, reply, body, header->length, false, reterr);
    case FRAMING_CHUNKED: return read_chunks(reader, reply, body, reterr);
    case FRAMING_CLOSE:
        reply->closes = true;
        return read_bytes(reader, reply, body, 0, true, reterr);
    }
    return 0;
}

int http_reply_read(struct http_reader *reader, struct http_reply *reply, struct err *reterr)
{
    STR_AUTO struct str body = STR_INIT(reply->body_max);
    struct header header = {0};
    int r;

    do { /* 100 and 103 come before the answer */
        r = read_header(reader, reply, &header, reterr);
    } while (r == 0 && reply->exchange->status < 200);
    if (r == 0)
        r = read_body(reader, reply, &header, &body, reterr);
    if (r)
        return r == -EPIPE && reader->first_byte_us ? HTTP_E_REPLY : r;
    if (is_enough(reply))
        reply->closes = true; /* what is left on it is not ours to read */
    reply->exchange->content_length = header.has_length ? (int64_t)header.length : -1;
    reply->exchange->body_len = body.len;
    reply->exchange->body = str_take(&body);
    return 0;
}
