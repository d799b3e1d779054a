/*
 * Any cell alert by alert, with any keep_firing_for, beside alert_step() at each step; what its
 * alerts were like; labels that restart the clock; what a surface says without one incident.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alert/state.h"
#include "alertd/promql/series_text.h"
#include "alertd/tune/cell.h"
#include "alertd/tune/figures.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

enum {
    STEPS_MAX = 300,
    THRESHOLDS = 4,
    FORS = 3,
    SERIES = 3,
    ROUNDS = 3000,
};

static const double thresholds[THRESHOLDS] = {0, 1, 2, 3};
static const uint32_t for_steps[FORS] = {0, 2, 5};

struct history {
    bool is_apart;
    uint32_t n_steps, first_step;
    double values[SERIES][STEPS_MAX];
    bool passes[SERIES][THRESHOLDS][STEPS_MAX];
    const struct labels *labels[SERIES];
    struct cell_setting setting;
    uint8_t weights[STEPS_MAX];
    struct backtest_incident incidents[2];
    size_t n_incidents;
};

static const struct labels *labels_of(const char *text)
{
    const struct labels *labels = series_text_labels(text, &(const char *){NULL}, NULL);

    assert_non_null(labels);
    return labels;
}

static void make(struct rng *rng, struct history *ret)
{
    static const char *const names[SERIES] = {"a{i=\"1\"}", "a{i=\"2\"}", "a{i=\"3\"}"};

    *ret = (struct history){.is_apart = rng_below(rng, 2),
                            .n_steps = 1 + (uint32_t)rng_below(rng, STEPS_MAX),
                            .n_incidents = rng_below(rng, 3)};
    ret->first_step = rng_below(rng, 2) ? (uint32_t)rng_below(rng, ret->n_steps) : 0;
    for (size_t i = 0; i < ret->n_incidents; i++) {
        uint32_t begin = (uint32_t)rng_below(rng, ret->n_steps);
        ret->incidents[i].when = (struct surface_incident){begin,
                                                           begin + (uint32_t)rng_below(rng, 9)};
    }
    ret->setting = (struct cell_setting){rng_below(rng, THRESHOLDS),
                                         for_steps[rng_below(rng, FORS)],
                                         rng_below(rng, 2) ? (uint32_t)rng_below(rng, 9) : 0};
    uint64_t stays = 1 + rng_below(rng, 200); /* as nights do, or it is any step */
    for (size_t i = 0; i < STEPS_MAX; i++)
        ret->weights[i] = i > 0 && rng_below(rng, stays) ? ret->weights[i - 1]
                                                         : (uint8_t)(1 + rng_below(rng, 3));
    for (size_t s = 0; s < SERIES; s++) {
        double value = 0;
        ret->labels[s] = labels_of(names[s]);
        for (uint32_t i = 0; i < ret->n_steps; i++) {
            if (rng_below(rng, 3) == 0)
                value = rng_below(rng, 6) ? (double)rng_below(rng, 50) / 10 - 0.5 : NAN;
            ret->values[s][i] = value;
            for (size_t j = 0; j < THRESHOLDS; j++)
                ret->passes[s][j][i] = ret->is_apart ? rng_below(rng, 3) > 0
                                                     : value > thresholds[j];
        }
    }
}

/* Steps without a value are given as such or left out. */
static void add(struct rng *rng, const struct history *history, size_t s, struct backtest *backtest)
{
    double row_values[STEPS_MAX];

    for (uint32_t at = 0; at < history->n_steps;) {
        uint32_t n = 1 + (uint32_t)rng_below(rng, history->n_steps - at);
        uint32_t gap = 0;
        while (!history->is_apart && gap < n && isnan(history->values[s][at + gap]))
            gap++;
        if (gap > 0 && rng_below(rng, 2))
            n = gap;
        else if (!history->is_apart)
            assert_int_equal(
                backtest_add(backtest, history->labels[s], at, history->values[s] + at, n, NULL),
                0);
        for (size_t j = 0; history->is_apart && j < THRESHOLDS; j++) {
            for (uint32_t i = 0; i < n; i++)
                row_values[i] = history->passes[s][j][at + i] ? 1 : NAN;
            assert_int_equal(
                backtest_add_at(backtest, j, history->labels[s], at, row_values, n, NULL), 0);
        }
        at += n;
    }
}

