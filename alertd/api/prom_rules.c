/*
 * /api/v1/rules and /api/v1/alerts as Prometheus 3 answers them. Everything comes from the
 * rows that each evaluation commits, so that what is shown is what a restart would know.
 */

#include <string.h>

#include "alertd/api/rules.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/json/write.h"

/* Go's zero time: what Prometheus says for "never". */
#define NEVER "0001-01-01T00:00:00Z"

static void kv_time(struct json_out *out, const char *name, int64_t at_ms)
{
    char text[CLOCK_TEXT_MAX];

    json_kv_string(out, name, at_ms ? clock_rfc3339(at_ms, text) : NEVER);
}

static void kv_alert_value(struct json_out *out, double value)
{
    char text[FLOAT_TEXT_MAX];

    (void)float_exponent(value, text);
    json_kv_string(out, "value", text);
}

static void add_alert(struct json_out *out, const struct alert_entry *entry)
{
    json_open(out, '{');
    rules_json_labels(out, "labels", entry->labels);
    rules_json_labels(out, "annotations", entry->annotations);
    json_kv_string(out, "state", alert_state_name(entry->alert.state));
    kv_time(out, "activeAt", entry->alert.active_at_ms);
    if (entry->alert.keep_firing_since_ms != ALERT_NEVER)
        kv_time(out, "keepFiringSince", entry->alert.keep_firing_since_ms);
    kv_alert_value(out, entry->value);
    json_close(out, '}');
}

/* Pending and firing ones; resolved alerts are remembered, and not shown here. */
static void add_alerts(struct json_out *out, const struct alert_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->at[i].alert.state != ALERT_INACTIVE)
            add_alert(out, &set->at[i]);
}

static void add_alerting(struct json_out *out,
                         const struct rule_row *rule,
                         const struct alert_set *alerts,
                         bool with_alerts)
{
    json_kv_string(out, "state", alert_state_name(rules_state(alerts)));
    json_kv_string(out, "name", rule->name);
    json_kv_string(out, "query", rule->expr);
    json_kv_float(out, "duration", (double)rule->for_ms / 1000);
    json_kv_float(out, "keepFiringFor", (double)rule->keep_firing_for_ms / 1000);
    rules_json_labels(out, "labels", rule->labels);
    rules_json_labels(out, "annotations", rule->annotations);
    json_key(out, "alerts");
    json_open(out, '[');
    if (with_alerts)
        add_alerts(out, alerts);
    json_close(out, ']');
}

static void add_rule(struct json_out *out,
                     const struct rule_row *rule,
                     const struct alert_set *alerts,
                     bool with_alerts)
{
    json_open(out, '{');
    if (rule->is_recording) {
        json_kv_string(out, "name", rule->name);
        json_kv_string(out, "query", rule->expr);
        if (rule->labels->n)
            rules_json_labels(out, "labels", rule->labels);
    } else {
        add_alerting(out, rule, alerts, with_alerts);
    }
    json_kv_string(out, "health", rule->health);
    if (rule->last_error)
        json_kv_string(out, "lastError", rule->last_error);
    json_kv_float(out, "evaluationTime", (double)rule->evaluation_us / 1e6);
    kv_time(out, "lastEvaluation", rule->last_evaluation_ms);
    json_kv_string(out, "type", rule->is_recording ? "recording" : "alerting");
    json_close(out, '}');
}

struct filter {
    const struct http_request *request;
    const char *type; /* "alert", "record", NULL */
    bool without_alerts;
};

/* No such parameter, or one of them says `text`. */
static bool wanted(const struct filter *filter, const char *parameter, const char *text)
{
    const char *value = http_query_at(filter->request, parameter, 0);

    if (!value)
        return true;
    for (size_t i = 1; value; i++) {
        if (strcmp(value, text) == 0)
            return true;
        value = http_query_at(filter->request, parameter, i);
    }
    return false;
}

static bool rule_wanted(const struct filter *filter, const struct rule_row *rule)
{
    if (filter->type && strcmp(filter->type, rule->is_recording ? "record" : "alert") != 0)
        return false;
    return wanted(filter, "rule_name[]", rule->name);
}

static bool any_rule_wanted(const struct filter *filter, const struct rule_group_row *group)
{
    for (size_t i = 0; i < group->n_rules; i++)
        if (rule_wanted(filter, &group->rules[i]))
            return true;
    return false;
}

static void add_group(struct json_out *out,
                      const struct filter *filter,
                      const struct rule_group_row *group,
                      const struct alert_set *alerts)
{
    json_open(out, '{');
    json_kv_string(out, "name", group->name);
    json_kv_string(out, "file", group->source);
    json_key(out, "rules");
    json_open(out, '[');
    for (size_t i = 0; i < group->n_rules; i++)
        if (rule_wanted(filter, &group->rules[i]))
            add_rule(out, &group->rules[i], &alerts[i], !filter->without_alerts);
    json_close(out, ']');
    json_kv_float(out, "interval", (double)group->interval_ms / 1000);
    json_kv_int(out, "limit", 0);
    json_kv_float(out, "evaluationTime", (double)group->evaluation_us / 1e6);
    kv_time(out, "lastEvaluation", group->last_evaluation_ms);
    json_close(out, '}');
}

void prom_rules_get(void *context, struct http_request *request, struct http_response *response)
{
    const char *exclude = http_query(request, "exclude_alerts");
    struct filter filter = {
        .request = request,
        .type = http_query(request, "type"),
        .without_alerts = exclude && strcmp(exclude, "true") == 0,
    };
    struct json_out out = JSON_OUT(&response->body);
    struct rules_snapshot snapshot;

    if (filter.type && !*filter.type)
        filter.type = NULL;
    if (filter.type && strcmp(filter.type, "alert") != 0 && strcmp(filter.type, "record") != 0) {
        http_fail(response, "bad_data", "type: expected alert or record, got \"%.40s\"",
                  filter.type);
        return;
    }
    if (!rules_snapshot_take(context, &snapshot, response))
        return;
    json_open(&out, '{');
    json_kv_string(&out, "status", "success");
    json_key(&out, "data");
    json_open(&out, '{');
    json_key(&out, "groups");
    json_open(&out, '[');
    for (size_t i = 0; i < snapshot.n_groups; i++)
        if (wanted(&filter, "rule_group[]", snapshot.groups[i].name) &&
            wanted(&filter, "file[]", snapshot.groups[i].source) &&
            any_rule_wanted(&filter, &snapshot.groups[i]))
            add_group(&out, &filter, &snapshot.groups[i], snapshot.alerts[i]);
    json_close(&out, ']');
    json_close(&out, '}');
    json_close(&out, '}');
    rules_snapshot_done(&snapshot);
}

void prom_alerts_get(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct rules_snapshot snapshot;

    (void)request;
    if (!rules_snapshot_take(context, &snapshot, response))
        return;
    json_open(&out, '{');
    json_kv_string(&out, "status", "success");
    json_key(&out, "data");
    json_open(&out, '{');
    json_key(&out, "alerts");
    json_open(&out, '[');
    for (size_t i = 0; i < snapshot.n_groups; i++)
        for (size_t rule = 0; rule < snapshot.groups[i].n_rules; rule++)
            add_alerts(&out, &snapshot.alerts[i][rule]);
    json_close(&out, ']');
    json_close(&out, '}');
    json_close(&out, '}');
    rules_snapshot_done(&snapshot);
}
