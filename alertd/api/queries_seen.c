/*
 * The call that says what a responder asked of the samples: it goes onto the timelines of the open incidents that
 * they are at, once in ten minutes, for a postmortem to show what was looked at.
 */

#include <string.h>

#include "alertd/api/incidents.h"
#include "alertd/api/read.h"
#include "alertd/api/record_call.h"
#include "alertd/db/responding_db.h"
#include "alertd/promql/promql.h"
#include "lib/base/clock.h"

enum {
    QUERY_BYTES_MAX = 8 * 1024,
    PARSE_BYTES_MAX = 1024 * 1024,
    ONCE_MS = 10 * 60 * 1000,
};

struct seen {
    const char *query, *actor;
    int64_t now_ms;
    struct arena *arena;
    const char **keys; /* out */
    size_t n;
};

static int add_to(struct db_conn *conn,
                  const struct seen *seen,
                  const char *key,
                  struct err *reterr)
{
    STR_AUTO struct str evidence = STR_INIT(2 * QUERY_BYTES_MAX + 100);
    STR_AUTO struct str once = STR_INIT(2 * QUERY_BYTES_MAX);
    struct json_out out = JSON_OUT(&evidence);
    struct record_news news = {.event = {.kind = "query.run",
                                         .event_class = "human",
                                         .source = "explore",
                                         .actor = seen->actor,
                                         .text = seen->query,
                                         .data = "{}",
                                         .occurred_at_ms = seen->now_ms}};
    struct record_batch batch = {
        .key = key, .actor = seen->actor, .now_ms = seen->now_ms, .news = &news, .n = 1};

    json_open(&out, '{');
    json_kv_string(&out, "query", seen->query);
    json_close(&out, '}');
    str_addf(&once, "%s %lld %s %s", key, (long long)(seen->now_ms / ONCE_MS), seen->actor,
             seen->query);
    news.event.evidence = str_text(&evidence);
    news.event.reference = str_text(&once);
    return incident_db_add_events(conn, &batch, reterr);
}

static int job_seen(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct seen *seen = arg;
    int r = responding_db_list(conn, seen->actor, seen->arena, &seen->keys, &seen->n, reterr);

    for (size_t i = 0; !r && i < seen->n; i++)
        r = add_to(conn, seen, seen->keys[i], reterr);
    return r;
}

static bool read_query(const struct json *body,
                       struct arena *arena,
                       const char **ret_query,
                       struct err *reterr)
{
    static const char *const known[] = {"query", NULL};
    struct promql_expr *expr = NULL;

    if (!json_is_object(body)) {
        (void)err_set(reterr, JSON_E_TYPE, "the body: expected an object");
        return false;
    }
    if (json_only(body, known, reterr) || json_get_string(body, "query", ret_query, reterr))
        return false;
    if (strlen(*ret_query) > QUERY_BYTES_MAX) {
        (void)err_set(reterr, JSON_E_TYPE, "query: at most %d bytes", QUERY_BYTES_MAX);
        return false;
    }
    char *text = arena_strndup(arena, *ret_query, strlen(*ret_query));

    return text && promql_parse(arena, text, &expr, reterr) == 0;
}

static void handle_seen(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    struct json *body = NULL;
    struct err err = {0};

    arena_init(&arena, PARSE_BYTES_MAX);
    struct seen seen = {.actor = request->who.name, .now_ms = clock_wall_ms(), .arena = &arena};

    if (!record_call_body(request, &body, response))
        return;
    int r = read_query(body, &arena, &seen.query, &err) ? 0 : JSON_E_TYPE;

    if (r)
        http_fail(response, "bad_data", "%s", err.text);
    else
        r = db_write(api->state, job_seen, &seen, &err);
    json_free(body);
    if (r) {
        if (response->status == 200)
            http_fail(response, r == DB_E_FULL ? "unavailable" : "internal", "%s", err.text);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "incidents");
    json_open(&out, '[');
    for (size_t i = 0; i < seen.n; i++) {
        incidents_publish(api, seen.keys[i]);
        json_string(&out, seen.keys[i]);
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

static const struct http_route routes[] = {
    {"POST", "/api/alertd/v1/queries", HTTP_SCOPE_OPERATE, 0, handle_seen,
     "what a responder asked of the samples, for the incidents that they are at"},
};

const struct api_table api_queries_routes = {routes, sizeof(routes) / sizeof(routes[0])};
