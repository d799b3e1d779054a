/*
 * A rule over its past. See tune.h.
 *
 *     coarse reading  ->  peaks  ->  thresholds worth a look
 *     whole reading   ->  surface and episodes  ->  a suggestion
 */

#include "alertd/tune/tune.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "alertd/tune/grid.h"
#include "lib/base/mem.h"

enum {
    ARENA_BYTES = 64 << 20,
    COARSE_STEPS = 1500,
    LATER_MS_MAX = 600000, /* a suggestion finds no incident later than that, beside now */
    WARM_UP_MS = 3600000,  /* and `for`, keep_firing_for: what fires at the start began before it */
};

static int add_peaks(void *arg,
                     const struct labels *labels,
                     uint32_t first,
                     const double *values,
                     size_t n,
                     struct err *reterr)
{
    grid_peaks_add(arg, values, n);
    return 0;
}

static int add_values(void *arg,
                      const struct labels *labels,
                      uint32_t first,
                      const double *values,
                      size_t n,
                      struct err *reterr)
{
    return backtest_add(arg, labels, first, values, n, reterr);
}

static int add_values_at(void *arg,
                         size_t threshold,
                         const struct labels *labels,
                         uint32_t first,
                         const double *values,
                         size_t n,
                         struct err *reterr)
{
    return backtest_add_at(arg, threshold, labels, first, values, n, reterr);
}

/* The rule's own grid: from the warm-up to the end, steps at multiples of the interval. */
static int lay_span(const struct tune_ask *ask, struct tune_result *result, struct err *reterr)
{
    int64_t interval_ms = ask->interval_ms;
    int64_t warm_ms = WARM_UP_MS + ask->for_ms + ask->rule->keep_firing_for_ms;
    int64_t start_ms = (ask->from_ms - warm_ms) / interval_ms * interval_ms;
    int64_t n_steps = (ask->to_ms - start_ms) / interval_ms + 1;

    if (ask->to_ms <= ask->from_ms)
        return err_set(reterr, -EINVAL, "--to lies before --from");
    if (n_steps > SURFACE_STEPS_MAX)
        return err_set(reterr, -EINVAL, "%lld evaluations: at most %d, ask for a shorter time",
                       (long long)n_steps, SURFACE_STEPS_MAX);
    result->span = (struct tune_span){start_ms, interval_ms, (uint32_t)n_steps};
    result->first_step = (uint32_t)((ask->from_ms - start_ms + interval_ms - 1) / interval_ms);
    return 0;
}

/* Those that touch the span, in steps. */
static void lay_incidents(const struct tune_ask *ask, struct tune_result *result)
{
    const struct tune_span *span = &result->span;

    result->incidents = mem_zalloc((ask->n_incidents + 1) * sizeof(*result->incidents));
    result->of = mem_zalloc((ask->n_incidents + 1) * sizeof(*result->of));
    for (size_t i = 0; i < ask->n_incidents; i++) {
        const struct tune_incident *incident = &ask->whens[i];
        int64_t begin = (incident->begin_ms - span->start_ms + span->step_ms - 1) / span->step_ms;
        int64_t end = (incident->end_ms - span->start_ms) / span->step_ms;
        if (incident->end_ms < ask->from_ms || begin >= span->n_steps)
            continue;
        begin = begin < 0 ? 0 : begin;
        end = end >= span->n_steps ? span->n_steps - 1 : end;
        result->of[result->n_incidents] = incident;
        result->incidents[result->n_incidents++] = (struct backtest_incident){
            .when = {(uint32_t)begin, (uint32_t)(end < begin ? begin : end)},
            .matchers = incident->matchers,
            .n_matchers = incident->n_matchers,
        };
    }
}

static int choose_grid(const struct tune_reader *reader,
                       const struct tune_ask *ask,
                       struct tune_result *result,
                       double now,
                       struct err *reterr)
{
    struct grid_peaks peaks = {.op = result->choice->op};
    struct tune_span coarse = result->span;
    uint32_t every = result->span.n_steps / COARSE_STEPS + 1;
    size_t n_most = result->is_asked ? TUNE_ASKED_THRESHOLDS : TUNE_THRESHOLDS;
    int r = 0;

