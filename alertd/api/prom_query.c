/*
 * The Prometheus query API: what Grafana and every other client of Prometheus speaks.
 *
 *   GET or POST (form) -> parameters -> parse -> evaluate on the store -> JSON as it goes
 *
 * The reply is written straight into the response: a matrix of a million points costs
 * its text and nothing else. A query has one arena and one deadline; both end it with
 * words and the status Prometheus uses: 400 bad_data, 422 execution, 503 timeout.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/api.h"
#include "alertd/api/prom_param.h"
#include "alertd/api/prom_series.h"
#include "alertd/ingest/ingest.h"
#include "alertd/promql/promql.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/json/write.h"

enum {
    POINTS_MAX = 11000,          /* of one series in a range query, as in Prometheus */
    QUERY_BYTES_MAX = 512 << 20, /* what one query may hold: 5,000 series of 11,000 points */
    FORMAT_BYTES_MAX = 64 << 20,
};

struct call {
    const struct api *api;
    const struct http_request *request;
    struct http_response *response;
    struct arena arena;
    struct promql_query query;
    size_t limit; /* series in the reply; 0: all */
};

/* --- Parameters ------------------------------------------------------------------------ */

static const char *parameter(const struct call *call, const char *name)
{
    const char *value = http_query(call->request, name);

    return value ? value : "";
}

static bool refuse(const struct call *call, const char *name, const char *words)
{
    http_fail(call->response, "bad_data", "invalid parameter \"%s\": %s", name, words);
    return false;
}

static bool read_time(const struct call *call, const char *name, int64_t *ret_ms)
{
    struct err err = {0};

    return prom_param_time(parameter(call, name), ret_ms, &err) == 0 ||
           refuse(call, name, err.text);
}

static bool read_limit(struct call *call)
{
    const char *text = parameter(call, "limit");
    struct err err = {0};

    return !text[0] || prom_param_limit(text, &call->limit, &err) == 0 ||
           refuse(call, "limit", err.text);
}

static bool read_duration(const struct call *call, const char *name, int64_t *inout_ms)
{
    const char *text = parameter(call, name);
    struct err err = {0};

    return !text[0] || prom_param_duration(text, inout_ms, &err) == 0 ||
           refuse(call, name, err.text);
}

/* timeout and lookback_delta; a client may shorten our time limit, not lengthen it. */
static bool read_limits(struct call *call)
{
    struct promql_limits *limits = &call->query.limits;
    int64_t timeout_ms = call->api->query_timeout_ms;

    limits->lookback_ms = call->api->query_lookback_ms;
    if (!read_duration(call, "timeout", &timeout_ms) ||
        !read_duration(call, "lookback_delta", &limits->lookback_ms))
        return false;
    if (call->api->query_timeout_ms && timeout_ms > call->api->query_timeout_ms)
        timeout_ms = call->api->query_timeout_ms;
    limits->max_samples = call->api->query_max_samples;
    limits->max_points = POINTS_MAX + 1;
    limits->now_fn = clock_mono_ms;
    limits->deadline_ms = timeout_ms > 0 ? clock_mono_ms() + timeout_ms : 0;
    return true;
}

/* --- Errors ------------------------------------------------------------------------------ */

static void fail_parse(const struct call *call,
                       const char *name,
                       const char *text,
                       const struct err *err)
{
    if (!text[0])
        http_fail(call->response, "bad_data",
                  "invalid parameter \"%s\": unknown position: parse error: %s", name, err->text);
    else
        http_fail(call->response, "bad_data", "invalid parameter \"%s\": %u:%u: parse error: %s",
                  name, err->line, err->column, err->text);
}

static void fail_eval(const struct call *call, int code, const struct err *err)
{
    if (code == PROMQL_E_LIMIT && strstr(err->text, "timed out"))
        http_fail(call->response, "timeout", "%s", err->text);
    else if (code == PROMQL_E_TYPE)
        http_fail(call->response, "bad_data", "invalid parameter \"query\": %s", err->text);
    else if (code < 0)
        http_fail(call->response, "internal", "%s", err->text);
    else
        http_fail(call->response, "execution", "%s", err->text);
}

