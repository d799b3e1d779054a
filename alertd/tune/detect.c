/*
 * The smallest outage a rule catches. See detect.h.
 */

#include "alertd/tune/detect.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alert/state.h"
#include "alertd/promql/memory_source.h"
#include "alertd/promql/promql.h"
#include "alertd/tune/input.h"
#include "alertd/tune/passing.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"

enum {
    BEFORE_STEPS = 10, /* and `for`: an alert may be pending as the fault begins */
    MOVES_PLACES = 9,
    ARENA_BYTES = 16 << 20,
};

/* --- one series of a window, chosen by chance --- */

struct window {
    const struct detect_ask *ask;
    struct rng *rng;
    size_t n_seen;
    uint64_t salt,
        least; /* the series whose lot, by its labels and the salt, is the least is chosen */
    size_t n_steps, at;          /* the fault begins at step `at` */
    double *values;              /* of the chosen one */
    double *room;                /* and with a fault */
    const struct labels *labels; /* of the chosen one, a reference; NULL: any series will do */
    size_t fired; /* the first step at which a series of room fires; SIZE_MAX: none */
    struct tune_span span;
    const struct inputs *inputs;
    struct memory_source copy; /* of the samples that are read for the chosen one */
    const struct labels *like; /* which of them have the fault; NULL: all */
};

/* A lot that labels draw: each set has the same chance, whatever the order in which they come. */
static uint64_t lot_of(const struct labels *labels, uint64_t salt)
{
    struct rng rng = {labels->hash ^ salt};

    return rng_next(&rng);
}

/* Values of a piece, as a whole window's. */
static void spread(
    const struct window *window, uint32_t first, const double *values, size_t n, double *ret)
{
    for (size_t i = 0; i < window->n_steps; i++)
        ret[i] = NAN;
    memcpy(ret + first, values, n * sizeof(*values));
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
    spread(window, first, values, n, window->values);
    labels_unref(window->labels);
    window->labels = labels_new(labels->at, labels->n);
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

/* Of the chosen one, or of whichever fires first. */
static int look_at_series(void *arg,
                          const struct labels *labels,
                          uint32_t first,
                          const double *values,
                          size_t n,
                          struct err *reterr)
{
    struct window *window = arg;

    if (window->labels && !labels_equal(labels, window->labels))
        return 0;
    spread(window, first, values, n, window->room);
    size_t fired = fires_at(window->ask, window->room, window->at - 1, window->n_steps);
    window->fired = fired < window->fired ? fired : window->fired;
    return 0;
}

/* What is evaluated over a source, into window->room and window->fired. */
static int evaluate(struct window *window, const struct source *source, struct err *reterr)
{
    const struct detect_ask *ask = window->ask;
    struct reading_source over = {
        .source = source, .query_bytes = ask->query_bytes, .lookback_ms = ask->lookback_ms};
    const struct tune_reader reader = reading_of_source(&over);

    window->fired = SIZE_MAX;
    for (size_t i = 0; i < window->n_steps; i++)
        window->room[i] = NAN;
    return reader.read(reader.reader, ask->expression, &window->span, ask->is_presence,
                       look_at_series, window, reterr);
}

/* --- a place --- */

static bool is_alike(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i])))
            return false;
    return true;
}

static int copy_samples(struct window *window, const struct labels *like, struct err *reterr)
{
    const struct tune_span *span = &window->span;

    memory_source_done(&window->copy);
    window->copy = (struct memory_source){0};
    window->like = like;
    return inputs_copy(window->inputs, window->ask->source, span->start_ms,
                       span->start_ms + span->n_steps * span->step_ms, like, &window->copy, reterr);
}

/* Series whose labels are like the chosen one's are enough, mostly; where they do not come to the same
 * values (labels that were joined or written anew), all are copied, and all have the fault. */
static int copy_place(struct window *window, struct err *reterr)
{
    const struct source copied = memory_source_of(&window->copy);
    int r = copy_samples(window, window->labels, reterr);

    if (r != 0 || window->ask->is_presence)
        return r;
    r = evaluate(window, &copied, reterr);
    if (r == 0 && !is_alike(window->room, window->values, window->n_steps))
        r = copy_samples(window, NULL, reterr);
    return r;
}

