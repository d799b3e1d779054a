/*
 * The Prometheus query API: what Grafana and every other client of Prometheus speaks.
 *
 *   GET or POST (form) -> parameters -> parse -> evaluate on the store -> JSON as it goes
 *
 * The reply is written straight into the response: a matrix of a million points costs
 * its text and nothing else. A query has one arena and one deadline; both end it with
 * words and the status Prometheus uses: 400 bad_data, 422 execution, 503 timeout.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/api.h"
#include "alertd/api/prom_call.h"
#include "alertd/api/prom_series.h"
#include "alertd/ingest/ingest.h"
#include "alertd/promql/promql.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/json/write.h"
#include "lib/wire/prom_param.h"

enum {
    FORMAT_BYTES_MAX = 64 << 20,
};

/* --- The reply ------------------------------------------------------------------------------ */

static void add_labels(struct json_out *out, const struct labels *labels)
{
    json_open(out, '{');
    for (uint32_t i = 0; i < labels->n; i++)
        json_kv_string(out, labels->at[i].name, labels->at[i].value);
    json_close(out, '}');
}

enum {
    LEAD_MAX = PROM_TIME_TEXT_MAX + 3,
    POINT_MAX = LEAD_MAX + FLOAT_TEXT_MAX + 3,
};

/* What stands before a point's value: [1729728900.500," */
struct lead {
    int64_t t_ms;
    size_t len;
    char text[LEAD_MAX];
};

/* Of all steps: one and the same for all series. */
struct leads {
    const struct lead *at;
    size_t n;
};

static void write_lead(int64_t t_ms, struct lead *lead)
{
    size_t n = 0;

    lead->t_ms = t_ms;
    lead->text[n++] = '[';
    n += prom_time_text(t_ms, lead->text + n);
    lead->text[n++] = ',';
    lead->text[n++] = '"';
    lead->len = n;
}

static struct leads leads_of(struct prom_call *call, const struct promql_value *value)
{
    const struct promql_query *query = &call->query;
    struct leads leads = {0};

    if (query->step_ms <= 0 || value->n < 2)
        return leads;
    size_t n = (size_t)((query->end_ms - query->start_ms) / query->step_ms) + 1;
    struct lead *at = arena_room(&call->arena, n, sizeof(*at));
    if (!at)
        return leads; /* each point's own, then */
    for (size_t i = 0; i < n; i++)
        write_lead(query->start_ms + (int64_t)i * query->step_ms, &at[i]);
    return (struct leads){at, n};
}

/* [1729728900.500,"1.5"], and so on: straight into the text, a million of them. */
static void add_points(struct str *out,
                       const struct leads *leads,
                       const struct promql_series *series)
{
    struct lead own;
    size_t step = 0;

    for (size_t i = 0; i < series->n; i++) {
        const struct lead *lead = &own;
        char *room = str_room(out, POINT_MAX);
        char *at = room;

        if (!room)
            return;
        while (step < leads->n && leads->at[step].t_ms < series->t_ms[i])
            step++;
        if (step < leads->n && leads->at[step].t_ms == series->t_ms[i])
            lead = &leads->at[step];
        else
            write_lead(series->t_ms[i], &own);
        if (i)
            *at++ = ',';
        memcpy(at, lead->text, LEAD_MAX); /* all of it: quicker than so much as counts */
        at += lead->len;
        at += prom_float_text(series->values[i], at);
        *at++ = '"';
        *at++ = ']';
        str_grow(out, (size_t)(at - room));
    }
}

static void add_series(struct json_out *out,
                       const struct leads *leads,
                       const struct promql_series *series,
                       bool many)
{
    json_open(out, '{');
    json_key(out, "metric");
    add_labels(out, series->labels);
    json_key(out, many ? "values" : "value");
    if (many)
        str_addc(out->text, '[');
    add_points(out->text, leads, series);
    if (many)
        str_addc(out->text, ']');
    out->need_comma = true;
    json_close(out, '}');
}

static void add_all_series(struct json_out *out,
                           struct prom_call *call,
                           const struct promql_value *value)
{
    struct leads leads = leads_of(call, value);
    size_t n = call->limit && call->limit < value->n ? call->limit : value->n;
    size_t before = out->text->len;

    json_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        add_series(out, &leads, &value->series[i], value->type == PROMQL_MATRIX);
        if (i == 0) /* the others will be about as long */
            str_reserve(out->text, (out->text->len - before) * n + POINT_MAX);
    }
    json_close(out, ']');
}

