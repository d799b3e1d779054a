/*
 * Events as PagerDuty's Events API v2 takes them.
 *
 *     trigger      --> an alert: alertname (class, else summary), severity, source, component,
 *                      group, dedup_key, integration (the token's name)
 *     acknowledge  --> its incident is acknowledged
 *     resolve      --> the alert is over
 *
 * (1) the routing key is the text of a token with the scope push.
 * (2) the alert that a dedup_key means is the one that fires with it, sent with the same
 *     routing key; its labels stay those of its first trigger.
 * (3) what means no such alert is taken and dropped, as PagerDuty does.
 */

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "alertd/api/alerts_in.h"
#include "alertd/api/incidents.h"
#include "alertd/api/intake.h"
#include "alertd/db/access_db.h"
#include "alertd/db/change_db.h"
#include "alertd/db/standing_db.h"
#include "lib/base/clock.h"

enum {
    SUMMARY_MAX = 1024,
    KEY_MAX = 255,
    NAME_MAX_BYTES = 200,
    READ_BYTES_MAX = 4 * 1024 * 1024,
    DATA_BYTES_MAX = 256 * 1024,
};

#define LASTS_MS (365 * 24 * 3600 * INT64_C(1000)) /* nobody renews them: until resolved */

struct event {
    const struct api *api;
    const char *integration; /* the token's name */
    const char *action, *dedup_key;
    const struct json *payload;
    const char *summary, *source, *severity;
    const char *client, *client_url;
    int64_t occurred_at_ms; /* 0: not given */
    int64_t now_ms;
    char made_key[33];
};

/* --- answers --- */

static void answer(struct http_response *response,
                   int status,
                   const char *word,
                   const char *message)
{
    struct json_out out = JSON_OUT(&response->body);

    str_cut(&response->body, 0);
    response->status = status;
    json_open(&out, '{');
    json_kv_string(&out, "status", word);
    json_kv_string(&out, "message", message);
    json_close(&out, '}');
}

static void refuse(struct http_response *response, const char *why)
{
    struct json_out out = JSON_OUT(&response->body);

    response->status = 400;
    json_open(&out, '{');
    json_kv_string(&out, "status", "invalid event");
    json_kv_string(&out, "message", "Event object is invalid");
    json_key(&out, "errors");
    json_open(&out, '[');
    json_string(&out, why);
    json_close(&out, ']');
    json_close(&out, '}');
}

static void fail(struct http_response *response, int result, const struct err *err)
{
    if (result == ALERTS_IN_E_INVALID)
        refuse(response, err->text);
    else if (result == ALERTS_IN_E_MANY)
        answer(response, 429, "throttle exceeded", err->text);
    else
        answer(response, result == DB_E_FULL ? 503 : 500, "error", err->text);
}

/* --- reading --- */

static int check_token(struct event *event,
                       const char *key,
                       struct http_request *request,
                       struct err *reterr)
{
    struct access_grant grant;

    if (event->api->auth_off) {
        event->integration = "anyone";
        return 0;
    }
    if (access_check_token(event->api->access, key, event->now_ms, &grant) || grant.agent[0] ||
        !(grant.scopes & ACCESS_PUSH))
        return err_set(reterr, JSON_E_TYPE,
                       "routing_key is not the text of a token with the scope push");
    event->integration = arena_strndup(request->arena, grant.name, strlen(grant.name));
    return event->integration ? 0 : err_set(reterr, JSON_E_TYPE, "the request is too large");
}

static int read_payload(const struct json *body, struct event *event, struct err *reterr)
{
    static const char *const severities[] = {"critical", "error", "warning", "info"};
    int r = json_get_object(body, "payload", &event->payload, reterr);
    bool known = false;

    if (r == 0)
        r = json_get_string(event->payload, "summary", &event->summary, reterr);
    if (r == 0)
        r = json_get_string_or(event->payload, "source", "", &event->source, reterr);
    if (r == 0)
        r = json_get_string_or(event->payload, "severity", "", &event->severity, reterr);
    if (r == 0)
        r = alerts_in_time(event->payload, "timestamp", &event->occurred_at_ms, reterr);
    if (r)
        return r;
    if (!*event->summary || strlen(event->summary) > SUMMARY_MAX)
        return err_set(reterr, JSON_E_TYPE, "payload.summary: 1 to %d bytes", SUMMARY_MAX);
    if (!event->action)
        return 0; /* a change has no severity */
    for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++)
        known = known || strcmp(severities[i], event->severity) == 0;
    if (!known)
        return err_set(reterr, JSON_E_TYPE, "payload.severity: critical, error, warning or info");
    return *event->source ? 0 : err_set(reterr, JSON_E_TYPE, "payload.source is missing or blank");
}

