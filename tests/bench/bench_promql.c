/*
 * How long a range query takes in the engine alone: rate over a thousand counters for a
 * day, samples every 15 s, a point a minute. One JSON line:
 *
 *     {"bench":"promql_range_rate","series":1000,...,"ms":...,"samples_per_s":...}
 */

#include <stdio.h>
#include <stdlib.h>

#include "alertd/promql/promql.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    N_SERIES = 1000,
    SCRAPE_MS = 15000,
    DAY_MS = 86400000,
    STEP_MS = 60000,
    RANGE_MS = 300000,
    N_SAMPLES = (DAY_MS + RANGE_MS) / SCRAPE_MS + 1,
    ROUNDS = 5,
};

/* All series share one set of columns: what is measured is the engine, not a source. */
struct counters {
    const struct labels *labels[N_SERIES];
    int64_t t_ms[N_SAMPLES];
    double values[N_SAMPLES];
};

static int select_counters(void *self,
                           const struct source_query *query,
                           struct arena *arena,
                           struct source_selection *ret_selection,
                           struct err *reterr)
{
    const struct counters *counters = self;
    struct source_match *matches = arena_array(arena, N_SERIES, sizeof(*matches));

    (void)query;
    if (!matches)
        return err_set(reterr, SOURCE_E_LIMIT, "out of memory");
    for (size_t i = 0; i < N_SERIES; i++)
        matches[i] = (struct source_match){counters->labels[i], counters};
    *ret_selection = (struct source_selection){.matches = matches, .n = N_SERIES};
    return 0;
}

static int read_counter(void *self,
                        const struct source_query *query,
                        const struct source_match *match,
                        struct arena *arena,
                        struct source_columns *columns,
                        struct err *reterr)
{
    const struct counters *counters = match->of;

    (void)self;
    (void)query;
    (void)arena;
    (void)reterr;
    columns->n = N_SAMPLES;
    columns->t_ms = counters->t_ms;
    columns->values = counters->values;
    return 0;
}

static void fill(struct counters *counters)
{
    for (size_t i = 0; i < N_SERIES; i++) {
        char instance[32];

        (void)snprintf(instance, sizeof(instance), "host-%03zu:9100", i);
        const struct label pairs[] = {
            {LABEL_NAME, "requests_total"}, {"instance", instance}, {"job", i % 2 ? "web" : "api"}};
        counters->labels[i] = labels_new(pairs, 3);
    }
    for (size_t i = 0; i < N_SAMPLES; i++) {
        counters->t_ms[i] = (int64_t)i * SCRAPE_MS - RANGE_MS;
        counters->values[i] = (double)(i * 37 % 4000);
    }
}

/* Milliseconds of the fastest of some rounds; negative when it failed. */
static double measure(struct counters *counters, const char *text, size_t *ret_points)
{
    const struct promql_query query = {.end_ms = DAY_MS, .step_ms = STEP_MS};
    const struct source source = {
        .select = select_counters, .read = read_counter, .self = counters};
    double best = -1;

    for (int round = 0; round < ROUNDS; round++) {
        ARENA_AUTO struct arena arena;
        struct promql_expr *expr = NULL;
        struct promql_value value = {0};
        struct err err = {0};

        arena_init(&arena, (size_t)1 << 30);
        int64_t start_us = clock_mono_us();
        int r = promql_parse(&arena, text, &expr, &err);
        if (!r)
            r = promql_eval(expr, &source, &query, &arena, &value, &err);
        double ms = (double)(clock_mono_us() - start_us) / 1000;
        if (r) {
            (void)fprintf(stderr, "%s: %s\n", text, err.text);
            return -1;
        }
        *ret_points = 0;
        for (size_t i = 0; i < value.n; i++)
            *ret_points += value.series[i].n;
        if (best < 0 || ms < best)
            best = ms;
    }
    return best;
}

int main(void)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        {"promql_range_rate", "rate(requests_total[5m])"},
        {"promql_range_sum_rate", "sum by (job) (rate(requests_total[5m]))"},
        {"promql_range_ratio", "requests_total / on (instance, job) requests_total > 0.5"},
        {"promql_range_avg_over_time", "avg_over_time(requests_total[5m])"},
    };
    struct counters *counters = mem_zalloc(sizeof(*counters));
    int status = EXIT_SUCCESS;

    fill(counters);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t points = 0;
        double ms = measure(counters, rows[i].text, &points);

        if (ms < 0)
            status = EXIT_FAILURE;
        printf("{\"bench\":\"%s\",\"series\":%d,\"samples\":%d,\"points\":%zu,\"ms\":%.1f,"
               "\"samples_per_s\":%.0f}\n",
               rows[i].name, N_SERIES, N_SERIES * N_SAMPLES, points, ms,
               (double)N_SERIES * N_SAMPLES / ms * 1000);
    }
    for (size_t i = 0; i < N_SERIES; i++)
        labels_unref(counters->labels[i]);
    free(counters);
    return status;
}
