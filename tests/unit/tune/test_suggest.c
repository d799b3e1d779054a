/*
 * Which settings are looked at, and which is suggested.
 */

#include <math.h>
#include <stdlib.h>

#include "alertd/tune/front.h"
#include "alertd/tune/grid.h"
#include "alertd/tune/suggest.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

static void test_thresholds_are_peaks_said_shortly(void **state)
{
    struct grid_peaks peaks = {.op = SURFACE_ABOVE};
    const double values[] = {NAN, 1, 3.14159, 2, NAN, 7, 7, 7, 1, 120.4, NAN, INFINITY, 0.0123456};
    double thresholds[8];

    grid_peaks_add(&peaks, values, sizeof(values) / sizeof(*values));
    assert_int_equal(peaks.peaks.n, 3); /* 3.14, 7, 120.4; infinity is no threshold */
    size_t n = grid_thresholds(&peaks, 5, thresholds, 8);
    const double expected[] = {3.1, 5, 7, 60, 120}; /* 60 lies between all */
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++)
        assert_true(thresholds[i] == expected[i]);
    grid_peaks_done(&peaks);
}

static void test_downwards_they_are_valleys(void **state)
{
    struct grid_peaks peaks = {.op = SURFACE_AT_MOST};
    const double values[] = {9, 4, 8, 2, 2, 6};
    double thresholds[8];

    grid_peaks_add(&peaks, values, 6);
    size_t n = grid_thresholds(&peaks, 3, thresholds, 8);
    const double expected[] = {5.5, 4, 3, 2};
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++)
        assert_true(thresholds[i] == expected[i]);
    grid_peaks_done(&peaks);
}

static void test_many_peaks_are_thinned(void **state)
{
    struct grid_peaks peaks = {.op = SURFACE_ABOVE};
    double thresholds[SURFACE_THRESHOLDS_MAX];

    for (int i = 0; i < 1000000; i++)
        grid_peaks_add(&peaks, (const double[]){0, i, 0}, 3);
    assert_true(peaks.peaks.n <= 1 << 16 && peaks.values.n <= 1 << 16);
    size_t n = grid_thresholds(&peaks, 1, thresholds, 64);
    assert_true(n > 40 && n <= 64);
    assert_true(thresholds[n / 2] > 300000 && thresholds[n / 2] < 700000);
    grid_peaks_done(&peaks);
}

static void test_what_rises_once_has_thresholds_on_its_way(void **state)
{
    struct grid_peaks peaks = {.op = SURFACE_ABOVE};
    double values[1000];
    double thresholds[64];
    size_t n_between = 0;

    for (int i = 0; i < 1000; i++)
        values[i] = i < 900 ? 0.03 : 0.03 + 0.0012 * (i - 900);
    grid_peaks_add(&peaks, values, 1000);
    size_t n = grid_thresholds(&peaks, 0.12, thresholds, 64);
    for (size_t i = 0; i < n; i++)
        n_between += thresholds[i] > 0.03 && thresholds[i] < 0.12;
    assert_true(n_between > 8);
    grid_peaks_done(&peaks);
}

static void test_nothing_seen(void **state)
{
    struct grid_peaks peaks = {.op = SURFACE_ABOVE};
    double thresholds[4];

    assert_int_equal(grid_thresholds(&peaks, 5, thresholds, 4), 1);
    assert_true(thresholds[0] == 5);
}

static void test_fors(void **state)
{
    uint32_t steps[SURFACE_FORS_MAX];
    size_t n = grid_fors(60000, 90000, steps);

    assert_int_equal(grid_for_steps(90000, 60000), 2); /* the first evaluation behind it */
    assert_int_equal(grid_for_steps(0, 60000), 0);
    assert_int_equal(steps[0], 0);
    for (size_t i = 1; i < n; i++)
        assert_true(steps[i] > steps[i - 1]);
    assert_int_equal(steps[n - 1], 360);
    n = grid_fors(3600000, 0, steps);
    assert_int_equal(n, 6); /* none, one to four hours, six */
}