static int read_action(const struct json *body, struct event *event, struct err *reterr)
{
    int r = json_get_string(body, "event_action", &event->action, reterr);

    if (r == 0)
        r = json_get_string_or(body, "dedup_key", "", &event->dedup_key, reterr);
    if (r == 0)
        r = json_get_string_or(body, "client", "", &event->client, reterr);
    if (r == 0)
        r = json_get_string_or(body, "client_url", "", &event->client_url, reterr);
    if (r)
        return r;
    if (strlen(event->dedup_key) > KEY_MAX)
        return err_set(reterr, JSON_E_TYPE, "dedup_key: at most %d bytes", KEY_MAX);
    if (strcmp(event->action, "trigger") == 0)
        return read_payload(body, event, reterr);
    if (strcmp(event->action, "acknowledge") != 0 && strcmp(event->action, "resolve") != 0)
        return err_set(reterr, JSON_E_TYPE, "event_action: trigger, acknowledge or resolve");
    return *event->dedup_key ? 0 : err_set(reterr, JSON_E_TYPE, "dedup_key is missing or blank");
}

/* --- trigger --- */

static void make_key(struct event *event)
{
    unsigned char bytes[16];

    randombytes_buf(bytes, sizeof(bytes));
    (void)sodium_bin2hex(event->made_key, sizeof(event->made_key), bytes, sizeof(bytes));
    event->dedup_key = event->made_key;
}

static const char *text_of(const struct json *payload, const char *key)
{
    const char *text = "";

    return json_get_string_or(payload, key, "", &text, NULL) ? "" : text;
}

static const struct labels *labels_of(const struct event *event, struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    static const char *const same[] = {"component", "group", "class"};
    const char *name = text_of(event->payload, "class");
    char summary[NAME_MAX_BYTES + 1];
    size_t bytes = strlen(event->source) + strlen(event->dedup_key);

    (void)snprintf(summary, sizeof(summary), "%s", event->summary);
    if (!labels_text_ok(summary, strlen(summary))) /* cut within a letter */
        summary[strnlen(summary, sizeof(summary)) - 3] = '\0';
    labels_builder_set(&builder, "alertname", *name ? name : summary);
    labels_builder_set(&builder, "severity", event->severity);
    labels_builder_set(&builder, "source", event->source);
    labels_builder_set(&builder, "dedup_key", event->dedup_key);
    labels_builder_set(&builder, "integration", event->integration);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        labels_builder_set(&builder, same[i], text_of(event->payload, same[i]));
        bytes += strlen(text_of(event->payload, same[i]));
    }
    if (bytes > ALERTS_IN_TEXT_MAX) {
        (void)err_set(reterr, ALERTS_IN_E_INVALID, "payload: at most %d bytes", ALERTS_IN_TEXT_MAX);
        return NULL;
    }
    return labels_builder_finish(&builder);
}

/* The summary, and the details that are texts. */
static const struct labels *annotations_of(const struct event *event)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct json *details = NULL;
    const struct json *value = NULL;
    const char *name = NULL;
    size_t bytes = 0;

    if (json_get_object(event->payload, "custom_details", &details, NULL) == 0)
        for (size_t i = 0; json_member(details, i, &name, &value); i++) {
            const char *text = json_text(value);

            bytes += strlen(name) + (text ? strlen(text) : 0);
            if (text && *name && bytes <= ALERTS_IN_TEXT_MAX)
                labels_builder_set(&builder, name, text);
        }
    labels_builder_set(&builder, "summary", event->summary);
    labels_builder_set(&builder, "client", event->client);
    return labels_builder_finish(&builder);
}

/* The alert that fires with this key, if one does. */
static int find(const struct event *event,
                struct arena *arena,
                struct standing_alert *ret_alert,
                bool *ret_found,
                struct err *reterr)
{
    struct db_conn *conn = NULL;
    int r = db_read_begin(event->api->state, &conn, reterr);

    if (r)
        return r;
    r = standing_db_by_dedup_key(conn, event->integration, event->dedup_key, arena, ret_alert,
                                 ret_found, reterr);
    db_read_end(event->api->state, conn);
    return r;
}

static int send_alert(const struct event *event,
                      const struct labels *labels,
                      const struct labels *annotations,
                      int64_t starts_ms,
                      int64_t ends_ms,
                      struct err *reterr)
{
    struct alerts_in in = {.source = "pagerduty", .now_ms = event->now_ms};
    int r = alerts_in_add(&in, labels, annotations, starts_ms, ends_ms,
                          event->client_url ? event->client_url : "", reterr);

    if (r == 0)
        r = alerts_in_commit(event->api, &in, reterr);
    alerts_in_done(&in);
    return r;
}

static int trigger(struct event *event, struct err *reterr)
{
    struct standing_alert was;
    ARENA_AUTO struct arena arena;
    bool found = false;

    arena_init(&arena, READ_BYTES_MAX);
    if (!*event->dedup_key)
        make_key(event);
    int r = find(event, &arena, &was, &found, reterr);
    if (r)
        return r;

    const struct labels *labels = found ? labels_new(was.labels->at, was.labels->n)
                                        : labels_of(event, reterr);

    if (!labels)
        return ALERTS_IN_E_INVALID;
    return send_alert(event, labels, annotations_of(event),
                      event->occurred_at_ms ? event->occurred_at_ms : event->now_ms,
                      event->now_ms + LASTS_MS, reterr);
}

