/*
 * Silences and what fires, in our own spelling: each silence says what it mutes now, each alert
 * what mutes it. See docs/api.md.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/roster_call.h"
#include "alertd/api/rules.h"
#include "alertd/api/silence_call.h"
#include "alertd/api/silence_preview.h"
#include "alertd/api/standing.h"
#include "lib/base/clock.h"

enum {
    READ_BYTES_MAX = 64 * 1024 * 1024,
};

#define UNTIL_RESOLVED_MS (30 * 24 * 3600 * INT64_C(1000)) /* at the longest */
#define DURATION_MAX_MS   (5 * 366 * 24 * 3600 * INT64_C(1000))

static void fail(struct http_response *response, int result, const struct err *err)
{
    switch (result) {
    case SILENCE_DB_E_NOT_FOUND: http_fail(response, "not_found", "%s", err->text); break;
    case SILENCE_DB_E_EXPIRED:
    case SILENCE_DB_E_STALE:
    case SILENCE_DB_E_LIMIT: http_fail(response, "conflict", "%s", err->text); break;
    case SILENCE_DB_E_INVALID:
    case SILENCE_CALL_E_MATCHER:
    case JSON_E_SYNTAX:
    case JSON_E_TYPE: http_fail(response, "bad_data", "%s", err->text); break;
    case DB_E_FULL: http_fail(response, "unavailable", "%s", err->text); break;
    default: http_fail(response, "internal", "%s", err->text);
    }
}

/* The repeatable parameter filter. False: answered. */
static bool read_filter(const struct http_request *request,
                        struct route_matchers *filter,
                        struct http_response *response)
{
    const char *text = http_query_at(request, "filter", 0);
    struct err err = {0};

    for (size_t i = 1; text; i++) {
        if (route_matchers_parse(text, ROUTE_GRAMMAR_BOTH, filter, NULL, &err)) {
            http_fail(response, "bad_data", "filter: %s", err.text);
            return false;
        }
        text = http_query_at(request, "filter", i);
    }
    return true;
}

/* --- out --- */

static void write_silence(struct json_out *out,
                          const struct silence_row *row,
                          const struct standing *standing,
                          bool with_warning)
{
    enum silence_state state = silence_state(&row->silence, standing->now_ms);
    size_t matches = state == SILENCE_EXPIRED
                         ? 0
                         : standing_count(standing, row->matchers, row->n_matchers);

    json_open(out, '{');
    json_kv_string(out, "id", row->silence.id);
    json_kv_string(out, "state", silence_state_name(state));
    silence_call_write_matchers(out, row);
    json_kv_time(out, "starts_at", row->silence.starts_at_ms);
    json_kv_time(out, "ends_at",
                 row->silence.ends_at_ms < SILENCE_NO_END_MS ? row->silence.ends_at_ms : 0);
    json_kv_bool(out, "until_resolved", row->until_resolved);
    silence_call_write_window(out, &row->silence, standing->now_ms);
    json_kv_string(out, "created_by", row->created_by);
    json_kv_string(out, "comment", row->comment);
    json_kv_time(out, "created_at", row->created_ms);
    json_kv_time(out, "updated_at", row->updated_ms);
    json_kv_int(out, "revision", row->updated_ms);
    json_kv_time(out, "last_matched_at", row->matched_ms);
    json_kv_int(out, "matches_now", (int64_t)matches);
    if (with_warning)
        json_kv_string(out, "warning",
                       state != SILENCE_EXPIRED && matches == 0
                           ? "nothing that fires now is matched: check the labels"
                           : NULL);
    json_close(out, '}');
}

static void reply_one(const struct api *api,
                      const char *id,
                      bool with_warning,
                      struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct standing standing = {0};
    struct silence_row row;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    int r = silence_call_get(api, id, &arena, &row, &err);

    if (r)
        fail(response, r, &err);
    else if (standing_load(api, &standing, response))
        write_silence(&out, &row, &standing, with_warning);
    standing_done(&standing);
}

