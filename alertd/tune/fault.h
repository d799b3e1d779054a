#pragma once

/*
 * Faults put into copies of samples: for tests of rules, for how small an outage a rule catches,
 * and for practice. What is underneath is read, never changed.
 *
 *     set     ____|~~~~|____      the value is the magnitude
 *     add     ____/^^^^\____      more by the magnitude
 *     scale   ____|^^^^|____      times the magnitude
 *     ramp    ____....:'|____     more, from nothing to the magnitude
 *     spike   ____|__________     more, at the first sample alone
 *     freeze  ____-----_____      what it was before
 *     drop    ____x    |____      the series ends with a staleness marker
 *     gap     ____     |____      nothing comes
 *     reset   ___/|__/            counts from 0 again
 *
 * Invariants
 *  (1) outside [begin_ms, end_ms) samples are what they were; but a reset stays, and so does what
 *      a fault that `persists` had added at its end (a counter's).
 *  (2) no sample is invented: times are those of samples that are there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/source.h"
#include "lib/model/matcher.h"

enum fault_kind {
    FAULT_SET,
    FAULT_ADD,
    FAULT_SCALE,
    FAULT_RAMP,
    FAULT_SPIKE,
    FAULT_FREEZE,
    FAULT_DROP,
    FAULT_GAP,
    FAULT_RESET,
};
enum {
    FAULT_KINDS = FAULT_RESET + 1,
};

struct fault {
    enum fault_kind kind;
    double magnitude; /* of those that have one */
    int64_t begin_ms, end_ms;
    bool
        persists; /* of a counter: what ADD, RAMP and SCALE had added at the end stays added, and SCALE is
                    * of what it goes up by */
    const struct matcher *matchers; /* of the series it is put into; none: all */
    size_t n_matchers;
    const struct labels *like; /* and only series like this one (input.h); NULL: all */
};

const char *fault_kind_name(enum fault_kind kind);
/* There is more and less of it: it has a magnitude. */
bool fault_kind_is_sized(enum fault_kind kind);
/* False: no kind has that name. */
bool fault_kind_find(const char *name, enum fault_kind *ret_kind);

/* A source with faults in it. One after the other; the same series may have several. */
struct fault_source {
    const struct source *of; /* a loan, as the faults are */
    const struct fault *faults;
    size_t n;
};
struct source fault_source_of(struct fault_source *faulty);

/* The same on a series' values, step by step (a step is a millisecond): NaN is no value. A gap is
 * one at once: values know nothing of how long a sample lingers. */
void fault_values(const struct fault *fault, double *values, size_t n);
