#pragma once

/*
 * Whole numbers of seven bits a byte, the lowest first; the highest bit says that more follow.
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

/* The byte behind it; NULL: it does not end, or is none of 63 bits. */
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
    return NULL;
}
