/*
 * A source in memory. See fake_source.h.
 */

#include "tests/lib/fake_source.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/promql/promql.h"
#include "lib/base/mem.h"

void fake_source_done(struct fake_source *fake)
{
    for (size_t i = 0; i < fake->n; i++) {
        labels_unref(fake->series[i].labels);
        free(fake->series[i].samples);
    }
    free(fake->series);
    *fake = (struct fake_source){0};
}

static struct fake_series *find_series(struct fake_source *fake, const struct labels *labels)
{
    for (size_t i = 0; i < fake->n; i++)
        if (labels_equal(fake->series[i].labels, labels))
            return &fake->series[i];
    fake->series = mem_grow(fake->series, &fake->capacity, fake->n + 1, sizeof(*fake->series));
    fake->series[fake->n] = (struct fake_series){.labels = labels_ref(labels)};
    return &fake->series[fake->n++];
}

void fake_source_put(struct fake_source *fake,
                     const struct labels *labels,
                     int64_t t_ms,
                     double value)
{
    struct fake_series *series = find_series(fake, labels);
    size_t at = series->n;

    while (at > 0 && series->samples[at - 1].t_ms >= t_ms)
        at--;
    if (at < series->n && series->samples[at].t_ms == t_ms) {
        series->samples[at].value = value;
        return;
    }
    series->samples = mem_grow(series->samples, &series->capacity, series->n + 1,
                               sizeof(*series->samples));
    memmove(series->samples + at + 1, series->samples + at,
            (series->n - at) * sizeof(*series->samples));
    series->samples[at] = (struct sample){t_ms, value};
    series->n++;
}

/* The samples of one series within [from, to], as columns. */
static bool copy_samples(const struct fake_series *series,
                         int64_t from_ms,
                         int64_t to_ms,
                         struct arena *arena,
                         struct source_series *ret)
{
    size_t first = 0;
    size_t end = series->n;

    while (first < end && series->samples[first].t_ms < from_ms)
        first++;
    while (end > first && series->samples[end - 1].t_ms > to_ms)
        end--;
    int64_t *t_ms = arena_array(arena, end - first + 1, sizeof(*t_ms));
    double *values = arena_array(arena, end - first + 1, sizeof(*values));
    if (!t_ms || !values)
        return false;
    for (size_t i = first; i < end; i++) {
        t_ms[i - first] = series->samples[i].t_ms;
        values[i - first] = series->samples[i].value;
    }
    *ret = (struct source_series){series->labels, end - first, t_ms, values};
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): the shape is source.h's */
static int select_series(void *self,
                         const struct matcher *matchers,
                         size_t n_matchers,
                         int64_t from_ms,
                         int64_t to_ms,
                         size_t max_samples,
                         struct arena *arena,
                         struct source_result *ret_result,
                         struct err *reterr)
{
    struct fake_source *fake = self;
    struct source_result result = {0};

    if (fake->fail_with)
        return err_set(reterr, fake->fail_with, "the source failed");
    result.series = arena_array(arena, fake->n + 1, sizeof(*result.series));
    if (!result.series)
        return err_set(reterr, SOURCE_E_LIMIT, "out of memory");
    for (size_t i = 0; i < fake->n; i++) {
        struct source_series found;

        if (!matchers_match(matchers, n_matchers, fake->series[i].labels))
            continue;
        if (!copy_samples(&fake->series[i], from_ms, to_ms, arena, &found))
            return err_set(reterr, SOURCE_E_LIMIT, "out of memory");
        if (!found.n)
            continue;
        result.series[result.n++] = found;
        result.n_samples += found.n;
        if (result.n_samples > max_samples)
            return err_set(reterr, SOURCE_E_LIMIT, "too many samples");
    }
    *ret_result = result;
    return 0;
}

struct source fake_source_of(struct fake_source *fake)
{
    return (struct source){.select = select_series, .self = fake};
}

bool fake_source_load(struct fake_source *fake, int64_t step_ms, const char *line, struct err *err)
{
    struct series_position *positions = NULL;
    const char *rest = NULL;
    size_t n = 0;
    const struct labels *labels = series_text_labels(line, &rest, err);

    if (!labels)
        return false;
    bool ok = series_text_values(rest, &positions, &n, err);
    for (size_t i = 0; ok && i < n; i++)
        if (!positions[i].gap)
            fake_source_put(fake, labels, (int64_t)i * step_ms, positions[i].value);
    free(positions);
    labels_unref(labels);
    return ok;
}
