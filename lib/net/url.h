#pragma once

/*
 * An http or https address, taken apart: no more of RFC 3986 than a client needs.
 *
 *     https://[2001:db8::1]:8443/health?full=1#top
 *     scheme   host          port target          (fragments are never sent)
 *
 * user:password@ is refused: credentials belong into a header, where no log
 * prints them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum {
    URL_E_SYNTAX = 1,
    URL_HOST_MAX = 254, /* 253 and a NUL */
    URL_TARGET_MAX = 2048,
};

struct url {
    bool is_https;
    char host[URL_HOST_MAX];     /* without the brackets of an IPv6 literal */
    uint16_t port;               /* 80 or 443 when the text has none */
    char target[URL_TARGET_MAX]; /* starts with '/' */
};

/* 0 or URL_E_SYNTAX with words that say what is wrong and quote the text. */
int url_parse(const char *text, struct url *ret_url, struct err *reterr);

/* Where a Location header leads, seen from base: absolute, "//host/…", "/path", or
 * relative to the last slash of base's path (no dot segments removed: servers do). */
int url_resolve(const struct url *base,
                const char *location,
                struct url *ret_url,
                struct err *reterr);

/* `host:port` as a Host header and as an address: brackets around IPv6, the port left
 * out when it is the scheme's own and always_port is false. Returns text. */
char *url_authority(const struct url *url, bool always_port, char *text, size_t size);
