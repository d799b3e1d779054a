/*
 * The calls about an incident's moments: the marks, and the figures that are made of them.
 */

#include <string.h>

#include "alertd/api/detection.h"
#include "alertd/api/incident_json.h"
#include "alertd/api/incidents.h"
#include "alertd/api/learnt.h"
#include "alertd/api/read.h"
#include "alertd/api/record_call.h"
#include "alertd/api/record_json.h"
#include "alertd/api/services.h"
#include "lib/base/clock.h"

enum {
    REASON_BYTES_MAX = RECORD_REASON_MAX,
};

/* --- GET .../marks --- */

static void write_impacts(struct json_out *out, const struct record *record)
{
    const struct record_mark *detected = &record->marks[RECORD_DETECTED];

    json_key(out, "impacts");
    json_open(out, '[');
    for (size_t i = 0; i < record->n_impacts; i++) {
        const struct record_impact *impact = &record->impacts[i];
        bool is_over = impact->start.at_ms && impact->end.at_ms;
        bool is_detected = impact->start.at_ms && detected->at_ms;

        json_open(out, '{');
        json_kv_string(out, "scope", impact->scope);
        json_key(out, "start");
        record_json_mark(out, &impact->start);
        json_key(out, "end");
        record_json_mark(out, &impact->end);
        record_json_minutes(out, "minutes", is_over, impact->end.at_ms - impact->start.at_ms);
        record_json_minutes(out, "ttd_minutes", is_detected, detected->at_ms - impact->start.at_ms);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_marks(struct json_out *out, const struct incident_record *of)
{
    json_open(out, '{');
    json_key(out, "marks");
    json_open(out, '[');
    for (unsigned i = 0; i < RECORD_MARKS; i++)
        record_json_mark(out, &of->record.marks[i]);
    json_close(out, ']');
    write_impacts(out, &of->record);
    json_key(out, "history");
    json_open(out, '[');
    for (size_t i = 0; i < of->input.n_settings; i++)
        record_json_setting(out, &of->input.settings[i]);
    json_close(out, ']');
    json_close(out, '}');
}

static void reply_marks(const struct api *api, const char *key, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    struct incident_record of;

    arena_init(&arena, RECORD_CALL_BYTES_MAX);
    if (record_call_read(api, key, &arena, &of, response))
        write_marks(&out, &of);
}

static void handle_marks(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    reply_marks(context, request->path_args[0], response);
}

/* --- PUT .../marks --- */

static int job_set(struct db_conn *conn, void *arg, struct err *reterr)
{
    return incident_db_set_marks(conn, arg, reterr);
}

int incidents_read_marks(const struct json *body,
                         const struct record_reader *reader,
                         struct record_marking *marking,
                         struct err *reterr)
{
    struct record_setting *settings = NULL;
    const char *reason = NULL;

    if (json_get_string_or(body, "reason", "", &reason, reterr))
        return RECORD_IN_E_INVALID;
    if (strlen(reason) > REASON_BYTES_MAX || !labels_text_ok(reason, strlen(reason)))
        return err_set(reterr, RECORD_IN_E_INVALID, "reason: at most %d bytes of text",
                       REASON_BYTES_MAX);
    int r = record_in_marks(reader, json_get(body, "marks"), reason, &settings, &marking->n,
                            reterr);

    marking->settings = settings;
    return r;
}

static void handle_set(void *context, struct http_request *request, struct http_response *response)
{
    static const char *const known[] = {"marks", "reason", NULL};
    const struct api *api = context;
    struct record_marking marking = {
        .key = request->path_args[0], .actor = request->who.name, .now_ms = clock_wall_ms()};
    struct record_reader reader = {
        .arena = request->arena, .actor = marking.actor, .now_ms = marking.now_ms};
    struct json *body = NULL;
    struct err err = {0};

    if (!record_call_body(request, &body, response))
        return;
    int r = json_is_object(body) && json_only(body, known, &err) == 0
                ? incidents_read_marks(body, &reader, &marking, &err)
                : RECORD_IN_E_INVALID;

    if (r) {
        if (!json_is_object(body))
            (void)err_set(&err, r, "the body: expected an object");
        record_call_wrong(response, r, &err);
    } else {
        r = db_write(api->state, job_set, &marking, &err);
        if (r)
            incident_json_fail(response, r, &err);
    }
    json_free(body);
    if (r)
        return;
    if (marking.n_changed)
        incidents_publish(api, marking.key);
    reply_marks(api, marking.key, response);
}

/* --- GET .../metrics --- */

/* As the file of known incidents names them. */
static void write_from_marks(struct json_out *out, const struct record *record)
{
    static const struct {
        const char *name;
        enum record_metric_name metric;
    } names[] = {
        {"ttd", RECORD_TTD}, {"tta", RECORD_TTA},       {"tt_cause", RECORD_DIAGNOSE},
        {"ttm", RECORD_TTM}, {"impact", RECORD_IMPACT}, {"ttr", RECORD_TTR},
    };

    json_key(out, "from_marks_minutes");
    json_open(out, '{');
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct record_metric *metric = &record->metrics[names[i].metric];

        record_json_minutes(out, names[i].name, metric->known, metric->ms);
    }
    json_close(out, '}');
    json_kv_string(out, "detection_source", record->detected_by);
}

/* What was looked up of it, last: budgets, and what would have fired earlier. */
static void write_learnt(const struct api *api,
                         const struct incident_record *of,
                         struct arena *arena,
                         struct json_out *out)
{
    struct learnt learnt = {0};
    struct db_conn *conn = NULL;

    if (db_read_begin(api->state, &conn, NULL) == 0) {
        (void)learnt_of(conn, of->incident.id, arena, &learnt, NULL);
        db_read_end(api->state, conn);
    }
    json_key(out, "slos");
    services_write_burns(out, learnt.burns, learnt.n_burns);
    learnt_write_metric(&learnt, of->record.marks[RECORD_DETECTED].at_ms, out);
}

static void handle_metrics(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    struct incident_record of;

    arena_init(&arena, RECORD_CALL_BYTES_MAX);
    if (!record_call_read(api, request->path_args[0], &arena, &of, response))
        return;
    json_open(&out, '{');
    json_key(&out, "metrics");
    json_open(&out, '[');
    for (unsigned i = 0; i < RECORD_METRICS; i++)
        record_json_metric(&out, &of.record.metrics[i]);
    json_close(&out, ']');
    write_from_marks(&out, &of.record);
    write_impacts(&out, &of.record);
    detection_write(api, &of, &out);
    write_learnt(api, &of, &arena, &out);
    json_close(&out, '}');
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/incidents/{key}/marks", HTTP_SCOPE_READ, 0, handle_marks,
     "the moments of an incident, its impacts, and who set them"},
    {"PUT", "/api/alertd/v1/incidents/{key}/marks", HTTP_SCOPE_OPERATE, 0, handle_set,
     "sets moments; null says that one is not known"},
    {"GET", "/api/alertd/v1/incidents/{key}/metrics", HTTP_SCOPE_READ, 0, handle_metrics,
     "times to detect, acknowledge ... resolve, each with its formula; where detection went"},
};

const struct api_table api_marks_routes = {routes, sizeof(routes) / sizeof(routes[0])};
