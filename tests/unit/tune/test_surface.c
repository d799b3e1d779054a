/*
 * The surface beside alert_step() in each cell, on random series: NaN, gaps, infinities, all
 * operators, values that equal a threshold, what began before the counted time.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alert/state.h"
#include "alertd/tune/surface.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

enum {
    STEP_MS = 15000,
    STEPS_MAX = 600,
    STEPS_USUAL = 120,
    THRESHOLDS = 7,
    FORS = 5,
    INCIDENTS = 3,
    SERIES_MAX = 3,
    ROUNDS = 8000,
};

static const uint32_t for_steps[FORS] = {0, 1, 2, 5, 11};
static const double ascending[THRESHOLDS] = {-4, -3, -0.5, 0, 1, 2, 3};

struct history {
    enum surface_op op;
    double thresholds[THRESHOLDS];
    size_t n_steps, n_series, n_incidents;
    uint32_t n_laid; /* of the steps, what marks are known of */
    uint32_t first_step;
    double values[SERIES_MAX][STEPS_MAX];
    struct surface_incident incidents[INCIDENTS];
    bool concerns[SERIES_MAX][INCIDENTS];
    bool marked[STEPS_MAX];
};

static double any_value(struct rng *rng, double before)
{
    switch (rng_below(rng, 12)) {
    case 0: return NAN;
    case 1: return INFINITY;
    case 2: return -INFINITY;
    case 3: return -0.0;
    case 4:
    case 5: return (double)rng_below(rng, 7) - 3;
    case 6: return ascending[rng_below(rng, THRESHOLDS)];
    case 7: return (double)rng_below(rng, 1000) / 100 - 5;
    default: return before; /* runs */
    }
}

static void make(struct rng *rng, struct history *ret)
{
    struct history *history = ret;

    *history = (struct history){
        .op = (enum surface_op)rng_below(rng, 4),
        .n_steps = rng_below(rng, (rng_below(rng, 8) ? STEPS_USUAL : STEPS_MAX) + 1),
        .n_series = 1 + rng_below(rng, SERIES_MAX),
        .n_incidents = rng_below(rng, INCIDENTS + 1),
        .first_step = rng_below(rng, 3) ? 0 : (uint32_t)rng_below(rng, STEPS_USUAL),
    };
    history->n_laid = (uint32_t)rng_below(rng, history->n_steps + 1);
    bool is_turned = history->op == SURFACE_BELOW || history->op == SURFACE_AT_MOST;
    for (size_t i = 0; i < THRESHOLDS; i++)
        history->thresholds[i] = is_turned ? ascending[THRESHOLDS - 1 - i] : ascending[i];
    for (size_t s = 0; s < history->n_series; s++) {
        uint64_t stays = rng_below(rng, 8) ? 1 : 1 + rng_below(rng, STEPS_MAX);
        double value = 0;
        for (size_t i = 0; i < history->n_steps; i++)
            history->values[s][i] = value = rng_below(rng, stays) ? value : any_value(rng, value);
        for (size_t i = 0; i < INCIDENTS; i++)
            history->concerns[s][i] = rng_below(rng, 3) > 0;
    }
    uint64_t stays = 1 + rng_below(rng, 200); /* as nights do, or it is any step */
    for (size_t i = 0; i < STEPS_MAX; i++)
        history->marked[i] = rng_below(rng, stays) ? i > 0 && history->marked[i - 1]
                                                   : rng_below(rng, 3) == 0;
    for (size_t i = 0; i < history->n_incidents; i++) {
        uint32_t begin = (uint32_t)rng_below(rng, STEPS_USUAL);
        history->incidents[i] = (struct surface_incident){begin,
                                                          begin + (uint32_t)rng_below(rng, 20)};
    }
}

static bool passes(enum surface_op op, double value, double threshold)
{
    switch (op) {
    case SURFACE_ABOVE: return value > threshold;
    case SURFACE_AT_LEAST: return value >= threshold;
    case SURFACE_BELOW: return value < threshold;
    default: return value <= threshold;
    }
}

/* --- one cell, step by step --- */

struct truth {
    struct surface_cell cell;
    uint32_t delays[INCIDENTS];
};

