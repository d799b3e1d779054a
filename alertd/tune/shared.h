#pragma once

/*
 * A selector asked once for several who read at the same time, each a part of the series.
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
};

/* `of` is a loan; n_at_once: of those who read, and look for it together. */
void shared_init(struct shared *shared, const struct source *of, uint32_t n_at_once, size_t bytes);
void shared_done(struct shared *shared);

struct source shared_finder(struct shared *shared);
/* Once it is found. A query of other series or of another time goes to the source. */
struct source shared_source(struct shared *shared);
