/*
 * A schedule's calendar: who holds its address may read it, with any calendar program. The
 * address is shown once, when it is made; only a hash of its secret is kept.
 */

#include <string.h>

#include "alertd/api/schedules.h"
#include "alertd/oncall/calendar.h"
#include "lib/base/clock.h"
#include "lib/net/url.h"

#define BEHIND_MS (30 * ROSTER_DAY_MS)
#define AHEAD_MS  (365 * ROSTER_DAY_MS)

enum {
    REFRESH_MINUTES = 60,
};

struct ical_job {
    const char *schedule;
    const char *by;
    char secret[ROSTER_SECRET_MAX];
};

static int job_make(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct ical_job *job = arg;

    return roster_db_make_ical(conn, job->schedule, job->by, clock_wall_ms(), job->secret, reterr);
}

void schedules_ical_secret(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    const struct api *api = context;
    struct ical_job job = {.schedule = request->path_args[0], .by = roster_actor(request)};
    STR_AUTO struct str url = STR_INIT(1000);
    struct json_out out = JSON_OUT(&response->body);
    struct err err = {0};
    int r = db_write(api->state, job_make, &job, &err);

    if (r) {
        roster_fail(response, r, &err);
        return;
    }
    roster_tell(api, ROSTER_SCHEDULE, job.schedule);
    log_info(api->log, "roster", "a calendar has a new address", "schedule=\"%s\" by=\"%s\"",
             job.schedule, job.by);
    str_addf(&url, "%s/ical/%s.ics", api->external_url, job.secret);
    json_open(&out, '{');
    json_kv_string(&out, "url", str_text(&url));
    json_close(&out, '}');
    response->status = 201;
}

/* The host of our address: identities of events are made with it. */
static const char *host_of(const struct api *api, struct url *url)
{
    return url_parse(api->external_url, url, NULL) == 0 ? url->host : "alertd";
}

static void write_calendar(struct roster_view *view,
                           const struct schedule *schedule,
                           const char *person,
                           struct http_response *response)
{
    struct schedule_spans spans;
    struct url url;
    const struct calendar_settings settings = {
        .host = host_of(view->api, &url),
        .now_ms = view->now_ms,
        .revision = (unsigned)view->revision,
        .person = person,
        .refresh_minutes = REFRESH_MINUTES,
    };
    struct err err = {0};

    if (schedule_spans(schedule, view->roster.shadows, view->roster.n_shadows,
                       view->now_ms - BEHIND_MS, view->now_ms + AHEAD_MS, &view->arena, &spans,
                       &err)) {
        http_fail(response, "too_large", "%s", err.text);
        return;
    }
    response->content_type = "text/calendar; charset=utf-8";
    http_add_header(response, "Cache-Control", "private, max-age=300");
    calendar_write(schedule, &spans, &settings, &response->body);
}

void schedules_ical(void *context, struct http_request *request, struct http_response *response)
{
    const char *file = request->path_args[0];
    const char *dot = strstr(file, ".ics");
    size_t len = dot && !dot[4] ? (size_t)(dot - file) : strlen(file);
    const char *secret = arena_strndup(request->arena, file, len);
    const struct schedule *schedule = NULL;
    const char *name = NULL;
    struct roster_view view;
    struct err err = {0};

    if (!roster_view_open(context, &view, response))
        return;
    int r = roster_db_find_ical(view.conn, secret ? secret : "", &view.arena, &name, &err);

    if (r)
        roster_fail(response, r, &err);
    else
        schedule = roster_view_schedule(&view, name, response);
    if (schedule)
        write_calendar(&view, schedule, http_query(request, "person"), response);
    roster_view_close(&view);
}
