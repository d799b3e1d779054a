/*
 * A small store with a history that anybody can compute again, for tests that break its files.
 *
 *   store_day push FOLDER BATCHES    pushes batch 0, 1, ... under a clock of its own (half an hour a
 *                                    batch: sealing, late samples, midnight); says "ack K" or
 *                                    "err K" as each is answered; then ends without closing
 *   store_day close FOLDER BATCHES   the same, and closes
 *   store_day small FOLDER BATCHES   the same, and closes days later, when all of it is made small
 *   store_day check FOLDER BATCHES   opens it and compares; batch numbers that were acknowledged
 *                                    come on stdin. Exit 0: every sample found is right and every
 *                                    acknowledged one is there, or a warning or an error says what
 *                                    is not. 1: wrong data, 2: lost in silence, 3: it does not open.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/store/store.h"
#include "lib/base/mem.h"

#define BEGIN_MS INT64_C(1700049600000) /* 2023-11-15 12:00:00 UTC */
#define STEP_MS  INT64_C(1800000)

enum {
    SERIES = 5,
    SAMPLES = 20,
    WRONG = 1,
    LOST = 2,
    CLOSED = 3,
};

static int64_t now_ms = BEGIN_MS;

static int64_t now(void)
{
    return now_ms;
}

/* --- the model --- */

/* Every sample has a time of its own within its series; every third batch brings late ones. */
static int64_t time_of(int batch, int sample)
{
    bool late = batch % 3 == 2 && sample >= SAMPLES / 2;

    return BEGIN_MS + batch * STEP_MS + sample * INT64_C(1000) - (late ? 6 * STEP_MS - 500 : 0);
}

static uint64_t bits_of(int series, int batch, int sample)
{
    static const uint64_t odd[] = {SAMPLE_STALE_BITS, 0x7ff8000000000001, 0x8000000000000000,
                                   0xfff0000000000000};
    uint64_t mix = ((uint64_t)series * 1000003 + (uint64_t)batch * 10007 + (uint64_t)sample) *
                   UINT64_C(0x9e3779b97f4a7c15);

    if (mix >> 61 == 0)
        return odd[mix >> 59 & 3];
    return sample_bits(series % 2 ? (double)(batch * SAMPLES + sample) : (double)(mix >> 40) / 7);
}

static const struct labels *labels_of(int series)
{
    char value[16];
    const struct label pairs[] = {{LABEL_NAME, "m"}, {"i", value}};

    (void)snprintf(value, sizeof(value), "%d", series);
    return labels_new(pairs, 2);
}

/* --- pushing --- */

static int push(struct store *store, int batch, struct err *reterr)
{
    struct sample samples[SERIES][SAMPLES];
    struct store_entry entries[SERIES];
    struct store_outcome outcome;

    for (int i = 0; i < SERIES; i++) {
        for (int k = 0; k < SAMPLES; k++)
            samples[i][k] = (struct sample){time_of(batch, k),
                                            sample_from_bits(bits_of(i, batch, k))};
        entries[i] = (struct store_entry){labels_of(i), samples[i], SAMPLES};
    }
    const struct store_batch whole = {.entries = entries,
                                      .n = SERIES,
                                      .agent = "a",
                                      .epoch = 1,
                                      .sequence = (uint64_t)batch + 1,
                                      .body_hash = (uint64_t)batch};
    int r = store_append(store, &whole, &outcome, reterr);
    for (int i = 0; i < SERIES; i++)
        labels_unref(entries[i].labels);
    return r;
}

static void push_all(struct store *store, int n_batches)
{
    for (int batch = 0; batch < n_batches; batch++) {
        char line[32];
        struct err err = {0};

        now_ms = BEGIN_MS + batch * STEP_MS + 60000;
        int r = push(store, batch, &err);
        int len = snprintf(line, sizeof(line), "%s %d\n", r == 0 ? "ack" : "err", batch);
        if (write(STDOUT_FILENO, line, (size_t)len) != len)
            abort();
        if (r != 0)
            (void)fprintf(stderr, "batch %d: %s\n", batch, err.text);
        (void)store_maintain(store, now_ms, NULL);
    }
}

/* Two days later, until both days are sealed, compacted and rolled up. */
static void make_small(struct store *store)
{
    enum {
        TIMES = 400,
        EVERY_MS = 660000,
    };

    now_ms += INT64_C(2) * 86400000;
    for (int i = 0; i < TIMES; i++) {
        now_ms += EVERY_MS;
        (void)store_maintain(store, now_ms, NULL);
    }
}

/* --- checking --- */

struct check {
    struct store *store;
    int n_batches;
    bool *acked;
    bool *seen; /* series, batch, sample */
    bool is_told;
    int verdict;
};

/* With the batch that an earlier check pushed. */
static size_t n_all(int n_batches)
{
    return SERIES * ((size_t)n_batches + 1) * SAMPLES;
}

static bool *seen_at(const struct check *check, int series, int batch, int sample)
{
    return &check
                ->seen[((size_t)series * ((size_t)check->n_batches + 1) + (size_t)batch) * SAMPLES +
                       (size_t)sample];
}

static void say(struct check *check, int verdict, int series, int64_t t_ms, uint64_t bits)
{
    if (check->verdict == 0)
        printf("%s: series %d, time %" PRId64 ", bits %016" PRIx64 "\n",
               verdict == WRONG ? "wrong" : "lost", series, t_ms, bits);
    if (check->verdict != WRONG)
        check->verdict = verdict;
}

