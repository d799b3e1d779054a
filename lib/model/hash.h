#pragma once

/*
 * Fingerprints of bytes (XXH3). With a seed nobody outside knows, two different inputs
 * of one 128-bit value cannot be made on purpose.
 */

#include <stddef.h>
#include <stdint.h>

struct hash128 {
    uint64_t low, high;
};

struct hash128 hash128(const void *bytes, size_t len, uint64_t seed);
uint64_t hash64(const void *bytes, size_t len);
