/*
 * /api/v1/rules and /api/v1/alerts as Prometheus 3 answers them. Everything comes from the
 * rows that each evaluation commits, so that what is shown is what a restart would know.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/api/prom_call.h"
#include "alertd/api/rules.h"
#include "alertd/promql/promql.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/json/write.h"

/* Go's zero time: what Prometheus says for "never". */
#define NEVER "0001-01-01T00:00:00Z"

enum {
    SELECTORS_MAX = 64,
    TOKEN_BYTES = 17,
    FILTER_BYTES_MAX = 64 * 1024 * 1024,
    PARSE_BYTES_MAX = 64 * 1024 * 1024, /* of one expression */
    EXPR_BYTES_MAX = 1024 * 1024,
};

struct selector {
    const struct matcher *matchers;
    size_t n;
};

/* Which of the rules are asked for. */
struct filter {
    const struct http_request *request;
    struct arena *arena;
    const char *type; /* "alert", "record", NULL */
    bool without_alerts;
    struct selector selectors[SELECTORS_MAX];
    size_t n_selectors;
    size_t max_groups; /* 0: all */
    const char *token; /* of the first group; NULL: from the beginning */
};

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

/* As Prometheus prints it; a text that an older version let in stays as it is. */
static void kv_query(struct json_out *out, const char *text)
{
    STR_AUTO struct str printed = STR_INIT(EXPR_BYTES_MAX);
    ARENA_AUTO struct arena arena; /* this expression's alone: there may be many rules */
    struct promql_expr *expr = NULL;

    arena_init(&arena, PARSE_BYTES_MAX);
    if (promql_parse(&arena, text, &expr, NULL) == 0)
        promql_print(expr, &printed);
    json_kv_string(out, "query", printed.len && !printed.full ? str_text(&printed) : text);
}

static void add_alerting(struct json_out *out,
                         const struct rule_row *rule,
                         const struct alert_set *alerts,
                         const struct filter *filter)
{
    json_kv_string(out, "state", alert_state_name(rules_state(alerts)));
    json_kv_string(out, "name", rule->name);
    kv_query(out, rule->expr);
    json_kv_float(out, "duration", (double)rule->for_ms / 1000);
    json_kv_float(out, "keepFiringFor", (double)rule->keep_firing_for_ms / 1000);
    rules_json_labels(out, "labels", rule->labels);
    rules_json_labels(out, "annotations", rule->annotations);
    json_key(out, "alerts");
    if (filter->without_alerts) {
        json_null(out);
        return;
    }
    json_open(out, '[');
    add_alerts(out, alerts);
    json_close(out, ']');
}

/* The last three are not Prometheus': vmalert's names for what was read, and the place. */
static void add_health(struct json_out *out, const struct rule_row *rule)
{
    json_kv_string(out, "health", rule->health);
    if (rule->last_error) {
        json_kv_string(out, "lastError", rule->last_error);
        json_key(out, "lastErrorPosition");
        rules_json_place(out, rule);
    }
    json_kv_float(out, "evaluationTime", (double)rule->evaluation_us / 1e6);
    kv_time(out, "lastEvaluation", rule->last_evaluation_ms);
    json_kv_string(out, "type", rule->is_recording ? "recording" : "alerting");
    json_kv_int(out, "lastSamples", rule->samples);
    json_kv_int(out, "lastSeriesFetched", rule->series);
}

static void add_rule(struct json_out *out,
                     const struct filter *filter,
                     const struct rule_row *rule,
                     const struct alert_set *alerts)
{
    json_open(out, '{');
    if (rule->is_recording) {
        json_kv_string(out, "name", rule->name);
        kv_query(out, rule->expr);
        if (rule->labels->n)
            rules_json_labels(out, "labels", rule->labels);
    } else {
        add_alerting(out, rule, alerts, filter);
    }
    add_health(out, rule);
    json_close(out, '}');
}

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

/* match[]: any of the selectors agrees with the labels as the rule has them, templates not
 * expanded. */
static bool labels_wanted(const struct filter *filter, const struct labels *labels)
{
    for (size_t i = 0; i < filter->n_selectors; i++)
        if (matchers_match(filter->selectors[i].matchers, filter->selectors[i].n, labels))
            return true;
    return filter->n_selectors == 0;
}

static bool rule_wanted(const struct filter *filter, const struct rule_row *rule)
{
    if (filter->type && strcmp(filter->type, rule->is_recording ? "record" : "alert") != 0)
        return false;
    return wanted(filter, "rule_name[]", rule->name) && labels_wanted(filter, rule->labels);
}

/* A group of which the filters leave nothing is not told of. */
static bool group_wanted(const struct filter *filter, const struct rule_group_row *group)
{
    if (!wanted(filter, "rule_group[]", group->name) || !wanted(filter, "file[]", group->source))
        return false;
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
            add_rule(out, filter, &group->rules[i], &alerts[i]);
    json_close(out, ']');
    json_kv_float(out, "interval", (double)group->interval_ms / 1000);
    json_kv_int(out, "limit", group->limit);
    json_kv_float(out, "evaluationTime", (double)group->evaluation_us / 1e6);
    kv_time(out, "lastEvaluation", group->last_evaluation_ms);
    json_close(out, '}');
}

