/*
 * The calls about schedules: keeping them, their lanes over a span of time, what would reach
 * nobody, and what people agree on beside them (overrides, swaps).
 *
 * A schedule's overrides are rows of their own, made and deleted one by one: the spec that is
 * put has none.
 */

#include "alertd/api/schedules.h"

#include <string.h>

#include "alertd/oncall/schedule.h"
#include "alertd/oncall/spelling.h"
#include "lib/base/clock.h"

/* --- showing --- */

static void write_schedule(struct roster_view *view,
                           const struct roster_item *item,
                           struct json_out *out)
{
    const struct schedule *schedule = roster_schedule(&view->roster, item->name);

    json_open(out, '{');
    roster_write_head(out, item);
    json_kv_string(out, "title", schedule ? schedule->title : NULL);
    json_kv_time(out, "ical_since", item->ical_made_ms);
    json_key(out, "spec");
    json_raw(out, item->spec);
    json_key(out, "overrides");
    json_open(out, '[');
    for (size_t i = 0; schedule && i < schedule->n_overrides; i++)
        override_print(&schedule->overrides[i], out);
    json_close(out, ']');
    json_close(out, '}');
}

void schedules_reply(const struct api *api, const char *name, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct roster_item item;
    struct roster_view view;
    struct err err = {0};

    if (!roster_view_open(api, &view, response))
        return;
    int r = roster_db_get(view.conn, ROSTER_SCHEDULE, name, &view.arena, &item, &err);

    if (r)
        roster_fail(response, r, &err);
    else
        write_schedule(&view, &item, &out);
    roster_view_close(&view);
}

static void get_schedules(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct roster_item *items = NULL;
    struct roster_view view;
    struct err err = {0};
    size_t n = 0;

    if (!roster_view_open(context, &view, response))
        return;
    int r = roster_db_list(view.conn, ROSTER_SCHEDULE, NULL, &view.arena, &items, &n, &err);

    if (r) {
        roster_fail(response, r, &err);
    } else {
        json_open(&out, '{');
        json_key(&out, "schedules");
        json_open(&out, '[');
        for (size_t i = 0; i < n; i++)
            write_schedule(&view, &items[i], &out);
        json_close(&out, ']');
        json_close(&out, '}');
    }
    roster_view_close(&view);
}

static void get_schedule(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    schedules_reply(context, request->path_args[0], response);
}

/* --- changing --- */

/* The body as a schedule; its zone is a loan of zones. */
static bool read_schedule(const struct http_request *request,
                          struct zones *zones,
                          struct schedule *ret_schedule,
                          struct http_response *response)
{
    struct err err = {0};

