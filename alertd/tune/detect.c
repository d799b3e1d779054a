/*
 * The smallest outage a rule catches. See detect.h.
 */

#include "alertd/tune/detect.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alert/state.h"
#include "alertd/tune/passing.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"

enum {
    BEFORE_STEPS = 10, /* and `for`: an alert may be pending as the fault begins */
};

/* --- one series of a window, chosen by chance --- */

struct window {
    struct rng *rng;
    size_t n_seen;
    uint64_t salt,
        least; /* the series whose lot, by its labels and the salt, is the least is chosen */
    size_t n_steps, at; /* the fault begins at step `at` */
    double *values;     /* of the chosen one */
    double *room;
    const struct labels *labels; /* a reference */
    struct tune_span span;
};

/* A lot that labels draw: each set has the same chance, whatever the order in which they come. */
static uint64_t lot_of(const struct labels *labels, uint64_t salt)
{
    struct rng rng = {labels->hash ^ salt};

    return rng_next(&rng);
}

/* Each series is the chosen one with the same chance, one pass. */
static int choose(void *arg,
                  const struct labels *labels,
                  uint32_t first,
                  const double *values,
                  size_t n,
                  struct err *reterr)
{
    struct window *window = arg;
    bool is_there = window->at >= first && window->at < first + n &&
                    !isnan(values[window->at - first]);

    if (!is_there)
        return 0;
    uint64_t lot = lot_of(labels, window->salt);
    if (window->n_seen++ > 0 && lot >= window->least)
        return 0;
    window->least = lot;
    for (size_t i = 0; i < window->n_steps; i++)
        window->values[i] = NAN;
    memcpy(window->values + first, values, n * sizeof(*values));
    labels_unref(window->labels);
    window->labels = labels_new(labels->at, labels->n);
    return 0;
}

/* The chosen one's, with a fault. */
static int take_room(void *arg,
                     const struct labels *labels,
                     uint32_t first,
                     const double *values,
                     size_t n,
                     struct err *reterr)
{
    struct window *window = arg;

    if (labels_equal(labels, window->labels))
        memcpy(window->room + first, values, n * sizeof(*values));
    return 0;
}

/* --- would it fire? --- */

/* The first step in [from, to) at which it fires; SIZE_MAX: none. */
static size_t fires_at(const struct detect_ask *ask, const double *values, size_t from, size_t to)
{
    const struct alert_timing timing = {.for_ms = ask->for_steps};
    const struct passing passing = passing_of(ask->op, ask->threshold);
    struct alert alert = ALERT_INIT;

    for (size_t i = 0; i < to; i++) {
        bool is_true = passing_passes(passing, values[i]);
        (void)alert_step(&alert, &timing, is_true ? ALERT_SEEN_TRUE : ALERT_SEEN_FALSE, (int64_t)i);
        if (i >= from && alert.state == ALERT_FIRING)
            return i;
    }
    return SIZE_MAX;
}

/* --- all magnitudes and durations at one offset --- */

/* How late each offset that is caught was, by cell. */
static uint32_t *delays_of(const struct detect_ask *ask, uint32_t *all, size_t j, size_t k)
{
    return all + (j * ask->n_durations + k) * ask->n_offsets;
}

/* The values with the fault in them, into window->room. */
static int put_fault(const struct detect_ask *ask,
                     struct window *window,
                     double magnitude,
                     uint32_t duration,
                     struct err *reterr)
{
    const struct tune_span *span = &window->span;
    struct fault fault = {.kind = ask->kind,
                          .magnitude = magnitude,
                          .begin_ms = (int64_t)window->at,
                          .end_ms = (int64_t)window->at + duration};

