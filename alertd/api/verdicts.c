/*
 * What people say a page was worth: said about an incident, listed for whoever tunes rules.
 */

#include "alertd/api/verdicts.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/api/api.h"
#include "alertd/api/incident_json.h"
#include "alertd/api/incidents.h"
#include "alertd/db/incident_db.h"
#include "lib/base/clock.h"
#include "lib/json/read.h"

enum {
    READ_BYTES_MAX = 32 * 1024 * 1024,
    LIST_MAX = 10000,
    RULE_BYTES_MAX = 1000,
};

void verdict_json(struct json_out *out, const struct verdict_row *row)
{
    json_open(out, '{');
    json_kv_int(out, "id", row->id);
    json_kv_string(out, "incident", row->incident);
    json_kv_time(out, "opened_at", row->opened_at_ms);
    json_kv_time(out, "resolved_at", row->resolved_at_ms);
    json_key(out, "labels");
    json_raw(out, row->labels);
    json_key(out, "rules");
    json_raw(out, row->rules);
    json_key(out, "notification");
    if (row->outbox_id)
        json_int(out, row->outbox_id);
    else
        json_null(out);
    json_kv_string(out, "actor", row->actor);
    json_kv_string(out, "verdict", verdict_name(row->verdict));
    json_kv_string(out, "reason", row->reason);
    json_kv_time(out, "at", row->at_ms);
    json_kv_string(out, "via", row->via);
    json_kv_bool(out, "counts", row->counts);
    json_close(out, '}');
}

/* --- POST .../incidents/{key}/verdict --- */

struct saying {
    struct verdict_deed deed;
    bool changed;
};

static int job_say(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct saying *saying = arg;

    return verdict_db_say(conn, &saying->deed, &saying->changed, reterr);
}

/* False when the reply is an error already. */
static bool read_saying(const struct json *body,
                        struct verdict_deed *deed,
                        struct http_response *response)
{
    static const char *const known[] = {"verdict", "reason", "notification", NULL};
    const char *verdict = NULL;
    struct err err = {0};

    if (!json_is_object(body)) {
        http_fail(response, "bad_data", "the body: expected an object");
        return false;
    }
    if (json_only(body, known, &err) || json_get_string_or(body, "verdict", NULL, &verdict, &err) ||
        json_get_string_or(body, "reason", NULL, &deed->reason, &err) ||
        json_get_int_or(body, "notification", 0, &deed->outbox_id, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return false;
    }
    deed->verdict = verdict_parse(verdict);
    if (deed->verdict == VERDICT_NONE) {
        http_fail(response, "bad_data", "verdict: expected useful, noise or unknown");
        return false;
    }
    if (deed->reason && (strlen(deed->reason) > VERDICT_REASON_BYTES_MAX ||
                         !labels_text_ok(deed->reason, strlen(deed->reason)))) {
        http_fail(response, "bad_data", "reason: at most %d bytes of text",
                  VERDICT_REASON_BYTES_MAX);
        return false;
    }
    return true;
}

static int read_rows(struct db_conn *conn,
                     const void *query,
                     struct arena *arena,
                     void **ret_rows,
                     size_t *ret_n,
                     struct err *reterr)
{
    struct verdict_row *rows = NULL;
    int r = verdict_db_list(conn, query, arena, &rows, ret_n, reterr);

    *ret_rows = rows;
    return r;
}

static void write_row(struct json_out *out, const void *row, int64_t now_ms)
{
    (void)now_ms;
    verdict_json(out, row);
}

static const struct json_rows list = {"verdicts", sizeof(struct verdict_row), read_rows, write_row};

static int read_id(const struct api *api, const char *key, int64_t *ret_id, struct err *reterr)
{
    struct incident incident;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;

    arena_init(&arena, READ_BYTES_MAX);
    int r = db_read_begin(api->state, &conn, reterr);
    if (r)
        return r;
    r = incident_db_get(conn, key, &arena, &incident, reterr);
    db_read_end(api->state, conn);
    if (r == 0)
        *ret_id = incident.id;
    return r;
}

static void handle_say(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct saying saying = {.deed = {.key = request->path_args[0],
                                     .actor = request->who.name,
                                     .via = request->who.by_cookie ? "web" : "api",
                                     .now_ms = clock_wall_ms()}};
    struct verdict_query query = {.to_ms = INT64_MAX, .limit = LIST_MAX};
    struct json *body = NULL;
    struct err err = {0};
    int r = 1;

    if (json_parse(request->body, request->body_len, &body, &err)) {
        http_fail(response, "bad_data", "%s", err.text);
        return;
    }
    if (read_saying(body, &saying.deed, response)) {
        r = db_write(api->state, job_say, &saying, &err);
        if (r == 0)
            r = read_id(api, saying.deed.key, &query.incident_id, &err);
        if (r)
            incident_json_fail(response, r, &err);
    }
    json_free(body);
    if (r)
        return;
    if (saying.changed)
        incidents_tell(api, saying.deed.key);
    incident_json_rows(api, &list, &query, response);
}

/* --- GET .../verdicts --- */

/* A parameter that is a time; false when it is there and none. */
static bool time_param(struct http_request *request, const char *name, int64_t *ret_ms)
{
    const char *text = http_query(request, name);

    return !text || !*text || clock_parse_rfc3339(text, ret_ms) == 0;
}

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 19;
}

static void handle_list(void *context, struct http_request *request, struct http_response *response)
{
    struct verdict_query query = {.to_ms = INT64_MAX, .limit = LIST_MAX};
    const char *rule = http_query(request, "rule");

    if (!time_param(request, "from", &query.from_ms)) {
        http_fail(response, "bad_data", "from: expected a time like 2026-11-23T22:27:00Z");
        return;
    }
    if (!time_param(request, "to", &query.to_ms)) {
        http_fail(response, "bad_data", "to: expected a time like 2026-11-23T22:27:00Z");
        return;
    }
    if (rule && strlen(rule) > RULE_BYTES_MAX) {
        http_fail(response, "bad_data", "rule: a rule's id or name");
        return;
    }
    if (rule && is_number(rule))
        query.rule_id = strtoll(rule, NULL, 10);
    else if (rule && *rule)
        query.rule = rule;
    incident_json_rows(context, &list, &query, response);
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/incidents/{key}/verdict", HTTP_SCOPE_OPERATE, 0, handle_say,
     "what a page was worth: useful, noise, or nobody knows"},
    {"GET", "/api/alertd/v1/verdicts", HTTP_SCOPE_READ, 0, handle_list,
     "what people said of pages, newest first: labels to tune rules by"},
};

const struct api_table api_verdicts_routes = {routes, sizeof(routes) / sizeof(routes[0])};