/* An alert fired in [begin, end]. */
static void note_alert(
    const struct history *history, size_t series, uint32_t begin, uint32_t end, struct truth *truth)
{
    bool is_true = false;

    for (size_t i = 0; i < history->n_incidents; i++) {
        const struct surface_incident *bad = &history->incidents[i];
        if (!history->concerns[series][i] || begin > bad->end || end < bad->begin)
            continue;
        uint32_t delay = begin > bad->begin ? begin - bad->begin : 0;
        truth->delays[i] = delay < truth->delays[i] ? delay : truth->delays[i];
        is_true = true;
    }
    truth->cell.alerts += begin >= history->first_step;
    truth->cell.true_alerts += begin >= history->first_step && is_true;
    truth->cell.marked_alerts += begin >= history->first_step && history->marked[begin];
}

static void step_series(const struct history *history,
                        size_t series,
                        double threshold,
                        uint32_t for_step,
                        struct truth *truth)
{
    const struct alert_timing timing = {.for_ms = (int64_t)for_step * STEP_MS};
    struct alert alert = ALERT_INIT;
    uint32_t began = 0;

    for (uint32_t i = 0; i <= history->n_steps; i++) {
        bool was_firing = alert.state == ALERT_FIRING;
        bool seen = i < history->n_steps &&
                    passes(history->op, history->values[series][i], threshold);
        (void)alert_step(&alert, &timing, seen ? ALERT_SEEN_TRUE : ALERT_SEEN_FALSE,
                         (int64_t)i * STEP_MS);
        bool is_firing = alert.state == ALERT_FIRING;
        if (is_firing && !was_firing)
            began = i;
        if (was_firing && !is_firing)
            note_alert(history, series, began, i - 1, truth);
        truth->cell.firing_steps += is_firing && i >= history->first_step;
    }
}

static uint64_t count_hysteresis(const struct history *history, size_t off, size_t on)
{
    uint64_t n = 0;

    for (size_t s = 0; s < history->n_series; s++) {
        bool fires = false;
        for (size_t i = 0; i < history->n_steps; i++) {
            double value = history->values[s][i];
            bool was = fires;
            fires = passes(history->op, value, history->thresholds[on]) ||
                    (fires && passes(history->op, value, history->thresholds[off]));
            n += fires && !was;
        }
    }
    return n;
}

/* --- beside it --- */

/* What was told of the threshold that is watched, from `from` on, turns where the values do. */
static void check_watched(const struct history *history,
                          size_t s,
                          size_t from,
                          const struct surface_series *series,
                          const struct surface_crossing *told,
                          size_t n_told,
                          bool *is)
{
    size_t k = 0;

    for (size_t i = from; i < series->step; i++) {
        bool was = *is;
        *is = passes(history->op, history->values[s][i], history->thresholds[series->watched]);
        if (*is == was)
            continue;
        assert_true(k < n_told);
        assert_int_equal(told[k].step, i);
        assert_int_equal(told[k++].level, *is);
    }
    assert_int_equal(k, n_told);
}

static struct surface *surface_of(struct rng *rng,
                                  const struct history *history,
                                  size_t from,
                                  size_t to)
{
    struct surface *surface = surface_new(
        &(struct surface_grid){history->op, history->thresholds, THRESHOLDS, for_steps, FORS,
                               history->first_step, .marked = history->marked,
                               .n_steps = history->n_laid},
        history->incidents, history->n_incidents);

    assert_non_null(surface);
    for (size_t s = from; s < to; s++) {
        struct surface_crossing crossings[STEPS_MAX];
        struct surface_series series = {.watched = rng_below(rng, THRESHOLDS)};
        bool is = false;
        while (series.step < history->n_steps) {
            size_t at = series.step;
            size_t n = 1 + rng_below(rng, history->n_steps - series.step);
            size_t gap = 0;
            while (gap < n && isnan(history->values[s][series.step + gap]))
                gap++;
            if (gap > 0 && rng_below(rng, 2)) {
                surface_skip(surface, &series, series.step + (uint32_t)gap, history->concerns[s]);
                is = false;
                continue;
            }
            size_t n_told = surface_feed(surface, &series, history->values[s] + at, n,
                                         history->concerns[s], crossings);
            check_watched(history, s, at, &series, crossings, n_told, &is);
        }
        surface_end(surface, &series, history->concerns[s]);
    }
    return surface;
}

