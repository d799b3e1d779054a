/*
 * The recorder behind eval_expr() and eval_ranges(). See explain.h.
 *
 * A node's own time is its total less the totals of what ended within it. Counting points
 * takes time too, which is taken off every clock: the times are those of a query that
 * nobody watches, near enough.
 */

#include "alertd/promql/explain.h"

#include <stdlib.h>

#include "alertd/promql/eval.h"

struct explain_place {
    const struct promql_expr *expr;
    size_t node;
};

const char *promql_kind_name(const struct promql_expr *expr)
{
    switch (expr->kind) {
    case PROMQL_NUMBER: return "number";
    case PROMQL_STRING_LITERAL: return "string";
    case PROMQL_SELECTOR: return "selector";
    case PROMQL_SUBQUERY: return "subquery";
    case PROMQL_CALL: return "call";
    case PROMQL_AGGREGATE: return "aggregate";
    case PROMQL_BINARY: return "binary";
    case PROMQL_UNARY: return "unary";
    case PROMQL_PAREN: return promql_kind_name(expr->paren);
    }
    return "";
}

void promql_span(const struct promql_expr *expr, size_t *ret_start, size_t *ret_end)
{
    *ret_start = expr->start;
    *ret_end = expr->end;
}

/* --- The tree ---------------------------------------------------------------------------- */

static size_t count_nodes(const struct promql_expr *expr)
{
    const struct promql_expr *child;
    size_t n = 1;

    expr = expr_unwrap(expr);
    for (size_t i = 0; (child = expr_child(expr, i)); i++)
        n += count_nodes(child);
    return n;
}

static void add_nodes(struct promql_explain *explain,
                      const struct promql_expr *expr,
                      unsigned depth)
{
    const struct promql_expr *child;
    size_t at = explain->n++;

    expr = expr_unwrap(expr);
    explain->places[at] = (struct explain_place){expr, at};
    explain->nodes[at] = (struct promql_explain_node){.expr = expr, .depth = depth};
    for (size_t i = 0; (child = expr_child(expr, i)); i++)
        add_nodes(explain, child, depth + 1);
    explain->nodes[at].n_below = explain->n - at - 1;
}

static int by_address(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)((const struct explain_place *)a)->expr;
    uintptr_t right = (uintptr_t)((const struct explain_place *)b)->expr;

    return (left > right) - (left < right);
}

int explain_start(struct eval *eval, const struct promql_expr *expr)
{
    struct promql_explain *explain = eval->explain;
    size_t n = count_nodes(expr);

    *explain = (struct promql_explain){.now_ns = explain->now_ns, .steps = eval->grid.n};
    explain->nodes = arena_array(eval->arena, n, sizeof(*explain->nodes));
    explain->places = arena_array(eval->arena, n, sizeof(*explain->places));
    if (!explain->nodes || !explain->places)
        return eval_out_of_memory(eval);
    add_nodes(explain, expr, 0);
    qsort(explain->places, n, sizeof(*explain->places), by_address);
    return 0;
}

void explain_finish(struct eval *eval)
{
    struct promql_explain *explain = eval->explain;

    for (size_t i = 1; i < explain->n; i++)
        if (explain->nodes[i].self_ns > explain->nodes[explain->hottest].self_ns)
            explain->hottest = i;
}

/* --- One node ------------------------------------------------------------------------------ */

/* What was done since then is nobody's time. */
static void resume(struct promql_explain *explain, int64_t since_ns)
{
    explain->paused_ns += explain->now_ns() - since_ns;
}

void explain_enter(struct eval *eval, const struct promql_expr *expr, struct explain_frame *frame)
{
    struct promql_explain *explain = eval->explain;
    const struct explain_place key = {.expr = expr};
    int64_t entered_ns = explain->now_ns();
    const struct explain_place *place = bsearch(&key, explain->places, explain->n, sizeof(key),
                                                by_address);

    *frame = (struct explain_frame){.node = place ? &explain->nodes[place->node] : NULL};
    if (!frame->node)
        return;
    frame->n_samples = eval->n_samples;
    frame->used_bytes = eval->arena->used;
    frame->queryable = explain->queryable;
    frame->below_ns = explain->below_ns;
    explain->below_ns = 0;
    frame->node->steps = eval->grid.n;
    resume(explain, entered_ns);
    frame->began_ns = explain->now_ns() - explain->paused_ns;
}

