/*
 * Whole numbers come back whatever they are, in as few bytes as they need.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/chunk/ints.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

enum {
    N_MAX = 1024
};

static int64_t numbers[N_MAX];

/* Returns the bytes they took; they are read from exactly so many. */
static size_t check_layout(enum ints_layout layout, size_t n)
{
    static int64_t read[N_MAX];
    const struct ints_plan plan = ints_plan(layout, numbers, n);
    size_t most = ints_bytes(&plan, n);
    unsigned char *bytes = mem_alloc(most);

    size_t len = (size_t)(ints_write(&plan, numbers, n, bytes) - bytes);
    assert_true(len <= most);
    bytes = mem_realloc(bytes, len);
    if (ints_read(layout, bytes, bytes + len, n, read) != bytes + len)
        fail_msg("%zu numbers of width %u are not read back", n, plan.width);
    assert_memory_equal(read, numbers, n * sizeof(*read));
    for (size_t cut = 0; cut < len && cut < 64; cut++)
        assert_null(ints_read(layout, bytes, bytes + cut, n, read));
    free(bytes);
    return len;
}

static size_t check_round_trip(size_t n)
{
    (void)check_layout(INTS_PLANES, n);
    return check_layout(INTS_BITS, n);
}

static void test_every_width(void **state)
{
    struct rng rng = {11};

    for (unsigned width = 0; width <= 64; width++)
        for (size_t n = 1; n <= N_MAX; n = n * 3 + 1) {
            for (size_t i = 0; i < n; i++)
                numbers[i] = width ? (int64_t)(rng_next(&rng) >> (64 - width)) : -7;
            (void)check_round_trip(n);
        }
}

static void test_the_ends_of_int64(void **state)
{
    const int64_t ends[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT64_MIN + 1, INT64_MAX - 1};
    struct rng rng = {12};

    for (int k = 0; k < 500; k++) {
        size_t n = 1 + rng_below(&rng, 60);
        for (size_t i = 0; i < n; i++)
            numbers[i] = ends[rng_below(&rng, sizeof(ends) / sizeof(*ends))];
        (void)check_round_trip(n);
    }
}

static void test_a_common_step_costs_nothing(void **state)
{
    for (size_t i = 0; i < N_MAX; i++)
        numbers[i] = (int64_t)(1000 + i % 2 * 4096);
    assert_true(check_round_trip(N_MAX) < N_MAX / 8 + 12);
}

static void test_the_few_that_are_far_off_stand_apart(void **state)
{
    for (size_t n_far = 0; n_far <= 12; n_far++) {
        for (size_t i = 0; i < N_MAX; i++)
            numbers[i] = (int64_t)(i * 7919 % 4);
        for (size_t k = 0; k < n_far; k++)
            numbers[k * 83] = k % 2 ? INT64_MIN + (int64_t)k : INT64_MAX - (int64_t)k;
        size_t len = check_round_trip(N_MAX);
        row("%zu far off: %zu bytes", n_far, len);
        if (n_far <= INTS_APART_MAX)
            assert_true(len <= N_MAX / 4 + 12 + n_far * INTS_APART_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_width),
        cmocka_unit_test(test_the_ends_of_int64),
        cmocka_unit_test(test_a_common_step_costs_nothing),
        cmocka_unit_test(test_the_few_that_are_far_off_stand_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
