/*
 * What an Alertmanager beside us tells: its webhook (payload version 4) and its event recorder,
 * one object, a list, or one object a line.
 *
 *     webhook                       --> alerts, firing and resolved
 *     alertCreated, alertResolved   --> alerts
 *     notification, silence...,
 *     startup, shutdown             --> events "alertmanager.notification" ... of the log
 *     the rest                      --> counted, not kept: told again with each flush
 *
 * (1) each object is cut out of the body by its braces, so that a body may be larger than one
 *     JSON text may be here, and one bad object spoils no other.
 * (2) an event that came before (same instance, time and bytes) is kept once.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alertd/api/alerts_in.h"
#include "alertd/api/intake.h"
#include "alertd/db/change_db.h"
#include "lib/base/clock.h"
#include "lib/model/hash.h"

enum {
    DATA_BYTES_MAX = 4096,
    TEXT_BYTES_MAX = 4096,
    OBJECT_BYTES_MAX = 4 * 1024 * 1024,
};

/* Nobody renews these between two notifications: a day is longer than any repeat_interval. */
#define LASTS_MS (24 * 3600 * INT64_C(1000))

struct intake {
    const struct api *api;
    struct alerts_in alerts;
    size_t n_objects, n_events, n_known, n_ignored;
    struct json **roots; /* what the alerts' texts are loans of */
    size_t n_roots;
};

/* --- one object of many --- */

/* The next {...} at or after *at: its length, *at at its brace; 0 at the end. A brace that is
 * not closed takes the rest. */
static size_t next_object(const char **at)
{
    const char *begin = strchr(*at, '{');
    bool in_text = false;
    int depth = 0;

    if (!begin)
        return 0;
    *at = begin;
    for (const char *c = begin; *c; c++) {
        if (in_text && *c == '\\' && c[1])
            c++;
        else if (*c == '"')
            in_text = !in_text;
        else if (!in_text && *c == '{')
            depth++;
        else if (!in_text && *c == '}' && --depth == 0)
            return (size_t)(c + 1 - begin);
    }
    return strlen(begin);
}

/* --- webhook --- */

static int add_posted(struct intake *intake, const struct json *alert, struct err *reterr)
{
    const struct labels *labels = NULL;
    const struct labels *annotations = labels_empty();
    const struct json *object = NULL;
    const char *status = "";
    const char *url = "";
    int64_t starts_ms = 0;
    int64_t ends_ms = 0;
    int r = json_get_object(alert, "labels", &object, reterr);

    if (r == 0)
        r = alerts_in_labels(object, &labels, reterr);
    if (r == 0 && json_has(alert, "annotations")) {
        r = json_get_object(alert, "annotations", &object, reterr);
        if (r == 0)
            r = alerts_in_labels(object, &annotations, reterr);
    }
    if (r == 0)
        r = json_get_string_or(alert, "status", "firing", &status, reterr);
    if (r == 0)
        r = json_get_string_or(alert, "generatorURL", "", &url, reterr);
    if (r == 0)
        r = alerts_in_time(alert, "startsAt", &starts_ms, reterr);
    if (r == 0)
        r = alerts_in_time(alert, "endsAt", &ends_ms, reterr);
    if (r) {
        labels_unref(labels);
        labels_unref(annotations);
        return r;
    }
    if (strcmp(status, "resolved") != 0)
        ends_ms = intake->alerts.now_ms + LASTS_MS;
    else if (ends_ms == 0 || ends_ms > intake->alerts.now_ms)
        ends_ms = intake->alerts.now_ms;
    return alerts_in_add(&intake->alerts, labels, annotations, starts_ms, ends_ms, url, reterr);
}

static int take_webhook(struct intake *intake, const struct json *body, struct err *reterr)
{
    const struct json *alerts = NULL;
    int r = json_get_array(body, "alerts", &alerts, reterr);

    for (size_t i = 0; r == 0 && i < json_length(alerts); i++)
        r = add_posted(intake, json_at(alerts, i), reterr);
    return r;
}

/* --- event recorder --- */

/* {"labels":[{"key","value"}]}, or the list alone; absent is empty. */
static int read_pairs(const struct json *object,
                      const char *key,
                      const struct labels **ret,
                      struct err *reterr)
{
    LABELS_BUILDER_AUTO struct labels_builder builder = LABELS_BUILDER_INIT;
    const struct json *list = NULL;
    const struct json *set = NULL;
    size_t bytes = 0;
    int r = 0;