/* "pending,active": false when it is not among them. No parameter: what is not expired. */
static bool wants_state(const char *states, enum silence_state state)
{
    const char *name = silence_state_name(state);
    size_t len = strlen(name);

    if (!states || !*states)
        return state != SILENCE_EXPIRED;
    if (strcmp(states, "all") == 0)
        return true;
    for (const char *at = states; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\0'))
            return true;
    return false;
}

static void write_list(const struct http_request *request,
                       const struct silence_row *rows,
                       size_t n,
                       const struct standing *standing,
                       const struct route_matchers *filter,
                       struct http_response *response)
{
    const char *states = http_query(request, "state");
    struct json_out out = JSON_OUT(&response->body);

    json_open(&out, '{');
    json_key(&out, "silences");
    json_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        if (wants_state(states, silence_state(&rows[i].silence, standing->now_ms)) &&
            silence_call_passes(filter, &rows[i]))
            write_silence(&out, &rows[i], standing, false);
    json_close(&out, ']');
    json_close(&out, '}');
}

static void get_silences(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    const struct api *api = context;
    struct route_matchers filter = {0};
    struct standing standing = {0};
    struct silence_row *rows = NULL;
    ARENA_AUTO struct arena arena;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (read_filter(request, &filter, response)) {
        int r = silence_call_list(api, &arena, &rows, &n, &err);

        if (r)
            fail(response, r, &err);
        else if (standing_load(api, &standing, response))
            write_list(request, rows, n, &standing, &filter, response);
    }
    standing_done(&standing);
    route_matchers_done(&filter);
}

static void get_silence(void *context, struct http_request *request, struct http_response *response)
{
    reply_one(context, request->path_args[0], false, response);
}

/* --- in --- */

static int get_time(const struct json *body,
                    const char *key,
                    int64_t fallback,
                    int64_t *ret_at_ms,
                    struct err *reterr)
{
    const char *text = NULL;
    int r = json_get_string_or(body, key, NULL, &text, reterr);

    *ret_at_ms = fallback;
    if (r == 0 && text && clock_parse_rfc3339(text, ret_at_ms))
        r = err_set(reterr, JSON_E_TYPE, "%s: expected a time like 2026-11-23T22:27:00Z", key);
    return r;
}

static int get_duration(const struct json *body, int64_t *ret_ms, struct err *reterr)
{
    int r = json_get_int_or(body, "duration_ms", 0, ret_ms, reterr);

    if (r == 0 && json_has(body, "duration_ms") && (*ret_ms < 1 || *ret_ms > DURATION_MAX_MS))
        r = err_set(reterr, JSON_E_TYPE, "duration_ms: 1 to %lld", (long long)DURATION_MAX_MS);
    return r;
}

static int read_times(const struct json *body, struct silence_wish *wish, struct err *reterr)
{
    int64_t duration_ms = 0;
    int64_t starts_ms = wish->starts_at_ms ? wish->starts_at_ms : wish->now_ms;
    int r = get_time(body, "starts_at", starts_ms, &wish->starts_at_ms, reterr);

    if (r == 0)
        r = get_duration(body, &duration_ms, reterr);
    if (r == 0 && json_has(body, "until_resolved"))
        r = json_get_bool(body, "until_resolved", &wish->until_resolved, reterr);
    if (r)
        return r;
    if (!duration_ms && wish->until_resolved)
        duration_ms = UNTIL_RESOLVED_MS;
    /* maintenance that comes again goes on until somebody ends it */
    if (!duration_ms && !json_has(body, "ends_at") && wish->window) {
        wish->ends_at_ms = SILENCE_NO_END_MS;
        return 0;
    }
    if (!duration_ms && !json_has(body, "ends_at"))
        return err_set(reterr, JSON_E_TYPE,
                       "ends_at: or duration_ms, until_resolved or window: a silence must end");
    /* from now on, also of one that began before */
    if (starts_ms < wish->now_ms)
        starts_ms = wish->now_ms;
    return get_time(body, "ends_at",
                    (wish->starts_at_ms > starts_ms ? wish->starts_at_ms : starts_ms) + duration_ms,
                    &wish->ends_at_ms, reterr);
}

/* wish->starts_at_ms: when it starts unless the body says so; 0: now. */
static int read_wish(const struct json *body,
                     struct arena *arena,
                     struct silence_wish *wish,
                     struct route_matchers *matchers,
                     struct err *reterr)
{
    static const char *const known[] = {"matchers",       "starts_at", "ends_at", "duration_ms",
                                        "until_resolved", "window",    "comment", NULL};
    const struct json *array = NULL;
    int r = json_is_object(body) ? json_only(body, known, reterr)
                                 : err_set(reterr, JSON_E_TYPE, "the body: expected an object");

    if (r == 0)
        r = json_get_array(body, "matchers", &array, reterr);
    if (r == 0)
        r = json_get_string(body, "comment", &wish->comment, reterr);
    if (r == 0 && !wish->comment[strspn(wish->comment, " \t\r\n")])
        r = err_set(reterr, JSON_E_TYPE, "comment: say why, for whoever finds it later");
    if (r == 0)
        r = silence_call_window(body, arena, &wish->window, reterr);
    if (r == 0)
        r = read_times(body, wish, reterr);
    if (r == 0)
        r = silence_call_matchers(array, true, matchers, reterr);
    wish->matchers = matchers->at;
    wish->n_matchers = matchers->n;
    return r;
}

static void set(const struct api *api,
                struct http_request *request,
                struct arena *arena,
                struct silence_wish *wish,
                struct http_response *response)
{
    struct route_matchers matchers = {0};
    struct json *body = NULL;
    char id[SILENCE_ID_TEXT];
    struct err err = {0};
    int r = json_parse(request->body, request->body_len, &body, &err);

    if (r == 0)
        r = read_wish(body, arena, wish, &matchers, &err);
    if (r == 0)
        r = silence_call_set(api, wish, id, &err);
    if (r)
        fail(response, r, &err);
    else
        reply_one(api, id, true, response);
    route_matchers_done(&matchers);
    json_free(body);
}

static void post_silence(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    struct silence_wish wish = {
        .actor = request->who.name, .created_by = request->who.name, .now_ms = clock_wall_ms()};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, READ_BYTES_MAX);
    set(context, request, &arena, &wish, response);
}

