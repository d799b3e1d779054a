/*
 * The routes of what others send that is not Prometheus', and the list of changes.
 */

#include "alertd/api/intake.h"

#include "alertd/api/incident_json.h"
#include "alertd/db/change_db.h"
#include "lib/base/clock.h"

enum {
    READ_BYTES_MAX = 32 * 1024 * 1024,
};

#define LAST_DAY_MS (24 * 3600 * INT64_C(1000))

/* False: answered. */
static bool read_time(const struct http_request *request,
                      const char *name,
                      int64_t fallback,
                      int64_t *ret_at_ms,
                      struct http_response *response)
{
    const char *text = http_query(request, name);

    *ret_at_ms = fallback;
    if (!text || !*text || clock_parse_rfc3339(text, ret_at_ms) == 0)
        return true;
    http_fail(response, "bad_data", "%s: expected a time like 2026-11-23T22:27:00Z", name);
    return false;
}

void intake_get_changes(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct timeline_event *events = NULL;
    int64_t now_ms = clock_wall_ms();
    struct db_conn *conn = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!read_time(request, "from", now_ms - LAST_DAY_MS, &from_ms, response) ||
        !read_time(request, "to", now_ms, &to_ms, response))
        return;
    int r = db_read_begin(api->state, &conn, &err);

    if (r == 0) {
        r = change_db_list(conn, from_ms, to_ms, &arena, &events, &n, &err);
        db_read_end(api->state, conn);
    }
    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "changes");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        incident_json_event(&out, &events[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}

static const struct http_route routes[] = {
    {"POST", "/v2/enqueue", HTTP_SCOPE_NONE, 0, pagerduty_post_event,
     "trigger, acknowledge, resolve, as PagerDuty's Events API v2; the routing key is a token"},
    {"POST", "/v2/change/enqueue", HTTP_SCOPE_NONE, 0, pagerduty_post_change,
     "a change, as PagerDuty's Events API v2"},
    {"GET", "/api/alertd/v1/changes", HTTP_SCOPE_READ, 0, intake_get_changes,
     "changes, newest first"},
    {"POST", "/api/alertd/v1/intake/alertmanager", HTTP_SCOPE_PUSH, HTTP_BIG_BODY, webhook_post,
     "what an Alertmanager tells: its webhooks and its event recorder"},
};

const struct api_table api_intake_routes = {routes, sizeof(routes) / sizeof(routes[0])};