/* A place by chance: false in *ret_is_there: nothing has a value there, or it fires anyway. */
static int take_place(const struct tune_reader *reader,
                      struct window *window,
                      bool *ret_is_there,
                      struct err *reterr)
{
    const struct detect_ask *ask = window->ask;
    uint64_t room = ask->span.n_steps - window->n_steps + 1;

    window->span = ask->span;
    window->span.start_ms += (int64_t)rng_below(window->rng, room) * ask->span.step_ms;
    window->span.n_steps = (uint32_t)window->n_steps;
    window->n_seen = 0;
    window->fired = SIZE_MAX;
    window->salt = rng_next(window->rng);
    int r = reader->read(reader->reader, ask->expression, &window->span, ask->is_presence,
                         ask->is_presence ? look_at_series : choose, window, reterr);
    if (r == 0 && !ask->is_presence && window->n_seen > 0)
        window->fired = fires_at(ask, window->values, window->at - 1, window->n_steps);
    *ret_is_there = (ask->is_presence || window->n_seen > 0) && window->fired > window->at;
    return r == 0 && *ret_is_there && ask->source ? copy_place(window, reterr) : r;
}

/* The values with the fault in them, into window->room, and when it fires. */
static int put_fault(struct window *window, double magnitude, uint32_t duration, struct err *reterr)
{
    const struct detect_ask *ask = window->ask;
    const struct tune_span *span = &window->span;
    struct fault fault = {.kind = ask->kind,
                          .magnitude = magnitude,
                          .begin_ms = (int64_t)window->at,
                          .end_ms = (int64_t)window->at + duration};

    if (!ask->source) {
        memcpy(window->room, window->values, window->n_steps * sizeof(double));
        fault_values(&fault, window->room, window->n_steps);
        window->fired = fires_at(ask, window->room, window->at, window->n_steps);
        return 0;
    }
    fault.begin_ms = span->start_ms + fault.begin_ms * span->step_ms;
    fault.end_ms = span->start_ms + fault.end_ms * span->step_ms;
    fault.matchers = ask->matchers;
    fault.n_matchers = ask->n_matchers;
    fault.like = window->like;
    fault.persists = ask->is_counter;
    if (ask->is_counter && (ask->kind == FAULT_ADD || ask->kind == FAULT_RAMP)) {
        fault.kind = FAULT_RAMP;
        fault.magnitude *= (double)(duration * span->step_ms) / 1000;
    }
    const struct source copied = memory_source_of(&window->copy);
    struct fault_source faulty = {&copied, &fault, 1};
    const struct source source = fault_source_of(&faulty);
    return evaluate(window, &source, reterr);
}

/* --- all magnitudes and durations at one place --- */

/* How late each offset that is caught was, by cell. */
static uint32_t *delays_of(const struct detect_ask *ask, uint32_t *all, size_t j, size_t k)
{
    return all + (j * ask->n_durations + k) * ask->n_offsets;
}

/* Invariant (4); but a ramp is the steeper the shorter it is. */
static bool is_same_at_first(const struct detect_ask *ask)
{
    return ask->kind != FAULT_RAMP || ask->is_counter;
}

static int look_at_magnitude(struct window *window,
                             size_t j,
                             size_t by_itself,
                             uint32_t *delays,
                             struct detect_map *map,
                             struct err *reterr)
{
    const struct detect_ask *ask = window->ask;
    size_t known = SIZE_MAX; /* when a longer one fires */

    for (size_t k = ask->n_durations; k-- > 0;) {
        struct detect_cell *cell = &map->cells[j][k];
        size_t lasts = window->at + ask->durations[k];
        if (by_itself < lasts + ask->tail_steps)
            continue;
        if (known == SIZE_MAX || known >= lasts || !is_same_at_first(ask)) {
            int r = put_fault(window, ask->magnitudes[j], ask->durations[k], reterr);
            if (r != 0)
                return r;
            known = window->fired;
        }
        cell->n++;
        if (known < lasts + ask->tail_steps)
            delays_of(ask, delays, j, k)[cell->n_caught++] = (uint32_t)(known - window->at);
    }
    return 0;
}

static bool is_enough(const struct detect_ask *ask)
{
    return ask->is_enough_fn && ask->is_enough_fn(ask->enough_arg);
}

static int look_at_all(const struct tune_reader *reader,
                       struct window *window,
                       uint32_t *delays,
                       struct detect_map *map,
                       struct err *reterr)
{
    const struct detect_ask *ask = window->ask;

