#pragma once

/*
 * Lengths of time in an expression: written out, or computed from the query's step
 * and range (`[5m + step()]`).
 */

#include "alertd/promql/ast.h"

/* What step() and range() stand for. */
struct duration_scope {
    int64_t step_ms;
    int64_t range_ms;
};

/* The value in milliseconds; 0 or PROMQL_E_EVAL: division by zero, out of range, NaN. */
int duration_value(const struct promql_duration *duration,
                   const struct duration_scope *scope,
                   int64_t *ret_ms,
                   struct err *reterr);

/* At parse time, of what does not depend on the query: in range; more than nothing. */
int duration_check(const struct promql_duration *duration, const char *text, struct err *reterr);
int duration_check_positive(const struct promql_duration *duration,
                            const char *text,
                            struct err *reterr);
