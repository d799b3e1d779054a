/*
 * /api/alertd/v1/samples/rollup: series over a long time as the least, the greatest, the sum and
 * the count of each step, which is what a graph of weeks or a year is drawn from.
 *
 *   match[], start, end, step -> store_rollup() for each selector -> each series once, as JSON
 *
 * Parameters, limits and words are those of query_range; a step is made of five minutes or of
 * hours, since these are what is kept (store/rollup.h).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/api/prom_call.h"
#include "alertd/api/prom_series.h"
#include "alertd/store/rollup.h"
#include "lib/base/float.h"
#include "lib/json/write.h"
#include "lib/wire/prom_param.h"

enum {
    SELECTORS_MAX = 16,
    BUCKET_TEXT_MAX = PROM_TIME_TEXT_MAX + 3 * (FLOAT_TEXT_MAX + 3) + 20 + 4,
};

static const int64_t step_max_ms = INT64_C(366) * 86400000;
static const int64_t year_1_ms = INT64_C(-62135596800000);
static const int64_t year_9999_ms = INT64_C(253370764800000);

struct rollup_call {
    struct prom_call prom;
    struct store_rollup parts[SELECTORS_MAX]; /* one a selector */
    size_t n_parts;
    const struct store_rollup_series **series; /* of all parts, by their labels, each once */
    size_t n_series;
};

/* --- Parameters ------------------------------------------------------------------------ */

static bool read_step(const struct prom_call *call)
{
    int64_t step_ms = call->query.step_ms;

    if (step_ms % BUCKETS_FINE_MS == 0 && step_ms <= step_max_ms)
        return true;
    return prom_call_refuse(call->response, "step",
                            "a roll-up's step is a multiple of 5m or of 1h, at most 366d; for "
                            "others ask query_range");
}

static bool read_parameters(struct prom_call *call)
{
    struct promql_query *query = &call->query;

    if (!http_query_at(call->request, "match[]", 0)) {
        http_fail(call->response, "bad_data", "no match[] parameter provided");
        return false;
    }
    if (http_query_at(call->request, "match[]", SELECTORS_MAX)) {
        http_fail(call->response, "bad_data", "at most %d match[] are taken", SELECTORS_MAX);
        return false;
    }
    if (!prom_call_read_range(call) || !read_step(call))
        return false;
    if (query->start_ms < year_1_ms || query->end_ms > year_9999_ms)
        return prom_call_refuse(call->response, query->start_ms < year_1_ms ? "start" : "end",
                                "outside of the years 1 to 9998");
    return true;
}

/* --- Reading ------------------------------------------------------------------------------ */

static void fail_rollup(const struct prom_call *call, int code, const struct err *err)
{
    const char *type = code == STORE_E_TIMEOUT ? "timeout" : code < 0 ? "internal" : "execution";

    http_fail(call->response, type, "%s", err->text);
}

static bool read_selector(struct rollup_call *call, const char *text, size_t bytes_max)
{
    struct prom_call *prom = &call->prom;
    struct store_rollup_query query = {.from_ms = prom->query.start_ms,
                                       .to_ms = prom->query.end_ms,
                                       .step_ms = prom->query.step_ms,
                                       .bytes_max = bytes_max,
                                       .now_fn = prom->query.limits.now_fn,
                                       .deadline_ms = prom->query.limits.deadline_ms};
    struct err err = {0};

    if (query.to_ms == query.from_ms) /* the step that this instant is in */
        query.to_ms++;
    int r = promql_parse_selector(&prom->arena, text, &query.matchers, &query.n_matchers, &err);
    if (r != 0) {
        prom_series_fail_match(prom->response, r, &err);
        return false;
    }
    r = store_rollup(prom->api->store, &query, &call->parts[call->n_parts++], &err);
    if (r != 0)
        fail_rollup(prom, r, &err);
    return r == 0;
}

static bool read_selectors(struct rollup_call *call)
{
    const struct http_request *request = call->prom.request;
    size_t n = 0;

    while (http_query_at(request, "match[]", n))
        n++;
    for (size_t i = 0; i < n; i++)
        if (!read_selector(call, http_query_at(request, "match[]", i), PROM_CALL_BYTES_MAX / n))
            return false;
    return true;
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare((*(const struct store_rollup_series *const *)a)->labels,
                          (*(const struct store_rollup_series *const *)b)->labels);
}