/* --- The reply ------------------------------------------------------------------------------ */

static void add_labels(struct json_out *out, const struct labels *labels)
{
    json_open(out, '{');
    for (uint32_t i = 0; i < labels->n; i++)
        json_kv_string(out, labels->at[i].name, labels->at[i].value);
    json_close(out, '}');
}

/* [1729728900.500,"1.5"]: straight into the text, a million of them. */
static void add_point(struct str *out, int64_t t_ms, double value)
{
    char text[PROM_TIME_TEXT_MAX + FLOAT_TEXT_MAX + sizeof("[,\"\"]")];
    size_t n = 0;

    text[n++] = '[';
    n += prom_time_text(t_ms, text + n);
    text[n++] = ',';
    text[n++] = '"';
    n += prom_float_text(value, text + n);
    text[n++] = '"';
    text[n++] = ']';
    str_addn(out, text, n);
}

static void add_series(struct json_out *out, const struct promql_series *series, bool many)
{
    json_open(out, '{');
    json_key(out, "metric");
    add_labels(out, series->labels);
    json_key(out, many ? "values" : "value");
    if (many)
        str_addc(out->text, '[');
    for (size_t i = 0; i < series->n; i++) {
        if (i)
            str_addc(out->text, ',');
        add_point(out->text, series->t_ms[i], series->values[i]);
    }
    if (many)
        str_addc(out->text, ']');
    out->need_comma = true;
    json_close(out, '}');
}

static void add_result(struct json_out *out,
                       const struct call *call,
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
    json_open(out, '[');
    for (size_t i = 0; i < value->n && (!call->limit || i < call->limit); i++)
        add_series(out, &value->series[i], value->type == PROMQL_MATRIX);
    json_close(out, ']');
}

/* At most ten of a kind are listed, as in Prometheus. */
static void add_notes(
    struct json_out *out, const char *name, const char *const *texts, size_t n, const char *extra)
{
    enum {
        NOTES_MAX = 10
    };

    if (!n && !extra)
        return;
    json_key(out, name);
    json_open(out, '[');
    if (extra)
        json_string(out, extra);
    for (size_t i = 0; i < n && i < NOTES_MAX; i++)
        json_string(out, texts[i]);
    if (n > NOTES_MAX) {
        STR_AUTO struct str more = STR_INIT(100);
        str_addf(&more, "%zu more %s annotations omitted", n - NOTES_MAX,
                 strcmp(name, "infos") == 0 ? "info" : "warning");
        json_string(out, str_text(&more));
    }
    json_close(out, ']');
}

static void reply(const struct call *call, const struct promql_value *value)
{
    static const char *const types[] = {
        [PROMQL_SCALAR] = "scalar",
        [PROMQL_VECTOR] = "vector",
        [PROMQL_MATRIX] = "matrix",
        [PROMQL_STRING] = "string",
    };
    struct json_out out = JSON_OUT(&call->response->body);
    bool cut = call->limit && value->n > call->limit &&
               (value->type == PROMQL_VECTOR || value->type == PROMQL_MATRIX);

    json_open(&out, '{');
    json_kv_string(&out, "status", "success");
    json_key(&out, "data");
    json_open(&out, '{');
    json_kv_string(&out, "resultType", types[value->type]);
    json_key(&out, "result");
    add_result(&out, call, value);
    json_close(&out, '}');
    add_notes(&out, "warnings", value->warnings, value->n_warnings,
              cut ? "results truncated due to limit" : NULL);
    add_notes(&out, "infos", value->infos, value->n_infos, NULL);
    json_close(&out, '}');
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const struct promql_series *)a)->labels,
                          ((const struct promql_series *)b)->labels);
}

