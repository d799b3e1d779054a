/*
 * Who lies where in a pack comes back as it was said; what was damaged is refused.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/store/places.h"
#include "lib/base/crc32c.h"
#include "lib/base/mem.h"
#include "lib/base/rng.h"
#include "lib/base/varint.h"
#include "tests/lib/row.h"

enum {
    MOST = 150,
    CRC_BYTES = 4,
    FIRST = 1000,
};

/* Neighbours, mostly of the same times; some that have nothing in common. */
static size_t random_places(struct rng *rng, struct place *places)
{
    size_t n = 1 + rng_below(rng, MOST - 1);
    struct place place = {.series = FIRST};
    uint64_t end = 0;

    for (size_t i = 0; i < n; i++) {
        struct chunk_info *info = &place.head.info;
        uint64_t span = rng_below(rng, 2) ? 86370000 : rng_below(rng, UINT64_C(1) << 50);

        if (i == 0 || rng_below(rng, 4) == 0) {
            info->n = 1 + rng_below(rng, CHUNK_LONG_SAMPLES_MAX);
            info->t0_ms = (int64_t)rng_below(rng, UINT64_C(1) << 50) - (INT64_C(1) << 49);
            info->t1_ms = info->t0_ms + (int64_t)span;
        }
        place.series += (uint32_t)rng_below(rng, 3);
        place.is_nobodys = rng_below(rng, 8) == 0;
        place.head.format = (uint8_t)(4 + rng_below(rng, 2));
        place.at = end;
        place.len = 1 + rng_below(rng, rng_below(rng, 2) ? 200 : 60000);
        place.is_again = i > 0 && rng_below(rng, 4) == 0;
        if (place.is_again) {
            const struct place *other = &places[i - 1 - rng_below(rng, i < 64 ? i : 64)];

            place.at = other->at;
            place.len = other->len;
        } else {
            end += place.len;
        }
        places[i] = place;
    }
    return n;
}

static void write_places(struct places *out, const struct place *places, size_t n)
{
    places_begin(out, FIRST);
    for (size_t i = 0; i < n; i++)
        places_add(out, &places[i]);
    places_finish(out);
}

static void check_place(const struct place *read, const struct place *said)
{
    assert_int_equal(read->series, said->series);
    assert_int_equal(read->is_nobodys, said->is_nobodys);
    assert_int_equal(read->head.format, said->head.format);
    assert_int_equal(read->head.info.n, said->head.info.n);
    assert_int_equal(read->head.info.t0_ms, said->head.info.t0_ms);
    assert_int_equal(read->head.info.t1_ms, said->head.info.t1_ms);
    assert_int_equal(read->at, said->at);
    assert_int_equal(read->len, said->len);
    assert_int_equal(read->is_again, said->is_again);
}

static void test_places_come_back(void **state)
{
    struct places out = {0};
    struct place places[MOST], place;
    struct places_reader reader;

    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct rng rng = {seed};
        size_t n = random_places(&rng, places);

        write_places(&out, places, n);
        MEM_AUTO unsigned char *bytes = mem_dup(out.bytes, out.n);
        places_read(&reader, FIRST, bytes, out.n);
        for (size_t i = 0; i < n; i++) {
            assert_true(places_next(&reader, &place));
            check_place(&place, &places[i]);
        }
        assert_false(places_next(&reader, &place));
        assert_false(reader.is_damaged);
    }
    places_done(&out);
}

static void test_neighbours_take_four_bytes(void **state)
{
    struct places out = {0};
    struct place place = {.head = {5, {2880, 1700000000000, 1700086370000}}, .len = 350};

    places_begin(&out, FIRST);
    for (uint32_t i = 0; i < 11; i++) {
        place.series = FIRST + i;
        places_add(&out, &place);
        place.at += place.len;
    }
    places_finish(&out);
    row("%zu bytes", out.n);
    assert_true(out.n <= 1 + 11 * 4 + 2 + 7 + 4 + CRC_BYTES);
    places_done(&out);
}

static size_t count(const void *bytes, size_t len, bool *ret_damaged)
{
    MEM_AUTO void *copy = mem_dup(bytes, len); /* so that a sanitizer sees who reads past the end */
    struct places_reader reader;
    struct place place;
    size_t n = 0;

    places_read(&reader, FIRST, copy, len);
    while (places_next(&reader, &place))
        n++;
    *ret_damaged = reader.is_damaged;
    return n;
}

