/*
 * The calls about escalation policies and shadows: a row of the roster each, whose JSON goes
 * in and out as it is.
 */

#include <string.h>

#include "alertd/api/roster_call.h"
#include "alertd/oncall/spelling.h"
#include "lib/base/clock.h"

static void write_item(struct json_out *out, enum roster_kind kind, const struct roster_item *item)
{
    json_open(out, '{');
    if (kind == ROSTER_SHADOW)
        json_kv_string(out, "id", item->name);
    roster_write_head(out, item);
    json_key(out, "spec");
    json_raw(out, item->spec);
    json_close(out, '}');
}

static void list(const struct api *api,
                 enum roster_kind kind,
                 const char *key,
                 struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct roster_item *items = NULL;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, ROSTER_READ_BYTES_MAX);
    int r = db_read_begin(api->state, &conn, &err);

    if (r == 0) {
        r = roster_db_list(conn, kind, NULL, &arena, &items, &n, &err);
        db_read_end(api->state, conn);
    }
    if (r) {
        roster_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, key);
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        write_item(&out, kind, &items[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}

static void show(const struct api *api,
                 enum roster_kind kind,
                 const char *name,
                 struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct roster_item item;
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, ROSTER_READ_BYTES_MAX);
    int r = db_read_begin(api->state, &conn, &err);

    if (r == 0) {
        r = roster_db_get(conn, kind, name, &arena, &item, &err);
        db_read_end(api->state, conn);
    }
    if (r)
        roster_fail(response, r, &err);
    else
        write_item(&out, kind, &item);
}

/* Writes what the body says over `name`, or as a new one (NULL). */
static void put(const struct api *api,
                struct http_request *request,
                enum roster_kind kind,
                const char *name,
                struct http_response *response)
{
    static const char *const new_shadow[] = {"id", "new", NULL};
    struct policy policy;
    struct shadow shadow;
    struct roster_put what = {
        .value = {.kind = kind, .policy = &policy, .shadow = &shadow},
        .name = name,
        .by = roster_actor(request),
        .now_ms = clock_wall_ms(),
    };
    struct err err = {0};

    if (name && !roster_base_revision(request, true, &what.base_revision, response))
        return;
    const char *body = kind == ROSTER_POLICY ? request->body
                                             : roster_body_with(request, new_shadow);
    int r = kind == ROSTER_POLICY ? policy_parse(body, strlen(body), request->arena, &policy, &err)
                                  : shadow_parse(body, strlen(body), request->arena, &shadow, &err);

    if (r) {
        http_fail(response, "bad_data", "%s", err.text);
        return;
    }
    if (!roster_put(api, &what, response))
        return;
    if (!name)
        response->status = 201;
    show(api, kind, name ? name : kind == ROSTER_POLICY ? policy.name : what.id, response);
}

static void get_policies(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    list(context, ROSTER_POLICY, "policies", response);
}

static void post_policy(void *context, struct http_request *request, struct http_response *response)
{
    put(context, request, ROSTER_POLICY, NULL, response);
}

static void get_policy(void *context, struct http_request *request, struct http_response *response)
{
    show(context, ROSTER_POLICY, request->path_args[0], response);
}

static void put_policy(void *context, struct http_request *request, struct http_response *response)
{
    put(context, request, ROSTER_POLICY, request->path_args[0], response);
}

static void delete_policy(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    roster_delete(context, request, ROSTER_POLICY, request->path_args[0], NULL, response);
}

static void get_shadows(void *context, struct http_request *request, struct http_response *response)
{
    list(context, ROSTER_SHADOW, "shadows", response);
}

static void post_shadow(void *context, struct http_request *request, struct http_response *response)
{
    put(context, request, ROSTER_SHADOW, NULL, response);
}

static void get_shadow(void *context, struct http_request *request, struct http_response *response)
{
    show(context, ROSTER_SHADOW, request->path_args[0], response);
}

static void put_shadow(void *context, struct http_request *request, struct http_response *response)
{
    put(context, request, ROSTER_SHADOW, request->path_args[0], response);
}

static void delete_shadow(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    roster_delete(context, request, ROSTER_SHADOW, request->path_args[0], NULL, response);
}

static const struct http_route policy_routes[] = {
    {"GET", "/api/alertd/v1/policies", HTTP_SCOPE_READ, 0, get_policies, "escalation policies"},
    {"POST", "/api/alertd/v1/policies", HTTP_SCOPE_OPERATE, 0, post_policy, "make a policy"},
    {"GET", "/api/alertd/v1/policies/{name}", HTTP_SCOPE_READ, 0, get_policy, "one policy"},
    {"PUT", "/api/alertd/v1/policies/{name}", HTTP_SCOPE_OPERATE, 0, put_policy, "change a policy"},
    {"DELETE", "/api/alertd/v1/policies/{name}", HTTP_SCOPE_OPERATE, 0, delete_policy,
     "delete a policy"},
};

static const struct http_route shadow_routes[] = {
    {"GET", "/api/alertd/v1/shadows", HTTP_SCOPE_READ, 0, get_shadows,
     "who looks over whose shoulder"},
    {"POST", "/api/alertd/v1/shadows", HTTP_SCOPE_OPERATE, 0, post_shadow, "make a shadow"},
    {"GET", "/api/alertd/v1/shadows/{id}", HTTP_SCOPE_READ, 0, get_shadow, "one shadow"},
    {"PUT", "/api/alertd/v1/shadows/{id}", HTTP_SCOPE_OPERATE, 0, put_shadow, "change a shadow"},
    {"DELETE", "/api/alertd/v1/shadows/{id}", HTTP_SCOPE_OPERATE, 0, delete_shadow, "end a shadow"},
};

const struct api_table api_policies_routes = {policy_routes,
                                              sizeof(policy_routes) / sizeof(policy_routes[0])};
const struct api_table api_shadows_routes = {shadow_routes,
                                             sizeof(shadow_routes) / sizeof(shadow_routes[0])};