/* alone: of all thresholds there is the setting's only. */
static struct backtest *run(struct rng *rng, const struct history *history, bool alone)
{
    const struct cell_setting *setting = &history->setting;
    const struct backtest_plan plan = {
        .grid = {SURFACE_ABOVE, alone ? &thresholds[setting->threshold] : thresholds,
                 alone ? 1 : THRESHOLDS, for_steps, FORS, history->first_step,
                 .weights = history->weights, .n_steps = history->n_steps},
        .n_steps = history->n_steps,
        .is_apart = history->is_apart,
        .setting = {thresholds[setting->threshold], setting->for_steps, setting->keep_steps},
        .incidents = history->incidents,
        .n_incidents = history->n_incidents,
        .keeps_crossings = true,
    };
    struct backtest *backtest = NULL;

    assert_int_equal(backtest_new(&plan, &backtest, NULL), 0);
    for (size_t s = 0; s < SERIES; s++)
        add(rng, history, s, backtest);
    backtest_finish(backtest);
    return backtest;
}

/* --- beside it --- */

static size_t live(const struct history *history,
                   size_t series,
                   const struct cell_setting *setting,
                   struct episode *ret)
{
    const struct alert_timing timing = {.for_ms = setting->for_steps,
                                        .keep_firing_for_ms = setting->keep_steps};
    struct alert alert = ALERT_INIT;
    size_t n = 0;

    for (uint32_t i = 0; i <= history->n_steps; i++) {
        struct alert before = alert;
        if (i < history->n_steps)
            (void)alert_step(&alert, &timing,
                             history->passes[series][setting->threshold][i] ? ALERT_SEEN_TRUE
                                                                            : ALERT_SEEN_FALSE,
                             i);
        else
            alert.state = ALERT_INACTIVE;
        if (before.state == ALERT_FIRING && alert.state != ALERT_FIRING &&
            before.fired_at_ms >= history->first_step)
            ret[n++] = (struct episode){NULL, (uint32_t)before.active_at_ms,
                                        (uint32_t)before.fired_at_ms, i, false};
    }
    return n;
}

/* The episodes of series s are what it lived through. */
static size_t check_lives(const struct history *history,
                          size_t s,
                          const struct cell_setting *setting,
                          const struct episode *episodes,
                          size_t n_episodes)
{
    const char *which = labels_get(history->labels[s], "i");
    struct episode truth[STEPS_MAX] = {0};
    size_t n = live(history, s, setting, truth);
    size_t k = 0;

    for (size_t i = 0; i < n_episodes; i++) {
        if (strcmp(labels_get(episodes[i].labels, "i"), which) != 0)
            continue;
        assert_true(k < n);
        assert_int_equal(episodes[i].active, truth[k].active);
        assert_int_equal(episodes[i].fired, truth[k].fired);
        assert_int_equal(episodes[i].resolved, truth[k].resolved);
        k++;
    }
    assert_int_equal(k, n);
    return n;
}

static void check_all_lives(const struct history *history,
                            const struct cell_setting *setting,
                            const struct episode *episodes,
                            size_t n_episodes)
{
    size_t n = 0;

    for (size_t s = 0; s < SERIES; s++)
        n += check_lives(history, s, setting, episodes, n_episodes);
    assert_int_equal(n, n_episodes);
}

