#pragma once

/*
 * Steps that were not evaluated. A server that stood still evaluated nothing, and another rule's results say when: such
 * steps are left out, of a reading of the whole span, before the backtest sees them.
 *
 *     steps of the span   0 1 2 3 4 5 6
 *     were evaluated      x x . . x x x         at_span   0 1 4 5 6
 *     the backtest's      0 1     2 3 4
 */

#include "alertd/tune/tune.h"

/* Between a reading and who takes only the steps that were evaluated. */
struct evaluated {
    const struct tune_result *result;
    struct backtest *backtest;
    double *values; /* its own, to be freed */
    size_t capacity;
};

/* The first of the steps that were evaluated at `step` of the span or later. */
uint32_t evaluated_from(const struct tune_result *result, uint32_t step);
/* Which of the span's steps were. 0, or why that is not known. */
int evaluated_lay(const struct tune_reader *reader,
                  const struct tune_ask *ask,
                  struct tune_result *result,
                  struct err *reterr);

/* tune_visit and tune_visit_at; arg is a struct evaluated. */
int evaluated_add(void *arg,
                  const struct labels *labels,
                  uint32_t first,
                  const double *values,
                  size_t n,
                  struct err *reterr);
int evaluated_add_at(void *arg,
                     size_t threshold,
                     const struct labels *labels,
                     uint32_t first,
                     const double *values,
                     size_t n,
                     struct err *reterr);
