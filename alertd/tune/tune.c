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
#include "alertd/tune/evaluated.h"
#include "alertd/tune/grid.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
    ARENA_BYTES = 64 << 20,
    COARSE_STEPS = 1500,
    EVEN_MAX = 2 * TUNE_THRESHOLDS, /* thresholds, with the round ones */
    LATER_MS_MAX = 600000,          /* a suggestion finds no incident later than that, beside now */
    CHECKS_MAX = 32,
    NIGHT_ENDS_H = 7,
    NIGHT_BEGINS_H = 22,
    HOUR_MS = 3600000,
    WARM_UP_MS = 3600000, /* and `for`, keep_firing_for: what fires at the start began before it */
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

static int64_t keep_of(const struct tune_ask *ask)
{
    return ask->has_keep ? ask->keep_ms : ask->rule->keep_firing_for_ms;
}

int64_t tune_time_of(const struct tune_result *result, uint32_t step)
{
    uint32_t at = step;

    if (result->at_span) /* what is still there at the end ends where the span does */
        at = step < result->n_steps ? result->at_span[step] : result->span.n_steps;
    return result->span.start_ms + (int64_t)at * result->span.step_ms;
}

struct figures_span tune_figures_span(const struct tune_result *result)
{
    return (struct figures_span){result->first_step, result->n_steps, result->span.step_ms,
                                 result->is_night};
}

struct figures_found tune_found(const struct tune_result *result, size_t i)
{
    const struct figures_span span = tune_figures_span(result);
    const struct backtest_incident *incident = &result->incidents[i];
    int64_t begin_ms = result->of[i]->begin_ms;
    size_t n = 0;
    const struct episode *at = backtest_episodes(result->backtest, &n);
    struct figures_found found = figures_found(at, n, incident, &span, begin_ms,
                                               result->span.start_ms);

    at = backtest_earlier(result->backtest, &n);
    struct figures_found already = figures_found(at, n, incident, &span, begin_ms,
                                                 result->span.start_ms);
    if (!already.is_found)
        return found;
    already.is_still |= found.is_still;
    if (found.reset_ms > already.reset_ms)
        already.reset_ms = found.reset_ms;
    return already;
}

size_t tune_n_blind(const struct tune_result *result)
{
    size_t n = 0;
    size_t n_blind = 0;
    const struct episode *episodes = backtest_episodes(result->backtest, &n);

    for (size_t i = 0; i < n; i++)
        n_blind += gaps_hold(&result->gaps, tune_time_of(result, episodes[i].fired));
    return n_blind;
}

/* The wall's hour, looked up once in a quarter of an hour: zones change at none else. */
static void lay_nights(const struct tune_ask *ask, struct tune_result *result)
{
    int64_t known_ms = INT64_MIN;
    bool is_night = false;

    result->is_night = mem_alloc(result->n_steps);
    for (uint32_t i = 0; i < result->n_steps; i++) {
        int64_t at_ms = tune_time_of(result, i);
        int64_t quarter_ms = at_ms - at_ms % (HOUR_MS / 4);
        if (quarter_ms != known_ms) {
            int hour = ask->zone ? zone_local(ask->zone, at_ms).hour : clock_split_utc(at_ms).hour;
            is_night = hour < NIGHT_ENDS_H || hour >= NIGHT_BEGINS_H;
            known_ms = quarter_ms;
        }
        result->is_night[i] = is_night;
    }
    if (ask->night_weight == 0)
        return;
    result->weights = mem_alloc(result->n_steps);
    for (uint32_t i = 0; i < result->n_steps; i++)
        result->weights[i] = result->is_night[i] ? (uint8_t)ask->night_weight : 1;
}

/* The rule's own grid: from the warm-up to the end, steps at multiples of the interval. */
static int lay_span(const struct tune_ask *ask, struct tune_result *result, struct err *reterr)
{
    int64_t interval_ms = ask->interval_ms;
    int64_t warm_ms = WARM_UP_MS + ask->for_ms + keep_of(ask);
    int64_t phase_ms = ask->phase_ms % interval_ms;
    int64_t start_ms = (ask->from_ms - warm_ms - phase_ms) / interval_ms * interval_ms + phase_ms;
    if (ask->first_ms > start_ms)
        start_ms += (ask->first_ms - start_ms + interval_ms - 1) / interval_ms * interval_ms;
    int64_t n_steps = (ask->to_ms - start_ms) / interval_ms + 1;

    if (ask->to_ms <= ask->from_ms)
        return err_set(reterr, -EINVAL, "--from does not lie before --to");
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
        if (result->at_span) {
            begin = evaluated_from(result, (uint32_t)begin);
            end = (int64_t)evaluated_from(result, (uint32_t)end + 1) - 1;
            begin = begin >= result->n_steps ? result->n_steps - 1 : begin;
        }
        result->of[result->n_incidents] = incident;
        result->incidents[result->n_incidents++] = (struct backtest_incident){
            .when = {(uint32_t)begin, (uint32_t)(end < begin ? begin : end)},
            .matchers = incident->matchers,
            .n_matchers = incident->n_matchers,
        };
    }
}

