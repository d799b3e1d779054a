/*
 * The calls about incidents: list, look, acknowledge, note, resolve; what was sent. The
 * phone page's handlers are in ack_page.c.
 *
 * A change is answered when it is committed, and told to the live views then.
 */

#include "alertd/api/incidents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/ack_page.h"
#include "alertd/api/escalations.h"
#include "alertd/api/incident_json.h"
#include "alertd/api/phone.h"
#include "alertd/api/read.h"
#include "alertd/api/verdicts.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"

enum {
    READ_BYTES_MAX = 32 * 1024 * 1024,
    ALERTS_SHOWN_MAX = 1000,
    NOTIFICATIONS_SHOWN_MAX = 500,
    VERDICTS_SHOWN_MAX = 500,
    LIST_DEFAULT = 50,
    LIST_MAX = 500,
    NOTE_BYTES_MAX = 16 * 1024,
    CLOCK_SLACK_MS = 60000,
};

/* --- GET .../incidents --- */

/* false when the parameter is there and not a number in range. */
static bool number_param(struct http_request *request,
                         const char *name,
                         int64_t max,
                         int64_t *ret_value)
{
    const char *text = http_query(request, name);
    char *end = NULL;

    if (!text || !*text)
        return true;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || value < 1 || value > max)
        return false;
    *ret_value = value;
    return true;
}

static bool list_query(struct http_request *request,
                       struct incident_query *ret_query,
                       struct http_response *response)
{
    static const char *const names[] = {
        [INCIDENT_LIST_ALL] = "all",
        [INCIDENT_LIST_OPEN] = "open",
        [INCIDENT_LIST_RESOLVED] = "resolved",
    };
    const char *status = http_query(request, "status");
    int64_t limit = LIST_DEFAULT;
    int64_t before_id = 0;
    bool known = !status || !*status;

    *ret_query = (struct incident_query){.which = INCIDENT_LIST_ALL};
    for (unsigned i = 0; !known && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], status) == 0) {
            ret_query->which = (enum incident_list)i;
            known = true;
        }
    if (!known) {
        http_fail(response, "bad_data", "status: expected open, resolved or all");
        return false;
    }
    if (!number_param(request, "limit", LIST_MAX, &limit) ||
        !number_param(request, "before", INT64_MAX, &before_id)) {
        http_fail(response, "bad_data", "limit: 1 to %d; before: an incident's id", LIST_MAX);
        return false;
    }
    ret_query->limit = (unsigned)limit;
    ret_query->before_id = before_id;
    return true;
}

static void write_list(struct json_out *out, const struct incident *incidents, size_t n)
{
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        incident_json(out, &incidents[i]);
    json_close(out, ']');
}

static void handle_list(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct incident *incidents = NULL;
    struct incident_query query;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!list_query(request, &query, response) || !api_read_begin(api, &conn, response))
        return;
    int r = incident_db_list(conn, &query, &arena, &incidents, &n, &err);
    db_read_end(api->state, conn);
    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "incidents");
    write_list(&out, incidents, n);
    json_close(&out, '}');
}

/* --- GET .../incidents/{key} --- */

/* An incident and what belongs to it, of one snapshot. */
struct whole {
    struct incident incident;
    struct incident_alert *alerts;
    size_t n_alerts;
    bool with_timeline;
    struct timeline_event *events;
    size_t n_events;
    struct outbox_row *rows;
    size_t n_rows;
    struct verdict_row *verdicts;
    size_t n_verdicts;
    struct escalation_row *escalations;
    size_t n_escalations;
};

static int read_whole(struct db_conn *conn,
                      const char *key,
                      struct arena *arena,
                      struct whole *whole,
                      struct err *reterr)
{
    int r = incident_db_get(conn, key, arena, &whole->incident, reterr);

    if (r == 0)
        r = incident_db_alerts(conn, whole->incident.id, ALERTS_SHOWN_MAX, arena, &whole->alerts,
                               &whole->n_alerts, reterr);
    if (r == 0 && whole->with_timeline)
        r = incident_db_timeline(conn, whole->incident.id, arena, &whole->events, &whole->n_events,
                                 reterr);
    if (r == 0)
        r = outbox_db_list(conn, key, NOTIFICATIONS_SHOWN_MAX, arena, &whole->rows, &whole->n_rows,
                           reterr);

