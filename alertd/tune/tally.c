/*
 * Runs, added up. See tally.h.
 */

#include "alertd/tune/tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

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
    COUNTS = sizeof(struct counts) / sizeof(int64_t),
};

struct tally {
    struct surface_grid grid;
    uint32_t *for_steps;
    struct surface_incident *incidents;
    size_t n_incidents;
    size_t n_rows;    /* n_thresholds + 1 */
    size_t n_columns; /* n_fors + 1: a run holds 0 to n_fors of them */
    bool is_finished;
    struct counts *counts;         /* n_rows x n_columns */
    uint32_t *delays;              /* n_incidents x n_thresholds x n_fors */
    uint8_t *weights;              /* by step; or NULL */
    uint8_t held[TALLY_FEW_STEPS]; /* fors held by so many steps */
    /* in order; the last one ends behind all steps */
    struct tally_stretch *stretches;
    size_t n_stretches;
    int64_t *few; /* TALLY_KINDS x TALLY_FEW_STEPS x n_rows; in counts when it is finished */
    uint8_t weight_of[TALLY_KINDS];
};

/* --- making --- */

/* How many of the fors are shorter than so many steps; n of them are. */
static size_t count_held(const struct tally *tally, size_t n, uint32_t steps)
{
    while (n < tally->grid.n_fors && tally->for_steps[n] < steps)
        n++;
    return n;
}

static uint8_t weight_at(const struct tally *tally, uint32_t step)
{
    return tally->weights && step < tally->grid.n_steps ? tally->weights[step] : 1;
}

static enum tally_kind kind_of(struct tally *tally, const bool *is_bad, uint32_t step)
{
    enum tally_kind kind = tally->grid.marked && tally->grid.marked[step] ? TALLY_MARKED
                                                                          : TALLY_PLAIN;
    uint8_t weight = weight_at(tally, step);

    /* the first of a kind says how dear it is: nights are as dear as nights */
    if (tally->weight_of[kind] == 0)
        tally->weight_of[kind] = weight;
    return step >= tally->grid.first_step && !is_bad[step] && tally->weight_of[kind] == weight
               ? kind
               : TALLY_MIXED;
}

/* Goes on with the last one, or begins another. */
static void lay_step(struct tally *tally, size_t *capacity, uint32_t step, enum tally_kind kind)
{
    if (tally->n_stretches > 0 && tally->stretches[tally->n_stretches - 1].kind == kind) {
        tally->stretches[tally->n_stretches - 1].end = step + 1;
        return;
    }
    tally->stretches = mem_grow(tally->stretches, capacity, tally->n_stretches + 1,
                                sizeof(*tally->stretches));
    tally->stretches[tally->n_stretches++] = (struct tally_stretch){
        .begin = step,
        .end = step + 1,
        .kind = kind,
        .few = kind == TALLY_MIXED ? NULL : tally->few + kind * TALLY_FEW_STEPS * tally->n_rows,
    };
}

static void lay_stretches(struct tally *tally)
{
    uint32_t n_steps = tally->grid.n_steps;
    MEM_AUTO bool *is_bad = mem_zalloc(n_steps + 1);
    size_t capacity = 0;

    for (size_t i = 0; i < tally->n_incidents; i++)
        for (uint32_t step = tally->incidents[i].begin;
             step < n_steps && step <= tally->incidents[i].end; step++)
            is_bad[step] = true;
    for (uint32_t step = 0; step < n_steps; step++)
        lay_step(tally, &capacity, step, kind_of(tally, is_bad, step));
    lay_step(tally, &capacity, n_steps, TALLY_MIXED);
    tally->stretches[tally->n_stretches - 1].end = UINT32_MAX;
}

struct tally_stretch tally_stretch_of(const struct tally *tally, uint32_t step)
{
    size_t low = 0;
    size_t high = tally->n_stretches - 1;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (tally->stretches[middle].end <= step)
            low = middle + 1;
        else
            high = middle;
    }
    return tally->stretches[low];
}

static size_t n_few(size_t n_rows)
{
    return (size_t)TALLY_KINDS * TALLY_FEW_STEPS * n_rows;
}