static void check_cell(const struct history *history,
                       const struct backtest *backtest,
                       const struct cell_setting *setting)
{
    struct cell_episodes episodes = {0};
    uint64_t weight = 0;
    uint64_t needless = 0;

    assert_int_equal(cell_episodes(backtest, setting, &episodes, NULL), 0);
    check_all_lives(history, setting, episodes.at, episodes.n);
    for (size_t i = 0; i < episodes.n; i++) {
        weight += history->weights[episodes.at[i].fired];
        needless += episodes.at[i].is_true ? 0 : history->weights[episodes.at[i].fired];
    }
    for (size_t k = 0; k < FORS && setting->keep_steps == 0; k++)
        if (for_steps[k] == setting->for_steps) {
            const struct surface_cell cell = surface_cell(backtest_surface(backtest),
                                                          setting->threshold, k);
            assert_int_equal(cell.alerts, episodes.n);
            assert_int_equal(cell.weight, weight);
            assert_int_equal(cell.needless, needless);
        }
    cell_episodes_done(&episodes);
}

/* What the setting did while the past was read. */
static void check_setting(const struct history *history, const struct backtest *backtest)
{
    size_t n = 0;
    const struct episode *episodes = backtest_episodes(backtest, &n);

    check_all_lives(history, &history->setting, episodes, n);
}

static void check_without(const struct history *history, const struct backtest *backtest)
{
    for (size_t i = 0; i < history->n_incidents; i++) {
        struct surface *without = backtest_without(backtest, i);
        const struct surface *whole = backtest_surface(backtest);
        assert_non_null(without);
        for (size_t j = 0; j < THRESHOLDS; j++)
            for (size_t k = 0; k < FORS; k++) {
                const struct surface_cell left = surface_cell(without, j, k);
                const struct surface_cell all = surface_cell(whole, j, k);
                assert_int_equal(left.alerts, all.alerts);
                assert_int_equal(left.firing_steps, all.firing_steps);
                assert_int_equal(left.weight, all.weight);
                assert_true(left.true_alerts <= all.true_alerts);
                assert_int_equal(surface_delay(without, i, j, k), SURFACE_MISSED);
                for (size_t other = 0; other < history->n_incidents; other++)
                    if (other != i)
                        assert_int_equal(surface_delay(without, other, j, k),
                                         surface_delay(whole, other, j, k));
            }
        surface_free(without);
    }
}

static void test_each_cell_is_the_state_machine_with_any_keep(void **state)
{
    static const uint32_t keeps[] = {0, 1, 4, 30};
    struct rng rng = {rng_os_seed()};
    MEM_AUTO struct history *history = mem_alloc(sizeof(*history));

    for (int round = 0; round < ROUNDS; round++) {
        row("round %d of seed %llu", round, (unsigned long long)rng.state);
        make(&rng, history);
        struct backtest *backtest = run(&rng, history, false);
        check_setting(history, backtest);
        if (!history->is_apart) {
            struct backtest *alone = run(&rng, history, true);
            check_setting(history, alone);
            backtest_free(alone);
        }
        for (size_t j = 0; j < THRESHOLDS; j++)
            for (size_t k = 0; k < FORS; k++)
                for (size_t i = 0; i < sizeof(keeps) / sizeof(*keeps); i++)
                    check_cell(history, backtest,
                               &(struct cell_setting){j, for_steps[k], keeps[i]});
        check_without(history, backtest);
        backtest_free(backtest);
        for (size_t s = 0; s < SERIES; s++)
            labels_unref(history->labels[s]);
    }
}

/* --- what they were like --- */

enum {
    MINUTE_MS = 60000,
};

static void test_figures(void **state)
{
    const struct labels *a = labels_of("{i=\"1\"}");
    const struct labels *b = labels_of("{i=\"2\"}");
    const struct episode episodes[] = {
        {a, 95, 100, 103, false},    /* 3 min */
        {a, 110, 120, 200, false},   /* again 17 min later */
        {b, 115, 125, 130, true},    /* another one: not again */
        {a, 990, 1000, 1400, false}, /* 13 h later; still */
    };
    bool nights[1400] = {false};
    const struct figures_span span = {60, 1400, MINUTE_MS, nights};

    nights[120] = nights[1000] = true;
    const struct figures figures = figures_of(episodes, 4, &span);
    assert_int_equal(figures.n, 4);
    assert_int_equal(figures.n_nights, 2);
    assert_int_equal(figures.n_short, 1);
    assert_int_equal(figures.n_again, 1);
    assert_int_equal(figures.most_in_shift, 3);
    assert_int_equal(figures.longest_ms, 400 * MINUTE_MS);
    assert_int_equal(figures.median_ms, 5 * MINUTE_MS);
    assert_int_equal(figures.longest_quiet_ms, 800 * MINUTE_MS);
    assert_int_equal(figures_of(NULL, 0, &span).longest_quiet_ms, 1340 * MINUTE_MS);
    labels_unref(a);
    labels_unref(b);
}

