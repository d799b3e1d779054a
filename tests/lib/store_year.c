/*
 * Many days of samples in a folder, rolled up under a clock of its own: for tests that kill the
 * roll-up, and for looking at and measuring graphs of a year.
 *
 *   store_year fill FOLDER DAYS STEP_S END_S   pushes the days before END_S (a midnight), nothing sealed
 *   store_year roll FOLDER DAYS STEP_S END_S   seals, compacts and rolls up until all of it is done
 *   store_year check FOLDER DAYS STEP_S END_S  compares all roll-ups with the samples they are of; says
 *                                              "ready N" days that have them, "told: ..." warnings.
 *                                              Exit 1: they differ and no warning said so
 */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/store/partition.h"
#include "alertd/store/rollup.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"

#define DAY_MS INT64_C(86400000)

enum {
    SERIES = 4,
    ROUNDS_MAX = 40,
    BYTES_MAX = 512 << 20,
};

struct year {
    const char *folder;
    int64_t days, step_ms, end_ms;
};

static int64_t now_ms;

static int64_t now(void)
{
    return now_ms;
}

static const struct log quiet = {.fd = 2, .level = LOG_WARN};

static struct store *open_store(const struct year *year)
{
    const struct store_options options = {
        .folder = year->folder, .now_wall_ms = now, .log = &quiet, .low_water_bytes = 1};
    struct store *store = NULL;
    struct err err = {0};

