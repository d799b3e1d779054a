/*
 * What is read four at a time is what is read one by one, to the last bit, out of exactly the bytes that
 * are there and into exactly the room that values need.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/chunk/ints.h"
#include "alertd/chunk/wide.h"
#include "lib/base/lanes.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "lib/model/sample.h"
#include "tests/lib/row.h"

enum {
    N_MAX = 1100,
    EXPONENT_MAX = 15,
};

#define NEAR_MAX (INT64_C(1) << 51)

static int64_t numbers[N_MAX];

/* A row as chunks hold them, in just as many bytes. */
struct written {
    unsigned char *bytes;
    size_t len, n;
    enum ints_layout layout;
};

static struct written write_row(enum ints_layout layout, size_t n)
{
    const struct ints_plan plan = ints_plan(layout, numbers, n);
    struct written row = {.bytes = mem_alloc(ints_bytes(&plan, n)), .n = n, .layout = layout};

    row.len = (size_t)(ints_write(&plan, numbers, n, row.bytes) - row.bytes);
    row.bytes = mem_realloc(row.bytes, row.len);
    return row;
}

static bool read_wide(const struct written *row, double power, const int64_t *first, double *values)
{
    const unsigned char *end = row->bytes + row->len;
    struct ints_head head;
    const unsigned char *at = ints_read_head(row->layout, row->bytes, end, row->n, &head);

    assert_non_null(at);
    const struct wide_codes codes = {&head, at, end, row->n, power, first};
    return wide_read(&codes, values);
}

/* Returns whether it was read at all. */
static bool check_row(enum ints_layout layout, size_t n, double power, const int64_t *first)
{
    const struct written row = write_row(layout, n);
    size_t n_values = n + (first != NULL);
    double *values = mem_alloc(n_values * sizeof(*values));
    bool is_read = read_wide(&row, power, first, values);
    int64_t sum = first ? *first : 0;

    for (size_t i = 0; is_read && i < n_values; i++) {
        if (first && i > 0)
            sum += numbers[i - 1];
        double expected = (double)(first ? sum : numbers[i]) / power;
        if (sample_bits(values[i]) != sample_bits(expected))
            fail_msg("%zu of %zu by %g: %.17g, not %.17g", i, n_values, power, values[i], expected);
    }
    free(values);
    free(row.bytes);
    return is_read;
}

static void fill(struct rng *rng, size_t n, unsigned width, uint64_t step)
{
    int64_t low = (int64_t)(rng_next(rng) >> (16 + rng_below(rng, 48)));

    if (rng_below(rng, 2))
        low = -low;
    for (size_t i = 0; i < n; i++)
        numbers[i] = low + (int64_t)(step * (rng_next(rng) >> (64 - width)));
}

static void test_every_width_and_length(void **state)
{
    struct rng rng = {21};
    size_t n_read = 0;

    for (unsigned round = 0; round < 20000; round++) {
        unsigned width = 1 + (unsigned)rng_below(&rng, 34);
        size_t n = 1 + (rng_below(&rng, 4) ? rng_below(&rng, 90) : rng_below(&rng, N_MAX - 1));
        double power = pow(10, (double)rng_below(&rng, EXPONENT_MAX + 1));
        int64_t first = (int64_t)(rng_next(&rng) >> (12 + rng_below(&rng, 50)));

        fill(&rng, n, width, rng_below(&rng, 3) ? 1 : 1 + rng_below(&rng, 5000));
        for (unsigned way = 0; way < 4; way++)
            n_read += check_row(way & 2 ? INTS_PLANES : INTS_BITS, n, power,
                                way & 1 ? &first : NULL);
    }
    row("%zu rows were read", n_read);
    assert_true(lanes_are_wide() ? n_read > 20000 : n_read == 0);
}

/* Of 0 and one other number each. */
static void test_what_is_read_at_all(void **state)
{
    static const struct {
        const char *name;
        int64_t other;
        int64_t first; /* of sums; INT64_MIN: none */
        bool stands_apart, expected;
    } rows[] = {
        {"of 15 bits", 32767, INT64_MIN, false, true},
        {"of 32 bits", UINT32_MAX, INT64_MIN, false, true},
        {"of 33 bits", (INT64_C(1) << 32) + 1, INT64_MIN, false, false},
        {"a step of 32 bits", UINT32_MAX - 1, INT64_MIN, false, true},
        {"a step of more", INT64_C(1) << 32, INT64_MIN, false, false},
        {"one apart", 3, INT64_MIN, true, false},
        {"all the same", 0, INT64_MIN, false, false},
        {"sums that stay near", 1, NEAR_MAX - N_MAX - 1, false, true},
        {"sums that may not", 1, NEAR_MAX - N_MAX, false, false},
        {"sums below that stay near", 1, -NEAR_MAX + N_MAX + 1, false, true},
        {"sums below that may not", 1, -NEAR_MAX + N_MAX, false, false},
        {"sums from the lowest of all", 1, INT64_MIN + 1, false, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const int64_t *first = rows[i].first == INT64_MIN ? NULL : &rows[i].first;

        for (size_t k = 0; k < N_MAX; k++)
            numbers[k] = k % 2 ? rows[i].other : rows[i].other == UINT32_MAX && k % 3 == 0;
        if (rows[i].stands_apart)
            numbers[500] = INT64_MAX;
        row("%s", rows[i].name);
        assert_int_equal(check_row(INTS_BITS, N_MAX, 1, first),
                         rows[i].expected && lanes_are_wide());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_width_and_length),
        cmocka_unit_test(test_what_is_read_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