/* The whole of it anew; one that mutes something else than before gets another id. */
static void put_silence(void *context, struct http_request *request, struct http_response *response)
{
    struct silence_wish wish = {.id = request->path_args[0],
                                .actor = request->who.name,
                                .created_by = request->who.name,
                                .now_ms = clock_wall_ms()};
    struct silence_row row;
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (!roster_base_revision(request, true, &wish.base_revision, response))
        return;
    int r = silence_call_get(context, wish.id, &arena, &row, &err);

    if (r) {
        fail(response, r, &err);
        return;
    }
    if (silence_span_state(&row.silence, wish.now_ms) != SILENCE_EXPIRED)
        wish.starts_at_ms = row.silence.starts_at_ms;
    wish.annotations = row.annotations;
    set(context, request, &arena, &wish, response);
}

static void delete_silence(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    const struct api *api = context;
    struct err err = {0};
    int r = silence_call_expire(api, request->path_args[0], request->who.name, &err);

    if (r)
        fail(response, r, &err);
    else
        reply_one(api, request->path_args[0], false, response);
}

/* Its end moves by so much. */
static void extend_silence(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    static const char *const known[] = {"duration_ms", NULL};
    const struct api *api = context;
    struct silence_row row;
    struct json *body = NULL;
    ARENA_AUTO struct arena arena;
    int64_t duration_ms = 0;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    int r = json_parse(request->body, request->body_len, &body, &err);

    if (r == 0)
        r = json_only(body, known, &err);
    if (r == 0)
        r = get_duration(body, &duration_ms, &err);
    if (r == 0 && duration_ms == 0)
        r = err_set(&err, JSON_E_TYPE, "duration_ms: by how much");
    if (r == 0)
        r = silence_call_get(api, request->path_args[0], &arena, &row, &err);
    if (r == 0)
        r = silence_call_extend(api, request->path_args[0], row.silence.ends_at_ms + duration_ms,
                                request->who.name, &err);
    json_free(body);
    if (r)
        fail(response, r, &err);
    else
        reply_one(api, request->path_args[0], false, response);
}

/* --- what fires --- */

