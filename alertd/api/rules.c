/*
 * The calls about rules: Prometheus' in prom_rules.c, ours here.
 */

#include "alertd/api/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/rules_import.h"
#include "alertd/db/alert_db.h"
#include "alertd/rule/group.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    SNAPSHOT_BYTES_MAX = 256 * 1024 * 1024
};

/* --- one look at everything --- */

static int load_alerts(struct db_conn *conn, struct rules_snapshot *snapshot, struct err *err)
{
    int r = 0;

    snapshot->alerts = arena_array(&snapshot->arena, snapshot->n_groups, sizeof(*snapshot->alerts));
    if (!snapshot->alerts)
        return err_set(err, RULE_DB_E_LIMIT, "too many rules to show at once");
    for (size_t g = 0; r == 0 && g < snapshot->n_groups; g++) {
        const struct rule_group_row *group = &snapshot->groups[g];

        snapshot->alerts[g] = arena_array(&snapshot->arena, group->n_rules,
                                          sizeof(**snapshot->alerts));
        if (!snapshot->alerts[g])
            return err_set(err, RULE_DB_E_LIMIT, "too many rules to show at once");
        for (size_t i = 0; r == 0 && i < group->n_rules; i++)
            if (!group->rules[i].is_recording)
                r = alert_db_load(conn, group->rules[i].id, &snapshot->alerts[g][i], err);
    }
    return r;
}

bool rules_snapshot_take(const struct api *api,
                         struct rules_snapshot *ret_snapshot,
                         struct http_response *response)
{
    struct rules_snapshot snapshot = {0};
    struct db_conn *conn;
    struct err err = {0};
    int r = db_read_begin(api->state, &conn, &err);

    arena_init(&snapshot.arena, SNAPSHOT_BYTES_MAX);
    if (r == 0) {
        r = rule_db_list(conn, clock_wall_ms(), &snapshot.arena, &snapshot.groups,
                         &snapshot.n_groups, &err);
        if (r == 0)
            r = load_alerts(conn, &snapshot, &err);
        db_read_end(api->state, conn);
    }
    if (r) {
        rules_snapshot_done(&snapshot);
        http_fail(response, r == RULE_DB_E_LIMIT ? "too_large" : "internal", "%s", err.text);
        return false;
    }
    *ret_snapshot = snapshot;
    return true;
}

void rules_snapshot_done(struct rules_snapshot *snapshot)
{
    for (size_t g = 0; snapshot->alerts && g < snapshot->n_groups; g++)
        for (size_t i = 0; snapshot->alerts[g] && i < snapshot->groups[g].n_rules; i++)
            alert_set_done(&snapshot->alerts[g][i]);
    arena_reset(&snapshot->arena);
}

enum alert_state rules_state(const struct alert_set *alerts)
{
    if (alert_set_count(alerts, ALERT_FIRING))
        return ALERT_FIRING;
    return alert_set_count(alerts, ALERT_PENDING) ? ALERT_PENDING : ALERT_INACTIVE;
}

void rules_json_labels(struct json_out *out, const char *name, const struct labels *labels)
{
    json_key(out, name);
    json_open(out, '{');
    for (uint32_t i = 0; i < labels->n; i++)
        json_kv_string(out, labels->at[i].name, labels->at[i].value);
    json_close(out, '}');
}

static void kv_number(struct json_out *out, const char *name, unsigned number)
{
    json_key(out, name);
    if (number)
        json_int(out, number);
    else
        json_null(out);
}

void rules_json_place(struct json_out *out, const struct rule_row *rule)
{
    const struct rule_db_place *place = &rule->error_place;

    json_open(out, '{');
    json_kv_string(out, "file", rule->source);
    kv_number(out, "line", place->line);
    kv_number(out, "column", place->column);
    kv_number(out, "expr_line", place->expr_line);
    kv_number(out, "expr_column", place->expr_column);
    json_close(out, '}');
}

/* --- GET .../rules --- */

static void add_rule_members(struct json_out *out,
                             const struct rule_row *rule,
                             const struct alert_set *alerts)
{
    json_kv_int(out, "id", rule->id);
    json_kv_string(out, "name", rule->name);
    json_kv_string(out, "type", rule->is_recording ? "recording" : "alerting");
    json_kv_string(out, "expr", rule->expr);
    json_kv_int(out, "for_ms", rule->for_ms);
    json_kv_int(out, "keep_firing_for_ms", rule->keep_firing_for_ms);
    rules_json_labels(out, "labels", rule->labels);
    rules_json_labels(out, "annotations", rule->annotations);
    json_kv_string(out, "state", alert_state_name(rules_state(alerts)));
    json_kv_string(out, "health", rule->health);
    json_kv_string(out, "last_error", rule->last_error);
    json_key(out, "last_error_at");
    if (rule->last_error)
        rules_json_place(out, rule);
    else
        json_null(out);
    json_kv_time(out, "last_evaluation", rule->last_evaluation_ms);
    json_kv_float(out, "evaluation_ms", (double)rule->evaluation_us / 1000);
    json_kv_int(out, "samples", rule->samples);
    json_kv_int(out, "series", rule->series);
    json_kv_int(out, "version", rule->version);
    json_kv_int(out, "n_firing", (int64_t)alert_set_count(alerts, ALERT_FIRING));
    json_kv_int(out, "n_pending", (int64_t)alert_set_count(alerts, ALERT_PENDING));
    json_kv_int(out, "fired_30d", rule->fired_30d);
}