static void add_result(struct json_out *out,
                       struct prom_call *call,
                       const struct promql_value *value)
{
    if (value->type == PROMQL_SCALAR || value->type == PROMQL_STRING) {
        char text[FLOAT_TEXT_MAX];

        /* a scalar of any size is written out, unlike the points of a series */
        if (value->type == PROMQL_SCALAR)
            (void)float_plain(value->series[0].values[0], text);
        json_open(out, '[');
        prom_add_time(out->text, call->query.start_ms);
        out->need_comma = true;
        json_string(out, value->type == PROMQL_STRING ? value->string : text);
        json_close(out, ']');
        return;
    }
    add_all_series(out, call, value);
}

struct stats {
    bool asked;
    int64_t sort_ns;
};

static void kv_seconds(struct json_out *out, const char *name, int64_t duration_ns)
{
    json_kv_float(out, name, (double)duration_ns / 1e9);
}

/* Prometheus' statistics of a query. Its "preparation" finds the series first; ours are read
 * while it evaluates, so what stands there is the time of the parser. */
static void add_stats(struct json_out *out,
                      const struct prom_call *call,
                      const struct promql_value *value,
                      const struct stats *stats)
{
    int64_t waited_ns = call->request->waited_us * 1000;
    int64_t total_ns = call->parse_ns + call->eval_ns + stats->sort_ns;

    json_key(out, "stats");
    json_open(out, '{');
    json_key(out, "timings");
    json_open(out, '{');
    kv_seconds(out, "evalTotalTime", total_ns);
    kv_seconds(out, "resultSortTime", stats->sort_ns);
    kv_seconds(out, "queryPreparationTime", call->parse_ns);
    kv_seconds(out, "innerEvalTime", call->eval_ns);
    kv_seconds(out, "execQueueTime", waited_ns);
    kv_seconds(out, "execTotalTime", waited_ns + total_ns);
    json_close(out, '}');
    json_key(out, "samples");
    json_open(out, '{');
    json_kv_int(out, "totalQueryableSamples", (int64_t)call->explain.queryable);
    json_kv_int(out, "peakSamples", (int64_t)value->n_samples);
    json_close(out, '}');
    json_close(out, '}');
}

static void reply(struct prom_call *call,
                  const struct promql_value *value,
                  const struct stats *stats)
{
    struct json_out out = JSON_OUT(&call->response->body);
    bool cut = call->limit && value->n > call->limit &&
               (value->type == PROMQL_VECTOR || value->type == PROMQL_MATRIX);

    json_open(&out, '{');
    json_kv_string(&out, "status", "success");
    json_key(&out, "data");
    json_open(&out, '{');
    json_kv_string(&out, "resultType", prom_call_type_name(value->type));
    json_key(&out, "result");
    add_result(&out, call, value);
    if (stats->asked)
        add_stats(&out, call, value, stats);
    json_close(&out, '}');
    if (value->n_warnings || cut)
        prom_call_add_notes(&out, "warnings", value->warnings, value->n_warnings,
                            cut ? "results truncated due to limit" : NULL);
    if (value->n_infos)
        prom_call_add_notes(&out, "infos", value->infos, value->n_infos, NULL);
    json_close(&out, '}');
}

/* Parse, evaluate, reply. */
static void answer(struct prom_call *call)
{
    struct stats stats = {.asked = prom_call_parameter(call, "stats")[0] != 0};
    struct promql_value value = {0};

    if (prom_call_evaluate(call, stats.asked, &value)) {
        int64_t began_ns = clock_mono_ns();

        if (value.type == PROMQL_VECTOR && value.n && !promql_is_ordered(call->expr))
            promql_sort(&value);
        stats.sort_ns = clock_mono_ns() - began_ns;
        reply(call, &value, &stats);
    }
    prom_call_done(call);
}

/* --- Handlers ---------------------------------------------------------------------------------- */

static void handle_query(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    struct prom_call call = {.api = context, .request = request, .response = response};

    if (prom_call_read_instant(&call))
        answer(&call);
}

static void handle_query_range(void *context,
                               struct http_request *request,
                               struct http_response *response)
{
    struct prom_call call = {.api = context, .request = request, .response = response};

    if (prom_call_read_range(&call))
        answer(&call);
}

/* Grafana's editor asks for it; laid out on one line. */
static void handle_format(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    struct prom_call call = {.api = context, .request = request, .response = response};
    const char *text = prom_call_parameter(&call, "query");
    STR_AUTO struct str printed = STR_INIT(1 << 20);
    struct promql_expr *expr = NULL;
    struct err err = {0};

    arena_init(&call.arena, FORMAT_BYTES_MAX);
    if (promql_parse(&call.arena, text, &expr, &err)) {
        prom_call_fail_parse(&call, "query", text, &err);
    } else {
        struct json_out out = JSON_OUT(&response->body);

        promql_print(expr, &printed);
        json_open(&out, '{');
        json_kv_string(&out, "status", "success");
        json_kv_string(&out, "data", str_text(&printed));
        json_close(&out, '}');
        out.text->full |= printed.full;
    }
    arena_reset(&call.arena);
}

