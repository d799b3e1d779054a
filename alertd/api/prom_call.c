/*
 * One PromQL query of the API. See prom_call.h.
 */

#include "alertd/api/prom_call.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/wire/prom_param.h"

enum {
    POINTS_MAX = 11000, /* of one series in a range query, as in Prometheus */
    NOTES_MAX = 10,     /* of a kind in a reply */
};

/* --- Parameters ------------------------------------------------------------------------ */

const char *prom_call_parameter(const struct prom_call *call, const char *name)
{
    const char *value = http_query(call->request, name);

    return value ? value : "";
}

bool prom_call_refuse(struct http_response *response, const char *name, const char *words)
{
    http_fail(response, "bad_data", "invalid parameter \"%s\": %s", name, words);
    return false;
}

static bool read_time(const struct prom_call *call, const char *name, int64_t *ret_ms)
{
    struct err err = {0};

    return prom_param_time(prom_call_parameter(call, name), ret_ms, &err) == 0 ||
           prom_call_refuse(call->response, name, err.text);
}

static bool read_limit(struct prom_call *call)
{
    const char *text = prom_call_parameter(call, "limit");
    struct err err = {0};

    return !text[0] || prom_param_limit(text, &call->limit, &err) == 0 ||
           prom_call_refuse(call->response, "limit", err.text);
}

static bool read_duration(const struct prom_call *call, const char *name, int64_t *inout_ms)
{
    const char *text = prom_call_parameter(call, name);
    struct err err = {0};

    return !text[0] || prom_param_duration(text, inout_ms, &err) == 0 ||
           prom_call_refuse(call->response, name, err.text);
}

/* A client may shorten our time limit, not lengthen it; waiting for a worker counts. */
static bool read_timeout(struct prom_call *call)
{
    struct promql_limits *limits = &call->query.limits;
    int64_t ours_ms = call->api->query_timeout_ms;
    int64_t timeout_ms = ours_ms;
    int64_t waited_ms = call->request->waited_us / 1000;

    if (!read_duration(call, "timeout", &timeout_ms))
        return false;
    if (!ours_ms && !prom_call_parameter(call, "timeout")[0])
        return true; /* no limit at all */
    if (ours_ms && timeout_ms > ours_ms)
        timeout_ms = ours_ms;
    if (waited_ms >= timeout_ms) {
        http_fail(call->response, "timeout", "query timed out in query queue");
        return false;
    }
    limits->now_fn = clock_mono_ms;
    limits->deadline_ms = clock_mono_ms() + timeout_ms - waited_ms;
    return true;
}

static bool read_limits(struct prom_call *call)
{
    struct promql_limits *limits = &call->query.limits;

    limits->lookback_ms = call->api->query_lookback_ms;
    limits->max_samples = call->api->query_max_samples;
    limits->max_points = POINTS_MAX + 1;
    return read_timeout(call) && read_duration(call, "lookback_delta", &limits->lookback_ms);
}

/* --- Errors ------------------------------------------------------------------------------ */

void prom_call_fail_parse(const struct prom_call *call,
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

static void fail_eval(const struct prom_call *call, int code, const struct err *err)
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

/* --- Replies ------------------------------------------------------------------------------- */

const char *prom_call_type_name(enum promql_type type)
{
    static const char *const names[] = {
        [PROMQL_SCALAR] = "scalar",
        [PROMQL_VECTOR] = "vector",
        [PROMQL_MATRIX] = "matrix",
        [PROMQL_STRING] = "string",
    };

    return names[type];
}

void prom_call_add_notes(
    struct json_out *out, const char *name, const char *const *texts, size_t n, const char *extra)
{
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

/* --- What handlers call --------------------------------------------------------------------- */

bool prom_call_read_instant(struct prom_call *call)
{
    struct promql_query *query = &call->query;
    const char *time = prom_call_parameter(call, "time");
    struct err err = {0};

    query->start_ms = clock_wall_ms();
    if (!read_limit(call))
        return false;
    if (time[0] && prom_param_time(time, &query->start_ms, &err)) {
        http_fail(call->response, "bad_data",
                  "invalid parameter \"time\": invalid time value for 'time': %s", err.text);
        return false;
    }
    query->end_ms = query->start_ms;
    return read_limits(call);
}

bool prom_call_read_range(struct prom_call *call)
{
    struct promql_query *query = &call->query;
    struct err err = {0};

    if (!read_limit(call) || !read_time(call, "start", &query->start_ms) ||
        !read_time(call, "end", &query->end_ms))
        return false;
    if (query->end_ms < query->start_ms)
        return prom_call_refuse(call->response, "end",
                                "end timestamp must not be before start time");
    if (prom_param_duration(prom_call_parameter(call, "step"), &query->step_ms, &err))
        return prom_call_refuse(call->response, "step", err.text);
    if (query->step_ms <= 0)
        return prom_call_refuse(
            call->response, "step",
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

bool prom_call_evaluate(struct prom_call *call, bool explained, struct promql_value *ret_value)
{
    const char *text = prom_call_parameter(call, "query");
    struct source source = store_source(call->api->store);
    struct err err = {0};
    int64_t began_ns = clock_mono_ns();

    arena_init(&call->arena, PROM_CALL_BYTES_MAX);
    int r = promql_parse(&call->arena, text, &call->expr, &err);
    int64_t parsed_ns = clock_mono_ns();
    if (r) {
        prom_call_fail_parse(call, "query", text, &err);
        return false;
    }
    if (explained) {
        call->explain.now_ns = clock_mono_ns;
        call->query.explain = &call->explain;
    }
    r = prom_parts_eval(&call->parts, call->expr, &source, &call->query, &call->arena, ret_value,
                        &err);
    call->parse_ns = parsed_ns - began_ns;
    call->eval_ns = clock_mono_ns() - parsed_ns;
    if (r)
        fail_eval(call, r, &err);
    return r == 0;
}

void prom_call_done(struct prom_call *call)
{
    prom_parts_done(&call->parts);
    arena_reset(&call->arena);
}
