/*
 * CRC-32C. See crc32c.h. By the processor's own instruction where it has one, else by tables:
 * Kounavis and Berry's "slicing-by-8" (2005), so that eight bytes are looked up independently.
 *
 * The instruction waits for the one before, three cycles long; so three lanes of bytes go side by side. What the sum of
 * a lane becomes behind so many zero bytes is looked up, and the next lane's, begun at 0, is added (Gopal and others, "Fast CRC
 * Computation for iSCSI Polynomial Using CRC32 Instruction", 2011):
 *
 *     | lane a | lane b | lane c |        sum = behind(behind(a) ^ b) ^ c
 */

#include "lib/base/crc32c.h"

#include <string.h>

enum {
    N_TABLES = 8,
    LANE = 672, /* bytes: two times three of them in a page */
};

/* One step of one bit, the polynomial reflected. */
static uint32_t step_bit(uint32_t crc)
{
    return (crc >> 1) ^ ((crc & 1) ? UINT32_C(0x82f63b78) : 0);
}

static uint32_t step_byte(uint32_t crc)
{
    for (int i = 0; i < 8; i++)
        crc = step_bit(crc);
    return crc;
}

struct tables {
    uint32_t at[N_TABLES][256];
    uint32_t behind[4][256]; /* by the sum's bytes: what it is behind LANE zero bytes */
};

/* Filled before main(), when there is one thread; constant from then on. */
static struct tables tables;

/* A sum is added up from its bits'. */
static void fill_behind(void)
{
    for (size_t bit = 0; bit < 32; bit++) {
        uint32_t *of_byte = tables.behind[bit / 8];
        size_t place = (size_t)1 << bit % 8;
        uint32_t crc = UINT32_C(1) << bit;

        for (int i = 0; i < LANE; i++)
            crc = (crc >> 8) ^ tables.at[0][crc & 0xff];
        for (size_t i = 0; i < place; i++)
            of_byte[place + i] = of_byte[i] ^ crc;
    }
}

__attribute__((constructor)) static void fill_tables(void)
{
    for (uint32_t i = 0; i < 256; i++)
        tables.at[0][i] = step_byte(i);
    for (int t = 1; t < N_TABLES; t++)
        for (uint32_t i = 0; i < 256; i++)
            tables.at[t][i] = (tables.at[t - 1][i] >> 8) ^ tables.at[0][tables.at[t - 1][i] & 0xff];
    fill_behind();
}

static uint32_t by_tables(uint32_t crc, const unsigned char *at, size_t len)
{
    for (; len >= 8; len -= 8, at += 8) {
        uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                              (uint32_t)at[3] << 24);

        crc = tables.at[7][low & 0xff] ^ tables.at[6][(low >> 8) & 0xff] ^
              tables.at[5][(low >> 16) & 0xff] ^ tables.at[4][low >> 24] ^ tables.at[3][at[4]] ^
              tables.at[2][at[5]] ^ tables.at[1][at[6]] ^ tables.at[0][at[7]];
    }
    for (; len > 0; len--, at++)
        crc = (crc >> 8) ^ tables.at[0][(crc ^ *at) & 0xff];
    return crc;
}

#ifdef __x86_64__
static uint32_t behind_lane(uint64_t crc)
{
    return tables.behind[0][crc & 0xff] ^ tables.behind[1][crc >> 8 & 0xff] ^
           tables.behind[2][crc >> 16 & 0xff] ^ tables.behind[3][crc >> 24 & 0xff];
}

__attribute__((target("sse4.2"))) static inline uint64_t add_word(uint64_t crc,
                                                                  const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return __builtin_ia32_crc32di(crc, word);
}

__attribute__((target("sse4.2"))) static uint64_t add_lanes(uint64_t crc, const unsigned char *at)
{
    uint64_t second = 0;
    uint64_t third = 0;

    for (size_t i = 0; i < LANE; i += 8) {
        crc = add_word(crc, at + i);
        second = add_word(second, at + LANE + i);
        third = add_word(third, at + (size_t)2 * LANE + i);
    }
    return behind_lane(behind_lane(crc) ^ second) ^ third;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc,
                                                                 const unsigned char *at,
                                                                 size_t len)
{
    const size_t lanes = (size_t)3 * LANE;
    uint64_t wide = crc;

    for (; len >= lanes; len -= lanes, at += lanes)
        wide = add_lanes(wide, at);
    for (; len >= 8; len -= 8, at += 8)
        wide = add_word(wide, at);
    crc = (uint32_t)wide;
    for (; len > 0; len--, at++)
        crc = __builtin_ia32_crc32qi(crc, *at);
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return ~by_instruction(~crc, bytes, len);
#endif
    return ~by_tables(~crc, bytes, len);
}

uint32_t crc32c_by_tables(uint32_t crc, const void *bytes, size_t len)
{
    return ~by_tables(~crc, bytes, len);
}
