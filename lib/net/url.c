/*
 * An http or https address, taken apart. See url.h.
 */

#include "lib/net/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int fail(struct err *reterr, const char *text, const char *what)
{
    return err_set(reterr, URL_E_SYNTAX, "\"%.200s\": %s", text, what);
}

static bool is_clean(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 127)
            return false;
    return true;
}

/* ":8080" up to `end`; an empty port is the scheme's own. */
static bool parse_port(const char *at, const char *end, uint16_t *port)
{
    unsigned value = 0;

    if (at == end)
        return true;
    if (*at++ != ':')
        return false;
    if (at == end)
        return true;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        value = value * 10 + (unsigned)(*at - '0');
        if (value > 65535)
            return false;
    }
    *port = (uint16_t)value;
    return value > 0;
}

/* The host between at and end; returns where it stops, NULL when it is no host. */
static const char *parse_host(const char *at, const char *end, struct url *url)
{
    const char *stop;
    size_t len;

    if (at < end && *at == '[') {
        stop = memchr(at, ']', (size_t)(end - at));
        if (!stop)
            return NULL;
        at++;
        len = (size_t)(stop - at);
        stop++;
        if (strspn(at, "0123456789abcdefABCDEF:.%") < len)
            return NULL;
    } else {
        stop = memchr(at, ':', (size_t)(end - at));
        stop = stop ? stop : end;
        len = (size_t)(stop - at);
        for (size_t i = 0; i < len; i++)
            if (strchr("[]<>\"\\^`{|}", at[i]))
                return NULL;
    }
    if (len == 0 || len >= URL_HOST_MAX)
        return NULL;
    memcpy(url->host, at, len);
    url->host[len] = '\0';
    return stop;
}

int url_parse(const char *text, struct url *ret_url, struct err *reterr)
{
    struct url url = {.port = 80};
    const char *at = text;

    if (!is_clean(text))
        return fail(reterr, text, "a URL holds no blanks, control or non-ASCII characters");
    if (strncasecmp(at, "http://", 7) == 0) {
        at += 7;
    } else if (strncasecmp(at, "https://", 8) == 0) {
        url.is_https = true;
        url.port = 443;
        at += 8;
    } else {
        return fail(reterr, text, "expected http:// or https://");
    }

    const char *end = at + strcspn(at, "/?#");

    if (memchr(at, '@', (size_t)(end - at)))
        return fail(reterr, text, "user:password@ is not taken from a URL; use a header");
    at = parse_host(at, end, &url);
    if (!at)
        return fail(reterr, text, "the host is missing or no host");
    if (!parse_port(at, end, &url.port))
        return fail(reterr, text, "the port is no number from 1 to 65535");

    size_t len = strcspn(end, "#");
    int n = snprintf(url.target, sizeof(url.target), "%s%.*s", *end == '/' ? "" : "/", (int)len,
                     end);

    if (n < 0 || (size_t)n >= sizeof(url.target))
        return fail(reterr, text, "the path is longer than 2 KiB");
    *ret_url = url;
    return 0;
}

int url_resolve(const struct url *base,
                const char *location,
                struct url *ret_url,
                struct err *reterr)
{
    char authority[URL_HOST_MAX + 16];
    char whole[URL_TARGET_MAX * 2];
    const char *scheme = base->is_https ? "https" : "http";
    int n;

    (void)url_authority(base, false, authority, sizeof(authority));
    if (strncasecmp(location, "http://", 7) == 0 || strncasecmp(location, "https://", 8) == 0)
        return url_parse(location, ret_url, reterr);
    if (strncmp(location, "//", 2) == 0) {
        n = snprintf(whole, sizeof(whole), "%s:%s", scheme, location);
    } else if (location[0] == '/') {
        n = snprintf(whole, sizeof(whole), "%s://%s%s", scheme, authority, location);
    } else {
        size_t path = strcspn(base->target, "?");

        while (path > 0 && base->target[path - 1] != '/')
            path--;
        n = snprintf(whole, sizeof(whole), "%s://%s%.*s%s", scheme, authority, (int)path,
                     base->target, location);
    }
    if (n < 0 || (size_t)n >= sizeof(whole))
        return fail(reterr, location, "the redirect is too long");
    return url_parse(whole, ret_url, reterr);
}

char *url_authority(const struct url *url, bool always_port, char *text, size_t size)
{
    bool is_ipv6 = strchr(url->host, ':') != NULL;
    bool show_port = always_port || url->port != (url->is_https ? 443 : 80);
    int n = snprintf(text, size, is_ipv6 ? "[%s]" : "%s", url->host);

    if (show_port && n >= 0 && (size_t)n < size)
        (void)snprintf(text + n, size - (size_t)n, ":%u", (unsigned)url->port);
    return text;
}
