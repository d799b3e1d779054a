#pragma once

/*
 * How to reach somebody: whose certificates to trust, which to show, and through which
 * proxy. What a configured connection has beyond its address; all of it by libcurl.
 *
 * All zero is the ordinary way: the system's certificates, the server's own name, TLS as
 * new as both speak, no proxy.
 */

#include <stdbool.h>

enum net_tls_version {
    NET_TLS_ANY,
    NET_TLS_10,
    NET_TLS_11,
    NET_TLS_12,
    NET_TLS_13,
};

struct net_way {
    const char *ca_file;           /* PEM certificates to trust instead of the system's */
    const char *cert_file;         /* our certificate; with key_file */
    const char *key_file;          /* its key; NULL: it is in cert_file */
    const char *server_name;       /* the name to ask for and to find in the certificate */
    bool insecure;                 /* take any certificate */
    enum net_tls_version min, max; /* of TLS */
    const char *proxy_url;         /* http, https or socks5; may hold a password */
    const char *no_proxy;          /* names, addresses and networks, commas between */
    bool no_http2;
};

/* "TLS12"; false for what is no version. NULL and "" are NET_TLS_ANY. */
bool net_tls_version_parse(const char *text, enum net_tls_version *ret_version);