static void check_sample(struct check *check, int series, int64_t t_ms, uint64_t bits)
{
    for (int batch = 0; batch <= check->n_batches; batch++)
        for (int k = 0; k < SAMPLES; k++)
            if (time_of(batch, k) == t_ms && bits_of(series, batch, k) == bits) {
                *seen_at(check, series, batch, k) = true;
                return;
            }
    say(check, WRONG, series, t_ms, bits);
}

static void check_series(struct check *check, const struct source_series *found)
{
    const char *text = labels_get(found->labels, "i");
    int series = text ? (int)strtol(text, NULL, 10) : -1; /* compared as text below */
    const struct labels *labels = labels_of(series);

    if (series < 0 || series >= SERIES || !labels_equal(labels, found->labels))
        say(check, WRONG, series, 0, 0);
    for (size_t k = 0; check->verdict != WRONG && k < found->n; k++) {
        if (k > 0 && found->t_ms[k] <= found->t_ms[k - 1])
            say(check, WRONG, series, found->t_ms[k], 0);
        check_sample(check, series, found->t_ms[k], sample_bits(found->values[k]));
    }
    labels_unref(labels);
}

/* What is asked for in [from, to] and is not there, unless somebody said so. */
static void check_missing(struct check *check, int64_t from_ms, int64_t to_ms)
{
    for (int i = 0; i < SERIES; i++)
        for (int batch = 0; batch < check->n_batches; batch++)
            for (int k = 0; k < SAMPLES; k++)
                if (check->acked[batch] && time_of(batch, k) >= from_ms &&
                    time_of(batch, k) <= to_ms && !*seen_at(check, i, batch, k))
                    say(check, LOST, i, time_of(batch, k), bits_of(i, batch, k));
}

static void check_window(struct check *check, int64_t from_ms, int64_t to_ms)
{
    const struct source source = store_source(check->store);
    ARENA_AUTO struct arena arena;
    struct source_result result = {0};
    struct matcher matcher;
    struct err err = {0};

    memset(check->seen, 0, n_all(check->n_batches));
    arena_init(&arena, 1 << 26);
    (void)matcher_init(&matcher, MATCHER_EQUAL, LABEL_NAME, "m", NULL);
    int r = source_read_all(&source, &(struct source_query){&matcher, 1, from_ms, to_ms, false},
                            1 << 20, &arena, &result, &err);
    if (r != 0 && !check->is_told)
        printf("told: %s\n", err.text);
    for (size_t i = 0; r == 0 && i < result.n_warnings && !check->is_told; i++)
        printf("told: %s\n", result.warnings[i]);
    check->is_told = check->is_told || r != 0 || result.n_warnings > 0;
    for (size_t i = 0; r == 0 && i < result.n; i++)
        check_series(check, &result.series[i]);
    if (r == 0 && result.n_warnings == 0)
        check_missing(check, from_ms, to_ms);
    matcher_done(&matcher);
}

static int check_all(struct store *store, int n_batches)
{
    struct check check = {.store = store, .n_batches = n_batches};
    struct err err = {0};
    char line[32];

    check.acked = mem_zalloc((size_t)n_batches * sizeof(bool));
    check.seen = mem_zalloc(n_all(n_batches));
    while (fgets(line, sizeof(line), stdin)) {
        long batch = strtol(line, NULL, 10);
        if (batch >= 0 && batch < n_batches)
            check.acked[batch] = true;
    }
    check_window(&check, INT64_MIN, INT64_MAX);
    for (int64_t t = BEGIN_MS - 6 * STEP_MS; t < BEGIN_MS + n_batches * STEP_MS; t += STEP_MS / 2)
        check_window(&check, t, t + STEP_MS / 2 - 1);
    if (check.is_told && push(store, n_batches, &err) != 0) /* a damaged day was set aside */
        printf("told: %s\n", err.text);
    err = (struct err){0};
    if (push(store, n_batches, &err) != 0) {
        printf("it does not take samples: %s\n", err.text);
        check.verdict = check.verdict ? check.verdict : CLOSED;
    }
    free(check.acked);
    free(check.seen);
    return check.verdict;
}

int main(int argc, char **argv)
{
    static const struct log log = {.fd = STDERR_FILENO, .level = LOG_WARN};
    struct err err = {0};
    struct store *store;

    if (argc != 4)
        return 64;
    int n_batches = (int)strtol(argv[3], NULL, 10);
    const struct store_options options = {.folder = argv[2],
                                          .retention_ms = INT64_C(15) * 86400000,
                                          .low_water_bytes = 1,
                                          .now_wall_ms = now,
                                          .log = &log};
    bool checks = strcmp(argv[1], "check") == 0;
    int status = 0;

    if (checks)
        now_ms = BEGIN_MS + n_batches * STEP_MS + 60000;
    if (store_open(&options, &store, &err) != 0) {
        printf("it does not open: %s\n", err.text);
        return CLOSED;
    }
    if (checks)
        status = check_all(store, n_batches);
    else
        push_all(store, n_batches);
    if (strcmp(argv[1], "small") == 0)
        make_small(store);
    if (strcmp(argv[1], "push") == 0)
        _exit(0); /* as a kill would */
    store_close(store);
    return status;
}
