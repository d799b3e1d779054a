/*
 * See unnamed.h.
 */

#include "alertd/tune/unnamed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct unnamed {
    const struct labels *labels;
    size_t series;
};

static int by_unnamed(const void *a, const void *b)
{
    const struct unnamed *left = a;
    const struct unnamed *right = b;
    int order = labels_compare(left->labels, right->labels);

    return order ? order : (left->series > right->series) - (left->series < right->series);
}

static bool has_several_names(const struct promql_value *value)
{
    const char *first = value->n > 0 ? labels_get(value->series[0].labels, LABEL_NAME) : NULL;

    for (size_t i = 1; i < value->n; i++) {
        const char *name = labels_get(value->series[i].labels, LABEL_NAME);
        if ((name == NULL) != (first == NULL) || (name && strcmp(name, first) != 0))
            return true;
    }
    return false;
}

static const struct labels *without_name(struct arena *arena, const struct labels *labels)
{
    size_t n = 0;
    struct label *at = arena_array(arena, labels->n + 1, sizeof(*at));

    for (size_t i = 0; at && i < labels->n; i++)
        if (strcmp(labels->at[i].name, LABEL_NAME) != 0)
            at[n++] = labels->at[i];
    return at ? labels_in_arena(arena, at, n) : NULL;
}

/* The second's points where the first has none. */
static bool merge_series(struct arena *arena,
                         struct promql_series *first,
                         const struct promql_series *second)
{
    size_t i = 0;
    size_t k = 0;
    size_t n = 0;
    int64_t *t_ms = arena_array(arena, first->n + second->n, sizeof(*t_ms));
    double *values = arena_array(arena, first->n + second->n, sizeof(*values));

    if (!t_ms || !values)
        return false;
    while (i < first->n || k < second->n) {
        bool is_first = k == second->n || (i < first->n && first->t_ms[i] <= second->t_ms[k]);
        if (is_first && k < second->n && second->t_ms[k] == first->t_ms[i])
            k++;
        t_ms[n] = is_first ? first->t_ms[i] : second->t_ms[k];
        values[n++] = is_first ? first->values[i++] : second->values[k++];
    }
    first->t_ms = t_ms;
    first->values = values;
    first->n = n;
    return true;
}

int unnamed_merge(struct arena *arena, struct promql_value *value, struct err *reterr)
{
    struct unnamed *unnamed = has_several_names(value)
                                  ? arena_array(arena, value->n, sizeof(*unnamed))
                                  : NULL;
    bool fits = unnamed != NULL;

    if (!has_several_names(value))
        return 0;
    for (size_t i = 0; i < value->n && fits; i++) {
        unnamed[i] = (struct unnamed){without_name(arena, value->series[i].labels), i};
        fits = unnamed[i].labels != NULL;
    }
    if (fits)
        qsort(unnamed, value->n, sizeof(*unnamed), by_unnamed);
    for (size_t i = 0, first = 0; i < value->n && fits; i++) {
        struct promql_series *series = &value->series[unnamed[i].series];
        if (i == 0 || !labels_equal(unnamed[i].labels, unnamed[first].labels)) {
            first = i;
            continue;
        }
        fits = merge_series(arena, &value->series[unnamed[first].series], series);
        series->n = 0;
    }
    return fits
               ? 0
               : err_set(reterr, PROMQL_E_LIMIT, "series of several metrics are too many to merge");
}
