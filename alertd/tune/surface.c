/*
 * One pass, all cells. See surface.h.
 *
 * Counters are differences: a run that is in the levels [low, high) and holds the first n_held
 * of the fors is +1 at (low, n_held) and -1 at (high, n_held). surface_finish() sums over levels
 * upwards and over n_held downwards.
 */

#include "alertd/tune/surface.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/tune/level.h"
#include "lib/base/mem.h"

/* A run that is open. */
struct surface_run {
    uint32_t start, level, peak; /* peak: the highest level within it */
};

/* What a run changes lies together: there are many of them. */
struct counts {
    int64_t fired;     /* alerts that began in the counted time */
    int64_t run_steps; /* the length of their runs */
    int64_t inherited; /* counted steps of alerts that fired before */
    int64_t true_fired;
    int64_t marked_fired;
    int64_t weight, needless; /* of each `for` alone: not summed over them */
    int64_t unused;           /* a line of the cache is full */
};

enum {
    STEPS_AT_ONCE = 256, /* whose levels are found before any is looked at */
    CALM_PART =
        32, /* when fewer than one in so many changed anything the next ones may not either */
    FEW_STEPS = 256,
    STRETCH_STEPS = 256,
    COUNTS = sizeof(struct counts) / sizeof(int64_t),
};

struct surface {
    struct surface_grid grid;
    struct levels levels;
    uint32_t *for_steps;
    struct surface_incident *incidents;
    size_t n_incidents;
    size_t n_columns; /* n_fors + 1: a run holds 0 to n_fors of them */
    bool is_finished;
    struct counts *counts; /* (n_thresholds + 1) x n_columns */
    int64_t *peaks;        /* (n_thresholds + 1)^2: runs at a level, by their peak */
    uint32_t *delays;      /* n_incidents x n_thresholds x n_fors */
    uint8_t *weights;      /* by step; or NULL */
    /* looked up instead of found: fors held by so many steps, when they are few; whether an incident
     * touches a stretch of steps */
    uint8_t held[FEW_STEPS];
    bool *is_bad;
    uint32_t n_stretches;
};

/* --- making --- */

/* How many of the fors are shorter than so many steps. */
static size_t count_held(const struct surface *surface, uint32_t steps)
{
    size_t n = 0;

    while (n < surface->grid.n_fors && surface->for_steps[n] < steps)
        n++;
    return n;
}

static void mark_bad(struct surface *surface)
{
    for (size_t i = 0; i < surface->n_incidents; i++)
        if (surface->incidents[i].end / STRETCH_STEPS >= surface->n_stretches)
            surface->n_stretches = surface->incidents[i].end / STRETCH_STEPS + 1;
    surface->is_bad = mem_zalloc(surface->n_stretches);
    for (size_t i = 0; i < surface->n_incidents; i++)
        for (uint32_t at = surface->incidents[i].begin / STRETCH_STEPS;
             at <= surface->incidents[i].end / STRETCH_STEPS; at++)
            surface->is_bad[at] = true;
}

struct surface *surface_new(const struct surface_grid *grid,
                            const struct surface_incident *incidents,
                            size_t n_incidents)
{
    size_t n_rows = grid->n_thresholds + 1;
    size_t n_columns = grid->n_fors + 1;

    if (grid->n_thresholds == 0 || grid->n_thresholds > SURFACE_THRESHOLDS_MAX ||
        grid->n_fors == 0 || grid->n_fors > SURFACE_FORS_MAX || n_incidents > SURFACE_INCIDENTS_MAX)
        return NULL;
    struct surface *surface = mem_zalloc(sizeof(*surface));
    size_t n_delays = n_incidents * grid->n_thresholds * grid->n_fors;

    *surface = (struct surface){
        .grid = *grid,
        .for_steps = mem_dup(grid->for_steps, grid->n_fors * sizeof(uint32_t)),
        .n_incidents = n_incidents,
        .n_columns = n_columns,
        .counts = mem_zalloc(n_rows * n_columns * sizeof(struct counts)),
        .peaks = mem_zalloc(n_rows * n_rows * sizeof(int64_t)),
    };
    if (grid->weights)
        surface->weights = mem_dup(grid->weights, grid->n_weights);
    levels_init(&surface->levels, grid->op, grid->thresholds, grid->n_thresholds);
    if (n_incidents > 0) {
        surface->incidents = mem_dup(incidents, n_incidents * sizeof(*incidents));
        surface->delays = mem_alloc(n_delays * sizeof(uint32_t));
        memset(surface->delays, 0xff, n_delays * sizeof(uint32_t));
        mark_bad(surface);
    }
    for (uint32_t steps = 0; steps < FEW_STEPS; steps++)
        surface->held[steps] = (uint8_t)count_held(surface, steps);
    return surface;
}

