/*
 * The calls about the service catalogue: what a newcomer on call reads first, the rules that
 * watch its budgets, and what an incident burnt of them.
 */

#include "alertd/api/services.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/incident_json.h"
#include "alertd/api/read.h"
#include "alertd/api/record_call.h"
#include "alertd/db/service_db.h"
#include "alertd/promql/promql.h"
#include "alertd/promql/told.h"
#include "lib/base/clock.h"
#include "lib/model/duration.h"

enum {
    READ_BYTES_MAX = 64 * 1024 * 1024,
    SPEC_BYTES_MAX = 128 * 1024,
    QUERY_BYTES_MAX = 64 * 1024 * 1024,
    TEXT_BYTES_MAX = 256 * 1024,
    SHORTEST_MS = 60 * 1000,
};

static void fail(struct http_response *response, int result, const struct err *err)
{
    const char *type = "internal";

    if (result == SERVICE_DB_E_NOT_FOUND)
        type = "not_found";
    else if (result == SERVICE_DB_E_STALE || result == SERVICE_DB_E_MANY)
        type = "conflict";
    else if (result == SERVICE_DB_E_LIMIT || result == SERVICE_E_LIMIT)
        type = "too_large";
    else if (result == SERVICE_E_INVALID)
        type = "bad_data";
    else if (result == DB_E_FULL)
        type = "unavailable";
    http_fail(response, type, "%s", err->text);
}

static void write_row(struct json_out *out, const struct service_row *row)
{
    json_open(out, '{');
    json_kv_string(out, "name", row->name);
    json_kv_int(out, "revision", row->revision);
    json_kv_time(out, "updated_at", row->updated_at_ms);
    json_kv_string(out, "updated_by", row->updated_by);
    json_key(out, "spec");
    json_raw(out, row->spec);
    json_close(out, '}');
}

void services_write(struct json_out *out, const struct service_row *rows, size_t n)
{
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        write_row(out, &rows[i]);
    json_close(out, ']');
}

static void handle_list(void *context, struct http_request *request, struct http_response *response)
{
    const struct api *api = context;
    struct json_out out = JSON_OUT(&response->body);
    struct service_row *rows = NULL;
    ARENA_AUTO struct arena arena;
    struct db_conn *conn = NULL;
    struct err err = {0};
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    if (!api_read_begin(api, &conn, response))
        return;
    int r = service_db_list(conn, &arena, &rows, &n, &err);
    db_read_end(api->state, conn);
    if (r) {
        fail(response, r, &err);
        return;
    }
    json_open(&out, '{');
    json_key(&out, "services");
    services_write(&out, rows, n);
    json_close(&out, '}');
}

static bool read_one(const struct api *api,
                     const char *name,
                     struct arena *arena,
                     struct service_row *ret_row,
                     struct http_response *response)
{
    struct db_conn *conn = NULL;
    struct err err = {0};

    if (!api_read_begin(api, &conn, response))
        return false;
    int r = service_db_get(conn, name, arena, ret_row, &err);

    db_read_end(api->state, conn);
    if (r)
        fail(response, r, &err);
    return r == 0;
}

static void reply_one(const struct api *api, const char *name, struct http_response *response)
{
    struct json_out out = JSON_OUT(&response->body);
    ARENA_AUTO struct arena arena;
    struct service_row row;

    arena_init(&arena, READ_BYTES_MAX);
    if (read_one(api, name, &arena, &row, response))
        write_row(&out, &row);
}

static void handle_get(void *context, struct http_request *request, struct http_response *response)
{
    reply_one(context, request->path_args[0], response);
}

/* --- PUT, DELETE --- */

static int job_save(struct db_conn *conn, void *arg, struct err *reterr)
{
    return service_db_save(conn, arg, reterr);
}

/* The queries are PromQL: said now, and not when something is down. */
static int check_queries(const struct service *service, struct err *reterr)
{
    for (size_t i = 0; i < service->n_slos; i++) {
        const char *const queries[] = {service->slos[i].good, service->slos[i].total};

        for (size_t k = 0; k < 2; k++) {
            STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX);
            struct promql_expr *expr = NULL;
            ARENA_AUTO struct arena arena;

            arena_init(&arena, READ_BYTES_MAX);
            if (!service_query(queries[k], SHORTEST_MS, &text) ||
                promql_parse(&arena, str_text(&text), &expr, reterr))
                return err_prefix(reterr, SERVICE_E_INVALID, "slos[%zu].%s", i,
                                  k ? "total" : "good");
        }
    }
    return 0;
}

/* The base revision of If-Match: "3", 3 or nothing. */
static int64_t base_of(const struct http_request *request)
{
    const char *text = http_header(request, "If-Match");

    return text ? strtoll(text + (*text == '"'), NULL, 10) : 0;
}