    if (json_get_object(object, key, &set, NULL) == 0)
        (void)json_get_array(set, "labels", &list, NULL);
    else
        (void)json_get_array(object, key, &list, NULL);
    for (size_t i = 0; r == 0 && list && i < json_length(list); i++) {
        const char *name = NULL;
        const char *value = "";

        r = json_get_string(json_at(list, i), "key", &name, reterr);
        if (r == 0)
            r = json_get_string_or(json_at(list, i), "value", "", &value, reterr);
        if (r == 0 && *name)
            labels_builder_set(&builder, name, value);
        bytes += r == 0 ? strlen(name) + strlen(value) : 0;
    }
    if (r == 0 && bytes > ALERTS_IN_TEXT_MAX)
        r = err_set(reterr, ALERTS_IN_E_INVALID, "labels of an alert: at most %d bytes",
                    ALERTS_IN_TEXT_MAX);
    if (r == 0)
        *ret = labels_builder_finish(&builder);
    return r;
}

static int add_recorded(struct intake *intake,
                        const struct json *alert,
                        bool resolved,
                        struct err *reterr)
{
    const struct labels *labels = NULL;
    const struct labels *annotations = NULL;
    int64_t starts_ms = 0;
    int64_t ends_ms = 0;
    int r = read_pairs(alert, "labels", &labels, reterr);

    if (r == 0)
        r = read_pairs(alert, "annotations", &annotations, reterr);
    if (r == 0)
        r = alerts_in_time(alert, "startsAt", &starts_ms, reterr);
    if (r == 0)
        r = alerts_in_time(alert, "endsAt", &ends_ms, reterr);
    if (r) {
        labels_unref(labels);
        labels_unref(annotations);
        return r;
    }
    if (!resolved)
        ends_ms = intake->alerts.now_ms + LASTS_MS;
    else if (ends_ms == 0 || ends_ms > intake->alerts.now_ms)
        ends_ms = intake->alerts.now_ms;
    return alerts_in_add(&intake->alerts, labels, annotations, starts_ms, ends_ms, "", reterr);
}

static const char *text_at(const struct json *object, const char *key)
{
    const char *text = "";

    return json_get_string_or(object, key, "", &text, NULL) ? "" : text;
}

/* "sent to pager by webhook: FIRST_NOTIFICATION" */
static void words_of(const char *kind, const struct json *payload, struct str *out)
{
    const struct json *part = NULL;

    if (strcmp(kind, "notification") == 0) {
        const char *reason = text_at(payload, "reason");

        str_add(out, "sent");
        if (json_get_object(payload, "groupInfo", &part, NULL) == 0)
            str_addf(out, " to %.200s", text_at(part, "receiverName"));
        if (json_get_object(payload, "integration", &part, NULL) == 0)
            str_addf(out, " by %.100s", text_at(part, "name"));
        if (strncmp(reason, "NOTIFY_REASON_", 14) == 0)
            str_addf(out, ": %.100s", reason + 14);
    } else if (json_get_object(payload, "silence", &part, NULL) == 0) {
        str_addf(out, "silence %.60s by %.200s: %.1000s", text_at(part, "id"),
                 text_at(part, "createdBy"), text_at(part, "comment"));
    } else {
        str_addf(out, "version %.60s", text_at(payload, "version"));
    }
}

struct log_job {
    struct timeline_event event;
    bool known;
};

static int job_log(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct log_job *job = arg;
    int r = change_db_known(conn, &job->event, &job->known, reterr);

    return r || job->known ? r
                           : event_db_append(conn, 0, &job->event, clock_wall_ms(), NULL, reterr);
}

/* One whole event of the recorder. */
struct recorded {
    const char *kind;
    const struct json *envelope, *payload;
    uint64_t hash; /* of its bytes */
};

static int take_log(struct intake *intake,
                    const struct recorded *recorded,
                    const char *log_kind,
                    struct err *reterr)
{
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX);
    STR_AUTO struct str data = STR_INIT(DATA_BYTES_MAX);
    struct json_out out = JSON_OUT(&data);
    struct log_job job = {0};
    char hash[20];
    int64_t at_ms = 0;
    int r = alerts_in_time(recorded->envelope, "@timestamp", &at_ms, reterr);

    if (r)
        return r;
    (void)snprintf(hash, sizeof(hash), "%016" PRIx64, recorded->hash);
    json_open(&out, '{');
    json_kv_string(&out, "instance", text_at(recorded->envelope, "instance"));
    json_kv_string(&out, "hash", hash);
    json_close(&out, '}');
    words_of(recorded->kind, recorded->payload, &text);
    job.event = (struct timeline_event){
        .kind = log_kind,
        .event_class = "machine",
        .source = "alertmanager",
        .text = str_text(&text),
        .data = str_text(&data),
        .occurred_at_ms = at_ms ? at_ms : intake->alerts.now_ms,
    };
    r = db_write(intake->api->state, job_log, &job, reterr);
    if (r)
        return -EIO; /* its codes mean other things here; the sender is to try again */
    if (job.known)
        intake->n_known++;
    else
        intake->n_events++;
    return 0;
}

