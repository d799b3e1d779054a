#pragma once

/*
 * A sample: a float64 at a millisecond. Every bit of the value counts: one NaN
 * payload is the staleness marker ("this series ended here"), and all others are
 * ordinary NaNs.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SAMPLE_STALE_BITS UINT64_C(0x7ff0000000000002)

/* What a series' samples are. A chunk and a read are of one kind, so that native histograms
 * have their place; nothing makes or reads them yet, they are refused by name. */
enum sample_kind {
    SAMPLE_FLOAT,
    SAMPLE_HISTOGRAM,
};

struct sample {
    int64_t t_ms;
    double value;
};

static inline uint64_t sample_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline double sample_from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline bool sample_is_stale(double value)
{
    return sample_bits(value) == SAMPLE_STALE_BITS;
}

static inline double sample_stale(void)
{
    return sample_from_bits(SAMPLE_STALE_BITS);
}
