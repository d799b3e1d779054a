/*
 * One pass, all cells. See surface.h; what becomes of a run that ends: tally.h.
 */

#include "alertd/tune/surface.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/tune/brief.h"
#include "alertd/tune/level.h"
#include "alertd/tune/tally.h"
#include "lib/base/mem.h"

enum {
    BUSY_PART = 8, /* where more than one step in so many changes, runs are looked for in blocks */
};

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
            tally_add(surface->tally, stretch, run, concerns);
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

/* From to.step on the level is to.level, in the end; until then there were levels up to `peak`. */
static inline struct surface_run *go_to(struct surface *surface,
                                        struct tally_stretch *stretch,
                                        struct surface_run *top,
                                        struct surface_crossing to,
                                        uint32_t peak,
                                        const bool *concerns)
{
    if (to.level > top->level) {
        *++top = (struct surface_run){to.step, to.level, peak};
        return top;
    }
    if (to.step > stretch->end)
        *stretch = tally_stretch_of(surface->tally, to.step - 1);
    top = close_above(surface, stretch, top, to, concerns);
    top->peak = top->peak > peak ? top->peak : peak;
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

    for (size_t i = 0; i < n; i++)
        top = go_to(surface, &stretch, top, to[i], to[i].level, concerns);
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

/* The crossings of one threshold among those of all, in their place. */
static size_t pick_watched(size_t watched, bool was, struct surface_crossing *crossings, size_t n)
{
    size_t n_picked = 0;

    for (size_t i = 0; i < n; i++) {
        bool is = crossings[i].level > watched;
        if (is != was)
            crossings[n_picked++] = (struct surface_crossing){crossings[i].step, is};
        was = is;
    }
    return n_picked;
}

static size_t feed_crossings(struct surface *surface,
                             struct surface_series *series,
                             const double *values,
                             size_t n_steps,
                             const bool *concerns,
                             struct surface_crossing *ret)
{
    uint32_t before = series->top->level;
    size_t n = levels_cross(&surface->levels, before, series->step, values, n_steps, ret);

    series->top = go_on(surface, series->top, ret, n, concerns);
    note(series->crossings, ret, n);
    return pick_watched(series->watched, before > series->watched, ret, n);
}

/* A block of levels, all in one stretch; most of them change. */
static void count_block(struct surface *surface,
                        struct surface_series *series,
                        struct tally_stretch stretch,
                        struct brief *brief,
                        const bool *concerns)
{
    MEM_UNSET struct brief_rest rest[BRIEF_STEPS];

    brief_count(brief, &stretch, surface->peaks, surface->grid.n_thresholds + 1);
    size_t n = brief_rest(brief, series->step, rest);
    for (size_t i = 0; i < n; i++)
        series->top = go_to(surface, &stretch, series->top,
                            (struct surface_crossing){rest[i].step, rest[i].level}, rest[i].peak,
                            concerns);
}

/* n_changes of its n levels are others than the one before. */
static void feed_block(struct surface *surface,
                       struct surface_series *series,
                       struct tally_stretch stretch,
                       struct brief *brief,
                       size_t n_changes,
                       const bool *concerns)
{
    MEM_UNSET struct surface_crossing all[BRIEF_STEPS];
    bool is_noted = series->crossings && *series->crossings->left > 0;
    bool is_busy = stretch.few && n_changes > brief->n / BUSY_PART;
    size_t n = is_noted || !is_busy ? brief_crossings(brief, series->step, all) : 0;

    note(series->crossings, all, n);
    if (is_busy)
        count_block(surface, series, stretch, brief, concerns);
    else
        series->top = go_on(surface, series->top, all, n, concerns);
}

static size_t feed_blocks(struct surface *surface,
                          struct surface_series *series,
                          const double *values,
                          size_t n_steps,
                          const bool *concerns,
                          struct surface_crossing *ret)
{
    MEM_UNSET struct brief brief;
    struct tally_stretch stretch = {0};
    bool is_calm = true;
    size_t n_found = 0;

    for (size_t at = 0; at < n_steps;) {
        uint32_t level = series->top->level;
        size_t n = is_calm ? levels_stay(&surface->levels, level, values + at, n_steps - at) : 0;
        at += n;
        series->step += (uint32_t)n;
        if (at == n_steps)
            break;
        if (series->step >= stretch.end)
            stretch = tally_stretch_of(surface->tally, series->step);
        n = n_steps - at < BRIEF_STEPS ? n_steps - at : BRIEF_STEPS;
        n = n < stretch.end - series->step ? n : stretch.end - series->step;
        levels_bytes(&surface->levels, values + at, n, brief_levels(&brief));
        size_t n_changes = brief_begin(&brief, n, level);
        n_found += brief_watch(&brief, (uint32_t)series->watched, level > series->watched,
                               series->step, ret + n_found);
        feed_block(surface, series, stretch, &brief, n_changes, concerns);
        is_calm = n_changes < n / LEVEL_CALM_PART;
        series->step += (uint32_t)n;
        at += n;
    }
    return n_found;
}

size_t surface_feed(struct surface *surface,
                    struct surface_series *series,
                    const double *values,
                    size_t n_steps,
                    const bool *concerns,
                    struct surface_crossing *ret)
{
    size_t n_thresholds = surface->grid.n_thresholds;
    uint32_t end = series->step + (uint32_t)n_steps;

    assert(!surface->is_finished && n_steps <= SURFACE_STEPS_MAX - series->step);
    open_series(surface, series);
    size_t n = n_thresholds > 1 && n_thresholds <= BRIEF_LEVELS_MAX
                   ? feed_blocks(surface, series, values, n_steps, concerns, ret)
                   : feed_crossings(surface, series, values, n_steps, concerns, ret);
    series->step = end;
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
    const struct tally_stretch stretch = tally_stretch_of(surface->tally, run.end);

    tally_add(surface->tally, &stretch, run, concerns);
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

uint32_t surface_longest_incident(const struct surface *surface)
{
    return tally_longest_incident(surface->tally);
}

uint64_t surface_hysteresis(const struct surface *surface, size_t off, size_t on)
{
    assert(surface->is_finished && off <= on && on < surface->grid.n_thresholds);
    return (uint64_t)surface->peaks[on * (surface->grid.n_thresholds + 1) + off];
}