/* What is compared, coarsely. */
static int read_peaks(const struct tune_reader *reader,
                      const struct tune_result *result,
                      struct grid_peaks *ret_peaks,
                      struct err *reterr)
{
    uint32_t every = result->span.n_steps / COARSE_STEPS + 1;
    const struct tune_span coarse = {result->span.start_ms, result->span.step_ms * every,
                                     (result->span.n_steps - 1) / every + 1};
    size_t n = reading_n_parts(reader);
    MEM_AUTO struct grid_peaks *shares = mem_zalloc(n * sizeof(*shares));
    MEM_AUTO void **args = mem_zalloc(n * sizeof(*args));

    for (size_t i = 0; i < n; i++) {
        shares[i].op = result->choice->op;
        args[i] = &shares[i];
    }
    int r = reading_parts(reader, result->choice->expr, &coarse, false, add_peaks, args, reterr);
    for (size_t i = 0; i < n; i++) {
        grid_peaks_merge(ret_peaks, &shares[i]);
        grid_peaks_done(&shares[i]);
    }
    return r;
}

static int choose_grid(const struct tune_reader *reader,
                       const struct tune_ask *ask,
                       struct tune_result *result,
                       double now,
                       struct err *reterr)
{
    struct grid_peaks peaks = {.op = result->choice->op};
    size_t n_most = result->is_asked ? TUNE_ASKED_THRESHOLDS : TUNE_THRESHOLDS;
    int r = 0;

    if (ask->is_alone) {
        result->thresholds[0] = now;
        result->for_steps[0] = grid_for_steps(ask->for_ms, ask->interval_ms);
        result->n_thresholds = result->n_fors = 1;
        return 0;
    }
    if (result->choice->way != SPLIT_PRESENCE)
        r = read_peaks(reader, result, &peaks, reterr);
    if (r == 0)
        result->n_thresholds = grid_thresholds(&peaks, now, result->thresholds, n_most);
    grid_peaks_done(&peaks);
    result->n_fors = grid_fors(ask->interval_ms, ask->for_ms, result->for_steps);
    return r;
}

static struct suggest_cell find_cell(const struct tune_result *result,
                                     double threshold,
                                     uint32_t for_steps)
{
    struct suggest_cell cell = {0};

    for (size_t j = 0; j < result->n_thresholds; j++)
        if (result->thresholds[j] == threshold)
            cell.threshold = j;
    for (size_t k = 0; k < result->n_fors; k++)
        if (result->for_steps[k] == for_steps)
            cell.for_index = k;
    return cell;
}

