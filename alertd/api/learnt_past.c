/*
 * One rule over its past. See learnt_past.h.
 */

#include "alertd/api/learnt_past.h"

#include <string.h>

#include "alertd/pages/tuned.h"
#include "alertd/postmortem/learnt.h"
#include "alertd/promql/promql.h"
#include "lib/base/clock.h"

enum {
    RULE_BYTES_MAX = 128 * 1024 * 1024,
    QUERY_BYTES_MAX = 128 * 1024 * 1024,
};
#define DAY_MS INT64_C(86400000)

int64_t learnt_past_begin(const struct learnt_past *past)
{
    return past->to_ms - LEARNT_PAST_DAYS * DAY_MS;
}

void learnt_past_load(struct learnt_past *past)
{
    past->told = told_new();
    past->has_world = pages_world_load(past->api->state, past->api->route, learnt_past_begin(past),
                                       past->to_ms, &past->world, NULL) == 0;
}

void learnt_past_done(struct learnt_past *past)
{
    pages_world_done(&past->world);
    told_free(past->told);
}

/* What is read of a rule: good until reading_end(). */
struct reading {
    struct source source, store;
    struct told_of telling;
    struct reading_source over;
    struct tune_reader reader;
    struct tune_incident incident;
    struct rule rule;
    struct tune_ask ask;
    struct arena arena;
};

static void reading_end(struct reading *reading)
{
    arena_reset(&reading->arena);
}

/* False: the rule can't be read. reading_end() in any case. */
static bool reading_begin(const struct learnt_past *past,
                          const struct learnt_candidate *candidate,
                          int64_t from_ms,
                          int64_t deadline_ms,
                          struct reading *reading)
{
    struct promql_expr *expr = NULL;

    *reading = (struct reading){.store = store_source(past->api->store)};
    reading->telling = (struct told_of){&reading->store, past->told};
    reading->source = told_source(&reading->telling);
    arena_init(&reading->arena, RULE_BYTES_MAX);
    reading->over = (struct reading_source){
        .source = &reading->source,
        .query_bytes = QUERY_BYTES_MAX,
        .lookback_ms = past->api->query_lookback_ms,
        .now_fn = clock_mono_ms,
        .deadline_ms = deadline_ms < past->deadline_ms ? deadline_ms : past->deadline_ms,
    };
    reading->reader = reading_of_source(&reading->over);
    reading->incident = (struct tune_incident){
        .begin_ms = past->from_ms,
        .end_ms = past->to_ms,
        .name = past->incident,
        .matchers = past->where,
        .n_matchers = past->where != NULL,
    };
    char *text = arena_strndup(&reading->arena, candidate->expr, strlen(candidate->expr));

    if (!text || promql_parse(&reading->arena, text, &expr, NULL))
        return false;
    reading->rule = (struct rule){
        .is_alert = true,
        .name = candidate->name,
        .expr_text = candidate->expr,
        .expr = expr,
        .for_ms = candidate->for_ms,
        .keep_firing_for_ms = candidate->keep_ms,
        .labels = candidate->tuned ? candidate->tuned->rule->labels : NULL,
        .n_labels = candidate->tuned ? candidate->tuned->rule->n_labels : 0,
    };
    reading->ask = (struct tune_ask){
        .rule = &reading->rule,
        .interval_ms = candidate->interval_ms,
        .phase_ms = candidate->phase_ms,
        .from_ms = from_ms,
        .to_ms = past->to_ms,
        .for_ms = candidate->for_ms,
    };
    return true;
}

int learnt_past_run(const struct learnt_past *past,
                    const struct learnt_candidate *candidate,
                    int64_t from_ms,
                    int64_t deadline_ms,
                    struct tune_result *result)
{
    struct reading reading;
    int r = -1;

    *result = (struct tune_result){0};
    if (reading_begin(past, candidate, from_ms, deadline_ms, &reading)) {
        reading.ask.whens = &reading.incident;
        reading.ask.n_incidents = 1;
        r = tune_run(&reading.reader, &reading.ask, result, NULL);
    }
    reading_end(&reading);
    return r;
}

/* The setting's alerts, and what they become. */
static bool count(const struct learnt_past *past,
                  const struct reading *reading,
                  struct learnt_cost *ret)
{
    struct tuned_alerts alerts = {0};
    struct tune_result result;
    struct pages pages = {0};
    bool is_known = tune_run(&reading->reader, &reading->ask, &result, NULL) == 0;

    if (is_known) {
        tuned_alerts_add(&alerts, &reading->ask, &result);
        is_known = pages_run(&past->world.plan, alerts.at, alerts.n, &pages, NULL) == 0;
        *ret = (struct learnt_cost){(int64_t)pages.alerts, (int64_t)pages.n};
        pages_done(&pages);
    }
    tuned_alerts_done(&alerts);
    tune_result_done(&result);
    return is_known;
}

bool learnt_past_cost(const struct learnt_past *past,
                      const struct learnt_candidate *candidate,
                      const double *threshold,
                      int64_t for_ms,
                      struct learnt_cost *ret)
{
    int64_t deadline_ms = clock_mono_ms() + LEARNT_PAST_MS;
    struct reading reading;
    bool is_known = false;

    if (!candidate->tuned || !past->has_world)
        return false;
    if (reading_begin(past, candidate, learnt_past_begin(past), deadline_ms, &reading)) {
        reading.ask.is_alone = true;
        reading.ask.has_threshold = threshold != NULL;
        reading.ask.threshold = threshold ? *threshold : 0;
        reading.ask.for_ms = for_ms;
        is_known = count(past, &reading, ret);
    }
    reading_end(&reading);
    return is_known;
}
