#pragma once

/*
 * What is needed to draw a rule at any threshold of a grid without reading its past again.
 *
 *     values    __/~~\__/\_     levels   0 0 2 2 2 2 0 0 1 0 0     how many thresholds are passed
 *                               runs     (0,2) (2,4) (0,2) ...     a level, and for how many steps
 *                               columns  least and greatest value of each stretch of time
 *
 * Invariants
 *  (1) a series passes threshold number j at just those steps at which its level is above j.
 *  (2) no more than PICTURE_BYTES_MAX are kept. A series that comes when they are spent is counted,
 *      and lies within the columns of all, but has none of its own.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/tune/surface.h"
#include "lib/model/labels.h"

enum {
    PICTURE_BYTES_MAX = 96 << 20,
    PICTURE_COLUMNS_MAX = 4000,
    PICTURE_THRESHOLDS_MAX = 255, /* a level is a byte */
};

/* Copies of nothing: the grid is a loan. columns: over the steps from grid.first_step on. NULL: beyond
 * a limit above. */
struct picture;
struct picture *picture_new(const struct surface_grid *grid, uint32_t n_steps, uint32_t columns);
void picture_free(struct picture *picture); /* NULL is fine */

/* The next values of series number `index`, NaN where there is none; in order of time. A new number
 * is one more than the last. labels: a loan. */
void picture_add(struct picture *picture,
                 size_t index,
                 const struct labels *labels,
                 uint32_t first_step,
                 const double *values,
                 size_t n);
/* What others of the same grid were shown, too: their numbers follow. Neither is finished; `from` is
 * to be freed. */
void picture_merge(struct picture *into, struct picture *from);
/* Ends all series: now there is something to read. */
void picture_finish(struct picture *picture);

struct picture_series {
    const struct labels *labels;
    /* Levels as runs from step 0 to the last one: a byte, and how many steps in sevens of bits,
     * the low ones first, the highest bit set when more follow. */
    const uint8_t *runs;
    size_t n_bytes;
    const float *least, *greatest; /* by column; NaN: none there */
};

/* Counted ones too. */
size_t picture_n_series(const struct picture *picture);
/* Those that are kept, the loudest first: those that pass threshold number `at` for most steps,
 * then those that come the highest. Returns how many. */
size_t picture_sort(struct picture *picture, size_t at);
struct picture_series picture_series(const struct picture *picture, size_t i);
/* Of all series together; its labels and runs are NULL. */
struct picture_series picture_all(const struct picture *picture);
