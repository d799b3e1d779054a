/*
 * Fingerprints of bytes. See hash.h.
 */

#include "lib/model/hash.h"

#include <xxhash.h>

struct hash128 hash128(const void *bytes, size_t len, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes, len, seed);

    return (struct hash128){hash.low64, hash.high64};
}

uint64_t hash64(const void *bytes, size_t len)
{
    return XXH3_64bits(bytes, len);
}