void surface_free(struct surface *surface)
{
    if (!surface)
        return;
    levels_done(&surface->levels);
    free(surface->for_steps);
    free(surface->incidents);
    free(surface->counts);
    free(surface->is_bad);
    free(surface->peaks);
    free(surface->delays);
    free(surface->weights);
    free(surface);
}

/* --- one run --- */

static size_t n_held(const struct surface *surface, uint32_t steps)
{
    return steps < FEW_STEPS ? surface->held[steps] : count_held(surface, steps);
}

/* Whether any incident is near [begin, end]. */
static bool may_be_bad(const struct surface *surface, uint32_t begin, uint32_t end)
{
    for (uint32_t at = begin / STRETCH_STEPS;
         at <= end / STRETCH_STEPS && at < surface->n_stretches; at++)
        if (surface->is_bad[at])
            return true;
    return false;
}

/* A run [begin, end] and one incident that lies in it: which cells find it, and how late. */
static void find(struct surface *surface,
                 size_t incident,
                 uint32_t low,
                 uint32_t high,
                 uint32_t begin,
                 uint32_t end)
{
    const struct surface_incident *bad = &surface->incidents[incident];
    uint32_t last = bad->end < end ? bad->end : end;
    size_t n = n_held(surface, last - begin + 1);

    for (size_t level = low; level < high; level++) {
        uint32_t *delays = surface->delays +
                           (incident * surface->grid.n_thresholds + level) * surface->grid.n_fors;
        for (size_t k = 0; k < n; k++) {
            uint32_t fires = begin + surface->for_steps[k];
            uint32_t delay = fires > bad->begin ? fires - bad->begin : 0;
            if (delay < delays[k])
                delays[k] = delay;
        }
    }
}

/* The counts of a run's levels: where it begins to count, and where it ceases to. */
struct places {
    struct counts *low, *high; /* of column 0 */
};

/* What its alerts cost: it fires at another step for each `for` from n_before to n. */
static void weigh(struct surface *surface,
                  const struct places *at,
                  uint32_t begin,
                  const size_t *n_before_true_all)
{
    for (size_t k = n_before_true_all[0]; k < n_before_true_all[2]; k++) {
        uint32_t fires = begin + surface->for_steps[k];
        int64_t weight = fires < surface->grid.n_weights ? surface->weights[fires] : 1;
        int64_t needless = k >= n_before_true_all[1] ? weight : 0;
        at->low[k].weight += weight;
        at->high[k].weight -= weight;
        at->low[k].needless += needless;
        at->high[k].needless -= needless;
    }
}

/* Of the fors from n_before to n those with which it fires at a marked step: stretches of them. */
static void mark(
    struct surface *surface, const struct places *at, uint32_t begin, size_t n_before, size_t n)
{
    bool was = false;

    for (size_t k = n_before; k <= n; k++) {
        bool is = k < n && surface->grid.marked[begin + surface->for_steps[k]];
        if (is == was)
            continue;
        int64_t change = (int64_t)was - (int64_t)is;
        at->low[k].marked_fired += change;
        at->high[k].marked_fired -= change;
        was = is;
    }
}

/* Which incidents it finds; with how many fors it finds any. */
static size_t find_all(struct surface *surface,
                       uint32_t low,
                       uint32_t high,
                       uint32_t begin,
                       uint32_t end,
                       const bool *concerns)
{
    size_t n_true = 0;

    for (size_t i = 0; i < surface->n_incidents; i++) {
        const struct surface_incident *bad = &surface->incidents[i];
        if (bad->begin > end || bad->end < begin || (concerns && !concerns[i]))
            continue;
        size_t n_hit = n_held(surface, (bad->end < end ? bad->end : end) - begin + 1);
        n_true = n_hit > n_true ? n_hit : n_true;
        find(surface, i, low, high, begin, end);
    }
    return n_true;
}

/* Those that fired, with the fors from n_before to n. Column 0 counts for nobody: it is left out. */
static void count_fired(const struct places *at, size_t n_before, size_t n, int64_t steps)
{
    at->low[n].fired += 1;
    at->high[n].fired -= 1;
    at->low[n].run_steps += steps;
    at->high[n].run_steps -= steps;
    if (n_before == 0)
        return;
    at->low[n_before].fired -= 1;
    at->high[n_before].fired += 1;
    at->low[n_before].run_steps -= steps;
    at->high[n_before].run_steps += steps;
}

