/*
 * topk and bottomk: at each step the k best points of each group. Columns are looked at as
 * they are made, and of each step no more than k points are kept, in a heap with the worst of
 * them on top: most points are not better than that, and are done with.
 *
 * Best is the greatest for topk, the smallest for bottomk; NaN is last in both; of equals the
 * one that came first.
 */

#include <math.h>
#include <string.h>

#include "alertd/promql/eval.h"

enum {
    FIRST_CAPACITY = 4
};

struct entry {
    double value;
    size_t column;
};

/* The best of a group at each step. */
struct best {
    size_t n_columns;      /* that came so far: no step has more points */
    size_t capacity;       /* entries of a step */
    struct entry *entries; /* by step: `capacity` each, a heap */
    size_t *n;             /* by step */
};

struct top {
    struct taker taker;
    struct eval *eval;
    const struct promql_expr *expr;
    const double *param;
    size_t *wanted; /* by step; NULL: nothing came yet */
    size_t most_wanted;
    size_t n_expected;
    bool one_name;
    struct column *columns; /* all that came; their values, where they rank */
    size_t n_columns;
    struct groups groups;
    struct best *best; /* by group */
};

/* --- The heap ---------------------------------------------------------------------------- */

static bool is_better(bool greatest, double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(b) && !isnan(a);
    return greatest ? a > b : a < b;
}

static bool ranks_before(bool greatest, const struct entry *a, const struct entry *b)
{
    if (is_better(greatest, a->value, b->value))
        return true;
    return !is_better(greatest, b->value, a->value) && a->column < b->column;
}

static void swap(struct entry *a, struct entry *b)
{
    struct entry kept = *a;

    *a = *b;
    *b = kept;
}

/* Entry number i, the newest, to its place. */
static void rise(bool greatest, struct entry *entries, size_t i)
{
    for (; i > 0 && ranks_before(greatest, &entries[(i - 1) / 2], &entries[i]); i = (i - 1) / 2)
        swap(&entries[i], &entries[(i - 1) / 2]);
}

/* The top one of n, which was exchanged, to its place. */
static void sink(bool greatest, struct entry *entries, size_t n)
{
    for (size_t i = 0, worst = 2 * i + 1; worst < n; i = worst, worst = 2 * i + 1) {
        if (worst + 1 < n && ranks_before(greatest, &entries[worst], &entries[worst + 1]))
            worst++;
        if (!ranks_before(greatest, &entries[i], &entries[worst]))
            return;
        swap(&entries[i], &entries[worst]);
    }
}

/* Best first. */
static void order(bool greatest, struct entry *entries, size_t n)
{
    for (; n > 1; n--) {
        swap(&entries[0], &entries[n - 1]);
        sink(greatest, entries, n - 1);
    }
}

/* --- A column ---------------------------------------------------------------------------- */

/* Only when there is something to rank, a parameter that can't be is an error. */
static int read_param(struct top *top)
{
    struct eval *eval = top->eval;
    size_t *wanted = arena_array(eval->arena, eval->grid.n, sizeof(*wanted));
    int r = wanted ? 0 : eval_out_of_memory(eval);

    for (size_t i = 0; !r && i < eval->grid.n; i++) {
        r = eval_how_many(eval, top->param[i], &wanted[i]);
        if (wanted[i] > top->n_expected)
            wanted[i] = top->n_expected;
        top->most_wanted = wanted[i] > top->most_wanted ? wanted[i] : top->most_wanted;
    }
    if (!r)
        top->wanted = wanted;
    return eval_blame(eval, top->expr, r);
}

static int expect_columns(struct taker *taker, size_t n, bool one_name)
{
    struct top *top = (struct top *)taker;
    struct arena *arena = top->eval->arena;

    top->n_expected = n;
    top->one_name = one_name;
    top->columns = arena_array(arena, n + 1, sizeof(*top->columns));
    top->best = arena_array(arena, n + 1, sizeof(*top->best));
    if (!top->columns || !top->best)
        return eval_out_of_memory(top->eval);
    return groups_init(top->eval, &top->groups.filter, n, &top->groups);
}