static void test_an_incident_in_its_parts(void **state)
{
    const struct labels *a = labels_of("{i=\"1\"}");
    const struct figures_span span = {0, 1000, MINUTE_MS, NULL};
    const struct backtest_incident incident = {.when = {100, 200}};
    /* began 20 s before step 100; passes at 106, `for` 5, over 9 behind its last step */
    const struct episode episodes[] = {{a, 10, 20, 30, false}, {a, 106, 111, 210, true}};
    const int64_t begin_ms = 100 * MINUTE_MS - 20000;

    struct figures_found found = figures_found(episodes, 2, &incident, &span, begin_ms, 0);
    assert_true(found.is_found && !found.is_still);
    assert_int_equal(found.phase_ms, 20000);
    assert_int_equal(found.passing_ms, 6 * MINUTE_MS);
    assert_int_equal(found.for_ms, 5 * MINUTE_MS);
    assert_int_equal(found.delay_ms, 20000 + 11 * MINUTE_MS);
    assert_int_equal(found.reset_ms, 9 * MINUTE_MS);

    row("it was pending before: the rest of `for` is what the incident waits");
    found = figures_found((const struct episode[]){{a, 98, 103, 1000, true}}, 1, &incident, &span,
                          begin_ms, 0);
    assert_int_equal(found.passing_ms, 0);
    assert_int_equal(found.for_ms, 3 * MINUTE_MS);
    assert_true(found.is_still);

    row("it fired before");
    found = figures_found((const struct episode[]){{a, 50, 60, 150, true}}, 1, &incident, &span,
                          begin_ms, 0);
    assert_true(found.is_found);
    assert_int_equal(found.delay_ms, 0);
    assert_int_equal(found.reset_ms, 0);
    assert_false(figures_found(episodes, 1, &incident, &span, begin_ms, 0).is_found);
    labels_unref(a);
}

static void test_a_label_that_restarts_the_clock_is_named(void **state)
{
    const double threshold = 1;
    const uint32_t none = 0;
    const struct backtest_plan plan = {.grid = {SURFACE_ABOVE, &threshold, 1, &none, 1, 0},
                                       .n_steps = 100,
                                       .setting = {1, 10, 0},
                                       .keeps_crossings = true};
    struct backtest *backtest = NULL;
    const double bad[] = {2, 2, 2, 2, 2, 2};

    assert_int_equal(backtest_new(&plan, &backtest, NULL), 0);
    for (int i = 0; i < 5; i++) { /* a new pod every six steps */
        char text[80];
        (void)snprintf(text, sizeof(text), "q{job=\"shop\",pod=\"p%d\"}", i);
        const struct labels *labels = labels_of(text);
        assert_int_equal(backtest_add(backtest, labels, (uint32_t)i * 6, bad, 6, NULL), 0);
        labels_unref(labels);
    }
    backtest_finish(backtest);
    const struct cell_churn churn = cell_churn(backtest, &(struct cell_setting){0, 10, 0});
    assert_string_equal(churn.label, "pod");
    assert_int_equal(churn.n_handed, 4);
    assert_int_equal(churn.n_lost, 4);
    assert_int_equal(cell_churn(backtest, &(struct cell_setting){0, 2, 0}).n_lost, 0);
    backtest_free(backtest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_cell_is_the_state_machine_with_any_keep),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_an_incident_in_its_parts),
        cmocka_unit_test(test_a_label_that_restarts_the_clock_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
