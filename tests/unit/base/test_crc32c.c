/*
 * CRC-32C: by the processor's instruction, in lanes, as by tables; whatever the length and wherever it begins.
 */

#include "lib/base/crc32c.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

enum {
    BYTES = 9000, /* several times what goes in three lanes */
    ROUNDS = 3000,
};

static void test_ways_agree(void **state)
{
    static unsigned char bytes[BYTES];
    struct rng rng = {rng_os_seed()};

    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)rng_next(&rng);
    for (int round = 0; round < ROUNDS; round++) {
        size_t from = rng_below(&rng, BYTES + 1);
        size_t n = rng_below(&rng, BYTES - from + 1);
        uint32_t crc = (uint32_t)rng_next(&rng);
        row("round %d: %zu bytes from %zu", round, n, from);
        assert_int_equal(crc32c(crc, bytes + from, n), crc32c_by_tables(crc, bytes + from, n));
    }
}

static void test_lengths_near_the_lanes(void **state)
{
    static const unsigned char zeros[BYTES];

    for (size_t n = 2000; n < 4100; n++) {
        row("%zu zeros", n);
        assert_int_equal(crc32c(9, zeros, n), crc32c_by_tables(9, zeros, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_agree),
        cmocka_unit_test(test_lengths_near_the_lanes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