    if (!ask->source) {
        memcpy(window->room, window->values, window->n_steps * sizeof(double));
        fault_values(&fault, window->room, window->n_steps);
        return 0;
    }
    fault.begin_ms = span->start_ms + fault.begin_ms * span->step_ms;
    fault.end_ms = span->start_ms + fault.end_ms * span->step_ms;
    fault.matchers = ask->matchers;
    fault.n_matchers = ask->n_matchers;
    if (ask->is_counter) {
        fault.persists = true;
        fault.magnitude *= (double)(duration * span->step_ms) / 1000;
    }
    struct fault_source faulty = {ask->source, &fault, 1};
    const struct source source = fault_source_of(&faulty);
    struct reading_source over = {.source = &source, .query_bytes = ask->query_bytes};
    const struct tune_reader reader = reading_of_source(&over);
    for (size_t i = 0; i < window->n_steps; i++)
        window->room[i] = NAN;
    return reader.read(reader.reader, ask->expression, span, false, take_room, window, reterr);
}

static int look(const struct detect_ask *ask,
                struct window *window,
                uint32_t *delays,
                struct detect_map *map,
                struct err *reterr)
{
    size_t at = window->at;

    if (fires_at(ask, window->values, at > 0 ? at - 1 : 0, at + 1) != SIZE_MAX)
        return 0; /* already, or just now without any fault */
    map->n_offsets++;
    for (size_t j = 0; j < ask->n_magnitudes; j++)
        for (size_t k = 0; k < ask->n_durations; k++) {
            struct detect_cell *cell = &map->cells[j][k];
            size_t end = at + ask->durations[k] + ask->tail_steps;
            if (fires_at(ask, window->values, at, end) != SIZE_MAX)
                continue;
            int r = put_fault(ask, window, ask->magnitudes[j], ask->durations[k], reterr);
            if (r != 0)
                return r;
            size_t fired = fires_at(ask, window->room, at, end);
            cell->n++;
            if (fired != SIZE_MAX)
                delays_of(ask, delays, j, k)[cell->n_caught++] = (uint32_t)(fired - at);
        }
    return 0;
}

static int compare_steps(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

static void sum_up(const struct detect_ask *ask, uint32_t *delays, struct detect_map *map)
{
    for (size_t j = 0; j < ask->n_magnitudes; j++)
        for (size_t k = 0; k < ask->n_durations; k++) {
            struct detect_cell *cell = &map->cells[j][k];
            uint32_t *at = delays_of(ask, delays, j, k);
            if (cell->n_caught == 0)
                continue;
            qsort(at, cell->n_caught, sizeof(*at), compare_steps);
            cell->median_delay = at[(cell->n_caught - 1) / 2];
            cell->p90_delay = at[(cell->n_caught * 9 + 9) / 10 - 1];
        }
}

static int look_at_all(const struct tune_reader *reader,
                       const struct detect_ask *ask,
                       struct window *window,
                       uint32_t *delays,
                       struct detect_map *map,
                       struct err *reterr)
{
    uint64_t room = ask->span.n_steps - window->n_steps + 1;

    for (size_t i = 0; i < ask->n_offsets; i++) {
        window->span = ask->span;
        window->span.start_ms += (int64_t)rng_below(window->rng, room) * ask->span.step_ms;
        window->span.n_steps = (uint32_t)window->n_steps;
        window->n_seen = 0;
        window->salt = rng_next(window->rng);
        int r = reader->read(reader->reader, ask->expression, &window->span, false, choose, window,
                             reterr);
        if (r == 0 && window->n_seen > 0)
            r = look(ask, window, delays, map, reterr);
        if (r != 0)
            return r;
    }
    return 0;
}

int detect(const struct tune_reader *reader,
           const struct detect_ask *ask,
           struct detect_map *ret_map,
           struct err *reterr)
{
    struct rng rng = {ask->seed};
    struct window window = {.rng = &rng, .at = ask->for_steps + BEFORE_STEPS};
    struct detect_map map = {.n_offsets = 0};

    if (ask->n_magnitudes > DETECT_MAGNITUDES_MAX || ask->n_durations > DETECT_DURATIONS_MAX ||
        ask->n_durations == 0 || ask->n_offsets > DETECT_OFFSETS_MAX)
        return err_set(reterr, -EINVAL, "at most %d magnitudes, %d durations and %d offsets",
                       DETECT_MAGNITUDES_MAX, DETECT_DURATIONS_MAX, DETECT_OFFSETS_MAX);
    window.n_steps = window.at + ask->durations[ask->n_durations - 1] + ask->tail_steps + 1;
    if (window.n_steps > ask->span.n_steps)
        return err_set(reterr, -EINVAL,
                       "the time is shorter than the longest fault with what goes before it "
                       "(%zu evaluations): ask for a longer one",
                       window.n_steps);
    MEM_AUTO double *values = mem_alloc(window.n_steps * sizeof(*values));
    MEM_AUTO double *room = mem_alloc(window.n_steps * sizeof(*room));
    MEM_AUTO uint32_t *delays = mem_zalloc((ask->n_magnitudes * ask->n_durations + 1) *
                                           (ask->n_offsets + 1) * sizeof(*delays));
    window.values = values;
    window.room = room;
    int r = look_at_all(reader, ask, &window, delays, &map, reterr);
    labels_unref(window.labels);
    if (r != 0)
        return r;
    sum_up(ask, delays, &map);
    *ret_map = map;
    return 0;
}

/* --- what to put in --- */

enum {
    USUAL_STEPS = 1500,
    USUAL_VALUES = 4096,
};

struct sampled {
    struct rng rng;
    double at[USUAL_VALUES];
    uint64_t n_seen;
};

/* Each value is kept with the same chance. */
static int sample_values(void *arg,
                         const struct labels *labels,
                         uint32_t first,
                         const double *values,
                         size_t n,
                         struct err *reterr)
{
    struct sampled *sampled = arg;

    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            continue;
        uint64_t at = sampled->n_seen < USUAL_VALUES
                          ? sampled->n_seen
                          : rng_below(&sampled->rng, sampled->n_seen + 1);
        sampled->n_seen++;
        if (at < USUAL_VALUES)
            sampled->at[at] = values[i];
    }
    return 0;
}

