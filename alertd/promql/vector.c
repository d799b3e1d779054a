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

    if (values)
        make_holes(values, eval->grid.n);
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

/* --- One by one -------------------------------------------------------------------------- */

int vector_each(struct eval *eval, const struct value *value, struct taker *taker)
{
    int r = taker->expect(taker, value->n, value->one_name);

    for (size_t i = 0; !r && i < value->n; i++) {
        if (has_point(value->columns[i].values, eval->grid.n))
            r = taker->take(taker, &value->columns[i]);
        r = r ? r : eval_tick(eval);
    }
    return r;
}

static int expect_all(struct taker *taker, size_t n, bool one_name)
{
    struct collector *collector = (struct collector *)taker;
    int r = vector_new(collector->eval, n, &collector->value);

    collector->value.one_name = one_name;
    return r;
}

static int take_all(struct taker *taker, const struct column *column)
{
    struct collector *collector = (struct collector *)taker;

    collector->value.columns[collector->value.n++] = *column;
    return 0;
}

struct collector collector_of(struct eval *eval)
{
    return (struct collector){.taker = {.expect = expect_all, .take = take_all, .keeps = true},
                              .eval = eval};
}

int maker_room(struct maker *maker)
{
    if (!maker->values)
        maker->values = arena_room(maker->eval->arena, maker->eval->grid.n, sizeof(double));
    return maker->values ? 0 : eval_out_of_memory(maker->eval);
}

int maker_start(struct maker *maker)
{
    int r = maker_room(maker);

    if (r == 0)
        make_holes(maker->values, maker->eval->grid.n);
    return r;
}

int maker_give(struct maker *maker, const struct labels *labels, bool nameless)
{
    const struct column column = {labels, nameless, maker->values};

    if (maker->taker->keeps)
        maker->values = NULL;
    return maker->taker->take(maker->taker, &column);
}

/* --- Merged ------------------------------------------------------------------------------ */

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