struct tally *tally_new(const struct surface_grid *grid,
                        const struct surface_incident *incidents,
                        size_t n_incidents)
{
    size_t n_rows = grid->n_thresholds + 1;
    size_t n_columns = grid->n_fors + 1;
    size_t n_delays = n_incidents * grid->n_thresholds * grid->n_fors;
    struct tally *tally = mem_zalloc(sizeof(*tally));

    *tally = (struct tally){
        .grid = *grid,
        .for_steps = mem_dup(grid->for_steps, grid->n_fors * sizeof(uint32_t)),
        .n_incidents = n_incidents,
        .n_rows = n_rows,
        .n_columns = n_columns,
        .counts = mem_zalloc(n_rows * n_columns * sizeof(struct counts)),
        .few = mem_zalloc(n_few(n_rows) * sizeof(int64_t)),
    };
    if (grid->weights)
        tally->weights = mem_dup(grid->weights, grid->n_steps);
    if (n_incidents > 0) {
        tally->incidents = mem_dup(incidents, n_incidents * sizeof(*incidents));
        tally->delays = mem_alloc(n_delays * sizeof(uint32_t));
        memset(tally->delays, 0xff, n_delays * sizeof(uint32_t));
    }
    lay_stretches(tally);
    for (uint32_t steps = 0; steps < TALLY_FEW_STEPS; steps++)
        tally->held[steps] = (uint8_t)count_held(tally, 0, steps);
    return tally;
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    free(tally->for_steps);
    free(tally->incidents);
    free(tally->counts);
    free(tally->stretches);
    free(tally->few);
    free(tally->delays);
    free(tally->weights);
    free(tally);
}

/* --- one run --- */

static size_t n_held(const struct tally *tally, uint32_t steps)
{
    return steps < TALLY_FEW_STEPS ? tally->held[steps]
                                   : count_held(tally, tally->held[TALLY_FEW_STEPS - 1], steps);
}

/* A run [begin, end] and one incident that lies in it: which cells find it, and how late. */
static void find(
    struct tally *tally, size_t incident, uint32_t low, uint32_t high, uint32_t begin, uint32_t end)
{
    const struct surface_incident *bad = &tally->incidents[incident];
    uint32_t last = bad->end < end ? bad->end : end;
    size_t n = n_held(tally, last - begin + 1);

