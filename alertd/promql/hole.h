#pragma once

/*
 * An expression with a hole: evaluated for one number after another in the same place, while
 * what does not lie above the hole is evaluated once.
 *
 *     count by (job) (rate(errors_total[5m]) > _) > 2
 *                     \____________________/  hole  \ a number
 *                           kept
 *
 * Invariants
 *  (1) a query with a hole gives what the expression with the number written in it gives.
 *  (2) what is kept is of the same source and the same steps: whoever goes on to others
 *      forgets. Warnings of kept parts come with the first query alone, and their words live
 *      as long as what is kept.
 *
 * Not thread-safe.
 */

#include <stddef.h>

struct promql_expr;
struct promql_hole;

/* at: a scalar within `expr`; both are loans. limit_bytes: what may be kept; a query that
 * would keep more is PROMQL_E_LIMIT. */
struct promql_hole *promql_hole_new(const struct promql_expr *at, size_t limit_bytes);
void promql_hole_free(struct promql_hole *hole); /* NULL is fine */
void promql_hole_fill(struct promql_hole *hole, double number);
void promql_hole_forget(struct promql_hole *hole);