/* --- acknowledge, resolve --- */

static int job_ack(struct db_conn *conn, void *arg, struct err *reterr)
{
    bool changed = false;

    return incident_db_ack(conn, arg, &changed, reterr);
}

static int acknowledge(const struct event *event, const char *incident, struct err *reterr)
{
    struct incident_deed deed = {
        .key = incident, .actor = event->integration, .now_ms = event->now_ms};
    int r = db_write(event->api->state, job_ack, &deed, reterr);

    if (r == 0)
        incidents_tell(event->api, incident);
    return r == INCIDENT_DB_E_NOT_OPEN ? 0 : r;
}

static int follow_up(const struct event *event, struct err *reterr)
{
    struct standing_alert was;
    ARENA_AUTO struct arena arena;
    bool found = false;

    arena_init(&arena, READ_BYTES_MAX);
    int r = find(event, &arena, &was, &found, reterr);
    if (r || !found)
        return r;
    if (strcmp(event->action, "acknowledge") == 0)
        return was.incident ? acknowledge(event, was.incident, reterr) : 0;
    return send_alert(event, labels_new(was.labels->at, was.labels->n),
                      labels_new(was.annotations->at, was.annotations->n), was.starts_ms,
                      event->now_ms, reterr);
}

/* --- the two calls --- */

/* False: answered. */
static bool begin(void *context,
                  struct http_request *request,
                  struct http_response *response,
                  struct event *event,
                  struct json **ret_body)
{
    const char *key = NULL;
    struct err err = {0};

    *event = (struct event){.api = context, .now_ms = clock_wall_ms()};
    int r = json_parse(request->body, request->body_len, ret_body, &err);
    if (r == 0)
        r = json_get_string(*ret_body, "routing_key", &key, &err);
    if (r == 0)
        r = check_token(event, key, request, &err);
    if (r)
        refuse(response, err.text);
    return r == 0;
}

static void act(struct event *event, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct err err = {0};
    int r = strcmp(event->action, "trigger") == 0 ? trigger(event, &err) : follow_up(event, &err);

    if (r) {
        fail(response, r, &err);
        return;
    }
    response->status = 202;
    json_open(&out, '{');
    json_kv_string(&out, "status", "success");
    json_kv_string(&out, "message", "Event processed");
    json_kv_string(&out, "dedup_key", event->dedup_key);
    json_close(&out, '}');
}

void pagerduty_post_event(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    struct json *body = NULL;
    struct event event;
    struct err err = {0};

    if (begin(context, request, response, &event, &body)) {
        if (read_action(body, &event, &err))
            refuse(response, err.text);
        else
            act(&event, response);
    }
    json_free(body);
}

/* A change, and the service that its details or its component name. */
struct change {
    struct timeline_event row;
    const char *service;
};

static const char *service_of(const struct event *event)
{
    const struct json *details = NULL;
    const char *service = json_get_object(event->payload, "custom_details", &details, NULL) == 0
                              ? text_of(details, "service")
                              : "";

    return *service ? service : text_of(event->payload, "component");
}

static int job_change(struct db_conn *conn, void *arg, struct err *reterr)
{
    const struct change *change = arg;

    return change_db_add(conn, &change->row, change->service, clock_wall_ms(), reterr);
}

static void add_change(const struct event *event,
                       const struct json *body,
                       struct http_response *response)
{
    STR_AUTO struct str data = STR_INIT(DATA_BYTES_MAX);
    struct json_out out = JSON_OUT(&data);
    const struct json *links = NULL;
    struct err err = {0};

    json_open(&out, '{');
    json_kv_string(&out, "source", event->source);
    json_kv_string(&out, "integration", event->integration);
    if (*service_of(event))
        json_kv_string(&out, "service", service_of(event));
    if (json_get_array(body, "links", &links, NULL) == 0 && json_length(links) > 0)
        json_kv_string(&out, "link", text_of(json_at(links, 0), "href"));
    json_close(&out, '}');

    struct change change = {.service = service_of(event)};

    change.row = (struct timeline_event){
        .kind = "change",
        .event_class = "machine",
        .source = "pagerduty",
        .actor = event->integration,
        .text = event->summary,
        .data = str_text(&data),
        .occurred_at_ms = event->occurred_at_ms ? event->occurred_at_ms : event->now_ms,
    };
    int r = db_write(event->api->state, job_change, &change, &err);

    if (r) {
        fail(response, r, &err);
        return;
    }
    http_hub_publish(event->api->hub, "change", "{}");
    answer(response, 202, "success", "Change event processed");
}

void pagerduty_post_change(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    struct json *body = NULL;
    struct event event;
    struct err err = {0};

    if (begin(context, request, response, &event, &body)) {
        if (read_payload(body, &event, &err))
            refuse(response, err.text);
        else
            add_change(&event, body, response);
    }
    json_free(body);
}
