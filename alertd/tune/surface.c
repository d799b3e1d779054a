/*
 * One pass, all cells. See surface.h; what becomes of a run that ends: tally.h.
 */

#include "alertd/tune/surface.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/tune/level.h"
#include "alertd/tune/tally.h"
#include "lib/base/mem.h"

/* A run that is open. */
struct surface_run {
    uint32_t start, level, peak; /* peak: the highest level within it */
};

enum {
    STEPS_AT_ONCE = 256, /* whose levels are found before any is looked at */
    CALM_PART =
        32, /* when fewer than one in so many changed anything the next ones may not either */
};

struct surface {
    struct surface_grid grid;
    struct levels levels;
    struct tally *tally;
    bool is_finished;
    int64_t *peaks; /* (n_thresholds + 1)^2: runs at a level, by their peak */
};

/* --- making --- */

struct surface *surface_new(const struct surface_grid *grid,
                            const struct surface_incident *incidents,
                            size_t n_incidents)
{
    size_t n_rows = grid->n_thresholds + 1;

    if (grid->n_thresholds == 0 || grid->n_thresholds > SURFACE_THRESHOLDS_MAX ||
        grid->n_fors == 0 || grid->n_fors > SURFACE_FORS_MAX || n_incidents > SURFACE_INCIDENTS_MAX)
        return NULL;
    struct surface *surface = mem_zalloc(sizeof(*surface));

    *surface = (struct surface){
        .grid = *grid,
        .tally = tally_new(grid, incidents, n_incidents),
        .peaks = mem_zalloc(n_rows * n_rows * sizeof(int64_t)),
    };
    levels_init(&surface->levels, grid->op, grid->thresholds, grid->n_thresholds);
    return surface;
}

void surface_free(struct surface *surface)
{
    if (!surface)
        return;
    levels_done(&surface->levels);
    tally_free(surface->tally);
    free(surface->peaks);
    free(surface);
}

/* --- one series --- */

static void push(struct surface_series *series, uint32_t start, uint32_t level, uint32_t peak)
{
    if (series->n_open == series->capacity)
        series->open = mem_grow(series->open, &series->capacity, series->n_open + 1,
                                sizeof(*series->open));
    series->open[series->n_open++] = (struct surface_run){start, level, peak};
}

/* Ends what is open above `level`; the rest of it goes on, from where the last that ended
 * began. */
static void close_above(struct surface *surface,
                        struct surface_series *series,
                        uint32_t level,
                        const bool *concerns)
{
    size_t n_rows = surface->grid.n_thresholds + 1;

    while (series->n_open > 0 && series->open[series->n_open - 1].level > level) {
        struct surface_run run = series->open[--series->n_open];
        struct surface_run *below = series->n_open > 0 ? &series->open[series->n_open - 1] : NULL;
        uint32_t low = below && below->level > level ? below->level : level;

        tally_add(surface->tally, (struct tally_run){low, run.level, run.start, series->step - 1},
                  concerns);
        surface->peaks[low * n_rows + run.peak]++;
        surface->peaks[run.level * n_rows + run.peak]--;
        if (below && below->level >= level)
            below->peak = below->peak < run.peak ? run.peak : below->peak;
        else if (level > 0)
            push(series, run.start, level, run.peak);
    }
}

static void note(struct surface_crossings *crossings, uint32_t step, uint32_t level)
{
    if (crossings && *crossings->left > 0)
        crossings_add(crossings, step, level);
}

static void go_to(struct surface *surface,
                  struct surface_series *series,
                  uint32_t level,
                  const bool *concerns)
{
    if (level < series->level)
        close_above(surface, series, level, concerns);
    else if (level > series->level)
        push(series, series->step, level, level);
    if (level != series->level)
        note(series->crossings, series->step, level);
    series->level = level;
}

static void feed_levels(struct surface *surface,
                        struct surface_series *series,
                        const uint16_t *levels,
                        size_t n,
                        const bool *concerns)
{
    uint32_t first = series->step;

    for (size_t i = 0; i < n; i++) {
        if (levels[i] == series->level)
            continue;
        series->step = first + (uint32_t)i;
        go_to(surface, series, levels[i], concerns);
    }
    series->step = first + (uint32_t)n;
}

void surface_feed(struct surface *surface,
                  struct surface_series *series,
                  const double *values,
                  size_t n_steps,
                  const bool *concerns)
{
    MEM_UNSET uint16_t levels[STEPS_AT_ONCE];
    bool is_calm = true;

    assert(!surface->is_finished && n_steps <= SURFACE_STEPS_MAX - series->step);
    for (size_t at = 0; at < n_steps;) {
        size_t n_calm = is_calm ? levels_stay(&surface->levels, series->level, values + at,
                                              n_steps - at)
                                : 0;
        at += n_calm;
        series->step += (uint32_t)n_calm;
        size_t n = n_steps - at < STEPS_AT_ONCE ? n_steps - at : STEPS_AT_ONCE;
        size_t n_changes = levels_find(&surface->levels, series->level, values + at, n, levels);
        feed_levels(surface, series, levels, n, concerns);
        is_calm = n_changes < n / CALM_PART;
        at += n;
    }
}

