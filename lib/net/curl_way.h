#pragma once

/*
 * A struct net_way as options of libcurl. Private to lib/net.
 *
 * A server_name is asked for by making it the URL's host while the connection goes to the
 * real one (CURLOPT_CONNECT_TO): libcurl has no option of its own for it.
 */

#include "lib/base/str.h"
#include "lib/net/curl_load.h"
#include "lib/net/net_way.h"

/* What has to outlive the request; curl_way_done(). */
struct curl_way {
    struct curl_slist *connect_to;
    struct str url; /* to speak to; "" when it is the caller's */
};

/* `url` in its parts: scheme "https://", host and port, and the rest from '/' on. */
struct curl_way_url {
    const char *scheme;
    const char *authority; /* host:port, brackets around IPv6 */
    unsigned port;
    const char *rest;
};

void curl_way_set(const struct curl_api *api,
                  CURL *easy,
                  const struct net_way *way, /* NULL: the ordinary one */
                  const struct curl_way_url *url,
                  struct curl_way *ret);
void curl_way_done(const struct curl_api *api, struct curl_way *set);
