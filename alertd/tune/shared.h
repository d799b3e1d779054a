#pragma once

/*
 * A selector asked once for several who read at the same time, each a part of the series; and for the next reading
 * of the same time, in finer steps.
 *
 *     finder ── select ──> the source        evaluated first, it finds for all and gives nothing
 *     part 0 ── select ─┐
 *     part 1 ── select ─┴> what was found    each takes its own
 *            ── read ────> the source
 *
 * What is found lies compressed where it was found; only its decoding is each part's own.
 */

#include <stddef.h>

#include "alertd/promql/source.h"
#include "lib/base/arena.h"

struct shared {
    const struct source *of;
    uint32_t n_at_once;
    struct arena arena; /* what was found is in it */
    struct source_query query;
    struct source_selection found; /* as that query asked; nothing: it never did */
    bool is_found;
    bool is_asked;    /* in this reading: what it asks for first is what is shared */
    int64_t ahead_ms; /* it is looked for so much beyond what is asked */
    int64_t found_ahead_ms;
};

/* `of` is a loan; n_at_once: of those who read, and look for it together. */
void shared_init(struct shared *shared, const struct source *of, uint32_t n_at_once, size_t bytes);
void shared_done(struct shared *shared);
/* A reading begins. What an earlier one found is what it asks for, if that is the same from the same time on, and ends
 * at most ahead_ms, of that one, later. */
void shared_begin(struct shared *shared, int64_t ahead_ms);

struct source shared_finder(struct shared *shared);
/* Once it is found. A query of other series or of another time goes to the source. */
struct source shared_source(struct shared *shared);
