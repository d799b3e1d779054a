/*
 * The call by which scripts tell what they changed: a deploy, a flag, a rollback. One line of
 * curl, from a pipeline or a git hook.
 *
 * What is told is a machine's row: nobody edits it afterwards. It goes onto the timelines of
 * open incidents of its service, and is found by those that open later.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/api/incident_json.h"
#include "alertd/api/record_call.h"
#include "alertd/db/change_db.h"
#include "lib/base/clock.h"

enum {
    SOURCE_MAX = 100,
    SERVICE_MAX = 200,
};

struct change {
    struct timeline_event event;
    const char *service;
    int64_t now_ms;
};

static int job_add(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct change *change = arg;

    return change_db_add(conn, &change->event, change->service, change->now_ms, reterr);
}

static int read_change(const struct record_reader *reader,
                       const struct json *body,
                       struct change *change,
                       struct err *reterr)
{
    int r = record_in_one(reader, body, "change.deploy", &change->event, reterr);

    if (r)
        return r;
    if (json_get_string_or(body, "service", "", &change->service, reterr))
        return RECORD_IN_E_INVALID;
    if (strlen(change->service) > SERVICE_MAX)
        return err_set(reterr, RECORD_IN_E_INVALID, "service: at most %d bytes", SERVICE_MAX);
    if (strncmp(change->event.kind, "change.", 7) != 0)
        return err_set(reterr, RECORD_IN_E_INVALID,
                       "kind: expected change.deploy, .config, .flag, .infra, .build, .rollback or "
                       ".other");
    change->event.event_class = "machine";
    return 0;
}

static void handle_change(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const struct api *api = context;
    struct change change = {.now_ms = clock_wall_ms()};
    struct json *body = NULL;
    struct err err = {0};
    char source[SOURCE_MAX];

    if (request->who.agent[0]) {
        http_fail(response, "forbidden", "the token of agent %s writes its samples, no changes",
                  request->who.agent);
        return;
    }
    if (!record_call_body(request, &body, response))
        return;
    (void)snprintf(source, sizeof(source), "change %s", request->who.name);
    const struct record_reader reader = {.arena = request->arena,
                                         .source = source,
                                         .actor = request->who.name,
                                         .now_ms = change.now_ms};
    int r = read_change(&reader, body, &change, &err);

    if (r) {
        record_call_wrong(response, r, &err);
    } else {
        r = db_write(api->state, job_add, &change, &err);
        if (r)
            incident_json_fail(response, r, &err);
    }
    json_free(body);
    if (r)
        return;
    http_hub_publish(api->hub, "change", "{}");
    http_hub_publish(api->hub, "incident", "{}");
    response->status = 202;
    str_add(&response->body, "{\"status\":\"success\"}");
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/changes", HTTP_SCOPE_PUSH, 0, handle_change,
     "a deploy, a flag, a rollback, told by whoever did it"},
    {"POST", "/api/v1/events", HTTP_SCOPE_PUSH, 0, handle_change, "the same"},
};

const struct api_table api_changes_routes = {routes, sizeof(routes) / sizeof(routes[0])};