    for (size_t i = 0; i < ask->n_offsets && !is_enough(ask); i++) {
        bool is_there = false;
        int r = take_place(reader, window, &is_there, reterr);
        size_t by_itself = window->fired;
        map->n_offsets += is_there;
        for (size_t j = 0; j < ask->n_magnitudes && is_there && r == 0 && !is_enough(ask); j++)
            r = look_at_magnitude(window, j, by_itself, delays, map, reterr);
        if (r != 0)
            return r;
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

struct room {
    struct arena arena;
    struct rng rng;
    struct inputs inputs;
};

static int begin(const struct detect_ask *ask,
                 struct room *room,
                 struct window *window,
                 struct err *reterr)
{
    struct promql_expr *expr = NULL;

    *room = (struct room){.rng = {ask->seed}};
    arena_init(&room->arena, ARENA_BYTES);
    *window = (struct window){.ask = ask,
                              .rng = &room->rng,
                              .at = ask->for_steps + BEFORE_STEPS,
                              .inputs = &room->inputs};
    if (ask->n_magnitudes > DETECT_MAGNITUDES_MAX || ask->n_durations > DETECT_DURATIONS_MAX ||
        ask->n_durations == 0 || ask->n_offsets > DETECT_OFFSETS_MAX)
        return err_set(reterr, -EINVAL, "at most %d magnitudes, %d durations and %d offsets",
                       DETECT_MAGNITUDES_MAX, DETECT_DURATIONS_MAX, DETECT_OFFSETS_MAX);
    window->n_steps = window->at + ask->durations[ask->n_durations - 1] + ask->tail_steps + 1;
    if (window->n_steps > ask->span.n_steps)
        return err_set(reterr, -EINVAL,
                       "the time is shorter than the longest fault with what goes before it "
                       "(%zu evaluations): ask for a longer one",
                       window->n_steps);
    window->values = mem_alloc(window->n_steps * sizeof(double));
    window->room = mem_alloc(window->n_steps * sizeof(double));
    if (!ask->source)
        return 0;
    int r = promql_parse(&room->arena, ask->expression, &expr, reterr);
    return r == 0 ? inputs_of(expr, &room->arena, &room->inputs, reterr) : r;
}

static void end(struct room *room, struct window *window)
{
    labels_unref(window->labels);
    memory_source_done(&window->copy);
    free(window->values);
    free(window->room);
    arena_reset(&room->arena);
}

int detect(const struct tune_reader *reader,
           const struct detect_ask *ask,
           struct detect_map *ret_map,
           struct err *reterr)
{
    struct room room;
    struct window window;
    struct detect_map map = {.n_offsets = 0};
    int r = begin(ask, &room, &window, reterr);

    if (r == 0) {
        MEM_AUTO uint32_t *delays = mem_zalloc((ask->n_magnitudes * ask->n_durations + 1) *
                                               (ask->n_offsets + 1) * sizeof(*delays));
        r = look_at_all(reader, &window, delays, &map, reterr);
        sum_up(ask, delays, &map);
    }
    end(&room, &window);
    if (r == 0)
        *ret_map = map;
    return r;
}

static int compare_values(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return (*left > *right) - (*left < *right);
}

int detect_moves(const struct tune_reader *reader,
                 const struct detect_ask *ask,
                 double magnitude,
                 double *ret_moves,
                 struct err *reterr)
{
    struct room room;
    struct window window;
    double moves[MOVES_PLACES];
    size_t n = 0;
    int r = begin(ask, &room, &window, reterr);

    for (size_t i = 0; i < MOVES_PLACES && r == 0; i++) {
        uint32_t duration = ask->durations[ask->n_durations - 1];
        size_t last = window.at + duration - 1;
        bool is_there = false;
        r = take_place(reader, &window, &is_there, reterr);
        if (r == 0 && is_there)
            r = put_fault(&window, magnitude, duration, reterr);
        if (r == 0 && is_there && isfinite(window.room[last] - window.values[last]))
            moves[n++] = window.room[last] - window.values[last];
    }
    end(&room, &window);
    if (r != 0)
        return r;
    qsort(moves, n, sizeof(*moves), compare_values);
    *ret_moves = n > 0 ? moves[(n - 1) / 2] : (double)NAN;
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