/* Room for one more point at each step, unless there are as many as are wanted. */
static int make_room(const struct top *top, struct best *best)
{
    struct arena *arena = top->eval->arena;
    size_t n = top->eval->grid.n;
    size_t capacity = best->capacity ? 2 * best->capacity : FIRST_CAPACITY;

    if (best->n_columns <= best->capacity || best->capacity == top->most_wanted)
        return 0;
    capacity = capacity < top->most_wanted ? capacity : top->most_wanted;
    struct entry *entries = arena_room(arena, capacity * n, sizeof(*entries));
    if (!best->n)
        best->n = arena_array(arena, n, sizeof(*best->n));
    if (!entries || !best->n)
        return eval_out_of_memory(top->eval);
    for (size_t i = 0; best->capacity && i < n; i++)
        memcpy(entries + i * capacity, best->entries + i * best->capacity,
               best->n[i] * sizeof(*entries));
    best->entries = entries;
    best->capacity = capacity;
    return 0;
}

static int rank_column(struct taker *taker, const struct column *column)
{
    struct top *top = (struct top *)taker;
    bool greatest = top->expr->aggregate.op == AGGREGATOR_TOPK;
    size_t number = top->n_columns++;
    int r = top->wanted ? 0 : read_param(top);

    if (r)
        return r;
    top->columns[number] = (struct column){.labels = column->labels, .nameless = column->nameless};
    struct best *best = &top->best[groups_put(&top->groups, &top->columns[number])];
    best->n_columns++;
    r = make_room(top, best);
    for (size_t i = 0; !r && best->capacity && i < top->eval->grid.n; i++) {
        struct entry *entries = best->entries + i * best->capacity;
        double value = column->values[i];

        if (is_hole(value))
            continue;
        if (best->n[i] < top->wanted[i]) {
            entries[best->n[i]] = (struct entry){value, number};
            rise(greatest, entries, best->n[i]++);
        } else if (best->n[i] > 0 && is_better(greatest, value, entries[0].value)) {
            entries[0] = (struct entry){value, number};
            sink(greatest, entries, best->n[i]);
        }
    }
    return r;
}

/* --- The result -------------------------------------------------------------------------- */

/* The points that rank, back into their columns. */
static int show_best(const struct top *top, const struct best *best)
{
    for (size_t i = 0; best->capacity && i < top->eval->grid.n; i++)
        for (size_t j = 0; j < best->n[i]; j++) {
            const struct entry *entry = &best->entries[i * best->capacity + j];
            struct column *column = &top->columns[entry->column];

            if (!column->values)
                column->values = holes_new(top->eval);
            if (!column->values)
                return eval_out_of_memory(top->eval);
            column->values[i] = entry->value;
        }
    return eval_tick(top->eval);
}

/* An instant query shows the columns of each group in their order of rank. */
static void add_ranked(const struct top *top, struct value *made)
{
    bool greatest = top->expr->aggregate.op == AGGREGATOR_TOPK;

    for (size_t group = 0; group < top->groups.n; group++) {
        const struct best *best = &top->best[group];
        size_t n = best->capacity ? best->n[0] : 0;

        order(greatest, best->entries, n);
        for (size_t i = 0; i < n; i++)
            made->columns[made->n++] = top->columns[best->entries[i].column];
    }
}

static void add_in_order(const struct top *top, struct value *made)
{
    for (size_t i = 0; i < top->n_columns; i++)
        if (top->columns[i].values)
            made->columns[made->n++] = top->columns[i];
}

int eval_top(struct eval *eval,
             const struct promql_expr *expr,
             const double *param,
             struct value *ret_value)
{
    struct top top = {.taker = {.expect = expect_columns, .take = rank_column},
                      .eval = eval,
                      .expr = expr,
                      .param = param,
                      .groups = {.filter = grouping_filter(expr)}};
    struct value made;
    int r = eval_each(eval, expr->aggregate.of, &top.taker);

    for (size_t group = 0; !r && group < top.groups.n; group++)
        r = show_best(&top, &top.best[group]);
    if (!r)
        r = vector_new(eval, top.n_columns, &made);
    if (r)
        return r;
    if (eval->grid.n == 1)
        add_ranked(&top, &made);
    else
        add_in_order(&top, &made);
    made.one_name = top.one_name;
    *ret_value = made;
    return 0;
}