    for (size_t level = low; level < high; level++) {
        uint32_t *delays = tally->delays +
                           (incident * tally->grid.n_thresholds + level) * tally->grid.n_fors;
        for (size_t k = 0; k < n; k++) {
            uint32_t fires = begin + tally->for_steps[k];
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
static void weigh(struct tally *tally,
                  const struct places *at,
                  uint32_t begin,
                  const size_t *n_before_true_all)
{
    for (size_t k = n_before_true_all[0]; k < n_before_true_all[2]; k++) {
        uint32_t fires = begin + tally->for_steps[k];
        int64_t weight = weight_at(tally, fires);
        int64_t needless = k >= n_before_true_all[1] ? weight : 0;
        at->low[k].weight += weight;
        at->high[k].weight -= weight;
        at->low[k].needless += needless;
        at->high[k].needless -= needless;
    }
}

/* Of the fors from n_before to n those with which it fires at a marked step: stretches of them. */
static void mark(
    struct tally *tally, const struct places *at, uint32_t begin, size_t n_before, size_t n)
{
    bool was = false;

    for (size_t k = n_before; k <= n; k++) {
        bool is = k < n && tally->grid.marked[begin + tally->for_steps[k]];
        if (is == was)
            continue;
        int64_t change = (int64_t)was - (int64_t)is;
        at->low[k].marked_fired += change;
        at->high[k].marked_fired -= change;
        was = is;
    }
}

/* Which incidents it finds; with how many fors it finds any. */
static size_t find_all(struct tally *tally,
                       uint32_t low,
                       uint32_t high,
                       uint32_t begin,
                       uint32_t end,
                       const bool *concerns)
{
    size_t n_true = 0;

    for (size_t i = 0; i < tally->n_incidents; i++) {
        const struct surface_incident *bad = &tally->incidents[i];
        if (bad->begin > end || bad->end < begin || (concerns && !concerns[i]))
            continue;
        size_t n_hit = n_held(tally, (bad->end < end ? bad->end : end) - begin + 1);
        n_true = n_hit > n_true ? n_hit : n_true;
        find(tally, i, low, high, begin, end);
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

/* A long one that lies where all steps are alike. */
static void add_alike(struct tally *tally,
                      enum tally_kind kind,
                      const struct places *at,
                      struct tally_run run,
                      size_t n)
{
    int64_t steps = (int64_t)run.end - run.begin + 1;

    count_fired(at, 0, n, steps);
    if (kind == TALLY_MARKED) {
        at->low[n].marked_fired += 1;
        at->high[n].marked_fired -= 1;
    }
    if (tally->weights)
        weigh(tally, at, run.begin, (const size_t[]){0, 0, n});
}

void tally_add(struct tally *tally,
               const struct tally_stretch *stretch,
               struct tally_run run,
               const bool *concerns)
{
    uint32_t first = tally->grid.first_step;
    size_t n = n_held(tally, run.end - run.begin + 1);
    /* with these fors it fired before the counted time */
    size_t n_before = run.begin < first ? n_held(tally, first - run.begin) : 0;
    const struct places at = {tally->counts + run.low * tally->n_columns,
                              tally->counts + run.high * tally->n_columns};
    size_t n_true = 0;

    if (stretch->few && run.begin >= stretch->begin) {
        add_alike(tally, stretch->kind, &at, run, n);
        return;
    }
    if (n_before > n)
        n_before = n;
    count_fired(&at, n_before, n, (int64_t)run.end - run.begin + 1);
    if (n_before > 0 && run.end >= first) {
        at.low[n_before].inherited += (int64_t)run.end - first + 1;
        at.high[n_before].inherited -= (int64_t)run.end - first + 1;
    }
    if (tally->grid.marked && n_before < n)
        mark(tally, &at, run.begin, n_before, n);
    if (tally->n_incidents > 0)
        n_true = find_all(tally, run.low, run.high, run.begin, run.end, concerns);
    if (n_true > n_before) {
        at.low[n_true].true_fired += 1;
        at.high[n_true].true_fired -= 1;
        at.low[n_before].true_fired -= 1;
        at.high[n_before].true_fired += 1;
    }
    if (tally->weights)
        weigh(tally, &at, run.begin, (const size_t[]){n_before, n_true, n});
}

/* --- the end --- */

void tally_add_all(int64_t *into, const int64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        into[i] += from[i];
}

void tally_merge(struct tally *into, const struct tally *from)
{
    size_t n = into->n_rows * into->n_columns;
    size_t n_delays = into->n_incidents * into->grid.n_thresholds * into->grid.n_fors;

    assert(!into->is_finished && !from->is_finished && from->n_columns == into->n_columns &&
           from->grid.n_thresholds == into->grid.n_thresholds &&
           from->n_incidents == into->n_incidents);
    tally_add_all(&into->counts->fired, &from->counts->fired, n * COUNTS);
    tally_add_all(into->few, from->few, n_few(into->n_rows));
    for (size_t i = 0; i < n_delays; i++)
        if (from->delays[i] < into->delays[i])
            into->delays[i] = from->delays[i];
}

static void sum_rows(int64_t *counters, size_t n_rows, size_t n)
{
    for (size_t level = 1; level < n_rows; level++)
        tally_add_all(counters + level * n, counters + (level - 1) * n, n);
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
        tally_add_all(&more.fired, &here.fired, COUNTS);
    }
}

/* So many runs of a kind and a length, beside those that were looked at closely. */
static void add_few(
    const struct tally *tally, struct counts *row, size_t kind, uint32_t n_steps, int64_t n)
{
    size_t held = tally->held[n_steps];

    row[held].fired += n;
    row[held].run_steps += n * n_steps;
    if (kind == TALLY_MARKED)
        row[held].marked_fired += n;
    for (size_t k = 0; tally->weights && k < held; k++) {
        row[k].weight += n * tally->weight_of[kind];
        row[k].needless += n * tally->weight_of[kind];
    }
}

static void add_all_few(struct tally *tally)
{
    const int64_t *n = tally->few;

    for (size_t kind = 0; kind < TALLY_KINDS; kind++)
        for (uint32_t n_steps = 0; n_steps < TALLY_FEW_STEPS; n_steps++)
            for (size_t level = 0; level < tally->n_rows; level++, n++)
                if (*n != 0)
                    add_few(tally, tally->counts + level * tally->n_columns, kind, n_steps, *n);
}

void tally_finish(struct tally *tally)
{
    assert(!tally->is_finished);
    add_all_few(tally);
    sum_rows(&tally->counts->fired, tally->n_rows, tally->n_columns * COUNTS);
    for (size_t level = 0; level < tally->n_rows; level++)
        sum_columns(tally->counts + level * tally->n_columns, tally->n_columns);
    tally->is_finished = true;
}

struct surface_cell tally_cell(const struct tally *tally, size_t threshold, size_t for_index)
{
    const struct counts *at = &tally->counts[threshold * tally->n_columns + for_index];
    bool is_weighed = tally->weights != NULL;

    assert(tally->is_finished && threshold < tally->grid.n_thresholds &&
           for_index < tally->grid.n_fors);
    return (struct surface_cell){
        .alerts = (uint64_t)at->fired,
        .true_alerts = (uint64_t)at->true_fired,
        .firing_steps = (uint64_t)(at->run_steps - at->fired * tally->for_steps[for_index] +
                                   at->inherited),
        .marked_alerts = (uint64_t)at->marked_fired,
        .weight = (uint64_t)(is_weighed ? at->weight : at->fired),
        .needless = (uint64_t)(is_weighed ? at->needless : at->fired - at->true_fired),
    };
}

uint32_t tally_delay(const struct tally *tally, size_t incident, size_t threshold, size_t for_index)
{
    assert(incident < tally->n_incidents);
    return tally->delays[(incident * tally->grid.n_thresholds + threshold) * tally->grid.n_fors +
                         for_index];
}

uint32_t tally_longest_incident(const struct tally *tally)
{
    uint32_t longest = 0;

    for (size_t i = 0; i < tally->n_incidents; i++) {
        const struct surface_incident *bad = &tally->incidents[i];
        uint32_t n_steps = bad->end - bad->begin + 1;
        longest = n_steps > longest ? n_steps : longest;
    }
    return longest;
}