    const struct verdict_query of_it = {
        .incident_id = whole->incident.id, .to_ms = INT64_MAX, .limit = VERDICTS_SHOWN_MAX};
    if (r == 0)
        r = verdict_db_list(conn, &of_it, arena, &whole->verdicts, &whole->n_verdicts, reterr);
    if (r == 0)
        r = escalation_db_of(conn, whole->incident.id, arena, &whole->escalations,
                             &whole->n_escalations, reterr);
    return r;
}

static void write_whole(struct json_out *out, const struct whole *whole)
{
    json_open(out, '{');
    incident_json_members(out, &whole->incident);
    json_key(out, "alerts");
    json_open(out, '[');
    for (size_t i = 0; i < whole->n_alerts; i++)
        incident_json_alert(out, &whole->alerts[i]);
    json_close(out, ']');
    if (whole->with_timeline) {
        json_key(out, "timeline");
        json_open(out, '[');
        for (size_t i = 0; i < whole->n_events; i++)
            incident_json_event(out, &whole->events[i]);
        json_close(out, ']');
    }
    json_key(out, "notifications");
    json_open(out, '[');
    for (size_t i = 0; i < whole->n_rows; i++)
        incident_json_notification(out, &whole->rows[i]);
    json_close(out, ']');
    json_key(out, "verdicts");
    json_open(out, '[');
    for (size_t i = 0; i < whole->n_verdicts; i++)
        if (whole->verdicts[i].counts)
            verdict_json(out, &whole->verdicts[i]);
    json_close(out, ']');
    escalations_write(out, whole->escalations, whole->n_escalations);
    json_close(out, '}');
}

static void handle_get(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    const char *timeline = http_query(request, "timeline");
    struct whole whole = {.with_timeline = !timeline || strcmp(timeline, "0") != 0};
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = read_whole(conn, request->path_args[0], &arena, &whole, &err);
    db_read_end(api->state, conn);
    if (r)
        incident_json_fail(response, r, &err);
    else
        write_whole(&out, &whole);
}

/* --- what people do --- */

/* One change: the job's argument, and what it found out. */
struct change {
    const struct api *api;
    struct incident_deed deed;
    bool changed;
    int64_t event_id;
};

static int job_ack(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct change *change = arg;

    int r = incident_db_ack(conn, &change->deed, &change->changed, reterr);

    return r == 0 ? escalations_tell(change->api, conn, &change->deed, ESCALATION_ACKNOWLEDGE, 0,
                                     reterr)
                  : r;
}

static int job_note(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct change *change = arg;

    return incident_db_note(conn, &change->deed, &change->event_id, reterr);
}

static int job_resolve(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct change *change = arg;

    int r = incident_db_resolve(conn, change->api->route, &change->deed, &change->changed, reterr);

    return r == 0
               ? escalations_tell(change->api, conn, &change->deed, ESCALATION_RESOLVE, 0, reterr)
               : r;
}

static bool fill_deed(const struct json *body,
                      const char *note_member,
                      struct incident_deed *deed,
                      struct http_response *response)
{
    const char *occurred_at = NULL;
    struct err err = {0};