/* Parse, evaluate, reply. */
static void answer(struct call *call)
{
    const char *text = parameter(call, "query");
    struct source source = store_source(call->api->store);
    struct promql_expr *expr = NULL;
    struct promql_value value = {0};
    struct err err = {0};

    arena_init(&call->arena, QUERY_BYTES_MAX);
    int r = promql_parse(&call->arena, text, &expr, &err);
    if (r) {
        fail_parse(call, "query", text, &err);
    } else {
        r = promql_eval(expr, &source, &call->query, &call->arena, &value, &err);
        if (r)
            fail_eval(call, r, &err);
    }
    if (!r && value.type == PROMQL_VECTOR && value.n && !promql_is_ordered(expr))
        qsort(value.series, value.n, sizeof(*value.series), by_labels);
    if (!r)
        reply(call, &value);
    arena_reset(&call->arena);
}

/* --- Handlers ---------------------------------------------------------------------------------- */

static void handle_query(void *context,
                         struct http_request *request,
                         struct http_response *response)
{
    struct call call = {.api = context, .request = request, .response = response};
    struct err err = {0};

    call.query.start_ms = clock_wall_ms();
    if (!read_limit(&call))
        return;
    if (parameter(&call, "time")[0] &&
        prom_param_time(parameter(&call, "time"), &call.query.start_ms, &err)) {
        http_fail(response, "bad_data",
                  "invalid parameter \"time\": invalid time value for 'time': %s", err.text);
        return;
    }
    call.query.end_ms = call.query.start_ms;
    if (read_limits(&call))
        answer(&call);
}

static bool read_range(struct call *call)
{
    struct promql_query *query = &call->query;
    struct err err = {0};

    if (!read_limit(call) || !read_time(call, "start", &query->start_ms) ||
        !read_time(call, "end", &query->end_ms))
        return false;
    if (query->end_ms < query->start_ms)
        return refuse(call, "end", "end timestamp must not be before start time");
    if (prom_param_duration(parameter(call, "step"), &query->step_ms, &err))
        return refuse(call, "step", err.text);
    if (query->step_ms <= 0)
        return refuse(call, "step",
                      "zero or negative query resolution step widths are not accepted. Try a "
                      "positive integer");
    if ((query->end_ms - query->start_ms) / query->step_ms > POINTS_MAX) {
        http_fail(call->response, "bad_data",
                  "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the "
                  "query resolution (?step=XX)");
        return false;
    }
    return read_limits(call);
}

static void handle_query_range(void *context,
                               struct http_request *request,
                               struct http_response *response)
{
    struct call call = {.api = context, .request = request, .response = response};

    if (read_range(&call))
        answer(&call);
}

/* Grafana's editor asks for it; laid out on one line. */
static void handle_format(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    struct call call = {.api = context, .request = request, .response = response};
    const char *text = parameter(&call, "query");
    STR_AUTO struct str printed = STR_INIT(1 << 20);
    struct promql_expr *expr = NULL;
    struct err err = {0};

    arena_init(&call.arena, FORMAT_BYTES_MAX);
    if (promql_parse(&call.arena, text, &expr, &err)) {
        fail_parse(&call, "query", text, &err);
    } else {
        struct json_out out = JSON_OUT(&response->body);

        promql_print(expr, &printed);
        json_open(&out, '{');
        json_kv_string(&out, "status", "success");
        json_kv_string(&out, "data", str_text(&printed));
        json_close(&out, '}');
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
#define READ HTTP_SCOPE_READ
#define SAFE HTTP_SAFE_POST
static const struct http_route routes[] = {
    {"GET", PATH "query", READ, 0, handle_query, "evaluate a PromQL expression at one instant"},
    {"POST", PATH "query", READ, SAFE, handle_query, "the same, parameters in a form"},
    {"GET", PATH "query_range", READ, 0, handle_query_range, "evaluate it over a span of time"},
    {"POST", PATH "query_range", READ, SAFE, handle_query_range, "the same, parameters in a form"},
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
