/*
 * Vectors: columns made, renamed, merged. See eval.h.
 */

#include <string.h>

#include "alertd/promql/eval.h"

int vector_new(struct eval *eval, size_t n, struct value *ret_value)
{
    struct column *columns = arena_array(eval->arena, n ? n : 1, sizeof(*columns));

    if (!columns)
        return eval_out_of_memory(eval);
    *ret_value = (struct value){.type = PROMQL_VECTOR, .columns = columns};
    return 0;
}

double *holes_new(struct eval *eval)
{
    double *values = arena_room(eval->arena, eval->grid.n, sizeof(*values));

    for (size_t i = 0; values && i < eval->grid.n; i++)
        values[i] = sample_stale();
    return values;
}

double *vector_add(struct eval *eval,
                   struct value *value,
                   const struct labels *labels,
                   bool nameless)
{
    double *values = holes_new(eval);

    if (values)
        value->columns[value->n++] = (struct column){labels, nameless, values};
    return values;
}

int scalar_new(struct eval *eval, struct value *ret_value)
{
    struct value made;
    int r = vector_new(eval, 1, &made);

    if (r)
        return r;
    made.type = PROMQL_SCALAR;
    if (!vector_add(eval, &made, labels_empty(), false))
        return eval_out_of_memory(eval);
    *ret_value = made;
    return 0;
}

void vector_drop_empty(struct eval *eval, struct value *value)
{
    size_t kept = 0;

    for (size_t i = 0; i < value->n; i++)
        if (has_point(value->columns[i].values, eval->grid.n))
            value->columns[kept++] = value->columns[i];
    value->n = kept;
}

static int same_labelset(struct eval *eval)
{
    return EVAL_FAILED(eval, "vector cannot contain metrics with the same labelset");
}

/* Points of `from` into the holes of `to`. */
static int merge_columns(struct eval *eval, double *to, const double *from)
{
    for (size_t i = 0; i < eval->grid.n; i++) {
        if (is_hole(from[i]))
            continue;
        if (!is_hole(to[i]))
            return same_labelset(eval);
        to[i] = from[i];
    }
    return 0;
}

int vector_merge(struct eval *eval, struct value *value, bool strict)
{
    static const struct label_filter all = {.choice = LABELS_ALL};
    struct groups groups;
    size_t kept = 0;
    int r = value->n > 1 ? groups_init(eval, &all, value->n, &groups) : 0;

    if (r || value->n < 2)
        return r;
    for (size_t i = 0; i < value->n; i++) {
        /* Groups are numbered as they come, so a group's column is the one kept. */
        size_t before = groups.n;
        value->columns[kept] = value->columns[i];
        size_t group = groups_put(&groups, &value->columns[kept]);

        if (group == before) {
            kept++;
            continue;
        }
        if (strict)
            return same_labelset(eval);
        r = merge_columns(eval, value->columns[group].values, value->columns[i].values);
        if (r)
            return r;
    }
    value->n = kept;
    return 0;
}

int vector_drop_names(struct eval *eval, struct value *value)
{
    for (size_t i = 0; i < value->n; i++)
        value->columns[i].nameless = true;
    if (value->one_name)
        return 0;
    value->one_name = true;
    return vector_merge(eval, value, false);
}