    if (json_get_string_or(body, note_member, NULL, &deed->text, &err) ||
        json_get_string_or(body, "occurred_at", NULL, &occurred_at, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    if (deed->text &&
        (strlen(deed->text) > NOTE_BYTES_MAX || !labels_text_ok(deed->text, strlen(deed->text)))) {
        http_fail(response, "bad_data", "%s: at most %d bytes of text", note_member,
                  NOTE_BYTES_MAX);
        return false;
    }
    if (occurred_at && clock_parse_rfc3339(occurred_at, &deed->occurred_at_ms)) {
        http_fail(response, "bad_data", "occurred_at: expected a time like 2026-11-23T22:27:00Z");
        return false;
    }
    if (deed->occurred_at_ms > deed->now_ms + CLOCK_SLACK_MS || deed->occurred_at_ms < 0) {
        http_fail(response, "bad_data", "occurred_at: nothing is noted before it happened");
        return false;
    }
    return true;
}

/* The body, an object with these members at most; an empty body is an empty object. False
 * when the reply is an error already. */
static bool read_body(const struct http_request *request,
                      const char *const *known,
                      struct json **ret_body,
                      struct http_response *response)
{
    struct err err = {0};
    int r = request->body_len ? json_parse(request->body, request->body_len, ret_body, &err)
                              : json_parse("{}", 2, ret_body, &err);

    if (r == 0 && !json_is_object(*ret_body))
        r = err_set(&err, JSON_E_TYPE, "the body: expected an object");
    if (r == 0)
        r = json_only(*ret_body, known, &err);
    if (r)
        http_fail(response, "bad_data", "%s", err.text);
    return r == 0;
}

void incidents_publish(const struct api *api, const char *key)
{
    STR_AUTO struct str text = STR_INIT(256);
    struct json_out out = JSON_OUT(&text);

    json_open(&out, '{');
    json_kv_string(&out, "key", key);
    json_close(&out, '}');
    http_hub_publish(api->hub, "incident", str_text(&text));
}

void incidents_tell(const struct api *api, const char *key)
{
    incidents_publish(api, key);
    api->wake(api->app, API_WAKE_OUTBOX);
}

void incidents_reply(const struct api *api, const char *key, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct incident incident;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = incident_db_get(conn, key, &arena, &incident, &err);
    db_read_end(api->state, conn);
    if (r)
        incident_json_fail(response, r, &err);
    else
        incident_json(&out, &incident);
}

/* Runs the job; the incident afterwards is the reply. */
static void change_incident(const struct api *api,
                            struct http_request *request,
                            db_job *job,
                            struct http_response *response)
{
    static const char *const known[] = {"note", NULL};
    struct change change = {.api = api,
                            .deed = {.key = request->path_args[0],
                                     .actor = request->who.name,
                                     .now_ms = clock_wall_ms()}};
    struct json *body = NULL;
    struct err err = {0};

    if (!read_body(request, known, &body, response) ||
        !fill_deed(body, "note", &change.deed, response)) {
        json_free(body);
        return;
    }
    int r = db_write(api->state, job, &change, &err);
    json_free(body);
    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    incidents_tell(api, change.deed.key);
    incidents_reply(api, change.deed.key, response);
}

static void handle_ack(void *context, struct http_request *request, struct http_response *response)
{
    change_incident(context, request, job_ack, response);
}

static void handle_resolve(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    change_incident(context, request, job_resolve, response);
}

static void reply_event(const struct api *api, int64_t id, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct timeline_event event;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = event_db_get(conn, id, &arena, &event, &err);
    db_read_end(api->state, conn);
    if (r)
        incident_json_fail(response, r, &err);
    else
        incident_json_event(&out, &event);
}

static void handle_note(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"text", "occurred_at", NULL};
    const struct api *api = context;
    struct change change = {.api = api,
                            .deed = {.key = request->path_args[0],
                                     .actor = request->who.name,
                                     .now_ms = clock_wall_ms()}};
    struct json *body = NULL;
    struct err err = {0};
    int r = 1;

    if (read_body(request, known, &body, response) &&
        fill_deed(body, "text", &change.deed, response)) {
        if (!change.deed.text || !change.deed.text[strspn(change.deed.text, " \r\n\t")]) {
            http_fail(response, "bad_data", "text: a note needs words");
        } else {
            r = db_write(api->state, job_note, &change, &err);
            if (r)
                incident_json_fail(response, r, &err);
        }
    }
    json_free(body);
    if (r)
        return;
    incidents_tell(api, change.deed.key);
    reply_event(api, change.event_id, response);
}

/* --- GET .../outbox --- */

static void handle_outbox(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct outbox_row *rows = NULL;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = outbox_db_list(conn, http_query(request, "incident"), NOTIFICATIONS_SHOWN_MAX, &arena,
                           &rows, &n, &err);
    db_read_end(api->state, conn);
    if (r) {
        incident_json_fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "notifications");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        incident_json_notification(&out, &rows[i]);
    json_close(&out, ']');
    json_close(&out, '}');
}

/* --- pieces of the overview --- */

int incidents_write_open(struct json_out *out,
                         struct db_conn *conn,
                         struct arena *arena,
                         struct err *reterr)
{
    static const struct incident_query open = {.which = INCIDENT_LIST_OPEN, .limit = LIST_DEFAULT};
    struct incident *incidents = NULL;
    size_t n = 0;
    int r = incident_db_list(conn, &open, arena, &incidents, &n, reterr);