static int check(const struct http_request *request, struct arena *arena, struct err *reterr)
{
    struct json *spec = NULL;
    struct service service;
    int r = json_parse_upto(request->body, request->body_len, SPEC_BYTES_MAX, &spec, reterr);

    if (r == 0)
        r = service_read(request->path_args[0], spec, arena, &service, reterr);
    else if (r > 0)
        r = SERVICE_E_INVALID;
    if (r == 0)
        r = check_queries(&service, reterr);
    json_free(spec);
    return r;
}

static void save(const struct api *api,
                 struct http_request *request,
                 const char *spec,
                 struct http_response *response)
{
    struct service_save save = {.name = request->path_args[0],
                                .spec = spec,
                                .author = request->who.name,
                                .base_revision = base_of(request),
                                .now_ms = clock_wall_ms()};
    struct err err = {0};
    int r = db_write(api->state, job_save, &save, &err);

    if (r) {
        fail(response, r, &err);
        return;
    }
    http_hub_publish(api->hub, "service", "{}");
    if (*spec)
        reply_one(api, save.name, response);
    else
        response->status = 204;
}

static void handle_put(void *context, struct http_request *request, struct http_response *response)
{
    ARENA_AUTO struct arena arena;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    int r = check(request, &arena, &err);

    if (r)
        fail(response, r, &err);
    else
        save(context, request, request->body, response);
}

static void handle_delete(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    save(context, request, "", response);
}

/* --- rules --- */

static void handle_rules(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    ARENA_AUTO struct arena arena;
    struct json *spec = NULL;
    struct service service;
    struct service_row row;
    struct err err = {0};

    arena_init(&arena, READ_BYTES_MAX);
    if (!read_one(context, request->path_args[0], &arena, &row, response))
        return;
    int r = json_parse_upto(row.spec, strlen(row.spec), SPEC_BYTES_MAX, &spec, &err);

    if (r == 0)
        r = service_read(row.name, spec, &arena, &service, &err);
    if (r == 0) {
        response->content_type = "application/yaml";
        service_rules(&service, &response->body);
    } else {
        fail(response, r, &err);
    }
    json_free(spec);
}

/* --- what an incident burnt --- */

/* One number of a query over the window that ends at an instant; NaN: none. */
static double ask(
    const struct api *api, const char *query, int64_t window_ms, int64_t at_ms, struct told *told)
{
    STR_AUTO struct str text = STR_INIT(TEXT_BYTES_MAX);
    const struct source store = store_source(api->store);
    struct told_of telling = {&store, told};
    const struct source source = told_source(&telling);
    const struct promql_query when = {
        .start_ms = at_ms,
        .end_ms = at_ms,
        .limits = {.max_samples = api->query_max_samples,
                   .lookback_ms = api->query_lookback_ms,
                   .deadline_ms = clock_mono_ms() +
                                  (api->query_timeout_ms ? api->query_timeout_ms : 10000),
                   .now_fn = clock_mono_ms},
    };
    struct promql_value value = {0};
    struct promql_expr *expr = NULL;
    ARENA_AUTO struct arena arena;

    arena_init(&arena, QUERY_BYTES_MAX);
    if (!service_query(query, window_ms, &text) ||
        promql_parse(&arena, str_text(&text), &expr, NULL) ||
        promql_eval(expr, &source, &when, &arena, &value, NULL) || value.n != 1 ||
        value.series[0].n != 1)
        return (double)NAN;
    return value.series[0].values[0];
}

static void find_burn(const struct api *api,
                      const struct service_slo *slo,
                      const struct record *record,
                      int64_t now_ms,
                      struct told *told,
                      struct learnt_burn *burn)
{
    int64_t to_ms = record->marks[RECORD_MITIGATED].at_ms;

    burn->from_ms = record->marks[RECORD_IMPACT_START].at_ms;
    burn->why_not = "mark impact_start is not set";
    if (!burn->from_ms)
        return;
    burn->to_ms = to_ms ? to_ms : now_ms;
    burn->why_not = "the impact ended before it began: look at the marks";
    if (burn->to_ms <= burn->from_ms)
        return;
    int64_t span_ms = burn->to_ms - burn->from_ms;

    span_ms = span_ms < SHORTEST_MS ? SHORTEST_MS : span_ms;
    double seconds = (double)span_ms / 1000;
    double of_window = ask(api, slo->total, slo->window_ms, burn->to_ms, told) *
                       (double)slo->window_ms / 1000;

    burn->total = ask(api, slo->total, span_ms, burn->to_ms, told) * seconds;
    burn->bad = burn->total - ask(api, slo->good, span_ms, burn->to_ms, told) * seconds;
    burn->burnt_ratio = burn->bad / (of_window * (1 - slo->objective));
    burn->why_not = isfinite(burn->bad) && isfinite(burn->burnt_ratio) && of_window > 0
                        ? NULL
                        : "its queries have no answer for that time";
}