    if (store_open(&options, &store, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        _exit(3);
    }
    return store;
}

/* --- the samples --- */

static const struct labels *labels_of(int series)
{
    static const char *const names[SERIES] = {"queue_depth", "requests_total", "response_seconds",
                                              "config_version"};
    const struct label pairs[] = {{LABEL_NAME, names[series]}, {"instance", "web-1"}};

    return labels_new(pairs, 2);
}

/* A wave of days and weeks with noise and rare spikes, a counter, a duration, a constant. */
static double value_of(int series, int64_t t_ms, struct rng *rng)
{
    double day = (double)t_ms / (double)DAY_MS;
    double noise = (double)rng_below(rng, 1000) / 1000;
    bool is_spike = rng_below(rng, 4000) == 0;

    switch (series) {
    case 0:
        return floor(40 + 25 * sin(day * 2 * M_PI) + 10 * sin(day * 2 * M_PI / 7) + 12 * noise +
                     (is_spike ? 180 : 0));
    case 1: return floor((double)(t_ms % (400 * DAY_MS)) / 100 + 40 * noise);
    case 2:
        return floor((0.12 + 0.05 * sin(day * 2 * M_PI) + 0.03 * noise + (is_spike ? 0.9 : 0)) *
                     10000) /
               10000;
    default: return 7;
    }
}

static void push_day(struct store *store, const struct year *year, int64_t day_ms)
{
    size_t n = (size_t)(DAY_MS / year->step_ms);
    MEM_AUTO struct sample *samples = mem_alloc(SERIES * n * sizeof(*samples));
    struct store_entry entries[SERIES];
    struct store_outcome outcome;
    struct rng rng = {(uint64_t)day_ms};
    struct err err = {0};

    for (int i = 0; i < SERIES; i++) {
        struct sample *own = samples + (size_t)i * n;

        for (size_t k = 0; k < n; k++) {
            int64_t t_ms = day_ms + (int64_t)k * year->step_ms;
            own[k] = (struct sample){t_ms, value_of(i, t_ms, &rng)};
        }
        entries[i] = (struct store_entry){.labels = labels_of(i), .samples = own, .n = n};
    }
    const struct store_batch batch = {.entries = entries, .n = SERIES};
    if (store_append(store, &batch, &outcome, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        _exit(3);
    }
    for (int i = 0; i < SERIES; i++)
        labels_unref(entries[i].labels);
}

/* --- the words --- */

static void fill(const struct year *year)
{
    now_ms = year->end_ms - year->days * DAY_MS;
    struct store *store = open_store(year);
    for (int64_t day = year->days; day > 0; day--)
        push_day(store, year, year->end_ms - day * DAY_MS);
    store_close(store);
}

/* How many days have roll-ups. */
static int64_t count_ready(const struct year *year)
{
    int64_t n = 0;

    for (int64_t day = year->days; day > 0; day--) {
        struct partition *partition = NULL;
        struct err err = {0};

        if (partition_open(year->folder, year->end_ms - day * DAY_MS, false, &partition, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            _exit(3);
        }
        n += partition->is_rolled && partition->journal_bytes == 0;
        partition_close(partition);
    }
    return n;
}

static void roll(const struct year *year)
{
    now_ms = year->end_ms + 3 * DAY_MS;
    for (int round = 0; round < ROUNDS_MAX && count_ready(year) < year->days; round++) {
        struct store *store = open_store(year);
        for (int64_t k = 0; k < 4 * year->days + 200; k++) {
            now_ms += 660000;
            (void)store_maintain(store, now_ms, NULL);
        }
        store_close(store);
    }
}

/* Whether a series' roll-up is what its samples give. */
static bool is_right(const struct store_rollup_series *series,
                     const struct source_series *samples,
                     int64_t step_ms)
{
    struct buckets plain = {0};
    bool same = labels_equal(series->labels, samples->labels);

    buckets_add_samples(&plain, step_ms, samples->t_ms, samples->values, samples->n);
    same = same && plain.n == series->steps.n;
    for (size_t i = 0; same && i < plain.n; i++)
        same = plain.at[i].t_ms == series->steps.at[i].t_ms &&
               plain.at[i].count == series->steps.at[i].count &&
               sample_bits(plain.at[i].min) == sample_bits(series->steps.at[i].min) &&
               sample_bits(plain.at[i].max) == sample_bits(series->steps.at[i].max) &&
               sample_bits(plain.at[i].sum) == sample_bits(series->steps.at[i].sum);
    buckets_done(&plain);
    return same;
}

static bool check_series(struct store *store, const struct year *year, int i, int64_t step_ms)
{
    const struct source source = store_source(store);
    const struct labels *labels = labels_of(i);
    int64_t from_ms = year->end_ms - year->days * DAY_MS;
    struct source_result result = {0};
    struct store_rollup rollup;
    struct matcher matcher;
    struct err err = {0};
    ARENA_AUTO struct arena arena;

    arena_init(&arena, BYTES_MAX);
    (void)matcher_init(&matcher, MATCHER_EQUAL, LABEL_NAME, labels_get(labels, LABEL_NAME), NULL);
    const struct source_query query = {&matcher, 1, from_ms, year->end_ms - 1, false};
    const struct store_rollup_query asked = {.matchers = &matcher,
                                             .n_matchers = 1,
                                             .from_ms = from_ms,
                                             .to_ms = year->end_ms,
                                             .step_ms = step_ms,
                                             .bytes_max = BYTES_MAX};
    bool same = source_read_all(&source, &query, SIZE_MAX, &arena, &result, &err) == 0;
    same = store_rollup(store, &asked, &rollup, &err) == 0 && same && result.n == 1 &&
           rollup.n == 1 && result.n_samples == (size_t)(year->days * (DAY_MS / year->step_ms)) &&
           is_right(&rollup.series[0], &result.series[0], step_ms);
    for (size_t k = 0; k < rollup.n_warnings; k++)
        printf("told: %s\n", rollup.warnings[k]);
    if (!same)
        printf("series %d, step %" PRId64 ": %zu samples, %zu rolled up, %s\n", i, step_ms,
               result.n_samples, rollup.n, err.text);
    same = same || rollup.n_warnings > 0;
    store_rollup_done(&rollup);
    matcher_done(&matcher);
    labels_unref(labels);
    return same;
}

static int check(const struct year *year)
{
    bool same = true;

    now_ms = year->end_ms + 3 * DAY_MS;
    struct store *store = open_store(year);
    for (int i = 0; i < SERIES; i++) {
        same = check_series(store, year, i, BUCKETS_FINE_MS) && same;
        same = check_series(store, year, i, BUCKETS_COARSE_MS) && same;
    }
    store_close(store);
    printf("ready %" PRId64 "\n", count_ready(year));
    return same ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fprintf(stderr, "usage: store_year fill|roll|check FOLDER DAYS STEP_S END_S\n");
        return 2;
    }
    const struct year year = {argv[2], strtoll(argv[3], NULL, 10),
                              strtoll(argv[4], NULL, 10) * 1000, strtoll(argv[5], NULL, 10) * 1000};
    if (strcmp(argv[1], "check") == 0)
        return check(&year);
    if (strcmp(argv[1], "fill") == 0)
        fill(&year);
    else
        roll(&year);
    return 0;
}
