#pragma once

/*
 * The series an expression reads, and copies of them: what faults are put into.
 *
 *     rate(errors_total{job="a"}[5m]) / rate(requests_total[5m])
 *          errors_total{job="a"}             a counter, five minutes and a little back
 *          requests_total                    likewise
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/memory_source.h"
#include "alertd/promql/source.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

struct promql_expr;

struct input {
    const char *text; /* the selector, without range and offset */
    const struct matcher *matchers;
    size_t n_matchers;
    int64_t back_ms;  /* so long before an evaluation its samples count, and while one lingers */
    int64_t range_ms; /* a fault of then is seen so much longer; 0: as long as it lasts */
    bool is_counter;  /* rate(), increase(), irate() of it */
};

enum {
    INPUTS_MAX = 16,
    INPUT_SAMPLES_MAX = 4000000, /* of a copy */
};
struct inputs {
    struct input at[INPUTS_MAX];
    size_t n;
};

/* Each selector once, in the order of the text; words are in the arena. 0; -EINVAL: it looks at times that
 * do not move with the evaluation (@), or at lengths that are reckoned; -E2BIG: too many. */
int inputs_of(const struct promql_expr *expr,
              struct arena *arena,
              struct inputs *ret,
              struct err *reterr);

/* A series that has these labels, as far as it has such labels at all; of NULL every one is. */
bool input_is_like(const struct labels *series, const struct labels *like);

/* Their samples for evaluations from from_ms to to_ms, of series that are like `like`. */
int inputs_copy(const struct inputs *inputs,
                const struct source *source,
                int64_t from_ms,
                int64_t to_ms,
                const struct labels *like,
                struct memory_source *copy,
                struct err *reterr);
