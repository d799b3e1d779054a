/*
 * What lies beside the hole, kept. See hole.h.
 *
 * Kept parts are evaluated in an arena of their own, with no hole in sight, and handed out as
 * copies: operators work in place on what they are given.
 */

#include "alertd/promql/hole.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/promql/eval.h"
#include "lib/base/mem.h"

struct kept {
    struct kept *next;
    const struct promql_expr *expr;
    struct grid grid; /* a part within a subquery has another */
    struct value value;
};

struct promql_hole {
    const struct promql_expr *at;
    double number;
    struct arena arena;
    struct kept *kept;
};

struct promql_hole *promql_hole_new(const struct promql_expr *at, size_t limit_bytes)
{
    struct promql_hole *hole = mem_zalloc(sizeof(*hole));

    hole->at = at;
    arena_init(&hole->arena, limit_bytes);
    return hole;
}

void promql_hole_forget(struct promql_hole *hole)
{
    arena_reset(&hole->arena);
    hole->kept = NULL;
}

void promql_hole_free(struct promql_hole *hole)
{
    if (!hole)
        return;
    arena_reset(&hole->arena);
    free(hole);
}

void promql_hole_fill(struct promql_hole *hole, double number)
{
    hole->number = number;
}

bool hole_takes(const struct promql_hole *hole, const struct promql_expr *expr)
{
    bool is_above = expr->start <= hole->at->start && hole->at->end <= expr->end;

    if (expr == hole->at)
        return true;
    return !is_above && expr->kind != PROMQL_NUMBER &&
           (expr->type == PROMQL_SCALAR || expr->type == PROMQL_VECTOR);
}

static const struct kept *find(const struct eval *eval, const struct promql_expr *expr)
{
    const struct kept *kept = eval->hole->kept;

    while (kept && (kept->expr != expr || kept->grid.start_ms != eval->grid.start_ms ||
                    kept->grid.step_ms != eval->grid.step_ms || kept->grid.n != eval->grid.n))
        kept = kept->next;
    return kept;
}

static int keep(struct eval *eval, const struct promql_expr *expr, const struct kept **ret_kept)
{
    struct promql_hole *hole = eval->hole;
    struct arena *arena = eval->arena;
    struct kept *kept = arena_alloc(&hole->arena, sizeof(*kept));

    eval->arena = &hole->arena;
    eval->hole = NULL;
    int r = kept ? eval_expr(eval, expr, &kept->value) : eval_out_of_memory(eval);
    eval->arena = arena;
    eval->hole = hole;
    if (r)
        return r;
    kept->expr = expr;
    kept->grid = eval->grid;
    kept->next = hole->kept;
    hole->kept = kept;
    *ret_kept = kept;
    return 0;
}

static int find_or_keep(struct eval *eval,
                        const struct promql_expr *expr,
                        const struct kept **ret_kept)
{
    *ret_kept = find(eval, expr);
    return *ret_kept ? 0 : keep(eval, expr, ret_kept);
}

static int hole_number(struct eval *eval, struct value *ret_value)
{
    int r = scalar_new(eval, ret_value);

    for (size_t i = 0; !r && i < eval->grid.n; i++)
        ret_value->columns[0].values[i] = eval->hole->number;
    return r;
}

int hole_value(struct eval *eval, const struct promql_expr *expr, struct value *ret_value)
{
    size_t size = eval->grid.n * sizeof(double);
    const struct kept *kept;

    if (expr == eval->hole->at)
        return hole_number(eval, ret_value);
    int r = find_or_keep(eval, expr, &kept);
    if (r)
        return r;
    struct value made = kept->value;
    made.columns = arena_array(eval->arena, made.n + 1, sizeof(*made.columns));
    if (!made.columns)
        return eval_out_of_memory(eval);
    for (size_t i = 0; i < made.n; i++) {
        made.columns[i] = kept->value.columns[i];
        made.columns[i].values = arena_room(eval->arena, eval->grid.n, sizeof(double));
        if (!made.columns[i].values)
            return eval_out_of_memory(eval);
        memcpy(made.columns[i].values, kept->value.columns[i].values, size);
    }
    *ret_value = made;
    return 0;
}

int hole_each(struct eval *eval, const struct promql_expr *expr, struct taker *taker)
{
    struct maker maker = {.eval = eval, .taker = taker};
    size_t size = eval->grid.n * sizeof(double);
    const struct kept *kept;

    int r = find_or_keep(eval, expr, &kept);
    if (r)
        return r;
    const struct value *value = &kept->value;
    r = taker->expect(taker, value->n, value->one_name);
    for (size_t i = 0; !r && i < value->n; i++) {
        const struct column *column = &value->columns[i];
        r = eval_tick(eval);
        if (r || !has_point(column->values, eval->grid.n))
            continue;
        if (!maker.values)
            maker.values = arena_room(eval->arena, eval->grid.n, sizeof(double));
        if (!maker.values)
            return eval_out_of_memory(eval);
        memcpy(maker.values, column->values, size);
        r = maker_give(&maker, column->labels, column->nameless);
    }
    return r;
}
