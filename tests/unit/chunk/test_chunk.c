/*
 * What goes into a chunk comes out, bit for bit; what was damaged is refused.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/chunk/chunk.h"
#include "lib/base/crc32c.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "tests/lib/row.h"

static struct sample samples[CHUNK_SAMPLES_MAX];

/* As two columns, which a chunk is packed from. */
static int64_t times[CHUNK_SAMPLES_MAX];
static double values[CHUNK_SAMPLES_MAX];

static unsigned char *pack(const struct sample *from, size_t n, size_t *ret_len)
{
    unsigned char *bytes = mem_alloc(chunk_room(n));

    for (size_t i = 0; i < n; i++) {
        times[i] = from[i].t_ms;
        values[i] = from[i].value;
    }
    *ret_len = chunk_pack(times, values, n, bytes);
    assert_true(*ret_len <= chunk_room(n));
    return mem_realloc(bytes, *ret_len); /* so that a sanitizer sees who reads past the end */
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

/* Read four at a time where the processor can, and one by one as all can: the same answer, the same bits.
 * False: they are not read. */
static bool read_both_ways(
    const void *bytes, size_t len, int64_t *t, double *v, size_t *ret_n, struct err *reterr)
{
    static int64_t t_other[CHUNK_LONG_SAMPLES_MAX];
    static double v_other[CHUNK_LONG_SAMPLES_MAX];
    struct chunk_decoder decoder = {.one_by_one = true};
    struct chunk_info info;
    int64_t step_ms = 0;
    bool is_read = chunk_decode(bytes, len, t, v, ret_n, reterr) == 0;

    if (chunk_check(bytes, len, &info, NULL) != 0)
        return is_read;
    const struct chunk_view view = chunk_view_sealed(bytes, len, &info);
    assert_int_equal(chunk_decode_regular(&decoder, &view, t_other, v_other, &step_ms), is_read);
    chunk_decoder_done(&decoder);
    if (!is_read)
        return false;
    if (step_ms != 0)
        chunk_write_times(info.t0_ms, step_ms, info.n, t_other);
    assert_memory_equal(t_other, t, info.n * sizeof(*t));
    assert_memory_equal(v_other, v, info.n * sizeof(*v));
    return true;
}

static void check_long(const struct sample *from, size_t n)
{
    static int64_t t[CHUNK_SAMPLES_MAX];
    static double v[CHUNK_SAMPLES_MAX];
    unsigned char *bytes = mem_alloc(chunk_long_room(n));
    size_t len = chunk_pack_long(times, values, n, bytes); /* as pack() left them */
    struct err err = {0};
    size_t n_read = 0;

    bytes = mem_realloc(bytes, len);
    if (!read_both_ways(bytes, len, t, v, &n_read, &err))
        fail_msg("%s", err.text);
    assert_int_equal(n_read, n);
    check_columns(from, n, t, v);
    free(bytes);
}

/* Sealed and decoded, and read while open: the same. Returns the sealed size. */
static size_t check_round_trip(const struct sample *from, size_t n)
{
    static int64_t t[CHUNK_SAMPLES_MAX];
    static double v[CHUNK_SAMPLES_MAX];
    struct chunk *chunk = NULL;
    struct err err = {0};
    size_t n_read = 0;

    for (size_t i = 0; i < n; i++)
        chunk_append(&chunk, from[i]);
    chunk_read_open(chunk, t, v);
    check_columns(from, n, t, v);
    size_t len;
    unsigned char *bytes = pack(from, n, &len);
    check_long(from, n);
    memset(t, 0, sizeof(t));
    if (!read_both_ways(bytes, len, t, v, &n_read, &err))
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

/* A value after `last`, as one of the kinds of series there are would have it. */
static double next_value(struct rng *rng, int kind, double last)
{
    switch (kind) {
    case 0:
        return rng_below(rng, 50) ? last + (double)rng_below(rng, 900)
                                  : 0;                  /* a counter, restarted */
    case 1: return rng_below(rng, 9) ? last : last + 1; /* an idle one */
    case 2:
        return (double)(rng_below(rng, 4000) * 4096 + (UINT64_C(1) << 33)); /* pages of memory */
    case 3: return ((double)rng_below(rng, 20001) - 10000) / 1000;          /* both signs */
    case 4: return sample_from_bits(rng_next(rng));
    case 5: return (double)rng_below(rng, UINT64_C(1) << 53) / (double)(UINT64_C(1) << 53);
    case 6: return rng_below(rng, 30) ? 0.25 : -0.0;
    default: return (double)(int64_t)rng_next(rng);
    }
}

/* What one kind of series does for a while, with gaps, jitter and markers that it ended. */
static void test_lives_of_a_kind(void **state)
{
    for (uint64_t seed = 1; seed <= 1200; seed++) {
        struct rng rng = {seed};
        size_t n = 1 + rng_below(&rng, seed % 3 ? 300 : CHUNK_SAMPLES_MAX);
        int64_t t = 1700000000000;
        uint64_t jitter = seed % 5 ? 1 : 1 + rng_below(&rng, 5000);
        double last = 0;

        for (size_t i = 0; i < n; i++) {
            t += 10000 + (int64_t)rng_below(&rng, jitter) + (rng_below(&rng, 100) ? 0 : 600000);
            last = next_value(&rng, (int)(seed % 8), last);
            samples[i] = (struct sample){t, rng_below(&rng, 70) ? last : sample_stale()};
        }
        (void)check_round_trip(samples, n);
    }
}

/* From any time on: all samples from there, and no more than two marks' worth before. */
static void test_an_open_chunk_is_read_from_a_mark_on(void **state)
{
    static int64_t t[CHUNK_SAMPLES_MAX];
    static double v[CHUNK_SAMPLES_MAX];
    enum {
        N = 300
    };

    for (int kind = 0; kind < 8; kind++) {
        struct rng rng = {(uint64_t)kind + 99};
        struct chunk *chunk = NULL;
        double last = 0;

        for (int i = 0; i < N; i++) {
            last = next_value(&rng, kind, last);
            samples[i] = (struct sample){i * INT64_C(10000) + (int64_t)rng_below(&rng, 9000), last};
            chunk_append(&chunk, samples[i]);
            size_t from = rng_below(&rng, (uint64_t)i + 1);
            const struct chunk_view view = chunk_view_open(chunk, samples[from].t_ms);
            size_t first = (size_t)i + 1 - view.n;
            assert_true(chunk_view_decode(&view, t, v));
            assert_true(first <= from);
            if (from + CHUNK_MARK_SAMPLES > (size_t)i)
                assert_true(view.n < 2 * CHUNK_MARK_SAMPLES + 2);
            check_columns(samples + first, view.n, t, v);
        }
        chunk_done(&chunk);
    }
}

/* Decimals of every size and every number of digits, which are read without a division: by their division. */
static void test_decimals_of_every_size(void **state)
{
    enum {
        N = CHUNK_LONG_SAMPLES_MAX - 3 /* not by fours */
    };
    static int64_t t[N], t_read[N];
    static double v[N], v_read[N];
    unsigned char *bytes = mem_alloc(chunk_long_room(N));
    struct rng rng = {4};
    double power = 1;
    size_t n_read = 0;

    for (int exponent = 1; exponent <= 15; exponent++) {
        power *= 10;
        for (unsigned bits = 3; bits <= 53; bits += 2) {
            for (int i = 0; i < N; i++) {
                double number = (double)rng_below(&rng, UINT64_C(1) << bits);

                t[i] = 1700000000000 + i * INT64_C(5000);
                v[i] = (i % 3 ? number : -number) / power;
            }
            size_t len = chunk_pack_long(t, v, N, bytes);
            assert_true(read_both_ways(bytes, len, t_read, v_read, &n_read, NULL));
            assert_int_equal(n_read, N);
            for (int i = 0; i < N; i++)
                if (sample_bits(v_read[i]) != sample_bits(v[i]))
                    fail_msg("%a of 10^%d, not %a", v_read[i], exponent, v[i]);
        }
    }
    free(bytes);
}

static void test_a_whole_day_in_one(void **state)
{
    enum {
        N = CHUNK_LONG_SAMPLES_MAX
    };
    static int64_t t[N], t_read[N];
    static double v[N], v_read[N];
    unsigned char *bytes = mem_alloc(chunk_long_room(N));
    size_t n_read = 0;

    for (int kind = 0; kind < 8; kind++) {
        struct rng rng = {(uint64_t)kind + 7};
        for (int i = 0; i < N; i++) {
            t[i] = 1700000000000 + i * INT64_C(5000);
            v[i] = next_value(&rng, kind, i ? v[i - 1] : 0);
        }
        size_t len = chunk_pack_long(t, v, N, bytes);
        row("kind %d: %.3f bytes a sample", kind, (double)len / N);
        assert_true(read_both_ways(bytes, len, t_read, v_read, &n_read, NULL));
        assert_int_equal(n_read, N);
        assert_memory_equal(t_read, t, sizeof(t));
        assert_memory_equal(v_read, v, sizeof(v));
    }
    free(bytes);
}

/* Regular times are told and not written; values on both sides of where floats are no whole numbers any
 * more. */
static void test_regular_times_are_left_out(void **state)
{
    static const double odd[] = {
        2251799813685247, 2251799813685248, -2251799813685249, 9007199254740991, -0.0, 0.1, 1e300};
    enum {
        N = 800
    };
    static int64_t t[N], t_read[N];
    static double v[N], v_read[N];
    int64_t step_ms = 0;
    MEM_AUTO unsigned char *bytes = mem_alloc(chunk_long_room(N) + chunk_room(N));
    struct chunk_decoder decoder = {0};

    for (uint64_t round = 0; round < 400; round++) {
        struct rng rng = {round};
        bool is_regular = round % 2, is_long = round % 4 / 2;
        double far = odd[round % (sizeof(odd) / sizeof(*odd))];
        struct chunk_info info;
        for (int64_t i = 0; i < N; i++) {
            t[i] = i * 15000 + (!is_regular && i == 700);
            v[i] = rng_below(&rng, 100) ? floor((double)i * 3) / 100 : far;
        }
        if (round % 7 < 3) /* all of them far: no decimals, or whole numbers */
            for (int i = 0; i < N; i++)
                v[i] = far - i;
        size_t len = is_long ? chunk_pack_long(t, v, N, bytes) : chunk_pack(t, v, N, bytes);
        row("round %d", (int)round);
        assert_int_equal(chunk_check(bytes, len, &info, NULL), 0);
        const struct chunk_view view = chunk_view_sealed(bytes, len, &info);
        assert_true(chunk_decode_regular(&decoder, &view, t_read, v_read, &step_ms));
        assert_memory_equal(v, v_read, sizeof(v));
        if (step_ms == 0)
            assert_memory_equal(t, t_read, sizeof(t));
        assert_true(is_regular ? step_ms == 15000 || bytes[0] == 1 : step_ms == 0);
    }
    chunk_decoder_done(&decoder);
}

static void test_ordinary_series_are_small(void **state)
{
    static const struct {
        const char *name;
        double step;
        int modulus, restart;
        double bytes_max; /* a sample */
    } rows[] = {
        {"constant", 0, 1, 720, 0.07},   {"counter", 1, 720, 720, 0.07},
        {"tenths", 0.1, 50, 720, 0.8},   {"pages", 4096, 200, 720, 1.1},
        {"restarted", 1, 720, 300, 0.1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (int k = 0; k < 720; k++) {
            int of = rows[i].modulus == 720 ? k % rows[i].restart : k * 7919 % rows[i].modulus;
            samples[k] = (struct sample){1700000000000 + k * INT64_C(10000),
                                         rows[i].step == 0.1 ? of / 10.0 : of * rows[i].step};
        }
        size_t len = check_round_trip(samples, 720);
        row("%s: %.3f bytes a sample", rows[i].name, (double)len / 720);
        assert_true((double)len / 720 < rows[i].bytes_max);
    }
}

/* Written before chunks were packed, from 1700000000000 on every 10 s: 0, 1.5, 1.5, stale. */
static void test_bits_of_old_are_read(void **state)
{
    static const double expected[] = {0, 1.5, 1.5};
    const unsigned char bytes[] = {0x01, 0x04, 0x00, 0x00, 0x68, 0xe5, 0xcf, 0x8b, 0x01, 0x00,
                                   0x00, 0x30, 0xdd, 0xe5, 0xcf, 0x8b, 0x01, 0x00, 0x00, 0x00,
                                   0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe0, 0x27, 0x10,
                                   0xc4, 0x57, 0xff, 0x18, 0x7d, 0x80, 0x10, 0x00, 0x00, 0x00,
                                   0x00, 0x00, 0x04, 0xaa, 0x2e, 0x50, 0xe7};
    int64_t t[4];
    double v[4];
    size_t n;

    assert_int_equal(chunk_decode(bytes, sizeof(bytes), t, v, &n, NULL), 0);
    assert_int_equal(n, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(t[i], 1700000000000 + i * INT64_C(10000));
    assert_memory_equal(v, expected, sizeof(expected));
    assert_true(sample_is_stale(v[3]));
}

static void test_damage_is_refused(void **state)
{
    static int64_t t[CHUNK_SAMPLES_MAX];
    static double v[CHUNK_SAMPLES_MAX];
    struct chunk_info info;
    struct err err = {0};
    size_t n;

    for (int k = 0; k < 60; k++)
        samples[k] = (struct sample){1700000000000 + k * INT64_C(10007), k * 0.37};
    size_t len;
    unsigned char *bytes = pack(samples, 60, &len);
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
}

/* A right checksum around wrong bits: a bug or a forger, not a flipped bit. */
static void test_forged_chunks(void **state)
{
    static int64_t t[CHUNK_SAMPLES_MAX];
    static double v[CHUNK_SAMPLES_MAX];
    unsigned char bytes[64];
    struct rng rng = {7};
    size_t n;

    for (int i = 0; i < 100000; i++) {
        size_t len = CHUNK_BYTES_MIN + rng_below(&rng, sizeof(bytes) - CHUNK_BYTES_MIN);
        for (size_t k = 0; k < len - 4; k++)
            bytes[k] = (unsigned char)rng_next(&rng);
        bytes[0] = (unsigned char[]){1, 3, 4, 5}[i % 4];
        bytes[2] = 0;
        if (i & 2) { /* a body that begins well: times that are the same apart, then anything */
            bytes[19] = 2;
            bytes[20] = bytes[21] = bytes[22] = 0;
            bytes[23] &= 3;
        }
        uint32_t crc = crc32c(0, bytes, len - 4);
        for (size_t k = 0; k < 4; k++)
            bytes[len - 4 + k] = (unsigned char)(crc >> (8 * k));
        if (read_both_ways(bytes, len, t, v, &n, NULL))
            for (size_t k = 1; k < n; k++)
                assert_true(t[k] > t[k - 1]);
    }
}

static void test_the_checksum_is_castagnolis(void **state)
{
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
    assert_int_equal(crc32c(0, "", 0), 0);
    struct rng rng = {3};
    unsigned char bytes[100];
    for (size_t n = 0; n < sizeof(bytes); n++) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = (unsigned char)rng_next(&rng);
        assert_int_equal(crc32c(9, bytes, n), crc32c_by_tables(9, bytes, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_comes_back),
        cmocka_unit_test(test_random_lives),
        cmocka_unit_test(test_lives_of_a_kind),
        cmocka_unit_test(test_an_open_chunk_is_read_from_a_mark_on),
        cmocka_unit_test(test_decimals_of_every_size),
        cmocka_unit_test(test_a_whole_day_in_one),
        cmocka_unit_test(test_regular_times_are_left_out),
        cmocka_unit_test(test_ordinary_series_are_small),
        cmocka_unit_test(test_bits_of_old_are_read),
        cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_forged_chunks),
        cmocka_unit_test(test_the_checksum_is_castagnolis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
