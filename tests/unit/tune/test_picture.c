/*
 * A picture beside the values it is made of: levels step by step, however they came; columns; who is
 * loudest.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/tune/picture.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

enum {
    STEPS = 300,
    SERIES = 3,
    COLUMNS = 40,
    ROUNDS = 500,
};

static const double ascending[] = {-1, 0, 0.5, 2};
static const double descending[] = {2, 0.5, 0, -1};
enum {
    THRESHOLDS = sizeof(ascending) / sizeof(*ascending)
};

static bool passes(enum surface_op op, double value, double threshold)
{
    switch (op) {
    case SURFACE_ABOVE: return value > threshold;
    case SURFACE_AT_LEAST: return value >= threshold;
    case SURFACE_BELOW: return value < threshold;
    case SURFACE_AT_MOST: break;
    }
    return value <= threshold;
}

static unsigned level_of(const struct surface_grid *grid, double value)
{
    unsigned level = 0;

    while (level < grid->n_thresholds && passes(grid->op, value, grid->thresholds[level]))
        level++;
    return level;
}

static void fill(struct rng *rng, double *values)
{
    double value = 0;

    for (size_t i = 0; i < STEPS; i++) {
        switch (rng_below(rng, 8)) {
        case 0: value = NAN; break;
        case 1: value = ascending[rng_below(rng, THRESHOLDS)]; break;
        case 2: value = INFINITY; break;
        case 3: value = (double)rng_below(rng, 500) / 100 - 2; break;
        default: break;
        }
        values[i] = value;
    }
}

/* In pieces, with steps left out where there is nothing. */
static void show(struct rng *rng, struct picture *picture, size_t index, const double *values)
{
    for (uint32_t at = 0; at < STEPS;) {
        uint32_t n = 1 + (uint32_t)rng_below(rng, STEPS - at);
        if (isnan(values[at]) && rng_below(rng, 2)) {
            at++;
            continue;
        }
        picture_add(picture, index, labels_empty(), at, values + at, n);
        at += n;
    }
}

static void check_runs(const struct surface_grid *grid,
                       const struct picture_series *series,
                       const double *values)
{
    uint32_t step = 0;

    for (size_t at = 0; at < series->n_bytes;) {
        unsigned level = series->runs[at++];
        uint32_t n = 0;
        unsigned shift = 0;
        do {
            n |= (uint32_t)(series->runs[at] & 0x7f) << shift;
            shift += 7;
        } while (series->runs[at++] & 0x80);
        assert_true(n > 0 && step + n <= STEPS);
        for (; n > 0; n--, step++)
            assert_int_equal(level, level_of(grid, values[step]));
    }
    assert_int_equal(step, STEPS);
}

static void check_columns(const struct surface_grid *grid,
                          const struct picture_series *series,
                          const double *values)
{
    float least[COLUMNS];
    float greatest[COLUMNS];

    for (size_t i = 0; i < COLUMNS; i++)
        least[i] = greatest[i] = NAN;
    for (uint32_t i = grid->first_step; i < STEPS; i++) {
        size_t at = (size_t)(i - grid->first_step) * COLUMNS / (STEPS - grid->first_step);
        if (isnan(values[i]))
            continue;
        least[at] = isnan(least[at]) || values[i] < least[at] ? (float)values[i] : least[at];
        greatest[at] = isnan(greatest[at]) || values[i] > greatest[at] ? (float)values[i]
                                                                       : greatest[at];
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        assert_true(isnan(least[i]) ? isnan(series->least[i]) : series->least[i] == least[i]);
        assert_true(isnan(greatest[i]) ? isnan(series->greatest[i])
                                       : series->greatest[i] == greatest[i]);
    }
}

static void test_levels_are_those_of_the_values(void **state)
{
    struct rng rng = {rng_os_seed()};
    static double values[STEPS];

    for (int round = 0; round < ROUNDS; round++) {
        row("round %d of seed %llu", round, (unsigned long long)rng.state);
        enum surface_op op = (enum surface_op)rng_below(&rng, 4);
        bool is_turned = op == SURFACE_BELOW || op == SURFACE_AT_MOST;
        const struct surface_grid grid = {.op = op,
                                          .thresholds = is_turned ? descending : ascending,
                                          .n_thresholds = THRESHOLDS,
                                          .first_step = (uint32_t)rng_below(&rng, STEPS - COLUMNS)};
        struct picture *picture = picture_new(&grid, STEPS, COLUMNS);
        assert_non_null(picture);
        fill(&rng, values);
        show(&rng, picture, 0, values);
        picture_finish(picture);
        struct picture_series series = picture_series(picture, 0);
        struct picture_series all = picture_all(picture);
        assert_int_equal(picture_n_series(picture), 1);
        check_runs(&grid, &series, values);
        check_columns(&grid, &series, values);
        check_columns(&grid, &all, values);
        picture_free(picture);
    }
}

static void test_the_loudest_come_first(void **state)
{
    const struct surface_grid grid = {
        .op = SURFACE_ABOVE, .thresholds = ascending, .n_thresholds = THRESHOLDS};
    const double quiet[] = {1, 1, -5, -5};
    const double loud[] = {1, 1, 1, 3};
    const double high[] = {-5, -5, 1, 3};
    const double *values[SERIES] = {quiet, loud, high};
    struct picture *picture = picture_new(&grid, 4, 2);

    for (size_t i = 0; i < SERIES; i++)
        picture_add(picture, i, labels_empty(), 0, values[i], 4);
    picture_finish(picture);
    assert_int_equal(picture_sort(picture, 2), SERIES);
    assert_true(picture_series(picture, 0).greatest[0] == 1);
    assert_true(picture_series(picture, 0).greatest[1] == 3);
    assert_true(picture_series(picture, 1).greatest[0] == -5);
    assert_true(picture_series(picture, 2).greatest[1] == -5);
    assert_true(picture_all(picture).least[0] == -5);
    picture_free(picture);
}

static void test_limits(void **state)
{
    struct surface_grid grid = {.thresholds = ascending, .n_thresholds = THRESHOLDS};

    assert_null(picture_new(&grid, 0, 10));
    assert_null(picture_new(&grid, 10, 0));
    assert_null(picture_new(&grid, 10, PICTURE_COLUMNS_MAX + 1));
    grid.n_thresholds = PICTURE_THRESHOLDS_MAX + 1;
    assert_null(picture_new(&grid, 10, 10));
    picture_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_are_those_of_the_values),
        cmocka_unit_test(test_the_loudest_come_first),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
