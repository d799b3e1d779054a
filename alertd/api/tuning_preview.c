/*
 * What somebody would have been told: one alert of a setting that is tried, evaluated once more at the
 * instant it fires, in the words of the receivers it would go to. Nobody is told. See tuning.h.
 */

#include <string.h>

#include "alertd/api/rules.h"
#include "alertd/api/tuning.h"
#include "alertd/deliver/preview.h"
#include "alertd/eval/rule_eval.h"
#include "alertd/route/tree.h"
#include "lib/base/clock.h"

enum {
    TEXT_BYTES_MAX = 64 << 10,
    TOLD_MAX = 8,        /* integrations */
    DEADLINE_MS = 10000, /* of one evaluation */
};

struct preview {
    const struct tuning *tuning;
    const struct rule *rule; /* of the setting, without its `for` */
    const struct rule_group *group;
    int64_t at_ms;
    struct labels_builder wanted;
    struct rule_eval_result result;
};

static const char *kind_name(enum route_kind kind)
{
    static const char *const names[] = {"dashboard", "webhook",  "email",     "ntfy",  "command",
                                        "slack",     "telegram", "pagerduty", "oncall"};

    return names[kind];
}

/* --- which alert --- */

int tuning_read_labels(const struct json *body, struct labels_builder *builder, struct err *reterr)
{
    const struct json *labels = NULL;
    const struct json *value = NULL;
    const char *name = NULL;

    if (!json_has(body, "labels"))
        return 0;
    if (json_get_object(body, "labels", &labels, reterr))
        return TUNED_E_BAD;
    for (size_t i = 0; json_member(labels, i, &name, &value); i++) {
        if (!json_text(value))
            return err_set(reterr, TUNED_E_BAD, "labels: expected texts");
        labels_builder_set(builder, name, json_text(value));
    }
    return 0;
}

int tuning_read_at(const struct json *body, int64_t *ret_ms, struct err *reterr)
{
    const char *text = NULL;

    if (json_get_string(body, "at", &text, reterr))
        return TUNED_E_BAD;
    if (clock_parse_rfc3339(text, ret_ms))
        return err_set(reterr, TUNED_E_BAD, "at: expected a time like 2026-11-03T02:10:00Z");
    return 0;
}

static int evaluate(struct preview *preview, struct err *reterr)
{
    const struct tuning *tuning = preview->tuning;
    struct tuned_instant instant;
    const struct source source = tuned_past_at(tuning->api, &tuning->past, preview->at_ms,
                                               &instant);
    const struct promql_limits limits = {.lookback_ms = tuning->api->query_lookback_ms,
                                         .now_fn = clock_mono_ms,
                                         .deadline_ms = clock_mono_ms() + DEADLINE_MS};
    const struct alert_set none = {0};
    struct rule rule = *preview->rule;

    rule.for_ms = rule.keep_firing_for_ms = 0;
    const struct rule_eval eval = {
        .group = preview->group,
        .rule = &rule,
        .rule_id = tuning->tuned.id,
        .source = &source,
        .now_ms = preview->at_ms,
        .limits = &limits,
        .external_url = tuning->api->external_url,
        .alerts = &none,
        .told = tuning->past.told,
    };
    return rule_eval(&eval, &preview->result, reterr) ? TUNED_E_LIMIT : 0;
}

static const struct alert_event *find_event(const struct preview *preview)
{
    for (size_t i = 0; i < preview->result.alerts.n_events; i++) {
        const struct alert_event *event = &preview->result.alerts.events[i];
        bool is_it = event->kind == ALERT_EVENT_FIRING;
        for (size_t k = 0; k < preview->wanted.n && is_it; k++) {
            const char *value = labels_get(event->labels, preview->wanted.pairs[k].name);
            is_it = value && strcmp(value, preview->wanted.pairs[k].value) == 0;
        }
        if (is_it)
            return event;
    }
    return NULL;
}

/* --- in whose words --- */

struct telling {
    const struct api *api;
    struct incident_alert alert;
    struct page page;
    struct json_out *out;
    size_t n;
};

static void tell(struct telling *telling, const struct route_integration *to)
{
    STR_AUTO struct str title = STR_INIT(TEXT_BYTES_MAX);
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX);
    char note[ERR_TEXT_MAX];

    telling->page.receiver = to->receiver;
    telling->page.kind = kind_name(to->kind);
    deliver_preview(to, &telling->page, &title, &text, note);
    json_open(telling->out, '{');
    json_kv_string(telling->out, "receiver", to->receiver);
    json_kv_string(telling->out, "kind", kind_name(to->kind));
    json_kv_string(telling->out, "policy", to->kind == ROUTE_ONCALL ? to->oncall.policy : NULL);
    json_kv_string(telling->out, "title", str_text(&title));
    json_kv_string(telling->out, "text", str_text(&text));
    json_kv_string(telling->out, "note", note[0] ? note : NULL);
    json_close(telling->out, '}');
    telling->n++;
}