/* Spikes of one step to 5, an incident of 20 steps at 8 to 9. */
static struct surface *noisy(const double *thresholds,
                             size_t n,
                             const uint32_t *fors,
                             size_t n_fors)
{
    const struct surface_incident incident = {200, 219};
    struct surface *surface = surface_new(
        &(struct surface_grid){SURFACE_ABOVE, thresholds, n, fors, n_fors, 0}, &incident, 1);
    struct surface_series series = {0};
    static struct surface_crossing crossings[400];
    double values[400];

    for (int i = 0; i < 400; i++)
        values[i] = i >= 200 && i < 220 ? 8 + i % 2 : i % 10 == 0 ? 5 : 1;
    (void)surface_feed(surface, &series, values, 400, NULL, crossings);
    surface_end(surface, &series, NULL);
    surface_finish(surface);
    return surface;
}

static void test_a_plateau_is_suggested(void **state)
{
    const double thresholds[] = {2, 3, 4, 5, 6, 7, 7.5, 7.9, 8.5, 9};
    const uint32_t fors[] = {0, 1, 2, 5, 10, 15, 25};
    struct surface *surface = noisy(thresholds, 10, fors, 7);
    struct suggest_cell cell = {0};
    struct suggest_cell now = {1, 0}; /* above 3, at once */

    const struct suggest_sum before = suggest_sum(surface, 1, now);
    assert_int_equal(before.cell.alerts, 38); /* one spike lies at the incident's end */
    assert_int_equal(before.n_found, 1);
    assert_true(suggest_setting(surface, 10, 7, 1, now, 10, &cell));
    const struct suggest_sum after = suggest_sum(surface, 1, cell);
    row("above %g for %u", thresholds[cell.threshold], fors[cell.for_index]);
    assert_int_equal(after.cell.alerts, 1);
    assert_int_equal(after.cell.true_alerts, 1);
    assert_int_equal(after.n_found, 1);
    assert_true(after.worst_delay <= 10);
    assert_true(thresholds[cell.threshold] < 7.9);                     /* 8.5 is a cliff */
    assert_false(suggest_setting(surface, 10, 7, 1, cell, 10, &cell)); /* as good as it gets */
    now = (struct suggest_cell){9, 6};
    assert_false(suggest_setting(surface, 10, 7, 1, now, 10, &cell)); /* it finds nothing now */
    surface_free(surface);
}

/* Above 0.5 it fires once and for ever: one alert, about the incident, which it finds at once. */
static void test_what_is_never_over_is_not_suggested(void **state)
{
    const double thresholds[] = {0.5, 3, 4};
    const uint32_t fors[] = {0};
    struct surface *surface = noisy(thresholds, 3, fors, 1);
    const struct suggest_cell always = {0, 0};
    const struct suggest_cell now = {1, 0};
    struct suggest_cell cell = {0};
    struct front_point points[FRONT_MAX];

    assert_int_equal(suggest_sum(surface, 1, always).cell.needless, 0);
    assert_int_equal(suggest_sum(surface, 1, always).n_found, 1);
    assert_int_equal(suggest_sum(surface, 1, now).cell.needless, 37);
    assert_true(suggest_is_never_over(surface, now, always));
    assert_false(suggest_is_never_over(surface, now, now));
    assert_false(suggest_is_never_over(surface, always, always));
    assert_false(suggest_setting(surface, 3, 1, 1, now, 10, &cell));
    assert_int_equal(front_of(surface, 3, 1, 1, now, points), 1);
    assert_int_equal(points[0].at.threshold, 1);
    surface_free(surface);
}

static void test_intervals(void **state)
{
    double low;
    double high;

    suggest_interval(4, 5, &low, &high); /* not "80 %" */
    assert_true(fabs(low - 0.3755) < 0.001 && fabs(high - 0.9638) < 0.001);
    suggest_interval(0, 0, &low, &high);
    assert_true(low == 0 && high == 1);
    suggest_interval(10, 10, &low, &high);
    assert_true(fabs(low - 0.7225) < 0.001 && high == 1);
}

/* --- the front --- */

static struct surface *any_surface(struct rng *rng, size_t n_incidents)
{
    static const double thresholds[] = {1, 2, 3, 4, 5, 6};
    static const uint32_t fors[] = {0, 1, 3, 6, 10};
    struct surface_incident incidents[4];
    static struct surface_crossing crossings[600];
    double values[600];