/* The clock stops here, and goes on with resume(). Answers the instant. */
static int64_t leave(struct eval *eval, const struct explain_frame *frame)
{
    struct promql_explain *explain = eval->explain;
    struct promql_explain_node *node = frame->node;
    int64_t at_ns = explain->now_ns();
    int64_t total_ns = at_ns - explain->paused_ns - frame->began_ns;

    node->evaluations++;
    node->total_ns += total_ns;
    node->self_ns += total_ns - explain->below_ns;
    node->samples += eval->n_samples - frame->n_samples;
    node->bytes += eval->arena->used - frame->used_bytes;
    explain->below_ns = frame->below_ns + total_ns;
    return at_ns;
}

static size_t count_points(const struct value *value, size_t n_steps)
{
    size_t n = 0;

    for (size_t i = 0; i < value->n; i++)
        for (size_t step = 0; step < n_steps; step++)
            n += !is_hole(value->columns[i].values[step]);
    return n;
}

void explain_value(struct eval *eval,
                   const struct explain_frame *frame,
                   const struct value *value,
                   bool fixed)
{
    struct promql_explain *explain = eval->explain;
    struct promql_explain_node *node = frame->node;

    if (!node)
        return;
    int64_t left_ns = leave(eval, frame);
    size_t points = value ? count_points(value, eval->grid.n) : 0;
    if (value) {
        node->series += value->n;
        node->points += points;
    }
    if (fixed)
        node->steps = 1;
    if (node->expr->kind == PROMQL_SELECTOR)
        explain->queryable = frame->queryable + points;
    else if (fixed)
        explain->queryable = frame->queryable +
                             (explain->queryable - frame->queryable) * eval->grid.n;
    resume(explain, left_ns);
}

/* Samples of a series in the windows of all steps, each time one is seen. */
static size_t count_windows(const struct eval *eval,
                            const struct ranges *ranges,
                            const struct range_series *series)
{
    size_t from = 0;
    size_t to = 0;
    size_t n = 0;

    for (size_t i = 0; i < eval->grid.n; i++) {
        int64_t end_ms = ranges_end(ranges, grid_at(&eval->grid, i));

        while (to < series->n && series->t_ms[to] <= end_ms)
            to++;
        while (from < to && series->t_ms[from] <= end_ms - ranges->range_ms)
            from++;
        n += to - from;
    }
    return n;
}

void explain_ranges(struct eval *eval,
                    const struct explain_frame *frame,
                    const struct ranges *ranges)
{
    struct promql_explain *explain = eval->explain;
    struct promql_explain_node *node = frame->node;

    if (!node)
        return;
    /* A function sees the windows, not what was seen to make them; alone, there is no function. */
    bool alone = node == explain->nodes && node->expr->kind == PROMQL_SUBQUERY;
    int64_t left_ns = leave(eval, frame);
    if (!alone)
        explain->queryable = frame->queryable;
    for (size_t i = 0; ranges && ranges->series && i < ranges->n; i++) {
        node->series++;
        node->points += ranges->series[i].n;
        explain->queryable += alone ? 0 : count_windows(eval, ranges, &ranges->series[i]);
    }
    resume(explain, left_ns);
}

void explain_read(struct eval *eval,
                  const struct explain_frame *frame,
                  const struct ranges *ranges,
                  const struct range_series *series)
{
    struct promql_explain *explain = eval->explain;
    struct promql_explain_node *node = frame->node;

    if (!node)
        return;
    int64_t left_ns = leave(eval, frame);
    node->evaluations--; /* it is still the same one */
    if (series) {
        node->series += series->n > 0;
        node->points += series->n;
        explain->queryable += count_windows(eval, ranges, series);
    }
    resume(explain, left_ns);
}
