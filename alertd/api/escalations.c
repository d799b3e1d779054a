/*
 * The calls about who is paged next of an incident: snooze, take over, escalate. See
 * escalations.h.
 */

#include "alertd/api/escalations.h"

#include <string.h>

#include "alertd/api/incident_json.h"
#include "alertd/api/incidents.h"
#include "alertd/oncall/spelling.h"
#include "alertd/pager/pager.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"

enum {
    POLICY_BYTES_MAX = 4 * 1024 * 1024
};

int escalations_tell(const struct api *api,
                     struct db_conn *conn,
                     const struct incident_deed *deed,
                     enum escalation_event_kind kind,
                     int64_t until_ms,
                     struct err *reterr)
{
    const struct escalation_event event = {
        .kind = kind, .at_ms = deed->now_ms, .person = deed->actor, .until_ms = until_ms};
    struct pager_outcome outcome;

    return pager_deed(api->pager, conn, deed->key, &event, &outcome, reterr);
}

static void write_one(struct json_out *out, const struct escalation_row *row)
{
    struct escalation now;
    struct policy policy;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, POLICY_BYTES_MAX);
    if (escalation_parse(row->state, strlen(row->state), &now, NULL) ||
        policy_parse(row->spec, strlen(row->spec), &arena, &policy, NULL))
        return; /* of a version that wrote it otherwise: it goes on, and is not shown */
    json_open(out, '{');
    json_kv_string(out, "policy", row->policy);
    json_kv_string(out, "status", escalation_status_name(now.status));
    json_kv_int(out, "round", now.round);
    json_kv_int(out, "step", now.step);
    json_kv_int(out, "steps", (int64_t)policy.n_steps);
    json_kv_time(out, "next_at", now.next_ms == ESCALATION_NEVER ? 0 : now.next_ms);
    json_kv_string(out, "person", now.person[0] ? now.person : NULL);
    json_close(out, '}');
}

void escalations_write(struct json_out *out, const struct escalation_row *rows, size_t n)
{
    json_key(out, "escalations");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        write_one(out, &rows[i]);
    json_close(out, ']');
}

struct change {
    const struct api *api;
    struct incident_deed deed;
    enum escalation_event_kind kind;
    int64_t until_ms;
};

static int job_change(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct change *change = arg;

    return escalations_tell(change->api, conn, &change->deed, change->kind, change->until_ms,
                            reterr);
}

/* The body: nothing, or for a snooze how long. */
static bool read_body(const struct http_request *request,
                      struct change *change,
                      struct http_response *response)
{
    static const char *const snooze[] = {"duration_ms", NULL};
    static const char *const nothing[] = {NULL};
    bool snoozes = change->kind == ESCALATION_SNOOZE;
    struct json *body = NULL;
    struct err err = {0};
    int64_t duration_ms = 0;
    int r = request->body_len ? json_parse(request->body, request->body_len, &body, &err)
                              : json_parse("{}", 2, &body, &err);

    if (r == 0 && !json_is_object(body))
        r = err_set(&err, JSON_E_TYPE, "the body: expected an object");
    if (r == 0)
        r = json_only(body, snoozes ? snooze : nothing, &err);
    if (r == 0 && snoozes)
        r = json_get_int(body, "duration_ms", &duration_ms, &err);
    if (r == 0 && snoozes && (duration_ms < 1000 || duration_ms > ESCALATIONS_SNOOZE_MS_MAX))
        r = err_set(&err, JSON_E_TYPE, "duration_ms: between a second and a week, in milliseconds");
    json_free(body);
    if (r)
        http_fail(response, "bad_data", "%s", err.text);
    change->until_ms = change->deed.now_ms + duration_ms;
    return r == 0;
}

static void act(const struct api *api,
                struct http_request *request,
                enum escalation_event_kind kind,
                struct http_response *response)
{
    struct change change = {.api = api,
                            .deed = {.key = request->path_args[0],
                                     .actor = request->who.name,
                                     .now_ms = clock_wall_ms()},
                            .kind = kind};
    struct err err = {0};

    if (!read_body(request, &change, response))
        return;
    int r = db_write(api->state, job_change, &change, &err);
    if (r == PAGER_E_NO_POLICY) {
        http_fail(response, "conflict", "%s", err.text);
        return;
    }
    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    incidents_tell(api, change.deed.key);
    incidents_reply(api, change.deed.key, response);
}

static void handle_snooze(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    act(context, request, ESCALATION_SNOOZE, response);
}

static void handle_take_over(void *context,
                             struct http_request *request,
                             struct http_response *response)
{
    act(context, request, ESCALATION_TAKE_OVER, response);
}

static void handle_escalate(void *context,
                            struct http_request *request,
                            struct http_response *response)
{
    act(context, request, ESCALATION_ESCALATE, response);
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/incidents/{key}/snooze", HTTP_SCOPE_OPERATE, 0, handle_snooze,
     "nobody is paged for a while"},
    {"POST", "/api/alertd/v1/incidents/{key}/takeover", HTTP_SCOPE_OPERATE, 0, handle_take_over,
     "whoever calls holds it for good"},
    {"POST", "/api/alertd/v1/incidents/{key}/escalate", HTTP_SCOPE_OPERATE, 0, handle_escalate,
     "the next step is paged now"},
};

const struct api_table api_escalations_routes = {routes, sizeof(routes) / sizeof(routes[0])};