/* The times that keep its routes quiet, when all of them are. */
static void write_muted_by(struct json_out *out, const struct standing_view *view, int64_t now_ms)
{
    const char *interval = NULL;
    bool is_told = false;

    for (size_t i = 0; i < view->n_nodes; i++)
        is_told |= route_node_quiet(view->nodes[i], now_ms, &interval) == ROUTE_TELLS;
    json_key(out, "muted_by");
    json_open(out, '[');
    for (size_t i = 0; !is_told && i < view->n_nodes; i++) {
        enum route_quiet quiet = route_node_quiet(view->nodes[i], now_ms, &interval);

        json_string(out, quiet == ROUTE_MUTED ? interval : "outside of active_time_intervals");
    }
    json_close(out, ']');
}

static void write_alert(struct json_out *out, const struct standing_view *view, int64_t now_ms)
{
    const struct standing_alert *row = view->row;
    const char *receivers[ROUTE_WALK_MAX];
    size_t n = standing_receivers(view, receivers);

    json_open(out, '{');
    json_kv_string(out, "fingerprint", view->fingerprint);
    json_kv_string(out, "name", labels_get(row->labels, "alertname"));
    rules_json_labels(out, "labels", row->labels);
    rules_json_labels(out, "annotations", row->annotations);
    json_kv_string(out, "state", standing_is_suppressed(view) ? "suppressed" : "active");
    json_kv_time(out, "starts_at", row->starts_ms);
    json_kv_time(out, "updated_at", row->updated_ms);
    json_key(out, "value");
    if (row->has_value)
        json_float(out, row->value);
    else
        json_null(out);
    json_key(out, "silenced_by");
    json_open(out, '[');
    for (size_t i = 0; i < view->n_silenced_by; i++)
        json_string(out, view->silenced_by[i]->id);
    json_close(out, ']');
    json_key(out, "inhibited_by");
    json_open(out, '[');
    if (view->inhibited_by[0])
        json_string(out, view->inhibited_by);
    json_close(out, ']');
    write_muted_by(out, view, now_ms);
    json_key(out, "receivers");
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        json_string(out, receivers[i]);
    json_close(out, ']');
    json_kv_string(out, "incident", row->incident);
    json_kv_string(out, "source", row->source);
    json_close(out, '}');
}

static void get_alerts(void *context, struct http_request *request, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    struct route_matchers filter = {0};
    struct standing standing = {0};

    if (read_filter(request, &filter, response) && standing_load(context, &standing, response)) {
        json_open(&out, '{');
        json_key(&out, "alerts");
        json_open(&out, '[');
        for (size_t i = 0; i < standing.n; i++)
            if (matchers_match(filter.at, filter.n, standing.at[i].row->labels))
                write_alert(&out, &standing.at[i], standing.now_ms);
        json_close(&out, ']');
        json_close(&out, '}');
    }
    standing_done(&standing);
    route_matchers_done(&filter);
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/silences", HTTP_SCOPE_READ, 0, get_silences,
     "silences, the newest change first"},
    {"POST", "/api/alertd/v1/silences", HTTP_SCOPE_OPERATE, 0, post_silence, "make a silence"},
    {"GET", "/api/alertd/v1/silences/{id}", HTTP_SCOPE_READ, 0, get_silence, "one silence"},
    {"DELETE", "/api/alertd/v1/silences/{id}", HTTP_SCOPE_OPERATE, 0, delete_silence,
     "end a silence now"},
    {"PUT", "/api/alertd/v1/silences/{id}", HTTP_SCOPE_OPERATE, 0, put_silence, "change a silence"},
    {"POST", "/api/alertd/v1/silences/preview", HTTP_SCOPE_READ, 0, silence_preview,
     "what a silence would mute, and would have muted"},
    {"POST", "/api/alertd/v1/silences/{id}/extend", HTTP_SCOPE_OPERATE, 0, extend_silence,
     "move a silence's end"},
    {"GET", "/api/alertd/v1/alerts", HTTP_SCOPE_READ, 0, get_alerts,
     "what fires, whoever said so, and what mutes it"},
};

const struct api_table api_silences_routes = {routes, sizeof(routes) / sizeof(routes[0])};
