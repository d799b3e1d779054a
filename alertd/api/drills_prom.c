/*
 * Prometheus' API on a drill's time: a Grafana data source or Explore can point at it.
 *
 *   GET .../drills/7/api/v1/query?query=up  ->  {"op":"prom","call":"query","params":{...}}
 */

#include <string.h>

#include "alertd/api/drills_call.h"
#include "lib/wire/prom_param.h"

enum {
    MATCHES_MAX = 100,
};

static void write_parameters(struct json_out *out, const struct http_request *request)
{
    static const char *const names[] = {"query", "time", "start", "end", "step", "limit"};

    json_key(out, "params");
    json_open(out, '{');
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = http_query(request, names[i]);

        if (value)
            json_kv_string(out, names[i], value);
    }
    json_close(out, '}');
    json_key(out, "match");
    json_open(out, '[');
    for (size_t i = 0; i < MATCHES_MAX && http_query_at(request, "match[]", i); i++)
        json_string(out, http_query_at(request, "match[]", i));
    json_close(out, ']');
}

static void answer(const struct api *api,
                   struct http_request *request,
                   const char *call,
                   const char *label,
                   struct http_response *response)
{
    STR_AUTO struct str line = STR_INIT(PLAY_LINE_BYTES_MAX);
    STR_AUTO struct str body = STR_INIT(PLAY_ANSWER_BYTES_MAX);
    struct json_out out = JSON_OUT(&line);
    struct err err = {0};
    int64_t id = 0;

    if (!drills_id(api, request, &id, response))
        return;
    str_addc(&line, ',');
    json_kv_string(&out, "call", call);
    write_parameters(&out, request);
    if (label)
        json_kv_string(&out, "name", label);
    if (line.full) {
        http_fail(response, "too_large", "the query is longer than %d KiB",
                  PLAY_LINE_BYTES_MAX >> 10);
        return;
    }

    int r = play_prom(api->play, id, request->who.name, str_text(&line), &body, &err);

    if (r)
        drills_fail(response, r, &err);
    else
        drills_reply(response, &body);
}

static void handle_query(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    answer(context, request, "query", NULL, response);
}

static void handle_range(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    answer(context, request, "query_range", NULL, response);
}

static void handle_series(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    answer(context, request, "series", NULL, response);
}

static void handle_labels(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    answer(context, request, "labels", NULL, response);
}

static void handle_values(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    STR_AUTO struct str name = STR_INIT(4096);

    prom_unescape_name(request->path_args[1], &name);
    answer(context, request, "values", str_text(&name), response);
}

static void handle_rules(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    answer(context, request, "rules", NULL, response);
}

static void handle_alerts(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    answer(context, request, "alerts", NULL, response);
}

#define PATH DRILLS_PATH "/{id}/api/v1/"
#define READ HTTP_SCOPE_READ
#define SAFE HTTP_SAFE_POST
static const struct http_route routes[] = {
    {"GET", PATH "query", READ, 0, handle_query, "an expression in a drill, now or before"},
    {"POST", PATH "query", READ, SAFE, handle_query, "the same, parameters in a form"},
    {"GET", PATH "query_range", READ, 0, handle_range,
     "an expression in a drill, over a span of time"},
    {"POST", PATH "query_range", READ, SAFE, handle_range, "the same, parameters in a form"},
    {"GET", PATH "series", READ, 0, handle_series, "series of a drill that match any of match[]"},
    {"POST", PATH "series", READ, SAFE, handle_series, "the same, parameters in a form"},
    {"GET", PATH "labels", READ, 0, handle_labels, "names of labels in a drill"},
    {"POST", PATH "labels", READ, SAFE, handle_labels, "the same, parameters in a form"},
    {"GET", PATH "label/{name}/values", READ, 0, handle_values, "values of a label in a drill"},
    {"GET", PATH "rules", READ, 0, handle_rules, "a drill's rules"},
    {"GET", PATH "alerts", READ, 0, handle_alerts, "a drill's alerts that are pending or firing"},
};

const struct api_table api_drills_prom_routes = {routes, sizeof(routes) / sizeof(routes[0])};