static int take_recorded(struct intake *intake, const struct recorded *recorded, struct err *reterr)
{
    static const struct {
        const char *theirs, *ours;
    } logged[] = {
        {"notification", "alertmanager.notification"},
        {"silenceCreated", "alertmanager.silence_created"},
        {"silenceUpdated", "alertmanager.silence_updated"},
        {"alertmanagerStartupEvent", "alertmanager.started"},
        {"alertmanagerShutdownEvent", "alertmanager.stopped"},
    };
    const struct json *alert = NULL;
    const struct json *details = NULL;

    if (strcmp(recorded->kind, "alertCreated") == 0 &&
        json_get_object(recorded->payload, "alert", &alert, NULL) == 0)
        return add_recorded(intake, alert, false, reterr);
    if (strcmp(recorded->kind, "alertResolved") == 0 &&
        json_get_object(recorded->payload, "alert", &alert, NULL) == 0 &&
        json_get_object(alert, "details", &details, NULL) == 0)
        return add_recorded(intake, details, true, reterr);
    for (size_t i = 0; i < sizeof(logged) / sizeof(logged[0]); i++)
        if (strcmp(recorded->kind, logged[i].theirs) == 0)
            return take_log(intake, recorded, logged[i].ours, reterr);
    intake->n_ignored++;
    return 0;
}

/* --- the body --- */

static int take_object(struct intake *intake,
                       const struct json *root,
                       uint64_t hash,
                       struct err *reterr)
{
    struct recorded recorded = {.envelope = root, .hash = hash};
    const struct json *data = NULL;

    if (json_has(root, "alerts"))
        return take_webhook(intake, root, reterr);
    if (json_get_object(root, "data", &data, NULL) ||
        !json_member(data, 0, &recorded.kind, &recorded.payload))
        return err_set(reterr, JSON_E_TYPE,
                       "neither a webhook's payload (alerts) nor a recorded event (data)");
    return take_recorded(intake, &recorded, reterr);
}

static int take_body(struct intake *intake, const struct http_request *request, struct err *reterr)
{
    const char *at = request->body;
    size_t len;
    int r = 0;

    while (r == 0 && (len = next_object(&at)) > 0) {
        struct json *root = NULL;

        intake->n_objects++;
        r = json_parse_upto(at, len, OBJECT_BYTES_MAX, &root, reterr);
        if (r == 0) {
            intake->roots[intake->n_roots++] = root;
            r = take_object(intake, root, hash64(at, len), reterr);
        }
        at += len;
        if (r == 0 && intake->n_roots == ALERTS_IN_MAX)
            r = err_set(reterr, JSON_E_TYPE, "at most %d events at once", ALERTS_IN_MAX);
    }
    return r ? err_prefix(reterr, r, "object %zu", intake->n_objects) : 0;
}

static void answer(const struct intake *intake, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_kv_int(&out, "objects", (int64_t)intake->n_objects);
    json_kv_int(&out, "alerts", (int64_t)intake->alerts.n);
    json_kv_int(&out, "alerts_taken", (int64_t)intake->alerts.n_taken);
    json_kv_int(&out, "events", (int64_t)intake->n_events);
    json_kv_int(&out, "events_known", (int64_t)intake->n_known);
    json_kv_int(&out, "ignored", (int64_t)intake->n_ignored);
    json_close(&out, '}');
}

void webhook_post(void *context, struct http_request *request, struct http_response *response)
{
    struct intake intake = {.api = context,
                            .alerts = {.source = "webhook", .now_ms = clock_wall_ms()}};
    struct err err = {0};

    if (request->who.agent[0]) {
        http_fail(response, "forbidden", "the token of agent %s writes its samples, no alerts",
                  request->who.agent);
        return;
    }
    intake.roots = arena_array(request->arena, ALERTS_IN_MAX, sizeof(intake.roots[0]));
    int r = intake.roots ? take_body(&intake, request, &err)
                         : err_set(&err, JSON_E_TYPE, "the body is too large");

    if (r == 0 && intake.n_objects == 0)
        r = err_set(&err, JSON_E_TYPE, "the body: expected a JSON object, a list or lines of them");
    if (r > 0) {
        http_fail(response, "bad_data", "%s", err.text);
    } else {
        if (r == 0)
            r = alerts_in_commit(context, &intake.alerts, &err);
        if (r == 0)
            answer(&intake, response);
        else
            http_fail(response, "unavailable", "%s", err.text);
    }
    alerts_in_done(&intake.alerts);
    for (size_t i = 0; i < intake.n_roots; i++)
        json_free(intake.roots[i]);
}