static void test_what_is_damaged_is_refused(void **state)
{
    struct places out = {0};
    struct place places[MOST];
    struct rng rng = {3};
    bool damaged;

    write_places(&out, places, random_places(&rng, places));
    for (size_t bit = 0; bit < out.n * 8; bit++) {
        out.bytes[bit / 8] ^= (unsigned char)(1U << (bit % 8));
        assert_int_equal(count(out.bytes, out.n, &damaged), 0);
        assert_true(damaged);
        out.bytes[bit / 8] ^= (unsigned char)(1U << (bit % 8));
    }
    for (size_t len = 0; len < out.n; len++) {
        assert_int_equal(count(out.bytes, len, &damaged), 0);
        assert_true(damaged);
    }
    places_done(&out);
}

/* The checksum is right, and nothing else. */
static void test_nothing_is_believed(void **state)
{
    unsigned char bytes[64];
    size_t n_damaged = 0;
    bool damaged;

    for (uint64_t seed = 0; seed < 20000; seed++) {
        struct rng rng = {seed};
        size_t len = 1 + rng_below(&rng, sizeof(bytes) - 1 - CRC_BYTES);

        for (size_t i = 0; i < len; i++)
            bytes[i] = rng_below(&rng, 3) ? (unsigned char)rng_below(&rng, 256) : 0xff;
        bytes[0] = 1;
        uint32_t crc = crc32c(0, bytes, len);
        memcpy(bytes + len, &crc, sizeof(crc));
        (void)count(bytes, len + CRC_BYTES, &damaged);
        n_damaged += damaged;
    }
    assert_true(n_damaged > 10000);
}

/* A first place of one byte, of one sample at a time that is said; the checksum is right. */
static bool is_read(uint64_t later, uint64_t span)
{
    unsigned char bytes[64] = {1, 0, 7, 2,
                               1}; /* the format, of the first, says n, t0 and span, a byte, n */
    size_t n = 5;
    bool damaged;

    n += varint_put(bytes + n, later);
    n += varint_put(bytes + n, span);
    uint32_t crc = crc32c(0, bytes, n);
    memcpy(bytes + n, &crc, sizeof(crc));
    return count(bytes, n + CRC_BYTES, &damaged) == 1 && !damaged;
}

static void test_times_are_of_63_bits(void **state)
{
    assert_true(is_read(0, 0));
    assert_true(is_read(INT64_MAX, 0));
    assert_true(is_read(0, INT64_MAX));
    assert_false(is_read(UINT64_C(1) << 63, 0));
    assert_false(is_read(0, UINT64_C(1) << 63));
    assert_false(is_read(UINT64_MAX, UINT64_MAX));
}

static void test_a_lean_chunk_is_made_whole(void **state)
{
    enum {
        N = 500
    };
    int64_t t[N];
    double v[N];
    struct chunk_info info;
    MEM_AUTO unsigned char *bytes = mem_alloc(chunk_long_room(N));
    MEM_AUTO unsigned char *again = mem_alloc(chunk_long_room(N));

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct rng rng = {seed};
        size_t n = 1 + rng_below(&rng, N);
        int64_t step_ms = 1 + (int64_t)rng_below(&rng, 20000);

        for (size_t i = 0; i < n; i++) {
            t[i] = (int64_t)(i ? t[i - 1] + step_ms : (int64_t)rng_below(&rng, 1000) - 500);
            v[i] = seed % 2 ? 1 : (double)rng_below(&rng, 300) / 10;
        }
        size_t len = chunk_pack_long(t, v, n, bytes);
        struct lean_head head = lean_take(bytes);
        lean_give(&head, bytes + LEAN_LEFT_OUT, len - LEAN_LEFT_OUT, again);
        assert_memory_equal(bytes, again, len);
        head.info.t1_ms++;
        lean_give(&head, bytes + LEAN_LEFT_OUT, len - LEAN_LEFT_OUT, again);
        assert_int_equal(chunk_check(again, len, &info, NULL), CHUNK_E_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places_come_back),
        cmocka_unit_test(test_neighbours_take_four_bytes),
        cmocka_unit_test(test_what_is_damaged_is_refused),
        cmocka_unit_test(test_nothing_is_believed),
        cmocka_unit_test(test_times_are_of_63_bits),
        cmocka_unit_test(test_a_lean_chunk_is_made_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
