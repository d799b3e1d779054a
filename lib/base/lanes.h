#pragma once

/*
 * Two doubles or two whole numbers at a time, as every processor we build for has them: for the loops that all
 * samples of a month go through, where the compiler alone takes them one by one. A comparison gives
 * all bits or none.
 *
 * Where even that is most of a month's time, a second way takes four at a time on processors that can:
 * a function of LANES_WIDE, asked for only where lanes_are_wide(). It gives the same bits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>

#define LANES_WIDE __attribute__((target("avx2,fma")))

static inline bool lanes_are_wide(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
static inline bool lanes_are_wide(void)
{
    return false;
}
#endif

enum {
    LANES = 2,
};

typedef double lanes_double __attribute__((vector_size(LANES * sizeof(double))));
typedef uint64_t lanes_word __attribute__((vector_size(LANES * sizeof(uint64_t))));

static inline lanes_double lanes_load(const double *at)
{
    lanes_double loaded;

    memcpy(&loaded, at, sizeof(loaded));
    return loaded;
}

enum {
    LANES_BYTES = 16,
};

/* Which of LANES_BYTES bytes have their highest bit: the first one is the lowest. */
static inline uint32_t lanes_byte_bits(const uint8_t *at)
{
#ifdef __x86_64__
    __m128i loaded;

    memcpy(&loaded, at, sizeof(loaded));
    return (uint32_t)_mm_movemask_epi8(loaded);
#else
    uint32_t bits = 0;

    for (size_t i = 0; i < LANES_BYTES; i++)
        bits |= (uint32_t)(at[i] >> 7) << i;
    return bits;
#endif
}