struct metadata_reply {
    struct json_out out;
    const char *metric; /* the only one wanted; NULL: all */
    int64_t left;       /* families, by `limit` */
};

static bool add_family(void *arg, const char *name, enum metric_type type, const char *help)
{
    struct metadata_reply *reply = arg;

    if (reply->metric && strcmp(reply->metric, name) != 0)
        return true;
    if (reply->left-- <= 0)
        return false;
    json_key(&reply->out, name);
    json_open(&reply->out, '[');
    json_open(&reply->out, '{');
    json_kv_string(&reply->out, "type", metric_type_name(type));
    json_kv_string(&reply->out, "help", help);
    json_kv_string(&reply->out, "unit", "");
    json_close(&reply->out, '}');
    json_close(&reply->out, ']');
    return true;
}

static void handle_metadata(void *context,
                            struct http_request *request,
                            struct http_response *response)
{
    const struct api *api = context;
    const char *metric = http_query(request, "metric");
    const char *limit = http_query(request, "limit");
    struct metadata_reply reply = {
        .out = JSON_OUT(&response->body),
        .metric = metric && *metric ? metric : NULL,
        .left = FAMILIES_MAX,
    };

    if (limit && *limit) {
        char *end = NULL;

        reply.left = strtoll(limit, &end, 10);
        if (*end) {
            http_fail(response, "bad_data", "limit must be a number");
            return;
        }
        if (reply.left < 0)
            reply.left = FAMILIES_MAX;
    }
    json_open(&reply.out, '{');
    json_kv_string(&reply.out, "status", "success");
    json_key(&reply.out, "data");
    json_open(&reply.out, '{');
    families_each(ingest_families(api->ingest), add_family, &reply);
    json_close(&reply.out, '}');
    json_close(&reply.out, '}');
}

/* Exemplars are not kept; Grafana asks all the same. */
static void handle_exemplars(void *context,
                             struct http_request *request,
                             struct http_response *response)
{
    (void)context;
    (void)request;
    str_add(&response->body, "{\"status\":\"success\",\"data\":[]}");
}

#define PATH "/api/v1/"
#define OURS "/api/alertd/v1/"
#define READ HTTP_SCOPE_READ
#define SAFE HTTP_SAFE_POST
static const struct http_route routes[] = {
    {"GET", PATH "query", READ, 0, handle_query, "evaluate a PromQL expression at one instant"},
    {"POST", PATH "query", READ, SAFE, handle_query, "the same, parameters in a form"},
    {"GET", PATH "query_range", READ, 0, handle_query_range, "evaluate it over a span of time"},
    {"POST", PATH "query_range", READ, SAFE, handle_query_range, "the same, parameters in a form"},
    {"GET", OURS "explain", READ, 0, explain_query, "what each node of a query costs"},
    {"POST", OURS "explain", READ, SAFE, explain_query, "the same, parameters in a form"},
    {"GET", OURS "samples/rollup", READ, 0, prom_rollup_get, "series in steps of 5m or 1h"},
    {"POST", OURS "samples/rollup", READ, SAFE, prom_rollup_get, "the same, parameters in a form"},
    {"GET", PATH "query_exemplars", READ, 0, handle_exemplars, "always empty: none are kept"},
    {"POST", PATH "query_exemplars", READ, SAFE, handle_exemplars, "always empty: none are kept"},
    {"GET", PATH "format_query", READ, 0, handle_format, "an expression in canonical spelling"},
    {"POST", PATH "format_query", READ, SAFE, handle_format, "the same, parameters in a form"},
    {"GET", PATH "series", READ, 0, prom_series_get, "series that match any of match[]"},
    {"POST", PATH "series", READ, SAFE, prom_series_get, "the same, parameters in a form"},
    {"GET", PATH "labels", READ, 0, prom_labels_get, "names of labels"},
    {"POST", PATH "labels", READ, SAFE, prom_labels_get, "the same, parameters in a form"},
    {"GET", PATH "label/{name}/values", READ, 0, prom_label_values_get, "values of a label"},
    {"GET", PATH "metadata", READ, 0, handle_metadata, "type and help of metrics, as pushers said"},
};

const struct api_table api_query_routes = {routes, sizeof(routes) / sizeof(routes[0])};
