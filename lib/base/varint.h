#pragma once

/*
 * Whole numbers in as few bytes as they need: seven bits a byte, the lowest first; the highest bit says that
 * more follow. What can be negative is written in a zigzag (0, -1, 1, -2 ... are 0, 1, 2, 3), so that near 0 is
 * short on either side.
 */

#include <stddef.h>
#include <stdint.h>

enum {
    VARINT_BYTES_MAX = 10,
};

/* Returns how many bytes it took. */
static inline size_t varint_put(unsigned char *at, uint64_t x)
{
    size_t n = 0;

    for (; x >= 0x80; x >>= 7)
        at[n++] = (unsigned char)(x | 0x80);
    at[n++] = (unsigned char)x;
    return n;
}

/* The byte behind it; NULL: it does not end before `end`, or is none of 64 bits. */
static inline const unsigned char *varint_get(const unsigned char *at,
                                              const unsigned char *end,
                                              uint64_t *ret)
{
    uint64_t x = 0;

    for (unsigned shift = 0; at < end && shift < 63; shift += 7) {
        x |= (uint64_t)(*at & 0x7f) << shift;
        if (!(*at++ & 0x80)) {
            *ret = x;
            return at;
        }
    }
    if (at == end || *at > 1) /* one bit is left for a tenth byte */
        return NULL;
    *ret = x | (uint64_t)*at << 63;
    return at + 1;
}

static inline uint64_t varint_zigzag(int64_t x)
{
    return (uint64_t)x << 1 ^ (uint64_t)(x >> 63);
}

static inline int64_t varint_unzigzag(uint64_t x)
{
    return (int64_t)(x >> 1 ^ (0 - (x & 1)));
}