static int compare_values(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return (*left > *right) - (*left < *right);
}

int detect_usual(const struct tune_reader *reader,
                 const char *expression,
                 const struct tune_span *span,
                 double *ret_usual,
                 struct err *reterr)
{
    MEM_AUTO struct sampled *sampled = mem_zalloc(sizeof(*sampled));
    struct tune_span coarse = *span;
    uint32_t every = span->n_steps / USUAL_STEPS + 1;

    coarse.step_ms *= every;
    coarse.n_steps = (span->n_steps - 1) / every + 1;
    int r = reader->read(reader->reader, expression, &coarse, false, sample_values, sampled,
                         reterr);
    if (r != 0)
        return r;
    size_t n = sampled->n_seen < USUAL_VALUES ? sampled->n_seen : USUAL_VALUES;
    qsort(sampled->at, n, sizeof(double), compare_values);
    *ret_usual = n > 0 ? sampled->at[(n - 1) / 2] : NAN;
    return 0;
}

bool detect_least(const struct detect_map *map,
                  const struct detect_ask *ask,
                  size_t duration,
                  size_t *ret_magnitude)
{
    for (size_t j = 0; j < ask->n_magnitudes; j++) {
        const struct detect_cell *cell = &map->cells[j][duration];
        if (cell->n > 0 && cell->n_caught * 10 >= cell->n * 9) {
            *ret_magnitude = j;
            return true;
        }
    }
    return false;
}

static double shortly(double value)
{
    if (value == 0)
        return 0;
    double unit = pow(10, floor(log10(fabs(value))) - 1);
    return unit >= 1 ? round(value / unit) * unit : round(value / unit) / round(1 / unit);
}

size_t detect_magnitudes(double usual, double threshold, double *ret_magnitudes, size_t n_max)
{
    static const double shares[] = {0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10};
    double room = isfinite(usual) && usual != threshold ? threshold - usual : threshold;
    size_t n = 0;

    if (room == 0)
        room = 1;
    for (size_t i = 0; i < sizeof(shares) / sizeof(*shares) && n < n_max; i++) {
        double magnitude = shortly(room * shares[i]);
        if (n == 0 || magnitude != ret_magnitudes[n - 1])
            ret_magnitudes[n++] = magnitude;
    }
    return n;
}
