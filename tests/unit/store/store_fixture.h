#pragma once

/*
 * A store in a scratch folder with a clock the test turns, and samples as text.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/store/store.h"
#include "lib/base/mem.h"
#include "tests/lib/row.h"
#include "tests/lib/scratch.h"

#define NOON INT64_C(1700049600000) /* 2023-11-15 12:00:00 UTC */
#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

struct fixture {
    struct scratch scratch;
    struct store *store;
    struct store_options options;
};

extern int64_t fixture_now_ms;

static inline int64_t fixture_now(void)
{
    return fixture_now_ms;
}

static const struct log fixture_log = {.fd = 2, .level = LOG_ERROR};

static inline void fixture_open(struct fixture *fixture)
{
    struct err err = {0};

    if (store_open(&fixture->options, &fixture->store, &err) != 0)
        fail_msg("%s", err.text);
}

static inline void fixture_reopen(struct fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
    fixture_open(fixture);
}

static inline void fixture_init(struct fixture *fixture, int64_t retention_ms)
{
    *fixture = (struct fixture){0};
    assert_int_equal(scratch_init(&fixture->scratch), 0);
    fixture->options = (struct store_options){.folder = fixture->scratch.folder,
                                              .retention_ms = retention_ms,
                                              .now_wall_ms = fixture_now,
                                              .log = &fixture_log};
    fixture_now_ms = NOON;
    fixture_open(fixture);
}

static inline void fixture_done(struct fixture *fixture)
{
    store_close(fixture->store);
    scratch_done(&fixture->scratch);
}

/* m{i="<i>"} */
static inline const struct labels *series_of(int i)
{
    char value[16];
    const struct label pairs[] = {{LABEL_NAME, "m"}, {"i", value}, {"job", "test"}};

    (void)snprintf(value, sizeof(value), "%d", i);
    return labels_new(pairs, 3);
}

/* Pushes n samples of series i. */
static inline int push_as(struct fixture *fixture,
                          int i,
                          const struct sample *samples,
                          size_t n,
                          const struct store_batch *identity,
                          struct store_outcome *ret_outcome)
{
    const struct labels *labels = series_of(i);
    const struct store_entry entry = {.labels = labels, .samples = samples, .n = n};
    struct store_batch batch = *identity;
    struct err err = {0};

    batch.entries = &entry;
    batch.n = 1;
    int r = store_append(fixture->store, &batch, ret_outcome, &err);
    if (r != 0)
        row("answer %d: %s", r, err.text);
    labels_unref(labels);
    return r;
}

static inline struct store_outcome push(struct fixture *fixture, int i, int64_t t_ms, double value)
{
    const struct sample sample = {t_ms, value};
    struct store_outcome outcome = {0};

    assert_int_equal(push_as(fixture, i, &sample, 1, &(struct store_batch){0}, &outcome), 0);
    return outcome;
}

/* "1@-10 2@0" for series i: values at milliseconds after NOON. */
static inline char *read_back(
    struct fixture *fixture, int i, int64_t from_ms, int64_t to_ms, size_t *ret_warnings)
{
    const struct source source = store_source(fixture->store);
    struct matcher matchers[2];
    struct source_result result;
    struct arena arena;
    struct str text = STR_INIT(1 << 20);
    struct err err = {0};
    char value[16];

    (void)snprintf(value, sizeof(value), "%d", i);
    assert_int_equal(matcher_init(&matchers[0], MATCHER_EQUAL, LABEL_NAME, "m", NULL), 0);
    assert_int_equal(matcher_init(&matchers[1], MATCHER_EQUAL, "i", value, NULL), 0);
    arena_init(&arena, 1 << 26);
    if (source_read_all(
            &source,
            &(struct source_query){
                .matchers = matchers, .n_matchers = 2, .from_ms = from_ms, .to_ms = to_ms},
            1 << 20, &arena, &result, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(result.n <= 1);
    for (size_t k = 0; result.n && k < result.series[0].n; k++)
        str_addf(&text, "%s%g@%lld", k ? " " : "", result.series[0].values[k],
                 (long long)(result.series[0].t_ms[k] - NOON));
    if (ret_warnings)
        *ret_warnings = result.n_warnings;
    matcher_done(&matchers[0]);
    matcher_done(&matchers[1]);
    arena_reset(&arena);
    return text.text ? str_take(&text) : mem_strdup("");
}

static inline void expect(
    struct fixture *fixture, int i, int64_t from, int64_t to, const char *text)
{
    char *found = read_back(fixture, i, NOON + from, NOON + to, NULL);

    assert_string_equal(found, text);
    free(found);
}

/* Pushes a sample every ten seconds for n_hours from NOON, in batches of an hour. */
static inline void push_hours(struct fixture *fixture, int series, int n_hours)
{
    struct sample hour_of_samples[360];
    struct store_outcome outcome;

    for (int h = 0; h < n_hours; h++) {
        for (int k = 0; k < 360; k++)
            hour_of_samples[k] = (struct sample){NOON + h * HOUR + k * INT64_C(10000),
                                                 h * 360.0 + k};
        fixture_now_ms = NOON + (h + 1) * HOUR;
        assert_int_equal(
            push_as(fixture, series, hour_of_samples, 360, &(struct store_batch){0}, &outcome), 0);
        assert_int_equal(outcome.stored, 360);
        assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0);
        assert_int_equal(store_maintain(fixture->store, fixture_now_ms, NULL), 0);
    }
}