    if (r == 0)
        write_list(out, incidents, n);
    return r;
}

static int write_told(struct json_out *out,
                      struct db_conn *conn,
                      const struct route_integration *to,
                      int64_t now_ms,
                      struct err *reterr)
{
    int64_t last_sent_ms = 0;
    int64_t oldest_waiting_ms = 0;
    int r = outbox_db_told(conn, to, now_ms, &last_sent_ms, &oldest_waiting_ms, reterr);

    json_open(out, '{');
    json_kv_string(out, "receiver", to->receiver);
    json_kv_string(out, "kind", route_kind_name(to->kind));
    json_kv_time(out, "last_sent_at", last_sent_ms);
    json_kv_time(out, "oldest_waiting_at", oldest_waiting_ms);
    json_close(out, '}');
    return r;
}

int incidents_write_told(struct json_out *out,
                         struct db_conn *conn,
                         const struct route_config *config,
                         int64_t now_ms,
                         struct err *reterr)
{
    int r = 0;

    json_open(out, '[');
    for (size_t i = 0; i < config->n_receivers; i++)
        for (size_t j = 0; r == 0 && j < config->receivers[i].n_integrations; j++)
            r = write_told(out, conn, &config->receivers[i].integrations[j], now_ms, reterr);
    json_close(out, ']');
    return r;
}

int incidents_write_hours(struct json_out *out,
                          struct db_conn *conn,
                          int64_t now_ms,
                          struct err *reterr)
{
    unsigned fired[24] = {0};
    int64_t start_ms = 0;
    int r = incident_db_hours(conn, now_ms, &start_ms, fired, reterr);

    if (r)
        return r;
    json_open(out, '[');
    for (unsigned i = 0; i < 24; i++) {
        json_open(out, '{');
        json_kv_time(out, "at", start_ms + i * INT64_C(3600000));
        json_kv_int(out, "fired", fired[i]);
        json_close(out, '}');
    }
    json_close(out, ']');
    return 0;
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/incidents", HTTP_SCOPE_READ, 0, handle_list, "incidents, newest first"},
    {"GET", "/api/alertd/v1/incidents/{key}", HTTP_SCOPE_READ, 0, handle_get,
     "one incident with its alerts, timeline and notifications"},
    {"POST", "/api/alertd/v1/incidents/{key}/ack", HTTP_SCOPE_OPERATE, 0, handle_ack,
     "somebody looks at it: reminders stop"},
    {"POST", "/api/alertd/v1/incidents/{key}/notes", HTTP_SCOPE_OPERATE, 0, handle_note,
     "a note on the timeline"},
    {"POST", "/api/alertd/v1/incidents/{key}/resolve", HTTP_SCOPE_OPERATE, 0, handle_resolve,
     "somebody says it is over"},
    {"GET", "/api/alertd/v1/outbox", HTTP_SCOPE_READ, 0, handle_outbox,
     "what was and is to be sent, newest first"},
    {"GET", "/a/style.css", HTTP_SCOPE_NONE, HTTP_INLINE, phone_style, "the phone page's look"},
    {"GET", "/a/{token}", HTTP_SCOPE_NONE, 0, ack_page_show,
     "the phone page of one incident: HTML, no JavaScript"},
    {"POST", "/a/{token}", HTTP_SCOPE_NONE, 0, ack_page_change,
     "acknowledge, note or judge from the phone page"},
};

const struct api_table api_incidents_routes = {routes, sizeof(routes) / sizeof(routes[0])};
