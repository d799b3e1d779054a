/*
 * Numbers of seven bits a byte: each comes back out of as few bytes as it needs, and what is none of 64 bits is
 * refused.
 */

#include <stdbool.h>

#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "lib/base/varint.h"
#include "tests/lib/row.h"

static void check(uint64_t x)
{
    unsigned char bytes[VARINT_BYTES_MAX + 1];
    size_t n = varint_put(bytes, x);
    MEM_AUTO unsigned char *copy = mem_dup(bytes,
                                           n); /* so that a sanitizer sees who reads past the end */
    uint64_t read = ~x;

    row("%llx in %zu bytes", (unsigned long long)x, n);
    assert_true(n == 1 || x >> (7 * (n - 1)) > 0);
    assert_true(n == VARINT_BYTES_MAX || x >> (7 * n) == 0);
    assert_ptr_equal(varint_get(copy, copy + n, &read), copy + n);
    assert_true(read == x);
    assert_ptr_equal(varint_get(bytes, bytes + n + 1, &read), bytes + n);
    assert_null(varint_get(copy, copy + n - 1, &read));
    assert_true(varint_unzigzag(varint_zigzag((int64_t)x)) == (int64_t)x);
}

static void test_numbers_come_back(void **state)
{
    struct rng rng = {5};

    for (unsigned bit = 0; bit < 64; bit++) {
        check(UINT64_C(1) << bit);
        check((UINT64_C(1) << bit) - 1);
    }
    check(UINT64_MAX);
    for (int i = 0; i < 20000; i++)
        check(rng_next(&rng) >> rng_below(&rng, 64));
}

static void test_small_ones_of_either_sign_are_short(void **state)
{
    for (int64_t x = -64; x < 64; x++)
        assert_true(varint_zigzag(x) < 0x80);
    assert_int_equal(varint_zigzag(-1), 1);
    assert_int_equal(varint_zigzag(1), 2);
    assert_true(varint_zigzag(INT64_MIN) == UINT64_MAX);
}

/* What others write may be longer than it need be, but not larger than 64 bits. */
static void test_what_is_read(void **state)
{
    static const struct {
        const char *name;
        unsigned char first, last;
        size_t n; /* the first ones, then the last */
        bool expected;
        uint64_t x;
    } rows[] = {
        {"nothing", 0, 0, 0, false, 0},
        {"0", 0, 0, 1, true, 0},
        {"0 in two bytes", 0x80, 0, 2, true, 0},
        {"0 in ten bytes", 0x80, 0, 10, true, 0},
        {"the largest of nine bytes", 0xff, 0x7f, 9, true, INT64_MAX},
        {"the largest", 0xff, 1, 10, true, UINT64_MAX},
        {"a 65th bit", 0xff, 2, 10, false, 0},
        {"a 70th bit", 0x80, 0x40, 10, false, 0},
        {"no end in ten bytes", 0x80, 0x80, 10, false, 0},
        {"eleven bytes", 0x80, 0, 11, false, 0},
        {"no end at all", 0xff, 0xff, 3, false, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        MEM_AUTO unsigned char *bytes = mem_alloc(rows[i].n + 1);
        const unsigned char *end = bytes + rows[i].n;
        uint64_t x = 9;

        for (size_t k = 0; k < rows[i].n; k++)
            bytes[k] = k + 1 < rows[i].n ? rows[i].first : rows[i].last;
        row("%s", rows[i].name);
        assert_ptr_equal(varint_get(bytes, end, &x), rows[i].expected ? end : NULL);
        assert_true(x == (rows[i].expected ? rows[i].x : 9));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_come_back),
        cmocka_unit_test(test_small_ones_of_either_sign_are_short),
        cmocka_unit_test(test_what_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
