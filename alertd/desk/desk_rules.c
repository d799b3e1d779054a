/*
 * A drill's rules and alerts, as Prometheus' API says them.
 */

#include "alertd/alert/set.h"
#include "alertd/desk/private.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"

static void write_alert(struct json_out *out, const struct alert_entry *entry)
{
    char at[CLOCK_TEXT_MAX];
    char value[FLOAT_TEXT_MAX];

    (void)float_exponent(entry->value, value);
    json_open(out, '{');
    desk_labels(out, "labels", entry->labels);
    desk_labels(out, "annotations", entry->annotations);
    json_kv_string(out, "state", alert_state_name(entry->alert.state));
    json_kv_string(out, "activeAt", clock_rfc3339(entry->alert.active_at_ms, at));
    json_kv_string(out, "value", value);
    json_close(out, '}');
}

static void write_active(struct json_out *out, const struct alert_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->at[i].alert.state != ALERT_INACTIVE)
            write_alert(out, &set->at[i]);
}

static void write_texts(struct json_out *out,
                        const char *key,
                        const struct rule_text *texts,
                        size_t n)
{
    json_key(out, key);
    json_open(out, '{');
    for (size_t i = 0; i < n; i++)
        json_kv_string(out, texts[i].name, texts[i].text);
    json_close(out, '}');
}

static const char *state_of(const struct alert_set *set)
{
    enum alert_state furthest = ALERT_INACTIVE;

    for (size_t i = 0; i < set->n; i++)
        if (set->at[i].alert.state > furthest)
            furthest = set->at[i].alert.state;
    return alert_state_name(furthest);
}

static void write_rule(struct json_out *out, const struct drill_rule_now *now)
{
    const struct rule *rule = now->rule;

    json_open(out, '{');
    if (rule->is_alert)
        json_kv_string(out, "state", state_of(now->alerts));
    json_kv_string(out, "name", rule->name);
    json_kv_string(out, "query", rule->expr_text);
    write_texts(out, "labels", rule->labels, rule->n_labels);
    if (rule->is_alert) {
        json_kv_float(out, "duration", (double)rule->for_ms / 1000);
        json_kv_float(out, "keepFiringFor", (double)rule->keep_firing_for_ms / 1000);
        write_texts(out, "annotations", rule->annotations, rule->n_annotations);
        json_key(out, "alerts");
        json_open(out, '[');
        write_active(out, now->alerts);
        json_close(out, ']');
    }
    json_kv_string(out, "health", now->is_broken ? "err" : "ok");
    json_kv_string(out, "type", rule->is_alert ? "alerting" : "recording");
    json_close(out, '}');
}

static void open_group(struct json_out *out, const struct rule_group *group)
{
    json_open(out, '{');
    json_kv_string(out, "name", group->name);
    json_kv_string(out, "file", "");
    json_kv_float(out, "interval", (double)group->interval_ms / 1000);
    json_key(out, "rules");
    json_open(out, '[');
}

void desk_rules(struct desk *desk, struct json_out *out)
{
    const struct rule_group *group = NULL;
    struct drill_rule_now now;

    json_open(out, '{');
    json_key(out, "groups");
    json_open(out, '[');
    for (size_t i = 0; drill_world_rule(desk->world, i, &now); i++) {
        if (group != now.group) {
            if (group) {
                json_close(out, ']');
                json_close(out, '}');
            }
            open_group(out, now.group);
        }
        group = now.group;
        write_rule(out, &now);
    }
    if (group) {
        json_close(out, ']');
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

void desk_alerts(struct desk *desk, struct json_out *out)
{
    struct drill_rule_now now;

    json_open(out, '{');
    json_key(out, "alerts");
    json_open(out, '[');
    for (size_t i = 0; drill_world_rule(desk->world, i, &now); i++)
        write_active(out, now.alerts);
    json_close(out, ']');
    json_close(out, '}');
}
