#pragma once

/*
 * When nothing was collected at all: no `up` was 1, though one had been before.
 *
 *     up        1 1 1 1 . . 0 0 1 1        . no sample: what collects was down; 0: it reached nobody
 *     gap               |-----|
 *
 * A rule that fires where there is nothing (`absent()`, `or vector(0)`) fires then, too; that is an outage of the
 * monitoring, and what it would have paged then is told apart.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/reading.h"
#include "lib/base/err.h"

struct promql_expr;

struct gap {
    int64_t begin_ms,
        end_ms; /* end: the first evaluation that has something again, or the span's end */
};

/* By time; on the heap. Where there never was an `up` there are none. */
struct gaps {
    struct gap *at;
    size_t n;
};

/* Such a rule. */
bool gaps_matter(const struct promql_expr *expr);

/* 0, or a failure of the reader in words. gaps_done() in any case. */
int gaps_find(const struct tune_reader *reader,
              const struct tune_span *span,
              struct gaps *ret,
              struct err *reterr);
void gaps_done(struct gaps *gaps);

bool gaps_hold(const struct gaps *gaps, int64_t at_ms);