/* Two selectors may have found the same series. */
static bool collect(struct rollup_call *call)
{
    size_t n = 0;

    for (size_t i = 0; i < call->n_parts; i++)
        n += call->parts[i].n;
    call->series = arena_array(&call->prom.arena, n + 1,
                               sizeof(const struct store_rollup_series *));
    if (!call->series) {
        http_fail(call->prom.response, "execution", "the answer needs too much memory");
        return false;
    }
    n = 0;
    for (size_t i = 0; i < call->n_parts; i++)
        for (size_t k = 0; k < call->parts[i].n; k++)
            call->series[n++] = &call->parts[i].series[k];
    if (n > 0)
        qsort(call->series, n, sizeof(const struct store_rollup_series *), by_labels);
    for (size_t i = 0; i < n; i++)
        if (call->n_series == 0 ||
            !labels_equal(call->series[call->n_series - 1]->labels, call->series[i]->labels))
            call->series[call->n_series++] = call->series[i];
    return true;
}

/* --- The reply ------------------------------------------------------------------------------ */

static char *add_value(char *at, double value)
{
    *at++ = '"';
    at += prom_float_text(value, at);
    *at++ = '"';
    *at++ = ',';
    return at;
}

/* [1729728900,"0.5","3","41.5",20] */
static void add_bucket(struct str *out, const struct bucket *bucket, bool is_first)
{
    char *room = str_room(out, BUCKET_TEXT_MAX);
    char *at = room;

    if (!room)
        return;
    if (!is_first)
        *at++ = ',';
    *at++ = '[';
    at += prom_time_text(bucket->t_ms, at);
    *at++ = ',';
    at = add_value(at, bucket->min);
    at = add_value(at, bucket->max);
    at = add_value(at, bucket->sum);
    at += snprintf(at, 21, "%llu", (unsigned long long)bucket->count);
    *at++ = ']';
    str_grow(out, (size_t)(at - room));
}

static void add_series(struct json_out *out, const struct store_rollup_series *series)
{
    const struct labels *labels = series->labels;

    json_open(out, '{');
    json_key(out, "metric");
    json_open(out, '{');
    for (uint32_t i = 0; i < labels->n; i++)
        json_kv_string(out, labels->at[i].name, labels->at[i].value);
    json_close(out, '}');
    json_key(out, "values");
    json_open(out, '[');
    for (size_t i = 0; i < series->steps.n; i++)
        add_bucket(out->text, &series->steps.at[i], i == 0);
    out->need_comma = true;
    json_close(out, ']');
    json_close(out, '}');
}

static void add_warnings(struct json_out *out, struct rollup_call *call, bool is_cut)
{
    size_t n = 0;

    for (size_t i = 0; i < call->n_parts; i++)
        n += call->parts[i].n_warnings;
    const char **warnings = arena_array(&call->prom.arena, n + 1, sizeof(const char *));
    n = 0;
    for (size_t i = 0; warnings && i < call->n_parts; i++)
        for (size_t k = 0; k < call->parts[i].n_warnings; k++) {
            const char *words = call->parts[i].warnings[k];
            size_t at = 0;

            while (at < n && strcmp(warnings[at], words) != 0)
                at++;
            if (at == n)
                warnings[n++] = words;
        }
    if (n > 0 || is_cut)
        prom_call_add_notes(out, "warnings", warnings, n,
                            is_cut ? "results truncated due to limit" : NULL);
}

static void reply(struct rollup_call *call)
{
    struct json_out out = JSON_OUT(&call->prom.response->body);
    int64_t step_ms = call->prom.query.step_ms;
    size_t limit = call->prom.limit;
    bool is_cut = limit && call->n_series > limit;

    json_open(&out, '{');
    json_kv_string(&out, "status", "success");
    json_key(&out, "data");
    json_open(&out, '{');
    json_kv_int(&out, "resolution", store_rollup_resolution(step_ms) / 1000);
    json_kv_int(&out, "step", step_ms / 1000);
    json_key(&out, "result");
    json_open(&out, '[');
    for (size_t i = 0; i < (is_cut ? limit : call->n_series); i++)
        add_series(&out, call->series[i]);
    json_close(&out, ']');
    json_close(&out, '}');
    add_warnings(&out, call, is_cut);
    json_close(&out, '}');
}

void prom_rollup_get(void *context, struct http_request *request, struct http_response *response)
{
    struct rollup_call call = {.prom = {.api = context, .request = request, .response = response}};

    arena_init(&call.prom.arena, PROM_CALL_BYTES_MAX);
    if (read_parameters(&call.prom) && read_selectors(&call) && collect(&call))
        reply(&call);
    for (size_t i = 0; i < call.n_parts; i++)
        store_rollup_done(&call.parts[i]);
    arena_reset(&call.prom.arena);
}
