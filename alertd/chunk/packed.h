#pragma once

/*
 * The body of a packed chunk: samples as whole numbers, as few bits wide as their data allow.
 *
 *     times    the differences between them, a row of whole numbers (ints.h): regular ones are
 *              all the same and cost five bytes
 *     values   as decimals: numbers / 10^exponent; or, when they are none, their 64 bits
 *              and of these either each itself or the differences
 *     odd      the few values that are no such decimals (NaN, the staleness marker, -0), whole
 *
 * Decimals after Afroozeh et al., "ALP: Adaptive Lossless floating-Point Compression" (SIGMOD
 * 2023), with the division that is exact for every decimal of up to 15 digits. The bytes:
 * docs/formats/chunk.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/chunk/ints.h"

/* Room that packed_write() needs for n samples. */
size_t packed_bytes_max(size_t n);
/* n is 1 to CHUNK_LONG_SAMPLES_MAX; room is for n numbers. Returns the byte after the last. */
unsigned char *packed_write(enum ints_layout layout,
                            const int64_t *t_ms,
                            const double *values,
                            size_t n,
                            int64_t *room,
                            unsigned char *out);

struct packed_body {
    enum ints_layout layout;
    const unsigned char *at, *end;
    size_t n;
    int64_t t0_ms;
    bool one_by_one; /* also where wide.h could */
};

/* The body is not believed. False: it is none; the columns are half written. Whether times ascend
 * is not looked at. room is for n numbers. Times are not written where all differences are the
 * same: *ret_step_ms is that, and 0 where they are. */
bool packed_read(const struct packed_body *body,
                 int64_t *room,
                 int64_t *t_ms,
                 double *values,
                 int64_t *ret_step_ms);