static void check_cell(const struct history *history,
                       const struct surface *surface,
                       size_t threshold,
                       size_t k)
{
    struct truth truth = {.delays = {SURFACE_MISSED, SURFACE_MISSED, SURFACE_MISSED}};
    struct surface_cell cell = surface_cell(surface, threshold, k);

    for (size_t s = 0; s < history->n_series; s++)
        step_series(history, s, history->thresholds[threshold], for_steps[k], &truth);
    assert_int_equal(cell.alerts, truth.cell.alerts);
    assert_int_equal(cell.true_alerts, truth.cell.true_alerts);
    assert_int_equal(cell.firing_steps, truth.cell.firing_steps);
    assert_int_equal(cell.marked_alerts, truth.cell.marked_alerts);
    for (size_t i = 0; i < history->n_incidents; i++)
        assert_int_equal(surface_delay(surface, i, threshold, k), truth.delays[i]);
}

static void test_each_cell_is_the_state_machine(void **state)
{
    struct rng rng = {rng_os_seed()};
    struct history history;

    for (int round = 0; round < ROUNDS; round++) {
        row("round %d of seed %llu", round, (unsigned long long)rng.state);
        make(&rng, &history);
        size_t cut = rng_below(&rng, history.n_series + 1);
        struct surface *surface = surface_of(&rng, &history, 0, cut);
        struct surface *other = surface_of(&rng, &history, cut, history.n_series);
        surface_merge(surface, other);
        surface_free(other);
        surface_finish(surface);
        for (size_t j = 0; j < THRESHOLDS; j++)
            for (size_t k = 0; k < FORS; k++)
                check_cell(&history, surface, j, k);
        for (size_t off = 0; off < THRESHOLDS; off++)
            for (size_t on = off; on < THRESHOLDS; on++)
                assert_int_equal(surface_hysteresis(surface, off, on),
                                 count_hysteresis(&history, off, on));
        surface_free(surface);
    }
}

/* As many as there may be: some levels are more than a byte holds. */
static void test_many_thresholds(void **state)
{
    enum {
        STEPS = 3000,
    };
    static double values[STEPS];
    static struct surface_crossing crossings[STEPS];
    static double thresholds[SURFACE_THRESHOLDS_MAX];
    struct rng rng = {rng_os_seed()};

    for (size_t i = 0; i < SURFACE_THRESHOLDS_MAX; i++)
        thresholds[i] = (double)i;
    for (size_t n = SURFACE_THRESHOLDS_MAX - 4; n <= SURFACE_THRESHOLDS_MAX; n++) {
        row("%zu thresholds, seed %llu", n, (unsigned long long)rng.state);
        struct surface *surface = surface_new(
            &(struct surface_grid){SURFACE_ABOVE, thresholds, n, for_steps, FORS, 0}, NULL, 0);
        struct surface_series series = {0};
        for (size_t i = 0; i < STEPS; i++)
            values[i] = (double)rng_below(&rng, SURFACE_THRESHOLDS_MAX + 2) - 0.5;
        (void)surface_feed(surface, &series, values, STEPS, NULL, crossings);
        surface_end(surface, &series, NULL);
        surface_finish(surface);
        for (size_t j = 0; j < n; j++) {
            uint64_t n_alerts = 0;
            for (size_t i = 0; i < STEPS; i++)
                n_alerts += values[i] > thresholds[j] && !(i > 0 && values[i - 1] > thresholds[j]);
            assert_int_equal(surface_cell(surface, j, 0).alerts, n_alerts);
        }
        surface_free(surface);
    }
}

static void test_limits(void **state)
{
    double thresholds[SURFACE_THRESHOLDS_MAX + 1] = {0};
    uint32_t fors[SURFACE_FORS_MAX + 1] = {0};
    const struct surface_grid grids[] = {
        {.thresholds = thresholds, .n_thresholds = 0, .for_steps = fors, .n_fors = 1},
        {.thresholds = thresholds,
         .n_thresholds = SURFACE_THRESHOLDS_MAX + 1,
         .for_steps = fors,
         .n_fors = 1},
        {.thresholds = thresholds, .n_thresholds = 1, .for_steps = fors, .n_fors = 0},
        {.thresholds = thresholds,
         .n_thresholds = 1,
         .for_steps = fors,
         .n_fors = SURFACE_FORS_MAX + 1},
    };

    for (size_t i = 0; i < sizeof(grids) / sizeof(*grids); i++)
        assert_null(surface_new(&grids[i], NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_cell_is_the_state_machine),
        cmocka_unit_test(test_many_thresholds),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
