/*
 * Who pushes, how fresh they are, and what their probes said last.
 *
 * The list is ingest/agents.h; what probes there are and how they went is asked of the
 * samples the agents themselves pushed:
 *
 *     alert_agent_probe_info{agent,probe,kind,target}   which probes
 *     probe_success{agent,probe} probe_duration_seconds{agent,probe}
 *     alert_agent_build_info{agent,version}
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/api/api.h"
#include "alertd/api/told_json.h"
#include "alertd/ingest/ingest.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/json/write.h"

enum {
    LOOK_BACK_MS = 3600000, /* what a lost agent said last is still shown */
    SAMPLES_MAX = 2000000,
    BYTES_MAX = 64 << 20,
};

struct page {
    const struct api *api;
    int64_t now_ms;
    struct arena arena;
    struct told *told; /* what of their samples could not be read */
    struct source_result info, success, duration, build;
};

static int read_metric(struct page *page,
                       const char *name,
                       struct source_result *ret_result,
                       struct err *reterr)
{
    const struct source store = store_source(page->api->store);
    struct told_of telling = {&store, page->told};
    const struct source source = told_source(&telling);
    struct matcher matchers[2];

    int r = matcher_init(&matchers[0], MATCHER_EQUAL, LABEL_NAME, name, reterr);
    if (r != 0)
        return r;
    r = matcher_init(&matchers[1], MATCHER_NOT_EQUAL, "agent", "", reterr);
    if (r == 0) {
        const struct source_query query = {matchers, 2, page->now_ms - LOOK_BACK_MS, page->now_ms,
                                           false};
        r = source_read_all(&source, &query, SAMPLES_MAX, &page->arena, ret_result, reterr);
        matcher_done(&matchers[1]);
    }
    matcher_done(&matchers[0]);
    return r;
}

static const char *label(const struct source_series *series, const char *name)
{
    const char *value = labels_get(series->labels, name);

    return value ? value : "";
}

/* The series of this agent, and of this probe when one is named, that was alive last. */
static const struct source_series *find(const struct source_result *result,
                                        const char *agent,
                                        const char *probe)
{
    const struct source_series *latest = NULL;

    for (size_t i = 0; i < result->n; i++) {
        const struct source_series *series = &result->series[i];

        if (strcmp(label(series, "agent"), agent) != 0 ||
            (probe && strcmp(label(series, "probe"), probe) != 0))
            continue;
        if (!latest || series->t_ms[series->n - 1] > latest->t_ms[latest->n - 1])
            latest = series;
    }
    return latest;
}

/* The last sample that is a value and no end; NULL when there is none. */
static const double *last_value(const struct source_series *series, int64_t *ret_at_ms)
{
    for (size_t i = series ? series->n : 0; i-- > 0;)
        if (!sample_is_stale(series->values[i])) {
            *ret_at_ms = series->t_ms[i];
            return &series->values[i];
        }
    return NULL;
}

/* The series is over: the probe was taken out of the config, or its agent is lost. */
static bool has_ended(const struct source_series *series)
{
    return sample_is_stale(series->values[series->n - 1]);
}

static void write_probe(struct page *page, struct json_out *out, const struct source_series *info)
{
    const char *agent = label(info, "agent");
    const char *probe = label(info, "probe");
    int64_t at_ms = 0;
    int64_t ignored;
    const double *success = last_value(find(&page->success, agent, probe), &at_ms);
    const double *duration = last_value(find(&page->duration, agent, probe), &ignored);

    json_open(out, '{');
    json_kv_string(out, "name", probe);
    json_kv_string(out, "kind", label(info, "kind"));
    json_kv_string(out, "target", label(info, "target"));
    json_key(out, "success");
    if (success)
        json_bool(out, *success != 0);
    else
        json_null(out);
    json_key(out, "duration_ms");
    if (duration)
        json_float(out, *duration * 1000);
    else
        json_null(out);
    json_kv_time(out, "last_at", at_ms);
    json_close(out, '}');
}

static void write_agent(struct page *page, struct json_out *out, const struct agent *agent)
{
    const struct source_series *build = find(&page->build, agent->id, NULL);
    const struct agents_now now = agents_now(ingest_agents(page->api->ingest), page->now_ms,
                                             clock_mono_ms());
    enum agent_state state = agent_state_at(agent, &now);

    json_open(out, '{');
    json_kv_string(out, "id", agent->id);
    json_kv_time(out, "first_seen_at", agent->first_seen_ms);
    json_kv_time(out, "last_push_at", agent->last_push_ms);
    json_kv_int(out, "interval_ms", agent->interval_ms);
    json_kv_bool(out, "up", state != AGENT_LOST);
    json_kv_string(out, "state", agent_state_name(state));
    json_kv_string(out, "version", build ? label(build, "version") : NULL);
    json_kv_int(out, "series", (int64_t)ingest_count_series(page->api->ingest, agent->id));
    json_kv_int(out, "clock_skew_ms", agent->clock_skew_ms);
    json_key(out, "probes");
    json_open(out, '[');
    for (size_t i = 0; i < page->info.n; i++) {
        const struct source_series *info = &page->info.series[i];
        /* while the agent lives, a probe whose series ended is no longer in its config */
        if (strcmp(label(info, "agent"), agent->id) == 0 &&
            (state == AGENT_LOST || !has_ended(info)))
            write_probe(page, out, info);
    }
    json_close(out, ']');
    json_close(out, '}');
}

static int read_page(struct page *page, struct err *reterr)
{
    int r = read_metric(page, "alert_agent_probe_info", &page->info, reterr);

    if (r == 0)
        r = read_metric(page, "probe_success", &page->success, reterr);
    if (r == 0)
        r = read_metric(page, "probe_duration_seconds", &page->duration, reterr);
    if (r == 0)
        r = read_metric(page, "alert_agent_build_info", &page->build, reterr);
    return r;
}

static void get_agents(void *context, struct http_request *request, struct http_response *response)
{
    struct page page = {.api = context, .now_ms = clock_wall_ms(), .told = told_new()};
    struct json_out out = JSON_OUT(&response->body);
    struct err err = {0};
    size_t n = 0;

    arena_init(&page.arena, BYTES_MAX);
    if (read_page(&page, &err) != 0) {
        told_fail(response, page.told, "execution", err.text);
    } else {
        struct agent *agents = agents_all(ingest_agents(page.api->ingest), &n);

        json_open(&out, '{');
        json_key(&out, "agents");
        json_open(&out, '[');
        for (size_t i = 0; i < n; i++)
            write_agent(&page, &out, &agents[i]);
        json_close(&out, ']');
        told_json(page.told, &out);
        json_close(&out, '}');
        free(agents);
    }
    told_free(page.told);
    arena_reset(&page.arena);
}

static const struct http_route routes[] = {
    {"GET", "/api/alertd/v1/agents", HTTP_SCOPE_READ, 0, get_agents,
     "who pushes, how fresh, and what their probes said last"},
};

const struct api_table api_agents_routes = {routes, sizeof(routes) / sizeof(routes[0])};