static void write_burn(struct json_out *out, const struct learnt_burn *burn)
{
    json_open(out, '{');
    json_kv_string(out, "service", burn->service);
    json_kv_string(out, "name", burn->slo);
    json_kv_float(out, "objective", burn->objective);
    json_kv_string(out, "window", burn->window);
    json_kv_string(out, "good", burn->good);
    json_kv_string(out, "total_query", burn->total_query);
    json_kv_string(out, "formula",
                   "bad \xc3\xb7 (total of the window \xc3\x97 (1 \xe2\x88\x92 objective))");
    json_kv_time(out, "from", burn->from_ms);
    json_kv_time(out, "to", burn->to_ms);
    json_kv_bool(out, "known", !burn->why_not);
    json_kv_string(out, "why", burn->why_not);
    json_kv_float(out, "bad", burn->why_not ? (double)NAN : burn->bad);
    json_kv_float(out, "total", burn->why_not ? (double)NAN : burn->total);
    json_kv_float(out, "burnt_ratio", burn->why_not ? (double)NAN : burn->burnt_ratio);
    json_kv_strings(out, "warnings", &burn->missing, burn->missing ? 1 : 0);
    json_close(out, '}');
}

static bool keep_missing(const struct told *told, struct arena *arena, struct learnt_burn *burn)
{
    STR_AUTO struct str words = STR_INIT(1024);

    told_say(told, "", "", &words);
    if (words.len > 0)
        burn->missing = arena_strndup(arena, str_text(&words), words.len);
    return words.len == 0 || burn->missing;
}

static bool add_burn(const struct api *api,
                     const struct service_row *row,
                     const struct service_slo *slo,
                     const struct record *record,
                     struct arena *arena,
                     struct learnt_burn *burn)
{
    char window[DURATION_TEXT_MAX];
    const char *words = duration_print(slo->window_ms, window);

    *burn = (struct learnt_burn){
        .service = row->name,
        .slo = arena_strndup(arena, slo->name, strlen(slo->name)),
        .window = arena_strndup(arena, words, strlen(words)),
        .good = arena_strndup(arena, slo->good, strlen(slo->good)),
        .total_query = arena_strndup(arena, slo->total, strlen(slo->total)),
        .objective = slo->objective,
    };
    if (!burn->slo || !burn->window || !burn->good || !burn->total_query)
        return false;
    struct told *told = told_new();
    find_burn(api, slo, record, clock_wall_ms(), told, burn);
    bool fits = keep_missing(told, arena, burn);
    told_free(told);
    return fits;
}

bool services_burns(const struct api *api,
                    const struct services_of *of,
                    struct arena *arena,
                    struct learnt_burn **ret_burns,
                    size_t *ret_n)
{
    struct learnt_burn *burns = arena_array(arena, LEARNT_BURNS_MAX, sizeof(*burns));
    bool fits = burns != NULL;
    size_t n = 0;

    for (size_t i = 0; fits && i < of->n; i++) {
        ARENA_AUTO struct arena scratch;
        struct json *spec = NULL;
        struct service service = {0};

        arena_init(&scratch, READ_BYTES_MAX);
        if (json_parse_upto(of->rows[i].spec, strlen(of->rows[i].spec), SPEC_BYTES_MAX, &spec,
                            NULL) == 0 &&
            service_read(of->rows[i].name, spec, &scratch, &service, NULL) == 0)
            for (size_t k = 0; fits && k < service.n_slos && n < LEARNT_BURNS_MAX; k++)
                fits = add_burn(api, &of->rows[i], &service.slos[k], of->record, arena,
                                &burns[n++]);
        json_free(spec);
    }
    *ret_burns = burns;
    *ret_n = fits ? n : 0;
    return fits;
}

void services_write_slos(const struct api *api, const struct services_of *of, struct json_out *out)
{
    struct learnt_burn *burns = NULL;
    ARENA_AUTO struct arena arena;
    size_t n = 0;

    arena_init(&arena, READ_BYTES_MAX);
    (void)services_burns(api, of, &arena, &burns, &n);
    services_write_burns(out, burns, n);
}

void services_write_burns(struct json_out *out, const struct learnt_burn *burns, size_t n)
{
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        write_burn(out, &burns[i]);
    json_close(out, ']');
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/services", HTTP_SCOPE_READ, 0, handle_list, "the catalogue, by name"},
    {"GET", "/api/alertd/v1/services/{name}", HTTP_SCOPE_READ, 0, handle_get, "one service"},
    {"PUT", "/api/alertd/v1/services/{name}", HTTP_SCOPE_OPERATE, 0, handle_put,
     "writes a service; If-Match with the revision that was edited"},
    {"DELETE", "/api/alertd/v1/services/{name}", HTTP_SCOPE_OPERATE, 0, handle_delete,
     "takes a service away; its past stays"},
    {"GET", "/api/alertd/v1/services/{name}/rules", HTTP_SCOPE_READ, 0, handle_rules,
     "a rule file that pages when its budgets burn"},
};

const struct api_table api_services_routes = {routes, sizeof(routes) / sizeof(routes[0])};
