/*
 * What goes into a chunk comes out, bit for bit; what was damaged is refused.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/chunk/chunk.h"
#include "alertd/chunk/crc32c.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

static struct sample samples[CHUNK_SAMPLES_MAX];

static void fill(const struct sample *from, size_t n, struct chunk *chunk)
{
    for (size_t i = 0; i < n; i++)
        chunk_append(chunk, from[i]);
}

static void check_columns(const struct sample *expected,
                          size_t n,
                          const int64_t *t,
                          const double *v)
{
    for (size_t i = 0; i < n; i++) {
        if (t[i] != expected[i].t_ms || sample_bits(v[i]) != sample_bits(expected[i].value))
            fail_msg("sample %zu of %zu: %lld %a, not %lld %a", i, n, (long long)t[i], v[i],
                     (long long)expected[i].t_ms, expected[i].value);
    }
}

/* Sealed and decoded, and read while open: the same. Returns the sealed size. */
static size_t check_round_trip(const struct sample *from, size_t n)
{
    static int64_t t[CHUNK_SAMPLES_MAX];
    static double v[CHUNK_SAMPLES_MAX];
    struct chunk chunk = CHUNK_INIT;
    struct err err = {0};
    size_t n_read = 0;

    fill(from, n, &chunk);
    chunk_read_open(&chunk, t, v);
    check_columns(from, n, t, v);
    size_t len = chunk_sealed_bytes(&chunk);
    unsigned char *bytes = mem_alloc(len);
    chunk_seal(&chunk, bytes);
    memset(t, 0, sizeof(t));
    if (chunk_decode(bytes, len, t, v, &n_read, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(n_read, n);
    check_columns(from, n, t, v);
    free(bytes);
    chunk_done(&chunk);
    return len;
}

static void test_every_bit_comes_back(void **state)
{
    const struct sample odd[] = {
        {INT64_MIN, NAN},
        {INT64_MIN + 1, sample_stale()},
        {-1, -0.0},
        {0, 0.0},
        {1, sample_from_bits(UINT64_C(0x7ff4deadbeef0001))},
        {128, 5e-324},
        {1700000000000, INFINITY},
        {1700000010000, -INFINITY},
        {1700000020000, 1.7976931348623157e308},
        {INT64_MAX - 1, sample_from_bits(UINT64_MAX)},
        {INT64_MAX, 1},
    };

    for (size_t n = 1; n <= sizeof(odd) / sizeof(*odd); n++)
        (void)check_round_trip(odd, n);
}

static void test_random_lives(void **state)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct rng rng = {seed};
        size_t n = 1 + rng_below(&rng, CHUNK_SAMPLES_MAX);
        int64_t t = (int64_t)(rng_next(&rng) >> 20);

        for (size_t i = 0; i < n; i++) {
            t += 1 + (int64_t)rng_below(&rng, UINT64_C(1) << rng_below(&rng, 30));
            samples[i].t_ms = t;
            switch (rng_below(&rng, 4)) {
            case 0: samples[i].value = i ? samples[i - 1].value : 0; break;
            case 1: samples[i].value = (double)rng_below(&rng, 1000); break;
            case 2: samples[i].value = (double)rng_below(&rng, 1000) / 100; break;
            default: samples[i].value = sample_from_bits(rng_next(&rng)); break;
            }
        }
        (void)check_round_trip(samples, n);
    }
}

static void test_ordinary_series_are_small(void **state)
{
    static const struct {
        const char *name;
        double step, bytes_max; /* a sample */
    } rows[] = {{"constant", 0, 0.4}, {"counter", 1, 2}, {"tenths", 0.1, 7.5}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (int k = 0; k < 720; k++)
            samples[k] = (struct sample){1700000000000 + k * INT64_C(10000), k * rows[i].step};
        size_t len = check_round_trip(samples, 720);
        row("%s: %.2f bytes a sample", rows[i].name, (double)len / 720);
        assert_true((double)len / 720 < rows[i].bytes_max);
    }
}

static void test_damage_is_refused(void **state)
{
    static int64_t t[CHUNK_SAMPLES_MAX];
    static double v[CHUNK_SAMPLES_MAX];
    struct chunk chunk = CHUNK_INIT;
    struct chunk_info info;
    struct err err = {0};
    size_t n;

    for (int k = 0; k < 60; k++)
        chunk_append(&chunk, (struct sample){1700000000000 + k * INT64_C(10007), k * 0.37});
    size_t len = chunk_sealed_bytes(&chunk);
    unsigned char *bytes = mem_alloc(len);
    chunk_seal(&chunk, bytes);
    assert_int_equal(chunk_check(bytes, len, &info, &err), 0);
    for (size_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        assert_int_equal(chunk_decode(bytes, len, t, v, &n, &err), CHUNK_E_CORRUPT);
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++) {
        unsigned char *copy = mem_dup(bytes, cut);
        assert_int_equal(chunk_decode(copy, cut, t, v, &n, &err), CHUNK_E_CORRUPT);
        free(copy);
    }
    free(bytes);
    chunk_done(&chunk);
}

/* A right checksum around wrong bits: a bug or a forger, not a flipped bit. */
static void test_forged_chunks(void **state)
{
    static int64_t t[CHUNK_SAMPLES_MAX];
    static double v[CHUNK_SAMPLES_MAX];
    unsigned char bytes[64];
    struct rng rng = {7};
    size_t n;

    for (int i = 0; i < 20000; i++) {
        size_t len = CHUNK_BYTES_MIN + rng_below(&rng, sizeof(bytes) - CHUNK_BYTES_MIN);
        for (size_t k = 0; k < len - 4; k++)
            bytes[k] = (unsigned char)rng_next(&rng);
        bytes[0] = 1;
        bytes[2] = 0;
        uint32_t crc = crc32c(0, bytes, len - 4);
        for (size_t k = 0; k < 4; k++)
            bytes[len - 4 + k] = (unsigned char)(crc >> (8 * k));
        if (chunk_decode(bytes, len, t, v, &n, NULL) == 0)
            for (size_t k = 1; k < n; k++)
                assert_true(t[k] > t[k - 1]);
    }
}

static void test_the_checksum_is_castagnolis(void **state)
{
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
    assert_int_equal(crc32c(0, "", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_comes_back),
        cmocka_unit_test(test_random_lives),
        cmocka_unit_test(test_ordinary_series_are_small),
        cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_forged_chunks),
        cmocka_unit_test(test_the_checksum_is_castagnolis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
