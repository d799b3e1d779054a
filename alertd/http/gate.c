/*
 * The gate. See gate.h.
 */

#include "alertd/http/gate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void gate_refuse(struct gate *gate, int status, const char *why)
{
    if (gate->status)
        return; /* the first reason stands */
    gate->status = status;
    gate->why = why;
}

/* tchar of RFC 9110 5.6.2. */
static bool is_token_char(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static void check_target(struct gate *gate, const char *target)
{
    size_t len = strlen(target);

    if (len > GATE_TARGET_MAX)
        gate_refuse(gate, 414, "the request target is too long: send the parameters as a form");
    if (target[0] != '/')
        gate_refuse(gate, 400, "the request target must begin with a slash: this is not a proxy");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)target[i];

        if (c <= ' ' || c == 127 || c == '#')
            gate_refuse(gate, 400, "the request target has a character that must be escaped");
    }
}

void gate_start(struct gate *gate, const char *method, const char *version, const char *target)
{
    static const char *const methods[] = {"GET",    "HEAD",  "POST",   "PUT",
                                          "DELETE", "PATCH", "OPTIONS"};
    bool known = false;

    *gate = (struct gate){.content_length = -1};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        known |= strcmp(method, methods[i]) == 0;
    if (!known)
        gate_refuse(gate, 400, "unknown method");
    gate->body_allowed = method[0] == 'P' || strcmp(method, "DELETE") == 0;
    gate->is_http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    if (!gate->is_http_1_0 && strcmp(version, "HTTP/1.1") != 0)
        gate_refuse(gate, 400, "HTTP/1.1 is spoken here");
    check_target(gate, target);
}

/* Digits only: "+3", "0x3", "3, 3" and 20 digits mean something to somebody. */
static void take_length(struct gate *gate, const char *value, size_t len)
{
    int64_t length = 0;

    gate->n_lengths++;
    if (len == 0 || len > 18) {
        gate_refuse(gate, 400, "Content-Length is not a number");
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9') {
            gate_refuse(gate, 400, "Content-Length is not a number");
            return;
        }
        length = length * 10 + (value[i] - '0');
    }
    gate->content_length = length;
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
    return strlen(wanted) == len && strncasecmp(name, wanted, len) == 0;
}

void gate_header(
    struct gate *gate, const char *name, size_t name_len, const char *value, size_t value_len)
{
    gate->head_bytes += name_len + value_len + 4; /* ": " and the end of line */
    if (++gate->n_headers > GATE_HEADERS_MAX)
        gate_refuse(gate, 431, "too many header fields");
    if (gate->head_bytes > GATE_HEAD_MAX)
        gate_refuse(gate, 431, "the header is too large");
    if (name_len == 0)
        gate_refuse(gate, 400, "a header field without a name");
    for (size_t i = 0; i < name_len; i++)
        if (!is_token_char((unsigned char)name[i]))
            gate_refuse(gate, 400, "a header field's name has a character that no name has");
    for (size_t i = 0; i < value_len; i++) {
        unsigned char c = (unsigned char)value[i];

        if ((c < ' ' && c != '\t') || c == 127)
            gate_refuse(gate, 400, "a header field has a control character");
    }
    if (is_name(name, name_len, "host")) {
        gate->n_hosts++;
    } else if (is_name(name, name_len, "content-length")) {
        take_length(gate, value, value_len);
    } else if (is_name(name, name_len, "transfer-encoding")) {
        gate->n_encodings++;
        if (!is_name(value, value_len, "chunked"))
            gate_refuse(gate, 400, "Transfer-Encoding other than chunked");
    }
}

int gate_finish(struct gate *gate)
{
    if (gate->n_hosts != 1)
        gate_refuse(gate, 400, "exactly one Host is needed");
    if (gate->n_lengths > 1)
        gate_refuse(gate, 400, "more than one Content-Length");
    if (gate->n_encodings > 1)
        gate_refuse(gate, 400, "more than one Transfer-Encoding");
    if (gate->n_lengths && gate->n_encodings)
        gate_refuse(gate, 400, "Content-Length beside Transfer-Encoding");
    if (gate->n_encodings && gate->is_http_1_0)
        gate_refuse(gate, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (!gate->body_allowed && (gate->n_encodings || gate->content_length > 0))
        gate_refuse(gate, 400, "a body where none belongs");
    return gate->status;
}

/* "name:port", "[v6]:port": the name without brackets into name; false when it is
 * neither. */
static bool split_host(const char *host, char *name, size_t size, bool *ret_bracketed)
{
    const char *from = host;
    const char *end;
    const char *rest;

    *ret_bracketed = host[0] == '[';
    if (*ret_bracketed) {
        from = host + 1;
        end = strchr(from, ']');
        rest = end ? end + 1 : NULL;
    } else {
        end = host + strcspn(host, ":");
        rest = end;
    }
    if (!rest || end == from || (size_t)(end - from) >= size)
        return false;
    if (*rest == ':' && strspn(rest + 1, "0123456789") == strlen(rest + 1))
        rest += strlen(rest);
    if (*rest)
        return false;
    memcpy(name, from, (size_t)(end - from));
    name[end - from] = '\0';
    return true;
}

bool gate_host_is_ours(const char *host, const char *const *names, size_t n_names)
{
    char name[256];
    unsigned char address[sizeof(struct in6_addr)];
    bool bracketed;

    if (!split_host(host, name, sizeof(name), &bracketed))
        return false;
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, name, address) == 1)
        return true;
    if (bracketed)
        return false;
    if (strcasecmp(name, "localhost") == 0)
        return true;
    for (size_t i = 0; i < n_names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* The length of "scheme://host:port" in a URL; 0 when it is no http URL. */
static size_t origin_len(const char *url)
{
    const char *name = strstr(url, "://");

    if (!name || strncasecmp(url, "http", 4) != 0)
        return 0;
    name += 3;
    return (size_t)(name - url) + strcspn(name, "/");
}

bool gate_origin_is_ours(const char *origin, const char *host, const char *external_url)
{
    size_t len = external_url ? origin_len(external_url) : 0;
    const char *name;

    if (len && strlen(origin) == len && strncasecmp(origin, external_url, len) == 0)
        return true;
    if (origin_len(origin) == 0 || !host)
        return false;
    name = strstr(origin, "://") + 3;
    return strcasecmp(name, host) == 0;
}