void surface_cross(struct surface *surface,
                   struct surface_series *series,
                   struct surface_crossing to,
                   const bool *concerns)
{
    assert(to.step >= series->step && to.level <= surface->grid.n_thresholds);
    series->step = to.step;
    go_to(surface, series, to.level, concerns);
}

void surface_skip(struct surface *surface,
                  struct surface_series *series,
                  uint32_t to_step,
                  const bool *concerns)
{
    assert(to_step >= series->step && to_step <= SURFACE_STEPS_MAX);
    if (to_step == series->step)
        return;
    go_to(surface, series, 0, concerns);
    series->step = to_step;
}

void surface_end(struct surface *surface, struct surface_series *series, const bool *concerns)
{
    go_to(surface, series, 0, concerns);
    free(series->open);
    *series = (struct surface_series){0};
}

/* --- a threshold alone --- */

static void go_to_row(struct surface *surface,
                      struct surface_row *row,
                      size_t threshold,
                      bool is_true,
                      const bool *concerns)
{
    if (row->is_open == is_true)
        return;
    if (is_true)
        row->start = row->step;
    else
        tally_add(surface->tally,
                  (struct tally_run){(uint32_t)threshold, (uint32_t)threshold + 1, row->start,
                                     row->step - 1},
                  concerns);
    row->is_open = is_true;
    note(row->crossings, row->step, is_true);
}

void surface_feed_row(struct surface *surface,
                      struct surface_row *row,
                      size_t threshold,
                      const double *values,
                      size_t n_steps,
                      const bool *concerns)
{
    assert(!surface->is_finished && threshold < surface->grid.n_thresholds &&
           n_steps <= SURFACE_STEPS_MAX - row->step);
    for (size_t i = 0; i < n_steps; i++, row->step++)
        go_to_row(surface, row, threshold, !isnan(values[i]), concerns);
}

void surface_skip_row(struct surface *surface,
                      struct surface_row *row,
                      size_t threshold,
                      uint32_t to_step,
                      const bool *concerns)
{
    assert(to_step >= row->step && to_step <= SURFACE_STEPS_MAX);
    if (to_step == row->step)
        return;
    go_to_row(surface, row, threshold, false, concerns);
    row->step = to_step;
}

void surface_cross_row(struct surface *surface,
                       struct surface_row *row,
                       size_t threshold,
                       struct surface_crossing to,
                       const bool *concerns)
{
    assert(to.step >= row->step && threshold < surface->grid.n_thresholds);
    row->step = to.step;
    go_to_row(surface, row, threshold, to.level > 0, concerns);
}

void surface_end_row(struct surface *surface,
                     struct surface_row *row,
                     size_t threshold,
                     const bool *concerns)
{
    go_to_row(surface, row, threshold, false, concerns);
}

/* --- the end --- */

void surface_merge(struct surface *into, const struct surface *from)
{
    size_t n_rows = into->grid.n_thresholds + 1;

    assert(from->grid.n_thresholds == into->grid.n_thresholds);
    tally_merge(into->tally, from->tally);
    tally_add_all(into->peaks, from->peaks, n_rows * n_rows);
}

static void sum_peaks(int64_t *row, size_t n_rows)
{
    int64_t more = 0;

    for (size_t column = n_rows; column-- > 0;) {
        int64_t here = row[column];
        row[column] = more;
        more += here;
    }
}

void surface_finish(struct surface *surface)
{
    size_t n_rows = surface->grid.n_thresholds + 1;

    assert(!surface->is_finished);
    tally_finish(surface->tally);
    tally_sum_rows(surface->peaks, n_rows, n_rows);
    for (size_t level = 0; level < n_rows; level++)
        sum_peaks(surface->peaks + level * n_rows, n_rows);
    surface->is_finished = true;
}

size_t surface_thresholds(const struct surface *surface)
{
    return surface->grid.n_thresholds;
}

struct surface_cell surface_cell(const struct surface *surface, size_t threshold, size_t for_index)
{
    return tally_cell(surface->tally, threshold, for_index);
}

uint32_t surface_delay(const struct surface *surface,
                       size_t incident,
                       size_t threshold,
                       size_t for_index)
{
    return tally_delay(surface->tally, incident, threshold, for_index);
}

uint64_t surface_hysteresis(const struct surface *surface, size_t off, size_t on)
{
    assert(surface->is_finished && off <= on && on < surface->grid.n_thresholds);
    return (uint64_t)surface->peaks[off * (surface->grid.n_thresholds + 1) + on];
}
