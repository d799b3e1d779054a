/*
 * CRC-32C. See crc32c.h. By the processor's own instruction where it has one, else by tables:
 * Kounavis and Berry's "slicing-by-8" (2005), so that eight bytes are looked up independently.
 */

#include "lib/base/crc32c.h"

#include <string.h>

enum {
    N_TABLES = 8
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
};

/* Filled before main(), when there is one thread; constant from then on. */
static struct tables tables;

__attribute__((constructor)) static void fill_tables(void)
{
    for (uint32_t i = 0; i < 256; i++)
        tables.at[0][i] = step_byte(i);
    for (int t = 1; t < N_TABLES; t++)
        for (uint32_t i = 0; i < 256; i++)
            tables.at[t][i] = (tables.at[t - 1][i] >> 8) ^ tables.at[0][tables.at[t - 1][i] & 0xff];
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
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc,
                                                                 const unsigned char *at,
                                                                 size_t len)
{
    uint64_t wide = crc;

    for (; len >= 8; len -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
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