/* --- Parameters --- */

static bool read_type(struct filter *filter, struct http_response *response)
{
    static const char *const types[] = {"alert", "record"};
    const char *text = http_query(filter->request, "type");

    if (!text || !*text)
        return true;
    for (size_t i = 0; i < 2; i++)
        if (strcasecmp(text, types[i]) == 0)
            filter->type = types[i];
    if (filter->type)
        return true;
    http_fail(response, "bad_data", "invalid parameter \"type\": not supported value \"%.40s\"",
              text);
    return false;
}

/* The words Go reads as a truth value. */
static bool read_exclude(struct filter *filter, struct http_response *response)
{
    static const char *const words[] = {"1", "t", "true", "0", "f", "false"};
    const char *text = http_query(filter->request, "exclude_alerts");

    if (!text || !*text)
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(text, words[i]) == 0) {
            filter->without_alerts = i < 3;
            return true;
        }
    http_fail(response, "bad_data",
              "invalid parameter \"exclude_alerts\": error converting exclude_alerts: "
              "\"%.40s\" is neither true nor false",
              text);
    return false;
}

static bool read_selectors(struct filter *filter, struct http_response *response)
{
    const char *text;
    struct err err = {0};

    while ((text = http_query_at(filter->request, "match[]", filter->n_selectors))) {
        struct selector *selector = &filter->selectors[filter->n_selectors];

        if (filter->n_selectors == SELECTORS_MAX)
            return prom_call_refuse(response, "match[]", "too many selectors");
        if (promql_parse_selector(filter->arena, text, &selector->matchers, &selector->n, &err)) {
            http_fail(response, "bad_data", "invalid parameter \"match[]\": %u:%u: parse error: %s",
                      err.line, err.column, err.text);
            return false;
        }
        filter->n_selectors++;
    }
    return true;
}

static bool read_page(struct filter *filter, struct http_response *response)
{
    const char *limit = http_query(filter->request, "group_limit");
    const char *token = http_query(filter->request, "group_next_token");
    char *end = NULL;

    if (limit && *limit) {
        long long n = strtoll(limit, &end, 10);

        if (*end || n > INT32_MAX)
            return prom_call_refuse(response, "group_limit",
                                    "group_limit needs to be a valid number");
        if (n <= 0)
            return prom_call_refuse(response, "group_limit",
                                    "group_limit needs to be greater than 0");
        filter->max_groups = (size_t)n;
    }
    if (!token || !*token)
        return true;
    if (!filter->max_groups)
        return prom_call_refuse(
            response, "group_limit",
            "group_limit needs to be present in order to paginate over the groups");
    filter->token = token;
    return true;
}

/* --- Pages --- */

/* Where the next page begins: a name for the group that survives other groups' coming and
 * going. */
static void token_of(const struct rule_group_row *group, char *ret_token)
{
    uint64_t hash = labels_hash_text(labels_hash_text(0, group->source), group->name);

    (void)snprintf(ret_token, TOKEN_BYTES, "%016llx", (unsigned long long)hash);
}

/* Index of the page's first group; n_groups when there is none. */
static size_t first_of_page(const struct filter *filter, const struct rules_snapshot *snapshot)
{
    char token[TOKEN_BYTES];
    size_t i = 0;

    for (; filter->token && i < snapshot->n_groups; i++) {
        token_of(&snapshot->groups[i], token);
        if (strcmp(token, filter->token) == 0)
            break;
    }
    return i;
}

static void add_page(struct json_out *out,
                     const struct filter *filter,
                     const struct rules_snapshot *snapshot)
{
    size_t left = filter->max_groups ? filter->max_groups : SIZE_MAX;
    size_t i = first_of_page(filter, snapshot);
    char token[TOKEN_BYTES];

    json_open(out, '{');
    json_key(out, "groups");
    json_open(out, '[');
    for (; i < snapshot->n_groups; i++) {
        if (!group_wanted(filter, &snapshot->groups[i]))
            continue;
        if (left-- == 0)
            break;
        add_group(out, filter, &snapshot->groups[i], snapshot->alerts[i]);
    }
    json_close(out, ']');
    if (i < snapshot->n_groups) {
        token_of(&snapshot->groups[i], token);
        json_kv_string(out, "groupNextToken", token);
    }
    json_close(out, '}');
}

void prom_rules_get(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct filter filter = {.request = request};
    struct rules_snapshot snapshot;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, FILTER_BYTES_MAX);
    filter.arena = &arena;
    if (!read_type(&filter, response) || !read_exclude(&filter, response) ||
        !read_selectors(&filter, response) || !read_page(&filter, response) ||
        !rules_snapshot_take(context, &snapshot, response))
        return;
    if (filter.token && first_of_page(&filter, &snapshot) == snapshot.n_groups) {
        http_fail(response, "bad_data",
                  "invalid parameter \"group_next_token\": invalid group_next_token '%.40s'. were "
                  "rule groups changed?",
                  filter.token);
    } else {
        json_open(&out, '{');
        json_kv_string(&out, "status", "success");
        json_key(&out, "data");
        add_page(&out, &filter, &snapshot);
        json_close(&out, '}');
    }
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
