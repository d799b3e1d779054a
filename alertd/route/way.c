/*
 * Ways to a receiver that delivery cannot take: proxies, certificates and TLS versions that the
 * config file asks for and nobody could do. See way.h.
 */

#include "alertd/route/way.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRY_MAX = 256
};

/* The place of a key, or of its map when it is inherited. */
static int bad_key(const struct yaml_node *map,
                   const char *key,
                   const char *words,
                   struct err *reterr)
{
    const struct yaml_node *at = yaml_get(map, key);

    if (!at)
        at = map;
    return err_at(reterr, ROUTE_E_CONFIG, at->line, at->column, "%s", words);
}

/* 10 to 13; 0: none is asked for, -1: there is no such version. */
static int version_of(const char *text)
{
    static const char *const known[] = {"TLS10", "TLS11", "TLS12", "TLS13"};

    if (!text)
        return 0;
    for (int i = 0; i < 4; i++)
        if (strcmp(known[i], text) == 0)
            return 10 + i;
    return -1;
}

int way_check_tls(const struct yaml_node *map, const struct route_tls *tls, struct err *reterr)
{
    int min = version_of(tls->min_version), max = version_of(tls->max_version);

    if (!map)
        return 0;
    if (min < 0)
        return bad_key(map, "min_version", "a TLS version is TLS10, TLS11, TLS12 or TLS13", reterr);
    if (max < 0)
        return bad_key(map, "max_version", "a TLS version is TLS10, TLS11, TLS12 or TLS13", reterr);
    if (min && max && min > max)
        return bad_key(map, "max_version", "max_version is older than min_version", reterr);
    if (tls->cert_file && !tls->key_file)
        return bad_key(map, "cert_file", "cert_file needs the key_file that belongs to it", reterr);
    if (tls->key_file && !tls->cert_file)
        return bad_key(map, "key_file", "key_file needs the cert_file that belongs to it", reterr);
    return 0;
}

/* A proxy without a scheme speaks HTTP. */
static bool is_proxy(const char *url)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
    const char *rest = strstr(url, "://") ? NULL : url;

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            rest = url + strlen(schemes[i]);
    return rest && *rest && !strchr("/?#:", *rest) && !strpbrk(rest, " \t\"<>\\");
}

/* Behind a / : how many bits of an address count. */
static bool is_network(const char *address, const char *bits)
{
    unsigned char bytes[16];
    char *end = NULL;
    long n = strtol(bits, &end, 10);
    int most = inet_pton(AF_INET, address, bytes) == 1    ? 32
               : inet_pton(AF_INET6, address, bytes) == 1 ? 128
                                                          : -1;

    return *bits >= '0' && *bits <= '9' && *end == '\0' && n >= 0 && n <= most;
}

/* A name with all below it (".example.org" too), an address, a network, or * for all. */
static bool is_entry(const char *entry)
{
    unsigned char bytes[16];
    char address[ENTRY_MAX];
    const char *slash = strchr(entry, '/');

    if (strcmp(entry, "*") == 0 || inet_pton(AF_INET6, entry, bytes) == 1)
        return true;
    if (slash) {
        memcpy(address, entry, (size_t)(slash - entry));
        address[slash - entry] = '\0';
        return is_network(address, slash + 1);
    }
    return entry[strspn(entry, ".")] &&
           entry[strspn(
               entry, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")] == '\0';
}

static int check_no_proxy(const struct yaml_node *map, const char *list, struct err *reterr)
{
    for (const char *at = list; *at; at += *at == ',') {
        const struct yaml_node *node = yaml_get(map, "no_proxy");
        char entry[ENTRY_MAX];
        size_t len;

        at += strspn(at, " \t");
        len = strcspn(at, ",");
        size_t n = len;
        while (n > 0 && (at[n - 1] == ' ' || at[n - 1] == '\t'))
            n--;
        if (n < sizeof(entry)) {
            memcpy(entry, at, n);
            entry[n] = '\0';
        }
        if (n == 0 || n >= sizeof(entry) || !is_entry(entry))
            return err_at(
                reterr, ROUTE_E_CONFIG, node ? node->line : map->line,
                node ? node->column : map->column,
                "no_proxy: \"%.*s\" is no host name, address, network such as 10.0.0.0/8, "
                "or *; ports and patterns are not known there",
                (int)(n < 60 ? n : 60), at);
        at += len;
    }
    return 0;
}

int way_check_http(const struct yaml_node *map, const struct route_http *http, struct err *reterr)
{
    if (!map)
        return 0;
    if (http->proxy_from_environment)
        return bad_key(map, "proxy_from_environment",
                       "proxies are not taken from the environment: write it here as proxy_url",
                       reterr);
    if (http->proxy_url && !is_proxy(http->proxy_url))
        return bad_key(map, "proxy_url",
                       "a proxy is http://, https:// or socks5:// with a host, such as "
                       "http://proxy.example.org:3128",
                       reterr);
    if (http->no_proxy && *http->no_proxy && !http->proxy_url)
        return bad_key(map, "no_proxy", "no_proxy needs a proxy_url beside it", reterr);
    if (http->no_proxy && check_no_proxy(map, http->no_proxy, reterr))
        return ROUTE_E_CONFIG;
    return way_check_tls(yaml_get(map, "tls_config"), &http->tls, reterr);
}
