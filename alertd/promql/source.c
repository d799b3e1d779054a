/*
 * What sources and their readers share. See source.h.
 */

#include "alertd/promql/source.h"

#include <string.h>

static int spent(struct err *reterr)
{
    return err_set(reterr, SOURCE_E_LIMIT,
                   "the query needs more memory than it may use: ask for fewer series or less "
                   "time");
}

bool source_columns_reserve(struct source_columns *columns, struct arena *arena, size_t n)
{
    if (n <= columns->capacity)
        return true;
    size_t capacity = n + n / 2; /* the arena takes nothing back: seldom */
    int64_t *t_room = arena_room(arena, capacity, sizeof(*t_room));
    double *value_room = arena_room(arena, capacity, sizeof(*value_room));
    if (!t_room || !value_room)
        return false;
    columns->t_room = t_room;
    columns->value_room = value_room;
    columns->capacity = capacity;
    return true;
}

/* The columns' samples as a series of their own; false past the arena's limit. */
static bool keep(const struct source_columns *columns,
                 const struct source_match *match,
                 struct arena *arena,
                 struct source_series *ret_series)
{
    int64_t *t_ms = arena_room(arena, columns->n, sizeof(*t_ms));
    double *values = arena_room(arena, columns->n, sizeof(*values));

    if (!t_ms || !values)
        return false;
    memcpy(t_ms, columns->t_ms, columns->n * sizeof(*t_ms));
    memcpy(values, columns->values, columns->n * sizeof(*values));
    *ret_series = (struct source_series){match->labels, columns->n, t_ms, values};
    return true;
}

int source_read_all(const struct source *source,
                    const struct source_query *query,
                    size_t max_samples,
                    struct arena *arena,
                    struct source_result *ret_result,
                    struct err *reterr)
{
    struct source_selection selection = {0};
    struct source_columns columns = {0};
    struct source_result result = {0};
    int r = source->select(source->self, query, arena, &selection, reterr);

    if (r)
        return r;
    result.series = arena_array(arena, selection.n + 1, sizeof(*result.series));
    if (!result.series)
        return spent(reterr);
    for (size_t i = 0; i < selection.n; i++) {
        const struct source_match *match = &selection.matches[i];

        r = source->read(source->self, query, match, arena, &columns, reterr);
        if (r)
            return r;
        if (columns.n == 0)
            continue;
        result.n_samples += columns.n;
        if (result.n_samples > max_samples)
            return err_set(reterr, SOURCE_E_LIMIT,
                           "the query reads more than %zu samples: ask for fewer series or less "
                           "time",
                           max_samples);
        if (!keep(&columns, match, arena, &result.series[result.n++]))
            return spent(reterr);
    }
    result.warnings = selection.warnings;
    result.n_warnings = selection.n_warnings;
    *ret_result = result;
    return 0;
}