/* As bad as its worst rule. */
static const char *health_of(const struct rule_group_row *group)
{
    const char *health = "ok";

    for (size_t i = 0; i < group->n_rules; i++) {
        if (strcmp(group->rules[i].health, "err") == 0)
            return "err";
        if (strcmp(group->rules[i].health, "unknown") == 0)
            health = "unknown";
    }
    return health;
}

static void get_rules(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct rules_snapshot snapshot;

    (void)request;
    if (!rules_snapshot_take(context, &snapshot, response))
        return;
    json_open(&out, '{');
    json_key(&out, "groups");
    json_open(&out, '[');
    for (size_t g = 0; g < snapshot.n_groups; g++) {
        const struct rule_group_row *group = &snapshot.groups[g];

        json_open(&out, '{');
        json_kv_string(&out, "name", group->name);
        json_kv_string(&out, "source", group->source);
        json_kv_int(&out, "interval_ms", group->interval_ms);
        json_kv_int(&out, "limit", group->limit);
        json_kv_time(&out, "last_evaluation", group->last_evaluation_ms);
        json_kv_float(&out, "evaluation_ms", (double)group->evaluation_us / 1000);
        json_kv_string(&out, "health", health_of(group));
        json_key(&out, "rules");
        json_open(&out, '[');
        for (size_t i = 0; i < group->n_rules; i++) {
            json_open(&out, '{');
            add_rule_members(&out, &group->rules[i], &snapshot.alerts[g][i]);
            json_close(&out, '}');
        }
        json_close(&out, ']');
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
    rules_snapshot_done(&snapshot);
}

/* --- GET .../rules/{id} --- */

struct one_rule {
    struct arena arena;
    struct rule_row rule;
    struct alert_set alerts;
    struct rule_version_row *versions;
    size_t n_versions;
    struct rule_history history;
};

static int read_one(const struct api *api, int64_t id, struct one_rule *one, struct err *err)
{
    struct db_conn *conn;
    int r = db_read_begin(api->state, &conn, err);

    if (r)
        return r;
    r = rule_db_get(conn, id, clock_wall_ms(), &one->arena, &one->rule, err);
    if (r == 0)
        r = rule_db_versions(conn, id, &one->arena, &one->versions, &one->n_versions, err);
    if (r == 0)
        r = alert_db_load(conn, id, &one->alerts, err);
    db_read_end(api->state, conn);
    return r;
}

/* The flight recorder, newest first. */
static void add_history(struct json_out *out, const struct rule_history *history)
{
    const struct rule_past *past;

    json_key(out, "evaluations");
    json_open(out, '[');
    for (size_t i = 0; (past = rule_history_at(history, i)); i++) {
        json_open(out, '{');
        json_kv_time(out, "at", past->at_ms);
        json_kv_float(out, "duration_ms", (double)past->duration_us / 1000);
        json_kv_int(out, "samples", (int64_t)past->samples);
        json_kv_int(out, "series", (int64_t)past->series);
        json_kv_int(out, "results", (int64_t)past->results);
        json_kv_string(out, "error", past->error);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void add_one(struct json_out *out, const struct one_rule *one)
{
    json_open(out, '{');
    add_rule_members(out, &one->rule, &one->alerts);
    add_history(out, &one->history);
    json_key(out, "versions");
    json_open(out, '[');
    for (size_t i = 0; i < one->n_versions; i++) {
        json_open(out, '{');
        json_kv_int(out, "version", one->versions[i].version);
        json_kv_time(out, "at", one->versions[i].created_at_ms);
        json_kv_string(out, "source", one->versions[i].source);
        json_kv_string(out, "author", one->versions[i].author);
        json_kv_string(out, "yaml", one->versions[i].yaml);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

static void get_rule(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct one_rule one = {0};
    struct err err = {0};
    char *end = NULL;

    errno = 0;
    long long id = strtoll(request->path_args[0], &end, 10);
    if (errno || *end || id < 1) {
        http_fail(response, "not_found", "there is no rule \"%.40s\"", request->path_args[0]);
        return;
    }
    arena_init(&one.arena, SNAPSHOT_BYTES_MAX);
    int r = read_one(api, id, &one, &err);
    (void)(r == 0 && api->rule_history(api->app, id, &one.history));
    if (r == 0)
        add_one(&out, &one);
    else
        http_fail(response, r == RULE_DB_E_NOT_FOUND ? "not_found" : "internal", "%s", err.text);
    rule_history_done(&one.history);
    alert_set_done(&one.alerts);
    arena_reset(&one.arena);
}

/* --- POST .../rules/import, GET .../rules/export --- */

static void import_rules(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    struct api *api = context;
    const char *source = http_query(request, "source");
    struct rules_import_file file = {source && *source ? source : "api", request->body,
                                     request->body_len};
    struct json_out out = JSON_OUT(&response->body);
    struct rule_db_counts counts;
    struct err err = {0};
    int r = rules_import(api->state, &file, 1, request->who.name, clock_wall_ms(), &counts, &err);

    if (r) {
        http_fail(response, r == RULES_IMPORT_E_FILE ? "bad_data" : "internal", "%s", err.text);
        return;
    }
    api->wake(api->app, API_WAKE_RULES);
    http_hub_publish(api->hub, "rules", "{}");
    json_open(&out, '{');
    json_kv_int(&out, "groups", (int64_t)counts.groups);
    json_kv_int(&out, "rules", (int64_t)counts.rules);
    json_kv_int(&out, "changed", (int64_t)counts.changed);
    json_kv_int(&out, "removed", (int64_t)counts.removed);
    json_close(&out, '}');
}

static int read_files(const struct api *api,
                      struct arena *arena,
                      struct rule_db_file **ret_files,
                      size_t *ret_n,
                      struct err *err)
{
    struct db_conn *conn;
    int r = db_read_begin(api->state, &conn, err);

    if (r)
        return r;
    r = rule_db_files(conn, arena, ret_files, ret_n, err);
    db_read_end(api->state, conn);
    return r;
}

/* Nothing was chosen: which files there are. */
static void tell_sources(const struct rule_db_file *stored,
                         size_t n,
                         const struct rule_export_choice *choice,
                         struct http_response *response)
{
    STR_AUTO struct str known = STR_INIT(300);

    for (size_t i = 0; i < n; i++)
        str_addf(&known, "%s%s", i ? ", " : "", stored[i].source);
    http_fail(response, "not_found", "there is no %s \"%.100s\"%s%.100s%s; files: %s",
              choice->group ? "group" : "rule file", choice->group ? choice->group : choice->source,
              choice->group && choice->source ? " in \"" : "",
              choice->group && choice->source ? choice->source : "",
              choice->group && choice->source ? "\"" : "", str_text(&known));
}

static void export_rules(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    const struct rule_export_choice choice = {http_query(request, "source"),
                                              http_query(request, "group")};
    ARENA_AUTO struct arena arena;
    struct rule_db_file *stored = NULL;
    struct rule_file **files;
    struct err err = {0};
    size_t n = 0;
    size_t n_parsed = 0;

    arena_init(&arena, SNAPSHOT_BYTES_MAX);
    int r = read_files(context, &arena, &stored, &n, &err);
    files = mem_zalloc(n * sizeof(*files));
    for (; r == 0 && n_parsed < n; n_parsed++)
        r = rule_file_parse(stored[n_parsed].source, stored[n_parsed].yaml,
                            strlen(stored[n_parsed].yaml), NULL, &files[n_parsed], &err);
    if (r) {
        http_fail(response, "internal", "%s", err.text);
    } else if (rule_export((const struct rule_file *const *)files, n, &choice, &response->body) ||
               (!choice.source && !choice.group)) {
        response->content_type = "application/yaml";
    } else {
        str_cut(&response->body, 0);
        tell_sources(stored, n, &choice, response);
    }
    for (size_t i = 0; i < n; i++)
        rule_file_unref(files[i]);
    free(files);
}

static const struct http_route routes[] = {
    {"GET", "/api/v1/rules", HTTP_SCOPE_READ, 0, prom_rules_get, "rules, as Prometheus"},
    {"GET", "/api/v1/alerts", HTTP_SCOPE_READ, 0, prom_alerts_get, "pending and firing alerts"},
    {"GET", "/api/alertd/v1/rules", HTTP_SCOPE_READ, 0, get_rules, "groups and rules with state"},
    {"POST", "/api/alertd/v1/rules/import", HTTP_SCOPE_ADMIN, HTTP_BIG_BODY, import_rules,
     "take over a Prometheus rule file"},
    {"GET", "/api/alertd/v1/rules/export", HTTP_SCOPE_READ, 0, export_rules, "rules as YAML"},
    {"GET", "/api/alertd/v1/rules/{id}", HTTP_SCOPE_READ, 0, get_rule, "one rule, its versions"},
};

const struct api_table api_rules_routes = {routes, sizeof(routes) / sizeof(routes[0])};
