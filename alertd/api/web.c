/*
 * The dashboard: files embedded in the program (web/web_assets.h), or from a folder while
 * it is being developed (--web.dir).
 *
 * The page finds out from its address what to show, so every address that is nobody
 * else's gets the page; an unknown one below /api, /v2, /-, /a or /assets never does (the
 * router sees to the first ones).
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/api.h"
#include "lib/base/fs.h"
#include "web/web_assets.h"

enum {
    FILE_MAX = 16 * 1024 * 1024,
};

static int by_path(const void *path, const void *asset)
{
    return strcmp(path, ((const struct web_asset *)asset)->path);
}

static const struct web_asset *find_asset(const char *path)
{
    return bsearch(path, web_assets, n_web_assets, sizeof(web_assets[0]), by_path);
}

/* Whether a list of entity tags has this one; weak ones count, as RFC 9110 says for GET. */
static bool has_tag(const char *list, const char *etag)
{
    return list && (strstr(list, etag) != NULL || strcmp(list, "*") == 0);
}

static bool takes_gzip(const struct http_request *request)
{
    const char *accepted = http_header(request, "Accept-Encoding");
    const char *found = accepted ? strstr(accepted, "gzip") : NULL;

    return found && strncmp(found, "gzip;q=0", 8) != 0;
}

static void send_asset(const struct web_asset *asset,
                       const struct http_request *request,
                       struct http_response *response)
{
    response->content_type = asset->type;
    http_add_header(response, "ETag", asset->etag);
    http_add_header(response, "Cache-Control",
                    asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    http_add_header(response, "Content-Security-Policy", WEB_CSP);
    if (asset->gzip)
        http_add_header(response, "Vary", "Accept-Encoding");
    if (has_tag(http_header(request, "If-None-Match"), asset->etag)) {
        response->status = 304;
        return;
    }
    if (asset->gzip && takes_gzip(request)) {
        http_add_header(response, "Content-Encoding", "gzip");
        response->static_bytes = asset->gzip;
        response->static_len = asset->gzip_len;
        return;
    }
    response->static_bytes = asset->bytes;
    response->static_len = asset->len;
}

static const char *type_of(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".png", "image/png"},
        {".woff2", "font/woff2"},
        {".webmanifest", "application/manifest+json"},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(dot, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* The path is normalised and without dot segments: it cannot leave the folder. */
static bool send_file(const char *folder, const char *path, struct http_response *response)
{
    char file[PATH_MAX];
    char *bytes = NULL;
    size_t len = 0;

    if ((size_t)snprintf(file, sizeof(file), "%s%s", folder, path) >= sizeof(file) ||
        fs_read(file, FILE_MAX, &bytes, &len, NULL) != 0)
        return false;
    response->content_type = type_of(path);
    http_add_header(response, "Content-Security-Policy", WEB_CSP);
    str_addn(&response->body, bytes, len);
    free(bytes);
    return true;
}

static bool send_path(const struct api *api,
                      const char *path,
                      const struct http_request *request,
                      struct http_response *response)
{
    const struct web_asset *asset = find_asset(path);

    if (api->web_dir)
        return send_file(api->web_dir, path, response);
    if (asset)
        send_asset(asset, request, response);
    return asset != NULL;
}

static void get_page(void *context, struct http_request *request, struct http_response *response)
{
    /* A name with a dot is a file somebody looks for (favicon.ico), not a view. */
    bool is_file = request->path_args[0] && strchr(request->path_args[0], '.');

    if (send_path(context, request->path, request, response))
        return;
    if (is_file || !send_path(context, "/index.html", request, response))
        http_fail(response, "not_found", "no such path");
}

static void get_asset(void *context, struct http_request *request, struct http_response *response)
{
    if (!send_path(context, request->path, request, response))
        http_fail(response, "not_found", "no such file");
}

static const struct http_route routes[] = {
    {"GET", "/", HTTP_SCOPE_NONE, 0, get_page, "the dashboard"},
    {"GET", "/{page}", HTTP_SCOPE_NONE, 0, get_page, "the dashboard's views"},
    {"GET", "/{page}/{key}", HTTP_SCOPE_NONE, 0, get_page, "the dashboard's views of one thing"},
    {"GET", "/{page}/{key}/{part}", HTTP_SCOPE_NONE, 0, get_page,
     "the dashboard's views of a part of one thing"},
    {"GET", "/assets/", HTTP_SCOPE_NONE, 0, get_asset, "the dashboard's files"},
};

const struct api_table api_web_routes = {routes, sizeof(routes) / sizeof(routes[0])};
