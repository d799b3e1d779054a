/*
 * Prometheus' query API on a drill's time: what was measured until now, and nothing after it.
 *
 *   {"op":"prom","to_ms":61000,"call":"query","params":{"query":"up","time":"1729728900"},
 *    "match":["up"],"name":"job"}
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/desk/private.h"
#include "alertd/promql/promql.h"
#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/wire/prom_param.h"

enum {
    QUERY_BYTES_MAX = 256 * 1024 * 1024,
    QUERY_MS_MAX = 5000,
    POINTS_MAX = 11000, /* of one series in a range query, as in Prometheus */
    SAMPLES_MAX = 20 * 1000 * 1000,
    POINT_TEXT_MAX = PROM_TIME_TEXT_MAX + FLOAT_TEXT_MAX + 8,
};

struct asking {
    struct desk *desk;
    const struct json *request;
    const struct json *params;
    struct desk_reply *reply;
    struct arena arena;
    struct promql_query query;
    size_t limit; /* series; 0: all */
};

static const char *parameter(const struct asking *asking, const char *name)
{
    const char *text = "";

    return json_get_string_or(asking->params, name, "", &text, NULL) == 0 ? text : "";
}

static bool refuse(const struct asking *asking, const char *name, const char *words)
{
    return desk_fail(asking->reply, "bad_data", "invalid parameter \"%s\": %s", name, words);
}

static bool read_time(const struct asking *asking, const char *name, int64_t *inout_ms)
{
    const char *text = parameter(asking, name);
    struct err err = {0};

    return !text[0] || prom_param_time(text, inout_ms, &err) == 0 || refuse(asking, name, err.text);
}

/* --- What is answered --------------------------------------------------------------------------- */

static void open_success(struct json_out *out)
{
    json_open(out, '{');
    json_kv_string(out, "status", "success");
    json_key(out, "data");
}

static void add_point(struct str *out, int64_t t_ms, double value)
{
    char *room = str_room(out, POINT_TEXT_MAX);
    char *at = room;

    if (!room)
        return;
    *at++ = '[';
    at += prom_time_text(t_ms, at);
    *at++ = ',';
    *at++ = '"';
    at += prom_float_text(value, at);
    *at++ = '"';
    *at++ = ']';
    str_grow(out, (size_t)(at - room));
}

