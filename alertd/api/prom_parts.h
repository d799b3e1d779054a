#pragma once

/*
 * A range query that reads much is evaluated in parts, some steps each, on all processors at
 * once. A small one is not: it is done before a thread is there.
 *
 *     steps   0 ........ n/2 ........ n
 *             [ part 0 ][ part 1    )      each with an arena of its own
 *             series by series behind each other
 */

#include "alertd/promql/promql.h"

enum {
    PROM_PARTS_MAX = 8
};

struct prom_parts {
    unsigned workers;                    /* 0: one for each processor */
    struct arena arenas[PROM_PARTS_MAX]; /* hold what the value points to */
    size_t n;
};

/* As promql_eval(). In any case done() is due, when the value is no longer needed. */
int prom_parts_eval(struct prom_parts *parts,
                    const struct promql_expr *expr,
                    const struct source *source,
                    const struct promql_query *query,
                    struct arena *arena,
                    struct promql_value *ret_value,
                    struct err *reterr);
void prom_parts_done(struct prom_parts *parts);
