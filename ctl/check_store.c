/*
 * The questions of lint with data, put to a storage folder no alertd runs on: a copy, a backup,
 * or the place itself while it is down. See check.h.
 *
 * Now is when its newest sample was written: what a copy of last week says is of last week.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alertd/db/db.h"
#include "alertd/promql/promql.h"
#include "ctl/check.h"
#include "lib/base/clock.h"

enum {
    QUERY_BYTES_MAX = 512 << 20,
    FANOUT_MAX = 100,
};

static const struct log quiet = {.fd = 2, .level = LOG_ERROR};

/* The query's value now; false: it is none, or can't be had. */
static bool evaluate(struct store_asker *asker,
                     const char *text,
                     struct arena *arena,
                     struct promql_value *value)
{
    const struct source store = store_source(asker->store);
    struct told_of telling = {&store, asker->told};
    const struct source source = told_source(&telling);
    const struct promql_query query = {.start_ms = asker->now_ms, .end_ms = asker->now_ms};
    struct promql_expr *expr = NULL;

    return promql_parse(arena, text, &expr, NULL) == 0 &&
           promql_eval(expr, &source, &query, arena, value, NULL) == 0;
}

static int ask_number(void *arg, const char *query, bool *ret_found, double *ret_number)
{
    struct store_asker *asker = arg;
    ARENA_AUTO struct arena arena;
    struct promql_value value = {0};

    arena_init(&arena, QUERY_BYTES_MAX);
    *ret_found = false;
    if (!evaluate(asker, query, &arena, &value)) {
        asker->n_unanswered++;
        return -1;
    }
    *ret_found = value.n > 0 && value.series[0].n > 0;
    if (*ret_found)
        *ret_number = value.series[0].values[0];
    return 0;
}

/* What kind a metric is, agents tell alertd; it is not kept with the samples. */
static int ask_type(void *arg, const char *metric, const char **ret_type)
{
    *ret_type = "";
    return 0;
}

static int ask_cost(void *arg, const char *query, int64_t *ret_ms, int64_t *ret_samples)
{
    struct store_asker *asker = arg;
    ARENA_AUTO struct arena arena;
    struct promql_value value = {0};
    int64_t began_ms = clock_mono_ms();

    arena_init(&arena, QUERY_BYTES_MAX);
    bool is_known = evaluate(asker, query, &arena, &value);
    asker->n_unanswered += !is_known;
    *ret_ms = clock_mono_ms() - began_ms;
    *ret_samples = (int64_t)value.n_samples;
    return is_known ? 0 : -1;
}

enum ctl_exit store_asker_init(struct store_asker *asker,
                               const struct ctl *ctl,
                               const char *folder,
                               int64_t window_ms)
{
    struct store_stats stats;
    char samples[4096];
    struct err err = {0};

    *asker = (struct store_asker){.told = told_new()};
    (void)snprintf(samples, sizeof(samples), "%s/samples", folder);
    if (access(samples, F_OK) != 0)
        return ctl_fail(
            ctl, "there is no %s: --store is the folder of --storage.path, or a backup of it",
            samples);
    if (db_lock_folder(folder, &err) != 0)
        return ctl_fail(ctl, "%s: ask the alertd that runs there with --url, or use a copy",
                        err.text);
    int r = store_open(
        &(struct store_options){.folder = samples, .now_wall_ms = clock_wall_ms, .log = &quiet},
        &asker->store, &err);
    if (r != 0)
        return ctl_fail(ctl, "%s", err.text);
    store_stats(asker->store, &stats);
    asker->now_ms = stats.newest_ms > 0 ? stats.newest_ms : clock_wall_ms();
    asker->data = (struct rule_data){
        .number = ask_number,
        .metric_type = ask_type,
        .cost = ask_cost,
        .arg = asker,
        .window_ms = window_ms,
        .fanout_max = FANOUT_MAX,
    };
    return CTL_OK;
}

void store_asker_done(struct store_asker *asker)
{
    store_close(asker->store);
    told_free(asker->told);
}
