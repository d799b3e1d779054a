/*
 * What samples of ALERTS say of a past instant. See why_load_private.h.
 */

#include <string.h>

#include "alertd/api/why_load_private.h"
#include "lib/base/mem.h"

enum {
    ALERTS_SAMPLES_MAX = 200000,
};

/* --- what samples say of its state --- */

static int matcher_of(struct matcher *matcher, const char *name, const char *value)
{
    return matcher_init(matcher, MATCHER_EQUAL, name, value, NULL);
}

/* Series of that name with these labels too, as they were at the instant: of each its newest
 * sample within the lookback. */
static int read_series(struct why_loading *loading,
                       const char *name,
                       const struct labels *labels,
                       const char *state,
                       struct source_result *ret_result)
{
    const struct source store = store_source(loading->api->store);
    struct told_of telling = {&store, loading->known->told};
    const struct source source = told_source(&telling);
    MEM_AUTO struct matcher *matchers = mem_zalloc((labels->n + 2) * sizeof(*matchers));
    int64_t at_ms = loading->question->at_ms;
    size_t n = 0;
    int r = matcher_of(&matchers[n++], LABEL_NAME, name);

    if (r == 0 && state)
        r = matcher_of(&matchers[n++], "alertstate", state);
    for (uint32_t i = 0; r == 0 && i < labels->n; i++)
        r = matcher_of(&matchers[n++], labels->at[i].name, labels->at[i].value);
    const struct source_query query = {.matchers = matchers,
                                       .n_matchers = n,
                                       .from_ms = at_ms - loading->api->query_lookback_ms + 1,
                                       .to_ms = at_ms,
                                       .newest_only = true};

    if (r == 0)
        r = source_read_all(&source, &query, ALERTS_SAMPLES_MAX, &loading->known->arena, ret_result,
                            loading->reterr);
    for (size_t i = 0; i < n; i++)
        matcher_done(&matchers[i]);
    return r;
}

static bool is_live(const struct source_series *series)
{
    return series->n > 0 && !sample_is_stale(series->values[series->n - 1]);
}

/* Those of the alert itself have two labels more: the name and, of ALERTS, the state. */
static int sampled_state(struct why_loading *loading, enum why_state *ret_state)
{
    const struct labels *labels = loading->known->alert.labels;
    struct source_result result = {0};
    int r = read_series(loading, "ALERTS", labels, NULL, &result);

    *ret_state = WHY_NOT_KNOWN;
    for (size_t i = 0; r == 0 && i < result.n; i++) {
        const char *state = labels_get(result.series[i].labels, "alertstate");

        if (!is_live(&result.series[i]) || result.series[i].labels->n != labels->n + 2 || !state)
            continue;
        if (strcmp(state, "firing") == 0)
            *ret_state = WHY_FIRING;
        else if (*ret_state == WHY_NOT_KNOWN)
            *ret_state = WHY_PENDING;
    }
    return r;
}

static int sampled_since(struct why_loading *loading, int64_t *ret_active_ms)
{
    const struct labels *labels = loading->known->alert.labels;
    struct source_result result = {0};
    int r = read_series(loading, "ALERTS_FOR_STATE", labels, NULL, &result);

    for (size_t i = 0; r == 0 && i < result.n; i++)
        if (is_live(&result.series[i]) && result.series[i].labels->n == labels->n + 1)
            *ret_active_ms = (int64_t)(result.series[i].values[result.series[i].n - 1] * 1000);
    return r;
}

static bool has_samples(const struct why_loading *loading)
{
    struct store_stats stats;

    store_stats(loading->api->store, &stats);
    return stats.oldest_ms && stats.oldest_ms <= loading->question->at_ms;
}

static bool has_all_samples(const struct why_loading *loading)
{
    const char *missing[TOLD_LIST_MAX];

    return told_list(loading->known->told, missing) == 0;
}

/* What the row of now does not say of a past instant. */
int why_ask_samples(struct why_loading *loading)
{
    struct why_alert *alert = &loading->known->alert;
    enum why_state sampled = WHY_NOT_KNOWN;
    int r = sampled_state(loading, &sampled);

    if (r)
        return r;
    if (sampled != WHY_NOT_KNOWN && sampled != alert->state) {
        alert->state = sampled;
        alert->fired_ms = alert->resolved_ms = 0;
        alert->from = "samples of ALERTS";
        return sampled_since(loading, &alert->active_ms);
    }
    if (alert->state != WHY_NOT_KNOWN)
        return 0;
    if (!has_all_samples(loading)) {
        alert->words = "not all samples of that time could be read";
    } else if (!has_samples(loading)) {
        alert->words = "the samples of that time are not kept";
    } else {
        alert->state = WHY_INACTIVE;
        alert->from = "samples of ALERTS";
    }
    return 0;
}

/* The alert's labels, of a series of ALERTS. */
static const struct labels *alert_of_series(struct arena *arena, const struct labels *series)
{
    MEM_AUTO struct label *pairs = mem_alloc((series->n + 1) * sizeof(*pairs));
    size_t n = 0;

    for (uint32_t i = 0; i < series->n; i++)
        if (strcmp(series->at[i].name, LABEL_NAME) != 0 &&
            strcmp(series->at[i].name, "alertstate") != 0)
            pairs[n++] = series->at[i];
    return labels_in_arena(arena, pairs, n);
}

int why_sources_then(struct why_loading *loading)
{
    struct why_input *in = &loading->known->input;
    struct arena *arena = &loading->known->arena;
    struct source_result sampled = {0};
    struct why_source *rows = NULL;
    struct why_source *sources;
    size_t n = 0;
    int r = why_db_sources(loading->conn, loading->question->at_ms, arena, &rows, &n,
                           loading->reterr);

    if (r == 0)
        r = read_series(loading, "ALERTS", labels_empty(), "firing", &sampled);
    if (r)
        return r;
    sources = arena_array(arena, n + sampled.n + 1, sizeof(*sources));
    if (!sources)
        return why_no_room(loading);
    for (size_t i = 0; i < n; i++)
        sources[i] = rows[i];
    for (size_t i = 0; i < sampled.n; i++) {
        if (!is_live(&sampled.series[i]))
            continue;
        sources[n].labels = alert_of_series(arena, sampled.series[i].labels);
        if (!sources[n++].labels)
            return why_no_room(loading);
    }
    if (!has_all_samples(loading))
        in->sources_words = "alerts that fired then and were in no incident: not all samples of "
                            "that time could be read";
    else if (!has_samples(loading))
        in->sources_words = "alerts that fired then and were in no incident: the samples of that "
                            "time are not kept";
    in->sources = sources;
    in->n_sources = n;
    return 0;
}