/* A run [begin, end] that was open in the levels [low, high) and no higher. */
static void close_run(struct surface *surface,
                      uint32_t low,
                      uint32_t high,
                      uint32_t begin,
                      uint32_t end,
                      const bool *concerns)
{
    uint32_t first = surface->grid.first_step;
    size_t n = n_held(surface, end - begin + 1);
    /* with these fors it fired before the counted time */
    size_t n_before = begin < first ? n_held(surface, first - begin) : 0;
    const struct places at = {surface->counts + low * surface->n_columns,
                              surface->counts + high * surface->n_columns};
    size_t n_true = 0;

    if (n_before > n)
        n_before = n;
    count_fired(&at, n_before, n, (int64_t)end - begin + 1);
    if (n_before > 0 && end >= first) {
        at.low[n_before].inherited += (int64_t)end - first + 1;
        at.high[n_before].inherited -= (int64_t)end - first + 1;
    }
    if (surface->grid.marked && n_before < n)
        mark(surface, &at, begin, n_before, n);
    if (surface->n_incidents > 0 && may_be_bad(surface, begin, end))
        n_true = find_all(surface, low, high, begin, end, concerns);
    if (n_true > n_before) {
        at.low[n_true].true_fired += 1;
        at.high[n_true].true_fired -= 1;
        at.low[n_before].true_fired -= 1;
        at.high[n_before].true_fired += 1;
    }
    if (surface->weights)
        weigh(surface, &at, begin, (const size_t[]){n_before, n_true, n});
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

        close_run(surface, low, run.level, run.start, series->step - 1, concerns);
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
        close_run(surface, (uint32_t)threshold, (uint32_t)threshold + 1, row->start, row->step - 1,
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

static void add_all(int64_t *into, const int64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        into[i] += from[i];
}

void surface_merge(struct surface *into, const struct surface *from)
{
    size_t n_rows = into->grid.n_thresholds + 1;
    size_t n = n_rows * into->n_columns;
    size_t n_delays = into->n_incidents * into->grid.n_thresholds * into->grid.n_fors;

    assert(!into->is_finished && !from->is_finished && from->n_columns == into->n_columns &&
           from->grid.n_thresholds == into->grid.n_thresholds &&
           from->n_incidents == into->n_incidents);
    add_all(&into->counts->fired, &from->counts->fired, n * COUNTS);
    add_all(into->peaks, from->peaks, n_rows * n_rows);
    for (size_t i = 0; i < n_delays; i++)
        if (from->delays[i] < into->delays[i])
            into->delays[i] = from->delays[i];
}

/* Differences become counts, over levels: a row is the sum of all up to it. */
static void sum_rows(int64_t *counters, size_t n_rows, size_t n)
{
    for (size_t level = 1; level < n_rows; level++)
        add_all(counters + level * n, counters + (level - 1) * n, n);
}

/* And over fors: a column is the sum of all that hold more of them. */
static void sum_columns(struct counts *row, size_t n_columns)
{
    struct counts more = {0};

    for (size_t column = n_columns; column-- > 0;) {
        struct counts here = row[column];
        row[column] = more;
        row[column].weight = here.weight;
        row[column].needless = here.needless;
        add_all(&more.fired, &here.fired, COUNTS);
    }
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
    size_t n_columns = surface->n_columns;

    assert(!surface->is_finished);
    sum_rows(&surface->counts->fired, n_rows, n_columns * COUNTS);
    sum_rows(surface->peaks, n_rows, n_rows);
    for (size_t level = 0; level < n_rows; level++) {
        sum_columns(surface->counts + level * n_columns, n_columns);
        sum_peaks(surface->peaks + level * n_rows, n_rows);
    }
    surface->is_finished = true;
}

size_t surface_thresholds(const struct surface *surface)
{
    return surface->grid.n_thresholds;
}

struct surface_cell surface_cell(const struct surface *surface, size_t threshold, size_t for_index)
{
    const struct counts *at = &surface->counts[threshold * surface->n_columns + for_index];
    bool is_weighed = surface->weights != NULL;

    assert(surface->is_finished && threshold < surface->grid.n_thresholds &&
           for_index < surface->grid.n_fors);
    return (struct surface_cell){
        .alerts = (uint64_t)at->fired,
        .true_alerts = (uint64_t)at->true_fired,
        .firing_steps = (uint64_t)(at->run_steps - at->fired * surface->for_steps[for_index] +
                                   at->inherited),
        .marked_alerts = (uint64_t)at->marked_fired,
        .weight = (uint64_t)(is_weighed ? at->weight : at->fired),
        .needless = (uint64_t)(is_weighed ? at->needless : at->fired - at->true_fired),
    };
}

uint32_t surface_delay(const struct surface *surface,
                       size_t incident,
                       size_t threshold,
                       size_t for_index)
{
    assert(incident < surface->n_incidents);
    return surface
        ->delays[(incident * surface->grid.n_thresholds + threshold) * surface->grid.n_fors +
                 for_index];
}

uint64_t surface_hysteresis(const struct surface *surface, size_t off, size_t on)
{
    assert(surface->is_finished && off <= on && on < surface->grid.n_thresholds);
    return (uint64_t)surface->peaks[off * (surface->grid.n_thresholds + 1) + on];
}