    for (size_t i = 0; i < n_incidents; i++) {
        uint32_t begin = (uint32_t)rng_below(rng, 580);
        incidents[i] = (struct surface_incident){begin, begin + (uint32_t)rng_below(rng, 20)};
    }
    struct surface *surface = surface_new(
        &(struct surface_grid){SURFACE_ABOVE, thresholds, 6, fors, 5, 0}, incidents, n_incidents);
    struct surface_series series = {0};
    for (int i = 0; i < 600; i++)
        values[i] = i > 0 && rng_below(rng, 3) ? values[i - 1] : (double)rng_below(rng, 70) / 10;
    (void)surface_feed(surface, &series, values, 600, NULL, crossings);
    surface_end(surface, &series, NULL);
    surface_finish(surface);
    return surface;
}

static bool beats(const struct front_point *a, const struct front_point *b)
{
    return a->cell.needless <= b->cell.needless && a->n_found >= b->n_found &&
           a->p90_delay <= b->p90_delay;
}

static bool is_alike(const struct front_point *a, const struct front_point *b)
{
    return beats(a, b) && beats(b, a);
}

static void check_front(const struct surface *surface,
                        size_t n_incidents,
                        const struct front_point *points,
                        size_t n)
{
    for (size_t j = 0; j < 6; j++)
        for (size_t k = 0; k < 5; k++) {
            const struct front_point cell = front_point(
                surface, n_incidents, (struct suggest_cell){2, 1}, (struct suggest_cell){j, k});
            size_t n_beating = 0;
            bool is_chosen_from = cell.n_found > 0 &&
                                  !suggest_is_never_over(surface, (struct suggest_cell){2, 1},
                                                         cell.at);
            for (size_t i = 0; i < n && is_chosen_from; i++) {
                n_beating += beats(&points[i], &cell);
                assert_true(!beats(&cell, &points[i]) || is_alike(&cell, &points[i]));
            }
            assert_true(n_beating > 0 || !is_chosen_from);
        }
    for (size_t i = 1; i < n; i++)
        assert_true(points[i].cell.needless <= points[i - 1].cell.needless);
}

static void test_nothing_beats_the_front(void **state)
{
    struct rng rng = {rng_os_seed()};
    struct front_point points[FRONT_MAX];

    for (int round = 0; round < 300; round++) {
        size_t n_incidents = rng_below(&rng, 5);
        row("round %d of seed %llu", round, (unsigned long long)rng.state);
        struct surface *surface = any_surface(&rng, n_incidents);
        size_t n = front_of(surface, 6, 5, n_incidents, (struct suggest_cell){2, 1}, points);
        check_front(surface, n_incidents, points, n);
        surface_free(surface);
    }
}

static void test_a_point_beside_now(void **state)
{
    const double thresholds[] = {2, 3, 4, 5, 6, 7, 7.5, 7.9, 8.5, 9};
    const uint32_t fors[] = {0, 1, 2, 5, 10, 15, 25};
    struct surface *surface = noisy(thresholds, 10, fors, 7);
    const struct suggest_cell now = {1, 0};

    struct front_point point = front_point(surface, 1, now, (struct suggest_cell){1, 3});
    assert_int_equal(point.cell.needless, 0);
    assert_int_equal(point.n_later, 1);
    assert_int_equal(point.later_by, 5);
    assert_int_equal(point.p90_delay, 5);
    assert_int_equal(point.n_lost, 0);
    point = front_point(surface, 1, now, (struct suggest_cell){1, 6});
    assert_int_equal(point.n_lost, 1);
    point = front_point(surface, 1, (struct suggest_cell){1, 6}, now);
    assert_int_equal(point.n_gained, 1);
    struct front_point points[FRONT_MAX];
    size_t n = front_of(surface, 10, 7, 1, now, points);
    assert_int_equal(n, 1); /* at once and without noise: above 5 */
    assert_int_equal(points[0].p90_delay, 0);
    assert_int_equal(points[0].cell.needless, 0);
    surface_free(surface);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thresholds_are_peaks_said_shortly),
        cmocka_unit_test(test_downwards_they_are_valleys),
        cmocka_unit_test(test_many_peaks_are_thinned),
        cmocka_unit_test(test_what_rises_once_has_thresholds_on_its_way),
        cmocka_unit_test(test_nothing_seen),
        cmocka_unit_test(test_fors),
        cmocka_unit_test(test_a_plateau_is_suggested),
        cmocka_unit_test(test_what_is_never_over_is_not_suggested),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_nothing_beats_the_front),
        cmocka_unit_test(test_a_point_beside_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