/* A setting that is looked at besides gets a row and a column. */
static void add_also(const struct tune_ask *ask, struct tune_result *result)
{
    /* Where each threshold is an evaluation of its own there are enough of them. */
    if (ask->n_even > 0 && result->choice->way != SPLIT_PRESENCE &&
        result->choice->way != SPLIT_AGAIN)
        result->n_thresholds = grid_add_even(result->choice->op, ask->n_even, result->thresholds,
                                             result->n_thresholds, EVEN_MAX);
    if (result->choice->way != SPLIT_PRESENCE && result->choice->way != SPLIT_AGAIN)
        result->n_thresholds = grid_fill_thresholds(result->thresholds, result->n_thresholds,
                                                    ask->n_thresholds);
    result->n_fors = grid_fill_fors(result->for_steps, result->n_fors, ask->n_fors);
    if (!ask->has_also)
        return;
    if (!isnan(ask->also_threshold))
        result->n_thresholds = grid_add_threshold(result->choice->op, ask->also_threshold,
                                                  result->thresholds, result->n_thresholds,
                                                  SURFACE_THRESHOLDS_MAX);
    result->n_fors = grid_add_for(grid_for_steps(ask->also_for_ms, ask->interval_ms),
                                  result->for_steps, result->n_fors, SURFACE_FORS_MAX);
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

static int lay_out(const struct tune_reader *reader,
                   const struct tune_ask *ask,
                   struct tune_result *result,
                   struct err *reterr)
{
    int r = choose_way(ask, result, reterr);

    r = r ? r : lay_span(ask, result, reterr);
    if (r == 0 && ask->night_weight > UINT8_MAX)
        r = err_set(reterr, -EINVAL, "an alert at night costs at most %d", UINT8_MAX);
    if (r != 0)
        return r;
    result->is_asked = result->choice->way == SPLIT_AGAIN && !reader->read_again;
    result->keep_steps = grid_for_steps(keep_of(ask), ask->interval_ms);
    r = evaluated_lay(reader, ask, result, reterr);
    if (r != 0)
        return r;
    lay_incidents(ask, result);
    lay_nights(ask, result);
    return 0;
}

static bool suggest(const struct tune_ask *ask,
                    const struct tune_result *result,
                    const struct surface *surface,
                    struct suggest_cell *ret_cell)
{
    return suggest_setting(surface, result->n_thresholds, result->n_fors, result->n_incidents,
                           result->now, (uint32_t)(LATER_MS_MAX / ask->interval_ms), ret_cell);
}

/* Leaves out one incident after the other, and looks whether what is suggested then, or else what
 * is now, finds it. */
static void check_suggestion(const struct tune_ask *ask, struct tune_result *result)
{
    const struct surface *whole = backtest_surface(result->backtest);

    for (size_t i = 0; i < result->n_incidents && result->n_checked < CHECKS_MAX; i++) {
        struct suggest_cell at = result->now;
        if (surface_delay(whole, i, result->suggestion.threshold, result->suggestion.for_index) ==
            SURFACE_MISSED)
            continue;
        struct surface *without = backtest_without(result->backtest, i);
        if (!without)
            return;
        (void)suggest(ask, result, without, &at);
        surface_free(without);
        result->n_checked++;
        result->n_check_found += surface_delay(whole, i, at.threshold, at.for_index) !=
                                 SURFACE_MISSED;
    }
}

/* --- the whole reading --- */

static struct backtest_plan plan_of(const struct tune_result *result,
                                    struct backtest_setting setting)
{
    return (struct backtest_plan){
        .grid = {.op = result->choice->op,
                 .thresholds = result->thresholds,
                 .n_thresholds = result->n_thresholds,
                 .for_steps = result->for_steps,
                 .n_fors = result->n_fors,
                 .first_step = result->first_step,
                 .marked = result->is_night,
                 .weights = result->weights,
                 .n_steps = result->n_steps},
        .n_steps = result->n_steps,
        .is_apart = result->choice->way == SPLIT_AGAIN,
        .setting = setting,
        .incidents = result->incidents,
        .n_incidents = result->n_incidents,
        .keeps_crossings = true,
    };
}

/* One of several readings of different series; they are put together behind. */
struct share {
    struct evaluated feeding;
    struct picture *picture;
};

static int share_init(struct share *share,
                      const struct tune_ask *ask,
                      const struct tune_result *result,
                      const struct backtest_plan *plan,
                      struct err *reterr)
{
    struct backtest_plan own = *plan;

    *share = (struct share){.feeding.result = result};
    if (ask->columns > 0)
        own.picture = share->picture = picture_new(&plan->grid, result->n_steps, ask->columns);
    return backtest_new(&own, &share->feeding.backtest, reterr);
}

/* What lies within, as a picture: the thresholds are of its values. Its own alerts are nobody's. */
static int draw_within(const struct tune_reader *reader,
                       const struct tune_ask *ask,
                       struct tune_result *result,
                       const struct backtest_plan *plan,
                       struct err *reterr)
{
    struct backtest_plan own = *plan;
    struct share share;

    own.is_apart = own.keeps_crossings = false;
    own.n_incidents = 0;
    int r = share_init(&share, ask, result, &own, reterr);
    if (r == 0)
        r = reader->read(reader->reader, result->choice->expr, &result->span, false, evaluated_add,
                         &share.feeding, reterr);
    result->picture = share.picture;
    result->within = share.feeding.backtest;
    free(share.feeding.values);
    return r;
}

static int read_again(const struct tune_reader *reader,
                      const struct tune_ask *ask,
                      struct tune_result *result,
                      const struct backtest_plan *plan,
                      struct err *reterr)
{
    const struct tune_again again = {ask->rule->expr, result->choice, result->thresholds,
                                     result->n_thresholds};
    struct evaluated feeding = {.result = result};
    int r = backtest_new(plan, &result->backtest, reterr);

    if (r)
        return r;
    feeding.backtest = result->backtest;
    r = reading_again(reader, &again, &result->span, evaluated_add_at, &feeding, reterr);
    free(feeding.values);
    return r == 0 && ask->columns > 0 ? draw_within(reader, ask, result, plan, reterr) : r;
}

/* The first is the result's, and takes the others in. */
static int share_done(struct share *share, struct tune_result *result, struct err *reterr)
{
    int r = 0;

    free(share->feeding.values);
    if (!result->backtest) {
        result->backtest = share->feeding.backtest;
        result->picture = share->picture;
        return 0;
    }
    if (share->feeding.backtest)
        r = backtest_merge(result->backtest, share->feeding.backtest, reterr);
    if (share->picture)
        picture_merge(result->picture, share->picture);
    backtest_free(share->feeding.backtest);
    picture_free(share->picture);
    return r;
}

static int read_once(const struct tune_reader *reader,
                     const struct tune_ask *ask,
                     struct tune_result *result,
                     struct backtest_plan *plan,
                     struct err *reterr)
{
    size_t n = reading_n_parts(reader);
    MEM_AUTO struct share *shares = mem_zalloc(n * sizeof(*shares));
    MEM_AUTO void **args = mem_zalloc(n * sizeof(*args));
    int r = 0;

    plan->n_parts = n;
    for (size_t i = 0; i < n && r == 0; i++) {
        r = share_init(&shares[i], ask, result, plan, reterr);
        args[i] = &shares[i].feeding;
    }
    if (r == 0)
        r = reading_parts(reader, result->choice->expr, &result->span,
                          result->choice->way == SPLIT_PRESENCE, evaluated_add, args, reterr);
    for (size_t i = 0; i < n; i++) {
        int end = share_done(&shares[i], result, r == 0 ? reterr : NULL);
        r = r ? r : end;
    }
    return r;
}

static int read_all(const struct tune_reader *reader,
                    const struct tune_ask *ask,
                    struct tune_result *result,
                    struct backtest_setting setting,
                    struct err *reterr)
{
    struct backtest_plan plan = plan_of(result, setting);

    if (plan.is_apart) /* it needs its own room, and other samples */
        reading_keep(reader, false);
    return plan.is_apart ? read_again(reader, ask, result, &plan, reterr)
                         : read_once(reader, ask, result, &plan, reterr);
}

/* Twice: coarsely for the grid, and for what is in it. */
static int read_past(const struct tune_reader *reader,
                     const struct tune_ask *ask,
                     struct tune_result *result,
                     struct err *reterr)
{
    double threshold = ask->has_threshold ? ask->threshold : result->choice->now;
    uint32_t for_steps = grid_for_steps(ask->for_ms, ask->interval_ms);
    int r = choose_grid(reader, ask, result, threshold, reterr);

    if (r != 0)
        return r;
    add_also(ask, result);
    result->now = result->also = find_cell(result, threshold, for_steps);
    if (ask->has_also)
        result->also = find_cell(result,
                                 isnan(ask->also_threshold) ? threshold : ask->also_threshold,
                                 grid_for_steps(ask->also_for_ms, ask->interval_ms));
    return read_all(reader, ask, result,
                    (struct backtest_setting){threshold, for_steps, result->keep_steps}, reterr);
}

int tune_run(const struct tune_reader *reader,
             const struct tune_ask *ask,
             struct tune_result *ret,
             struct err *reterr)
{
    struct tune_result *result = ret;

    *result = (struct tune_result){0};
    arena_init(&result->arena, ARENA_BYTES);
    int r = lay_out(reader, ask, result, reterr);
    if (r != 0)
        return r;
    reading_keep(reader, !ask->is_alone);
    r = read_past(reader, ask, result, reterr);
    reading_keep(reader, false);
    if (r == 0 && gaps_matter(ask->rule->expr))
        r = gaps_find(reader, &result->span, &result->gaps, reterr);
    if (r != 0)
        return r;
    backtest_finish(result->backtest);
    if (result->picture)
        picture_finish(result->picture);
    result->has_suggestion = suggest(ask, result, backtest_surface(result->backtest),
                                     &result->suggestion);
    if (result->has_suggestion)
        check_suggestion(ask, result);
    return 0;
}

void tune_result_done(struct tune_result *result)
{
    backtest_free(result->backtest);
    backtest_free(result->within);
    picture_free(result->picture);
    gaps_done(&result->gaps);
    free(result->at_span);
    free(result->is_night);
    free(result->weights);
    free(result->incidents);
    free(result->of);
    arena_reset(&result->arena);
}
