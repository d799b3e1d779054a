/*
 * Is alertd well, what does it count, and telling it to read its files again.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/api.h"
#include "alertd/api/backup.h"
#include "alertd/api/overview.h"
#include "alertd/api/status_tsdb.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"

static void plain(struct http_response *response, int status, const char *text)
{
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    str_add(&response->body, text);
}

static void get_healthy(void *context, struct http_request *request, struct http_response *response)
{
    (void)context, (void)request;
    plain(response, 200, "alertd is healthy.\n");
}

static void get_ready(void *context, struct http_request *request, struct http_response *response)
{
    struct api *api = context;

    (void)request;
    if (atomic_load(&api->ready))
        plain(response, 200, "alertd is ready.\n");
    else
        plain(response, 503, "alertd is starting or stopping.\n");
}

static void get_deep(void *context, struct http_request *request, struct http_response *response)
{
    struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);

    (void)request;
    if (!api->write_deep(api->app, &out))
        response->status = 503;
}

/* Where the canary's receiver is: alertd itself. */
static void post_canary(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    const char *key = http_query(request, "key");
    const char *idempotency_key = http_header(request, "Idempotency-Key");

    if (!key || !idempotency_key || !api->canary_came_back(api->app, key, idempotency_key))
        http_fail(response, "bad_data", "this is no beat of this alertd's canary");
    else
        plain(response, 200, "");
}

static void post_reload(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct err err = {0};

    (void)request;
    if (api->reload(api->app, &err) != 0)
        http_fail(response, "bad_data", "%s", err.text);
    else
        plain(response, 200, "");
}

/* A monitor on this machine needs no token for numbers; one behind a proxy is not on this
 * machine, whatever the socket says. */
static bool is_local(const struct http_request *request)
{
    if (http_header(request, "X-Forwarded-For") || http_header(request, "Forwarded"))
        return false;
    return strncmp(request->peer, "127.", 4) == 0 || strcmp(request->peer, "::1") == 0;
}

static void get_metrics(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;

    if (!(request->who.scopes & HTTP_SCOPE_READ) && !is_local(request)) {
        http_fail(response, "unauthorized", "a token with the scope read is needed");
        return;
    }
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    api->render_metrics(api->app, &response->body);
}

/* Clients read `version` as Prometheus' to know what they may ask for, so it names the
 * version whose API this is; ours is in `revision`. */
static void get_buildinfo(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    STR_AUTO struct str revision = STR_INIT(64);

    (void)request;
    str_addf(&revision, "watchbill-%s", api->version);
    json_open(&out, '{');
    json_kv_string(&out, "status", "success");
    json_key(&out, "data");
    json_open(&out, '{');
    json_kv_string(&out, "version", "3.0.0");
    json_kv_string(&out, "revision", str_text(&revision));
    json_kv_string(&out, "branch", "");
    json_kv_string(&out, "buildUser", "");
    json_kv_string(&out, "buildDate", "");
    json_kv_string(&out, "goVersion", "");
    json_close(&out, '}');
    json_close(&out, '}');
}

static void get_events(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;

    http_sse_join(api->hub, request, response);
}

static const struct http_route routes[] = {
    {"GET", "/-/healthy", HTTP_SCOPE_NONE, HTTP_INLINE, get_healthy, "200 while alertd runs"},
    {"GET", "/-/ready", HTTP_SCOPE_NONE, HTTP_INLINE, get_ready, "200 once everything is started"},
    {"GET", "/-/deep", HTTP_SCOPE_NONE, 0, get_deep,
     "200 while alertd pages reliably, else 503; why, as JSON"},
    {"POST", "/-/canary", HTTP_SCOPE_NONE, 0, post_canary,
     "alertd's own: where its canary comes back"},
    {"POST", "/-/reload", HTTP_SCOPE_ADMIN, 0, post_reload,
     "read the config file and the imported rules again"},
    {"PUT", "/-/reload", HTTP_SCOPE_ADMIN, 0, post_reload, "the same"},
    {"GET", "/metrics", HTTP_SCOPE_NONE, 0, get_metrics,
     "own metrics: read scope, or anyone from loopback"},
    {"GET", "/api/v1/status/buildinfo", HTTP_SCOPE_READ, 0, get_buildinfo,
     "as Prometheus; clients look here for what is spoken"},
    {"GET", "/api/v1/status/tsdb", HTTP_SCOPE_READ, 0, status_tsdb_get,
     "as Prometheus: what takes the space; ours in `watchbill`"},
    {"GET", "/api/alertd/v1/overview", HTTP_SCOPE_READ, 0, overview_get, "the wall in one call"},
    {"POST", "/api/alertd/v1/backup", HTTP_SCOPE_ADMIN, 0, backup_post,
     "a consistent copy of everything"},
    {"GET", "/api/alertd/v1/events", HTTP_SCOPE_READ, 0, get_events,
     "server-sent events: what changed"},
};

const struct api_table api_status_routes = {routes, sizeof(routes) / sizeof(routes[0])};
