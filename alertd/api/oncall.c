/*
 * Who is on call: now, or at any other instant; until when, and why. Shadows stand under a key
 * of their own: nobody should ever page one by mistake.
 */

#include <string.h>

#include "alertd/api/roster_call.h"
#include "alertd/oncall/schedule.h"
#include "alertd/oncall/spelling.h"

#define LOOK_AHEAD_MS (366 * ROSTER_DAY_MS)

static void write_why(const struct on_call *one, struct json_out *out)
{
    static const char *const names[] = {
        [ON_CALL_LAYER] = "layer", [ON_CALL_OVERRIDE] = "override", [ON_CALL_SWAP] = "swap"};

    json_kv_string(out, "why", names[one->why]);
    json_kv_string(out, "layer", one->layer ? one->layer->name : NULL);
    json_kv_string(out, "override", one->override ? one->override->id : NULL);
    json_kv_string(out, "note", one->override ? one->override->note : NULL);
}

static void write_until(struct json_out *out, const char *key, int64_t until_ms, int64_t limit_ms)
{
    if (until_ms == ROSTER_FOREVER || until_ms >= limit_ms) {
        json_key(out, key);
        json_null(out);
    } else {
        json_kv_time(out, key, until_ms);
    }
}

static void write_person(const struct roster *roster, const char *name, struct json_out *out)
{
    const struct person *person = roster_person(roster, name);

    json_kv_string(out, "person", name);
    json_kv_string(out, "full_name", person && person->full_name ? person->full_name : NULL);
    json_kv_bool(out, "reachable", person && person->n_contacts > 0);
}

static void write_next(const struct roster *roster,
                       const struct schedule *schedule,
                       int64_t at_ms,
                       struct json_out *out)
{
    struct on_call people[ON_CALL_MAX];

    json_key(out, "next");
    if (at_ms == ROSTER_FOREVER) {
        json_null(out);
        return;
    }
    size_t n = schedule_at(schedule, at_ms, people, NULL);

    json_open(out, '{');
    json_kv_time(out, "at", at_ms);
    json_key(out, "people");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        write_person(roster, people[i].person, out);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

/* Does this one look over the shoulder of who is on call here? */
static const char *shadowed_here(const struct shadow *shadow,
                                 const struct schedule *schedule,
                                 const struct on_call *people,
                                 size_t n,
                                 int64_t at_ms)
{
    if (at_ms < shadow->from_ms || at_ms >= shadow->to_ms)
        return NULL;
    if (shadow->target_kind == SHADOW_OF_SCHEDULE)
        return strcmp(shadow->target, schedule->name) == 0 ? schedule->name : NULL;
    for (size_t i = 0; i < n; i++)
        if (strcmp(people[i].person, shadow->target) == 0)
            return shadow->target;
    return NULL;
}

static void write_shadows(const struct roster_view *view,
                          const struct schedule *schedule,
                          const struct on_call *people,
                          size_t n,
                          int64_t at_ms,
                          struct json_out *out)
{
    json_key(out, "shadows");
    json_open(out, '[');
    for (size_t i = 0; i < view->roster.n_shadows; i++) {
        const struct shadow *shadow = &view->roster.shadows[i];
        const char *of = shadowed_here(shadow, schedule, people, n, at_ms);

        if (!of)
            continue;
        json_open(out, '{');
        json_kv_string(out, "id", shadow->id);
        write_person(&view->roster, shadow->person, out);
        json_kv_string(out, "of", of);
        json_kv_string(out, "mode", shadow_mode_name(shadow->mode));
        json_kv_time(out, "until", shadow->to_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void oncall_write(struct roster_view *view,
                  const struct schedule *schedule,
                  int64_t at_ms,
                  struct json_out *out)
{
    struct on_call people[ON_CALL_MAX];
    int64_t until_ms = ROSTER_FOREVER;
    size_t n = schedule_at(schedule, at_ms, people, &until_ms);

    json_kv_string(out, "name", schedule->name);
    json_kv_string(out, "title", schedule->title);
    json_kv_string(out, "zone", zone_name(schedule->zone));
    json_kv_time(out, "at", at_ms);
    write_until(out, "until", until_ms, ROSTER_FOREVER);
    json_key(out, "people");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(out, '{');
        write_person(&view->roster, people[i].person, out);
        write_until(out, "until",
                    schedule_until(schedule, people[i].person, at_ms, at_ms + LOOK_AHEAD_MS),
                    at_ms + LOOK_AHEAD_MS);
        write_why(&people[i], out);
        json_close(out, '}');
    }
    json_close(out, ']');
    write_next(&view->roster, schedule, until_ms, out);
    write_shadows(view, schedule, people, n, at_ms, out);
}

static void get_oncall(void *context, struct http_request *request, struct http_response *response)
{
    const char *only = http_query(request, "schedule");
    struct json_out out = JSON_OUT(&response->body);
    struct roster_view view;
    int64_t at_ms = 0;

    if (!roster_view_open(context, &view, response))
        return;
    if (roster_time(request, "at", view.now_ms, &at_ms, response) &&
        (!only || roster_view_schedule(&view, only, response))) {
        json_open(&out, '{');
        json_kv_time(&out, "at", at_ms);
        json_key(&out, "schedules");
        json_open(&out, '[');
        for (size_t i = 0; i < view.roster.n_schedules; i++) {
            if (only && strcmp(view.roster.schedules[i].name, only) != 0)
                continue;
            json_open(&out, '{');
            oncall_write(&view, &view.roster.schedules[i], at_ms, &out);
            json_close(&out, '}');
        }
        json_close(&out, ']');
        json_close(&out, '}');
    }
    roster_view_close(&view);
}

static void get_at(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct roster_view view;
    int64_t at_ms = 0;

    if (!roster_view_open(context, &view, response))
        return;
    const struct schedule *schedule = roster_view_schedule(&view, request->path_args[0], response);

    if (schedule && roster_time(request, "at", view.now_ms, &at_ms, response)) {
        json_open(&out, '{');
        oncall_write(&view, schedule, at_ms, &out);
        json_close(&out, '}');
    }
    roster_view_close(&view);
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/oncall", HTTP_SCOPE_READ, 0, get_oncall,
     "who is on call, at any instant; shadows apart"},
    {"GET", "/api/alertd/v1/schedules/{name}/at", HTTP_SCOPE_READ, 0, get_at,
     "who is on call by one schedule"},
};

const struct api_table api_oncall_routes = {routes, sizeof(routes) / sizeof(routes[0])};