static void add_series(struct json_out *out, const struct promql_series *series, bool many)
{
    json_open(out, '{');
    desk_labels(out, "metric", series->labels);
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

static void add_one(struct json_out *out,
                    const struct asking *asking,
                    const struct promql_value *value)
{
    char text[FLOAT_TEXT_MAX + 1];

    if (value->type == PROMQL_SCALAR)
        text[float_plain(value->series[0].values[0], text)] = '\0';
    json_open(out, '[');
    prom_add_time(out->text, asking->query.start_ms);
    out->need_comma = true;
    json_string(out, value->type == PROMQL_STRING ? value->string : text);
    json_close(out, ']');
}

static void add_warnings(struct json_out *out, const struct promql_value *value, bool cut)
{
    if (value->n_warnings == 0 && !cut)
        return;
    json_key(out, "warnings");
    json_open(out, '[');
    if (cut)
        json_string(out, "results truncated due to limit");
    for (size_t i = 0; i < value->n_warnings; i++)
        json_string(out, value->warnings[i]);
    json_close(out, ']');
}

static void write_value(const struct asking *asking, const struct promql_value *value)
{
    static const char *const types[] = {[PROMQL_SCALAR] = "scalar",
                                        [PROMQL_VECTOR] = "vector",
                                        [PROMQL_MATRIX] = "matrix",
                                        [PROMQL_STRING] = "string"};
    struct json_out out = JSON_OUT(&asking->reply->body);
    bool is_one = value->type == PROMQL_SCALAR || value->type == PROMQL_STRING;
    size_t n = asking->limit && asking->limit < value->n ? asking->limit : value->n;

    open_success(&out);
    json_open(&out, '{');
    json_kv_string(&out, "resultType", types[value->type]);
    json_key(&out, "result");
    if (is_one) {
        add_one(&out, asking, value);
    } else {
        json_open(&out, '[');
        for (size_t i = 0; i < n; i++)
            add_series(&out, &value->series[i], value->type == PROMQL_MATRIX);
        json_close(&out, ']');
    }
    json_close(&out, '}');
    add_warnings(&out, value, !is_one && n < value->n);
    json_close(&out, '}');
}

/* --- query, query_range ---------------------------------------------------------------------------- */

static void evaluate(struct asking *asking)
{
    const struct source source = drill_world_source(asking->desk->world);
    const char *text = parameter(asking, "query");
    struct promql_value value = {0};
    struct promql_expr *expr = NULL;
    struct err err = {0};

    asking->query.limits = (struct promql_limits){.max_samples = SAMPLES_MAX,
                                                  .max_points = POINTS_MAX + 1,
                                                  .deadline_ms = clock_mono_ms() + QUERY_MS_MAX,
                                                  .now_fn = clock_mono_ms};
    if (promql_parse(&asking->arena, text, &expr, &err) != 0) {
        (void)desk_fail(asking->reply, "bad_data",
                        "invalid parameter \"query\": %u:%u: parse error: %s", err.line, err.column,
                        err.text);
        return;
    }

    int r = promql_eval(expr, &source, &asking->query, &asking->arena, &value, &err);

    if (r) {
        bool is_late = r == PROMQL_E_LIMIT && strstr(err.text, "timed out");

        (void)desk_fail(asking->reply,
                        is_late              ? "timeout"
                        : r == PROMQL_E_TYPE ? "bad_data"
                                             : "execution",
                        "%s", err.text);
        return;
    }
    if (value.type == PROMQL_VECTOR && value.n && !promql_is_ordered(expr))
        promql_sort(&value);
    write_value(asking, &value);
}

static void answer_query(struct asking *asking)
{
    struct promql_query *query = &asking->query;

    query->start_ms = drill_world_zero_ms(asking->desk->world) +
                      drill_world_now_ms(asking->desk->world);
    if (!read_time(asking, "time", &query->start_ms))
        return;
    query->end_ms = query->start_ms;
    evaluate(asking);
}

static void answer_query_range(struct asking *asking)
{
    struct promql_query *query = &asking->query;
    struct err err = {0};

    if (prom_param_time(parameter(asking, "start"), &query->start_ms, &err)) {
        (void)refuse(asking, "start", err.text);
    } else if (prom_param_time(parameter(asking, "end"), &query->end_ms, &err)) {
        (void)refuse(asking, "end", err.text);
    } else if (query->end_ms < query->start_ms) {
        (void)refuse(asking, "end", "end timestamp must not be before start time");
    } else if (prom_param_duration(parameter(asking, "step"), &query->step_ms, &err)) {
        (void)refuse(asking, "step", err.text);
    } else if (query->step_ms <= 0) {
        (void)refuse(asking, "step",
                     "zero or negative query resolution step widths are not accepted. Try a "
                     "positive integer");
    } else if ((query->end_ms - query->start_ms) / query->step_ms > POINTS_MAX) {
        (void)desk_fail(asking->reply, "bad_data",
                        "exceeded maximum resolution of 11,000 points per timeseries. Try "
                        "decreasing the query resolution (?step=XX)");
    } else {
        evaluate(asking);
    }
}

/* --- series, labels, values ------------------------------------------------------------------------ */

struct found {
    const void **items;
    size_t n, capacity;
};

static bool add_found(struct asking *asking, struct found *found, const void *item)
{
    if (found->n == found->capacity) {
        size_t capacity = found->capacity ? 2 * found->capacity : 256;
        const void **items = arena_array(&asking->arena, capacity, sizeof(*items));

        if (!items)
            return desk_fail(asking->reply, "execution", "the answer is too large");
        if (found->n)
            memcpy(items, found->items, found->n * sizeof(*items));
        found->items = items;
        found->capacity = capacity;
    }
    found->items[found->n++] = item;
    return true;
}

/* What a call wants of one series. */
typedef bool take_fn(struct asking *asking, struct found *found, const struct labels *labels);

static bool take_series(struct asking *asking, struct found *found, const struct labels *labels)
{
    return add_found(asking, found, labels);
}

static bool take_names(struct asking *asking, struct found *found, const struct labels *labels)
{
    for (uint32_t i = 0; i < labels->n; i++)
        if (!add_found(asking, found, labels->at[i].name))
            return false;
    return true;
}

static bool take_values(struct asking *asking, struct found *found, const struct labels *labels)
{
    const char *name = NULL;

    if (json_get_string(asking->request, "name", &name, NULL) != 0)
        return desk_fail(asking->reply, "bad_data", "which label?");

    const char *value = labels_get(labels, name);

    return !value || add_found(asking, found, value);
}

static bool select_into(struct asking *asking,
                        const struct matcher *matchers,
                        size_t n_matchers,
                        take_fn *take,
                        struct found *found)
{
    const struct source source = drill_world_source(asking->desk->world);
    const struct source_query query = {.matchers = matchers,
                                       .n_matchers = n_matchers,
                                       .from_ms = INT64_MIN / 2,
                                       .to_ms = INT64_MAX / 2};
    struct source_selection selection = {0};
    struct err err = {0};

    if (source.select(source.self, &query, &asking->arena, &selection, &err) != 0)
        return desk_fail(asking->reply, "execution", "%s", err.text);
    for (size_t i = 0; i < selection.n; i++)
        if (!take(asking, found, selection.matches[i].labels))
            return false;
    return true;
}

static bool select_all(struct asking *asking, take_fn *take, struct found *found)
{
    const struct json *matches = json_get(asking->request, "match");
    size_t n_texts = matches && json_is_array(matches) ? json_length(matches) : 0;

    if (n_texts == 0)
        return select_into(asking, NULL, 0, take, found);
    for (size_t i = 0; i < n_texts; i++) {
        const char *text = json_text(json_at(matches, i));
        const struct matcher *matchers = NULL;
        struct err err = {0};
        size_t n = 0;

        if (promql_parse_selector(&asking->arena, text ? text : "", &matchers, &n, &err) != 0)
            return desk_fail(asking->reply, "bad_data",
                             "invalid parameter \"match[]\": %u:%u: parse error: %s", err.line,
                             err.column, err.text);
        if (!select_into(asking, matchers, n, take, found))
            return false;
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(*(const struct labels *const *)a, *(const struct labels *const *)b);
}

static void write_labels(struct json_out *out, const struct labels *labels)
{
    json_open(out, '{');
    for (uint32_t i = 0; i < labels->n; i++)
        json_kv_string(out, labels->at[i].name, labels->at[i].value);
    json_close(out, '}');
}

static void answer_found(struct asking *asking, take_fn *take)
{
    int (*order)(const void *, const void *) = take == take_series ? by_labels : by_text;
    struct json_out out = JSON_OUT(&asking->reply->body);
    struct found found = {0};
    size_t n_told = 0;

    if (!select_all(asking, take, &found))
        return;
    if (found.n)
        qsort(found.items, found.n, sizeof(*found.items), order);
    open_success(&out);
    json_open(&out, '[');
    for (size_t i = 0; i < found.n && (!asking->limit || n_told < asking->limit); i++) {
        if (i && order(&found.items[i - 1], &found.items[i]) == 0)
            continue;
        n_told++;
        if (take == take_series)
            write_labels(&out, found.items[i]);
        else
            json_string(&out, found.items[i]);
    }
    json_close(&out, ']');
    json_close(&out, '}');
}

/* --- All of them ------------------------------------------------------------------------------------ */

static void answer_series(struct asking *asking)
{
    const struct json *matches = json_get(asking->request, "match");

    if (!matches || json_length(matches) == 0)
        (void)desk_fail(asking->reply, "bad_data", "no match[] parameter provided");
    else
        answer_found(asking, take_series);
}

static void answer_labels(struct asking *asking)
{
    answer_found(asking, take_names);
}

static void answer_values(struct asking *asking)
{
    answer_found(asking, take_values);
}

static void answer_rules(struct asking *asking)
{
    struct json_out out = JSON_OUT(&asking->reply->body);

    open_success(&out);
    desk_rules(asking->desk, &out);
    json_close(&out, '}');
}

static void answer_alerts(struct asking *asking)
{
    struct json_out out = JSON_OUT(&asking->reply->body);

    open_success(&out);
    desk_alerts(asking->desk, &out);
    json_close(&out, '}');
}

static const struct {
    const char *name;
    void (*answer)(struct asking *asking);
} calls[] = {
    {"query", answer_query},   {"query_range", answer_query_range}, {"series", answer_series},
    {"labels", answer_labels}, {"values", answer_values},           {"rules", answer_rules},
    {"alerts", answer_alerts},
};

void desk_prom(struct desk *desk, const struct json *request, struct desk_reply *reply)
{
    struct asking asking = {.desk = desk, .request = request, .reply = reply};
    const char *call = "";
    struct err err = {0};

    arena_init(&asking.arena, QUERY_BYTES_MAX);
    if (json_get_object(request, "params", &asking.params, &err) ||
        json_get_string(request, "call", &call, &err)) {
        (void)desk_fail(reply, "bad_data", "%s", err.text);
    } else if (parameter(&asking, "limit")[0] &&
               prom_param_limit(parameter(&asking, "limit"), &asking.limit, &err)) {
        (void)refuse(&asking, "limit", err.text);
    } else {
        size_t i = 0;

        while (i < sizeof(calls) / sizeof(calls[0]) && strcmp(calls[i].name, call) != 0)
            i++;
        if (i == sizeof(calls) / sizeof(calls[0]))
            (void)desk_fail(reply, "not_found", "no call '%.40s'", call);
        else
            calls[i].answer(&asking);
    }
    arena_reset(&asking.arena);
}
