/*
 * A struct net_way as options of libcurl. See curl_way.h.
 */

#include "lib/net/curl_way.h"

#include <string.h>

enum {
    URL_BYTES_MAX = 8192
};

bool net_tls_version_parse(const char *text, enum net_tls_version *ret_version)
{
    static const char *const names[] = {
        [NET_TLS_ANY] = "",     [NET_TLS_10] = "TLS10", [NET_TLS_11] = "TLS11",
        [NET_TLS_12] = "TLS12", [NET_TLS_13] = "TLS13",
    };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(text ? text : "", names[i]) == 0) {
            *ret_version = (enum net_tls_version)i;
            return true;
        }
    return false;
}

static long versions_of(const struct net_way *way)
{
    static const long least[] = {
        [NET_TLS_ANY] = CURL_SSLVERSION_DEFAULT, [NET_TLS_10] = CURL_SSLVERSION_TLSv1_0,
        [NET_TLS_11] = CURL_SSLVERSION_TLSv1_1,  [NET_TLS_12] = CURL_SSLVERSION_TLSv1_2,
        [NET_TLS_13] = CURL_SSLVERSION_TLSv1_3,
    };
    static const long most[] = {
        [NET_TLS_ANY] = CURL_SSLVERSION_MAX_DEFAULT, [NET_TLS_10] = CURL_SSLVERSION_MAX_TLSv1_0,
        [NET_TLS_11] = CURL_SSLVERSION_MAX_TLSv1_1,  [NET_TLS_12] = CURL_SSLVERSION_MAX_TLSv1_2,
        [NET_TLS_13] = CURL_SSLVERSION_MAX_TLSv1_3,
    };

    return least[way->min] | most[way->max];
}

static void set_server_name(const struct curl_api *api,
                            CURL *easy,
                            const struct net_way *way,
                            const struct curl_way_url *url,
                            struct curl_way *set)
{
    STR_AUTO struct str detour = STR_INIT(URL_BYTES_MAX);

    str_addf(&detour, "::%s", url->authority);
    set->connect_to = api->slist_append(NULL, str_text(&detour));
    str_addf(&set->url, "%s%s:%u%s", url->scheme, way->server_name, url->port, url->rest);
    api->easy_setopt(easy, CURLOPT_CONNECT_TO, set->connect_to);
    api->easy_setopt(easy, CURLOPT_URL, str_text(&set->url));
}

void curl_way_set(const struct curl_api *api,
                  CURL *easy,
                  const struct net_way *way,
                  const struct curl_way_url *url,
                  struct curl_way *ret)
{
    *ret = (struct curl_way){.url = STR_INIT(URL_BYTES_MAX)};
    /* "" also keeps libcurl from asking the environment */
    api->easy_setopt(easy, CURLOPT_PROXY, way && way->proxy_url ? way->proxy_url : "");
    if (!way)
        return;
    if (way->no_proxy)
        api->easy_setopt(easy, CURLOPT_NOPROXY, way->no_proxy);
    if (way->ca_file) {
        api->easy_setopt(easy, CURLOPT_CAINFO, way->ca_file);
        api->easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (way->cert_file)
        api->easy_setopt(easy, CURLOPT_SSLCERT, way->cert_file);
    if (way->key_file)
        api->easy_setopt(easy, CURLOPT_SSLKEY, way->key_file);
    if (way->insecure) {
        api->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        api->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (way->min || way->max)
        api->easy_setopt(easy, CURLOPT_SSLVERSION, versions_of(way));
    if (way->no_http2)
        api->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (way->server_name)
        set_server_name(api, easy, way, url, ret);
}

void curl_way_done(const struct curl_api *api, struct curl_way *set)
{
    api->slist_free_all(set->connect_to);
    str_done(&set->url);
    *set = (struct curl_way){0};
}
