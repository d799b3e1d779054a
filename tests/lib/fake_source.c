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

static int select_series(void *self,
                         const struct source_query *query,
                         struct arena *arena,
                         struct source_selection *ret_selection,
                         struct err *reterr)
{
    struct fake_source *fake = self;
    struct source_selection selection = {0};

    if (fake->fail_with)
        return err_set(reterr, fake->fail_with, "the source failed");
    selection.matches = arena_array(arena, fake->n + 1, sizeof(*selection.matches));
    if (!selection.matches)
        return err_set(reterr, SOURCE_E_LIMIT, "out of memory");
    for (size_t i = 0; i < fake->n; i++)
        if (matchers_match(query->matchers, query->n_matchers, fake->series[i].labels))
            selection.matches[selection.n++] = (struct source_match){fake->series[i].labels,
                                                                     &fake->series[i]};
    *ret_selection = selection;
    return 0;
}

static int read_series(void *self,
                       const struct source_query *query,
                       const struct source_match *match,
                       struct arena *arena,
                       struct source_columns *columns,
                       struct err *reterr)
{
    const struct fake_source *fake = self;
    const struct fake_series *series = match->of;

    if (!source_columns_reserve(columns, arena, series->n))
        return err_set(reterr, SOURCE_E_LIMIT, "out of memory");
    columns->n = 0;
    columns->kind = fake->kind;
    columns->t_ms = columns->t_room;
    columns->values = columns->value_room;
    for (size_t i = 0; i < series->n; i++) {
        const struct sample *sample = &series->samples[i];

        if (sample->t_ms < query->from_ms || sample->t_ms > query->to_ms)
            continue;
        columns->t_room[columns->n] = sample->t_ms;
        columns->value_room[columns->n++] = sample->value;
    }
    return 0;
}

struct source fake_source_of(struct fake_source *fake)
{
    return (struct source){.select = select_series, .read = read_series, .self = fake};
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
