/*
 * An incident as docs/api.md says it. See incident_json.h.
 */

#include "alertd/api/incident_json.h"

#include <string.h>

#include "alertd/api/rules.h"
#include "alertd/db/db.h"
#include "alertd/db/incident_db_record.h"
#include "alertd/promql/promql.h"
#include "lib/base/arena.h"

enum {
    EXPR_BYTES_MAX = 256 * 1024
};

void incident_json_members(struct json_out *out, const struct incident *incident)
{
    json_kv_int(out, "id", incident->id);
    json_kv_string(out, "key", incident->key);
    json_kv_string(out, "title", incident->title);
    json_kv_string(out, "severity", incident->severity);
    json_kv_string(out, "origin", incident->origin);
    json_kv_string(out, "recurrence_of", incident->recurrence_of);
    json_kv_string(out, "status", incident_status_name(incident->status));
    json_kv_time(out, "opened_at", incident->opened_at_ms);
    json_kv_time(out, "acknowledged_at", incident->acknowledged_at_ms);
    json_kv_string(out, "acknowledged_by", incident->acknowledged_by);
    json_kv_time(out, "resolved_at", incident->resolved_at_ms);
    json_kv_string(out, "resolved_by", incident->resolved_by);
    rules_json_labels(out, "labels", incident->labels);
    json_kv_int(out, "n_alerts", incident->n_alerts);
    json_kv_int(out, "n_firing", incident->n_firing);
    json_key(out, "postmortem");
    if (incident->postmortem_id)
        json_int(out, incident->postmortem_id);
    else
        json_null(out);
}

void incident_json(struct json_out *out, const struct incident *incident)
{
    json_open(out, '{');
    incident_json_members(out, incident);
    json_close(out, '}');
}

/* "left" and "threshold": where the expression compares, for the graph's line. */
static void kv_threshold(struct json_out *out, const char *text)
{
    STR_AUTO struct str left_text = STR_INIT(EXPR_BYTES_MAX);
    const struct promql_expr *left = NULL;
    struct promql_expr *expr = NULL;
    ARENA_AUTO struct arena arena;
    double threshold = 0;

    arena_init(&arena, EXPR_BYTES_MAX);
    if (promql_parse(&arena, text, &expr, NULL) == 0 && promql_threshold(expr, &left, &threshold)) {
        promql_print(left, &left_text);
        json_kv_string(out, "left", str_text(&left_text));
        json_kv_float(out, "threshold", threshold);
        return;
    }
    json_kv_string(out, "left", NULL);
    json_kv_string(out, "threshold", NULL);
}

void incident_json_alert(struct json_out *out, const struct incident_alert *alert)
{
    json_open(out, '{');
    json_kv_string(out, "name", alert->name);
    rules_json_labels(out, "labels", alert->labels);
    rules_json_labels(out, "annotations", alert->annotations);
    json_kv_string(out, "state", alert->firing ? "firing" : "resolved");
    json_kv_time(out, "active_at", alert->active_at_ms);
    json_kv_time(out, "fired_at", alert->fired_at_ms);
    json_kv_time(out, "resolved_at", alert->resolved_at_ms);
    json_kv_float(out, "value", alert->value);
    json_kv_int(out, "rule_id", alert->rule_id);
    json_kv_string(out, "expr", alert->expr);
    kv_threshold(out, alert->expr);
    json_kv_int(out, "for_ms", alert->for_ms);
    json_kv_string(out, "runbook_url", labels_get(alert->annotations, "runbook_url"));
    json_close(out, '}');
}

void incident_json_event(struct json_out *out, const struct timeline_event *event)
{
    json_open(out, '{');
    json_kv_int(out, "id", event->id);
    json_kv_string(out, "kind", event->kind);
    json_kv_string(out, "class", event->event_class);
    json_kv_time(out, "occurred_at", event->occurred_at_ms);
    json_kv_time(out, "recorded_at", event->recorded_at_ms);
    json_kv_string(out, "actor", event->actor);
    json_kv_string(out, "source", event->source);
    json_kv_string(out, "text", event->text);
    json_key(out, "data");
    json_raw(out, event->data);
    json_close(out, '}');
}

void incident_json_notification(struct json_out *out, const struct outbox_row *row)
{
    /* "sending" is how waiting looks for a moment: nobody outside needs to know */
    const char *state = strcmp(row->state, "sending") == 0 ? "waiting" : row->state;

    json_open(out, '{');
    json_kv_int(out, "id", row->id);
    json_kv_string(out, "receiver", row->receiver);
    json_kv_string(out, "kind", row->kind);
    json_kv_string(out, "reason", row->reason);
    json_kv_string(out, "state", state);
    json_kv_int(out, "attempts", row->attempts);
    json_kv_time(out, "due_at", row->due_at_ms);
    json_kv_time(out, "sent_at", row->sent_at_ms);
    json_kv_string(out, "last_error", row->last_error);
    if (row->digest_id)
        json_kv_int(out, "digest", row->digest_id);
    json_kv_string(out, "incident", row->incident);
    json_close(out, '}');
}

void incident_json_fail(struct http_response *response, int result, const struct err *err)
{
    const char *type = "internal";

    if (result == INCIDENT_DB_E_NOT_FOUND)
        type = "not_found";
    else if (result == INCIDENT_DB_E_NOT_OPEN)
        type = "conflict";
    else if (result == INCIDENT_DB_E_REFUSED)
        type = "bad_data";
    else if (result == INCIDENT_DB_E_LIMIT)
        type = "too_large";
    else if (result == DB_E_FULL)
        type = "unavailable";
    http_fail(response, type, "%s", err->text);
}