    if (schedule_parse(request->body, request->body_len, zones, request->arena, ret_schedule,
                       &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    if (ret_schedule->n_overrides == 0)
        return true;
    http_fail(response, "bad_data", "overrides: they are made one by one: POST …/overrides");
    return false;
}

static void put(const struct api *api,
                struct http_request *request,
                const char *name,
                struct http_response *response)
{
    struct schedule schedule;
    struct zones zones = {0};
    struct roster_put what = {
        .value = {.kind = ROSTER_SCHEDULE, .schedule = &schedule},
        .name = name,
        .by = roster_actor(request),
        .now_ms = clock_wall_ms(),
    };

    if (name && !roster_base_revision(request, true, &what.base_revision, response))
        return;
    if (read_schedule(request, &zones, &schedule, response) && roster_put(api, &what, response)) {
        if (!name)
            response->status = 201;
        schedules_reply(api, schedule.name, response);
    }
    zones_done(&zones);
}

static void post_schedule(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    put(context, request, NULL, response);
}

static void put_schedule(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    put(context, request, request->path_args[0], response);
}

static void delete_schedule(void *context,
                            struct http_request *request,
                            struct http_response *response)
{
    roster_delete(context, request, ROSTER_SCHEDULE, request->path_args[0], NULL, response);
}

/* --- lanes --- */

static void write_lane(struct json_out *out, const char *key, const struct lane *lane)
{
    json_key(out, key);
    lane_print(lane, out);
}

/* All lanes of a schedule of the view, or of one that is not stored (a preview). */
static void write_spans(struct roster_view *view,
                        const struct schedule *schedule,
                        const struct http_request *request,
                        struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct schedule_spans spans;
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    struct err err = {0};

    if (!roster_span(request, view->now_ms, &from_ms, &to_ms, response))
        return;
    if (schedule_spans(schedule, view->roster.shadows, view->roster.n_shadows, from_ms, to_ms,
                       &view->arena, &spans, &err)) {
        http_fail(response, "too_large", "%s", err.text);
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "name", schedule->name);
    json_kv_string(&out, "zone", zone_name(schedule->zone));
    json_kv_time(&out, "from", from_ms);
    json_kv_time(&out, "to", to_ms);
    write_lane(&out, "final", &spans.final);
    write_lane(&out, "rotation", &spans.rotation);
    write_lane(&out, "overrides", &spans.overrides);
    write_lane(&out, "shadows", &spans.shadows);
    write_lane(&out, "gaps", &spans.gaps);
    json_close(&out, '}');
}

static void get_spans(void *context, struct http_request *request, struct http_response *response)
{
    struct roster_view view;

    if (!roster_view_open(context, &view, response))
        return;
    const struct schedule *schedule = roster_view_schedule(&view, request->path_args[0], response);

    if (schedule)
        write_spans(&view, schedule, request, response);
    roster_view_close(&view);
}

static void post_preview(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    struct schedule schedule;
    struct roster_view view;

    if (!roster_view_open(context, &view, response))
        return;
    if (read_schedule(request, &view.zones, &schedule, response))
        write_spans(&view, &schedule, request, response);
    roster_view_close(&view);
}

/* --- warnings --- */

static void write_warning(const struct warning *warning, struct json_out *out)
{
    STR_AUTO struct str words = STR_INIT(500);
    const char *kind = "";

    switch (warning->kind) {
    case WARNING_NOBODY:
        kind = "gap";
        str_add(&words, "nobody is on call");
        break;
    case WARNING_UNKNOWN:
        kind = "unknown";
        str_addf(&words, "'%s' is on call, and there is nobody of that name", warning->person);
        break;
    case WARNING_UNREACHABLE:
        kind = "unreachable";
        str_addf(&words, "'%s' is on call and has no contact", warning->person);
        break;
    }
    json_open(out, '{');
    json_kv_string(out, "kind", kind);
    json_kv_string(out, "person", warning->person);
    json_kv_time(out, "from", warning->from_ms);
    json_kv_time(out, "to", warning->to_ms);
    json_kv_string(out, "words", str_text(&words));
    json_close(out, '}');
}

static void write_warnings(struct roster_view *view,
                           const struct schedule *schedule,
                           const struct http_request *request,
                           struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    const struct warning *warnings = NULL;
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    struct err err = {0};
    size_t n = 0;

    if (!roster_span(request, view->now_ms, &from_ms, &to_ms, response))
        return;
    if (schedule_warnings(schedule, &view->roster, from_ms, to_ms, &view->arena, &warnings, &n,
                          &err)) {
        http_fail(response, "too_large", "%s", err.text);
        return;
    }
    json_open(&out, '{');
    json_kv_string(&out, "name", schedule->name);
    json_kv_time(&out, "from", from_ms);
    json_kv_time(&out, "to", to_ms);
    json_key(&out, "warnings");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        write_warning(&warnings[i], &out);
    json_close(&out, ']');
    json_close(&out, '}');
}

static void get_warnings(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    struct roster_view view;

    if (!roster_view_open(context, &view, response))
        return;
    const struct schedule *schedule = roster_view_schedule(&view, request->path_args[0], response);

    if (schedule)
        write_warnings(&view, schedule, request, response);
    roster_view_close(&view);
}

/* --- overrides and swaps --- */

static void post_agreement(const struct api *api,
                           struct http_request *request,
                           const char *usual_kind,
                           struct http_response *response)
{
    const char *const defaults[] = {"id", "new", "kind", usual_kind, NULL};
    const char *body = roster_body_with(request, defaults);
    const char *schedule = request->path_args[0];
    struct override override;
    struct roster_put what = {
        .value = {.kind = ROSTER_OVERRIDE, .override = &override, .owner = schedule},
        .by = roster_actor(request),
        .now_ms = clock_wall_ms(),
    };
    struct json_out out = JSON_OUT(&response->body);
    struct err err = {0};

    if (override_parse(body, strlen(body), request->arena, &override, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return;
    }
    if (!roster_put(api, &what, response))
        return;
    response->status = 201;
    override.id = what.id;
    override_print(&override, &out);
}

static void post_override(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    post_agreement(context, request, "replace", response);
}

static void post_swap(void *context, struct http_request *request, struct http_response *response)
{
    post_agreement(context, request, "swap", response);
}

static void delete_override(void *context,
                            struct http_request *request,
                            struct http_response *response)
{
    roster_delete(context, request, ROSTER_OVERRIDE, request->path_args[1], request->path_args[0],
                  response);
}

#define PATH "/api/alertd/v1/schedules"

static const struct http_route routes[] = {
    {"GET", PATH, HTTP_SCOPE_READ, 0, get_schedules, "schedules with their overrides"},
    {"POST", PATH, HTTP_SCOPE_OPERATE, 0, post_schedule, "make a schedule"},
    {"POST", PATH "/preview", HTTP_SCOPE_READ, HTTP_SAFE_POST, post_preview,
     "the lanes of a schedule that is not stored"},
    {"POST", PATH "/import", HTTP_SCOPE_ADMIN, HTTP_BIG_BODY, schedules_import,
     "people, schedules and policies of another system"},
    {"GET", PATH "/{name}", HTTP_SCOPE_READ, 0, get_schedule, "one schedule"},
    {"PUT", PATH "/{name}", HTTP_SCOPE_OPERATE, 0, put_schedule, "change a schedule"},
    {"DELETE", PATH "/{name}", HTTP_SCOPE_OPERATE, 0, delete_schedule, "delete a schedule"},
    {"GET", PATH "/{name}/spans", HTTP_SCOPE_READ, 0, get_spans, "its lanes over a span of time"},
    {"GET", PATH "/{name}/warnings", HTTP_SCOPE_READ, 0, get_warnings,
     "gaps, and who could not be reached"},
    {"POST", PATH "/{name}/overrides", HTTP_SCOPE_OPERATE, 0, post_override, "make an override"},
    {"DELETE", PATH "/{name}/overrides/{id}", HTTP_SCOPE_OPERATE, 0, delete_override,
     "take an override or a swap back"},
    {"POST", PATH "/{name}/swaps", HTTP_SCOPE_OPERATE, 0, post_swap, "two people swap turns"},
    {"POST", PATH "/{name}/ical-secret", HTTP_SCOPE_OPERATE, 0, schedules_ical_secret,
     "a new address for its calendar; the one before works no more"},
    {"GET", "/ical/{secret}", HTTP_SCOPE_NONE, 0, schedules_ical,
     "a schedule's calendar, for who holds its address"},
};

const struct api_table api_schedules_routes = {routes, sizeof(routes) / sizeof(routes[0])};