    coarse.step_ms *= every;
    coarse.n_steps = (result->span.n_steps - 1) / every + 1;
    if (result->choice->way != SPLIT_PRESENCE)
        r = reader->read(reader->reader, result->choice->expr, &coarse, false, add_peaks, &peaks,
                         reterr);
    if (r == 0)
        result->n_thresholds = grid_thresholds(&peaks, now, result->thresholds, n_most);
    grid_peaks_done(&peaks);
    result->n_fors = grid_fors(ask->interval_ms, ask->for_ms, result->for_steps);
    return r;
}

static void find_now(struct tune_result *result, double threshold, uint32_t for_steps)
{
    for (size_t j = 0; j < result->n_thresholds; j++)
        if (result->thresholds[j] == threshold)
            result->now.threshold = j;
    for (size_t k = 0; k < result->n_fors; k++)
        if (result->for_steps[k] == for_steps)
            result->now.for_index = k;
}

static int choose_way(const struct tune_ask *ask, struct tune_result *result, struct err *reterr)
{
    struct split_choice *choices = NULL;

    int r = split_expr(ask->rule->expr, &result->arena, &choices, &result->n_choices, reterr);
    if (r != 0)
        return r;
    result->choices = choices;
    if (ask->choice >= result->n_choices)
        return err_set(reterr, -EINVAL, "number %zu is none of the rule's %zu things to move",
                       ask->choice + 1, result->n_choices);
    result->choice = &choices[ask->choice];
    return 0;
}

static int read_all(const struct tune_reader *reader,
                    const struct tune_ask *ask,
                    struct tune_result *result,
                    struct err *reterr)
{
    const struct split_choice *choice = result->choice;
    const struct tune_again again = {ask->rule->expr, choice, result->thresholds,
                                     result->n_thresholds};

    if (choice->way == SPLIT_AGAIN)
        return reading_again(reader, &again, &result->span, add_values_at, result->backtest,
                             reterr);
    return reader->read(reader->reader, choice->expr, &result->span, choice->way == SPLIT_PRESENCE,
                        add_values, result->backtest, reterr);
}

int tune_run(const struct tune_reader *reader,
             const struct tune_ask *ask,
             struct tune_result *ret,
             struct err *reterr)
{
    struct tune_result *result = ret;

    *result = (struct tune_result){0};
    arena_init(&result->arena, ARENA_BYTES);
    int r = choose_way(ask, result, reterr);
    if (r == 0)
        r = lay_span(ask, result, reterr);
    if (r != 0)
        return r;
    result->is_asked = result->choice->way == SPLIT_AGAIN && !reader->read_again;
    lay_incidents(ask, result);
    double threshold = ask->has_threshold ? ask->threshold : result->choice->now;
    uint32_t for_steps = grid_for_steps(ask->for_ms, ask->interval_ms);
    r = choose_grid(reader, ask, result, threshold, reterr);
    if (r != 0)
        return r;
    const struct backtest_plan plan = {
        .grid = {result->choice->op, result->thresholds, result->n_thresholds, result->for_steps,
                 result->n_fors, result->first_step},
        .n_steps = result->span.n_steps,
        .is_apart = result->choice->way == SPLIT_AGAIN,
        .setting = {threshold, for_steps,
                    grid_for_steps(ask->rule->keep_firing_for_ms, ask->interval_ms)},
        .incidents = result->incidents,
        .n_incidents = result->n_incidents,
    };
    find_now(result, threshold, for_steps);
    r = backtest_new(&plan, &result->backtest, reterr);
    if (r == 0)
        r = read_all(reader, ask, result, reterr);
    if (r != 0)
        return r;
    backtest_finish(result->backtest);
    result->has_suggestion = suggest_setting(
        backtest_surface(result->backtest), result->n_thresholds, result->n_fors,
        result->n_incidents, result->now, (uint32_t)(LATER_MS_MAX / ask->interval_ms),
        &result->suggestion);
    return 0;
}

void tune_result_done(struct tune_result *result)
{
    backtest_free(result->backtest);
    free(result->incidents);
    free(result->of);
    arena_reset(&result->arena);
}
