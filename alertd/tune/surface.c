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

struct surface {
    struct surface_grid grid;
    struct levels levels;
    struct tally *tally;
    bool is_finished;
    int64_t *peaks; /* (n_thresholds + 1)^2: by their peak, runs at a level */
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

/* Ends what is open above `level`; the rest of it goes on, from where the last that ended began. The run at
 * the bottom is at level 0 and never ends. Returns what is then on top. */
static inline struct surface_run *close_above(struct surface *surface,
                                              const struct tally_stretch *stretch,
                                              struct surface_run *top,
                                              struct surface_crossing to,
                                              const bool *concerns)
{
    size_t n_rows = surface->grid.n_thresholds + 1;

    while (top->level > to.level) {
        struct surface_run *below = top - 1;
        uint32_t high = top->level;
        uint32_t low = below->level > to.level ? below->level : to.level;
        uint32_t peak = top->peak;
        const struct tally_run run = {low, high, top->start, to.step - 1};

        if (!tally_add_few(stretch, n_rows, run))
            tally_add(surface->tally, run, concerns);
        surface->peaks[peak * n_rows + low]++;
        surface->peaks[peak * n_rows + high]--;
        if (below->level < to.level) {
            top->level = to.level;
            break;
        }
        below->peak = below->peak > peak ? below->peak : peak;
        top = below;
    }
    return top;
}

/* The level is the top's. */
static struct surface_run *go_on(struct surface *surface,
                                 struct surface_run *top,
                                 const struct surface_crossing *to,
                                 size_t n,
                                 const bool *concerns)
{
    struct tally_stretch stretch = {0};

    for (size_t i = 0; i < n; i++) {
        if (to[i].level > top->level) {
            *++top = (struct surface_run){to[i].step, to[i].level, to[i].level};
            continue;
        }
        if (to[i].step > stretch.end)
            stretch = tally_stretch_of(surface->tally, to[i].step - 1);
        top = close_above(surface, &stretch, top, to[i], concerns);
    }
    return top;
}

/* Levels ascend in what is open, so that there is room for all of them. */
static void open_series(const struct surface *surface, struct surface_series *series)
{
    if (series->open)
        return;
    series->open = mem_alloc((surface->grid.n_thresholds + 1) * sizeof(*series->open));
    series->top = series->open;
    *series->top = (struct surface_run){0};
}

static void note(struct surface_crossings *crossings, const struct surface_crossing *at, size_t n)
{
    if (crossings && *crossings->left > 0)
        crossings_add(crossings, at, n);
}

/* Its step is `to`'s, whatever was before. */
static void cross(struct surface *surface,
                  struct surface_series *series,
                  struct surface_crossing to,
                  const bool *concerns)
{
    open_series(surface, series);
    series->step = to.step;
    if (to.level == series->top->level)
        return;
    series->top = go_on(surface, series->top, &to, 1, concerns);
    note(series->crossings, &to, 1);
}

size_t surface_feed(struct surface *surface,
                    struct surface_series *series,
                    const double *values,
                    size_t n_steps,
                    const bool *concerns,
                    struct surface_crossing *ret)
{
    assert(!surface->is_finished && n_steps <= SURFACE_STEPS_MAX - series->step);
    open_series(surface, series);
    size_t n = levels_cross(&surface->levels, series->top->level, series->step, values, n_steps,
                            ret);

    series->top = go_on(surface, series->top, ret, n, concerns);
    note(series->crossings, ret, n);
    series->step += (uint32_t)n_steps;
    return n;
}

void surface_cross(struct surface *surface,
                   struct surface_series *series,
                   struct surface_crossing to,
                   const bool *concerns)
{
    assert(to.step >= series->step && to.level <= surface->grid.n_thresholds);
    cross(surface, series, to, concerns);
}

void surface_skip(struct surface *surface,
                  struct surface_series *series,
                  uint32_t to_step,
                  const bool *concerns)
{
    assert(to_step >= series->step && to_step <= SURFACE_STEPS_MAX);
    if (to_step == series->step)
        return;
    cross(surface, series, (struct surface_crossing){series->step, 0}, concerns);
    series->step = to_step;
}

void surface_end(struct surface *surface, struct surface_series *series, const bool *concerns)
{
    cross(surface, series, (struct surface_crossing){series->step, 0}, concerns);
    free(series->open);
    *series = (struct surface_series){0};
}

/* --- a threshold alone --- */

static void end_row(struct surface *surface,
                    const struct surface_row *row,
                    size_t threshold,
                    const bool *concerns)
{
    const struct tally_run run = {(uint32_t)threshold, (uint32_t)threshold + 1, row->start,
                                  row->step - 1};

    tally_add(surface->tally, run, concerns);
}

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
        end_row(surface, row, threshold, concerns);
    row->is_open = is_true;
    note(row->crossings, &(struct surface_crossing){row->step, is_true}, 1);
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

/* Over levels, and over the peaks that are higher. */
static void sum_peaks(int64_t *peaks, size_t n_rows)
{
    for (size_t peak = 0; peak < n_rows; peak++)
        for (size_t level = 1; level < n_rows; level++)
            peaks[peak * n_rows + level] += peaks[peak * n_rows + level - 1];
    for (size_t level = 0; level < n_rows; level++) {
        int64_t more = 0;
        for (size_t peak = n_rows; peak-- > 0;) {
            int64_t here = peaks[peak * n_rows + level];
            peaks[peak * n_rows + level] = more;
            more += here;
        }
    }
}

void surface_finish(struct surface *surface)
{
    assert(!surface->is_finished);
    tally_finish(surface->tally);
    sum_peaks(surface->peaks, surface->grid.n_thresholds + 1);
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
    return (uint64_t)surface->peaks[on * (surface->grid.n_thresholds + 1) + off];
}