static void tell_node(struct telling *telling, const struct route_node *node)
{
    STR_AUTO struct str key = STR_INIT(TEXT_BYTES_MAX);
    const struct labels *group = route_node_group(node, telling->alert.labels);

    route_node_group_key(node, group, &key);
    telling->page.group = telling->page.incident.labels = group;
    telling->page.group_key = telling->page.incident.group_key = str_text(&key);
    for (size_t i = 0; i < node->receiver->n_integrations && telling->n < TOLD_MAX; i++)
        tell(telling, &node->receiver->integrations[i]);
    labels_unref(group);
}

static void write_told(const struct preview *preview,
                       const struct alert_event *event,
                       struct json_out *out)
{
    STR_AUTO struct str title = STR_INIT(TEXT_BYTES_MAX);
    STR_AUTO struct str url = STR_INIT(TEXT_BYTES_MAX);
    const struct api *api = preview->tuning->api;
    const struct route_config *config = atomic_load(&api->route);
    const char *severity = labels_get(event->labels, "severity");
    struct route_walk walk;
    struct telling telling = {.api = api, .out = out};

    incident_title(event->labels, event->annotations, &title);
    str_addf(&url, "%s/i/INC-0000", api->external_url);
    telling.alert = (struct incident_alert){
        .rule_id = event->rule_id,
        .fingerprint = event->fingerprint,
        .name = event->rule_name,
        .expr = event->expr,
        .labels = event->labels,
        .annotations = event->annotations,
        .firing = true,
        .active_at_ms = event->at_ms,
        .fired_at_ms = event->at_ms,
        .value = event->value,
    };
    telling.page = (struct page){
        .incident = {.key = "INC-0000",
                     .title = str_text(&title),
                     .severity = severity ? severity : "",
                     .status = INCIDENT_TRIGGERED,
                     .opened_at_ms = event->at_ms,
                     .began_at_ms = event->at_ms,
                     .n_alerts = 1,
                     .n_firing = 1},
        .alerts = &telling.alert,
        .n_alerts = 1,
        .n_told = 1,
        .reason = "first",
        .idempotency_key = "",
        .root_id = "",
        .now_ms = event->at_ms,
        .owed_at_ms = event->at_ms,
        .incident_url = str_text(&url),
        .external_url = api->external_url,
    };
    route_walk(config, event->labels, &walk);
    for (size_t i = 0; i < walk.n; i++)
        tell_node(&telling, walk.at[i]);
}

static void write_preview(const struct preview *preview,
                          const struct alert_event *event,
                          struct json_out *out)
{
    json_open(out, '{');
    json_kv_time(out, "at", event->at_ms);
    json_kv_float(out, "value", event->value);
    rules_json_labels(out, "labels", event->labels);
    rules_json_labels(out, "annotations", event->annotations);
    json_key(out, "told");
    json_open(out, '[');
    write_told(preview, event, out);
    json_close(out, ']');
    told_json(preview->tuning->past.told, out);
    json_close(out, '}');
}

void tuning_preview(const struct tuning *tuning,
                    const struct json *body,
                    struct http_response *response)
{
    struct preview preview = {.tuning = tuning, .wanted = LABELS_BUILDER_INIT};
    struct split_choice *choices = NULL;
    struct tuned_rule rule = {0};
    struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, 16 << 20);
    int r = tuning_read_at(body, &preview.at_ms, &err);
    if (r == 0)
        r = tuning_read_labels(body, &preview.wanted, &err);
    if (r == 0)
        r = split_expr(tuning->tuned.rule->expr, &arena, &choices, &n, &err);
    if (r == 0 && tuning->choice >= n)
        r = err_set(&err, TUNED_E_BAD, "choice: the rule has %zu things to move", n);
    if (r == 0) {
        const struct split_choice *choice = &choices[tuning->choice];
        r = tuning_rule_of(tuning, choice, tuning->has_setting ? tuning->threshold : choice->now,
                           &rule, &err);
    }
    if (r == 0) {
        preview.group = rule.group;
        preview.rule = rule.rule;
        r = evaluate(&preview, &err);
    }
    const struct alert_event *event = r == 0 ? find_event(&preview) : NULL;
    struct json_out out = JSON_OUT(&response->body);
    if (r == 0 && !event)
        r = err_set(&err, TUNED_E_NOT_FOUND, "at: the rule has no such alert then");
    if (!event)
        tuned_fail(response, tuning->past.told, r, &err);
    else
        write_preview(&preview, event, &out);
    rule_eval_result_done(&preview.result);
    labels_builder_done(&preview.wanted);
    tuned_rule_done(&rule);
    arena_reset(&arena);
}
