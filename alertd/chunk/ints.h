#pragma once

/*
 * A row of whole numbers in few bits: each is low + step x code, all codes equally wide. The few
 * that would make all others wide (a counter's reset, a gap) stand apart, whole.
 *
 *     low | step | width | n apart | codes | apart: place, number
 *
 * The codes are laid out as bits without room between them, or byte by byte in planes (all
 * lowest bytes, then all second ones), which a compressor behind them can make sense of.
 *
 * A frame of reference with exceptions, as in Zukowski et al., "Super-Scalar RAM-CPU Cache
 * Compression" (ICDE 2006). All arithmetic is modulo 2^64: any int64 beside any other.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/varint.h"

enum {
    INTS_APART_MAX = 8,
    INTS_HEAD_BYTES_MAX = 2 * VARINT_BYTES_MAX + 1 + 1,
    INTS_APART_BYTES = 2 + 8,
};

enum ints_layout {
    INTS_BITS,
    INTS_PLANES,
};

struct ints_plan {
    enum ints_layout layout;
    int64_t low, high; /* of those that do not stand apart */
    uint64_t step;     /* 0: all are low */
    unsigned width;
    size_t n_apart;
};

/* How n numbers (1 to 65535) are written best. */
struct ints_plan ints_plan(enum ints_layout layout, const int64_t *numbers, size_t n);
/* At most so many bytes. */
size_t ints_bytes(const struct ints_plan *plan, size_t n);
/* Returns the byte after the last. */
unsigned char *ints_write(const struct ints_plan *plan,
                          const int64_t *numbers,
                          size_t n,
                          unsigned char *out);

/* The bytes are not believed: NULL when they are not n numbers, else the byte after the last.
 * Up to `end` everything may be read. */
const unsigned char *ints_read(enum ints_layout layout,
                               const unsigned char *at,
                               const unsigned char *end,
                               size_t n,
                               int64_t *numbers);

/* What stands in front of the codes. */
struct ints_head {
    uint64_t low, step;
    unsigned width;
    size_t n_planes; /* 0: the codes are bits */
    size_t n_apart;
    size_t n_bytes; /* of the codes */
};

/* The first byte of the codes; NULL: there are not n numbers, or they are none. */
const unsigned char *ints_read_head(enum ints_layout layout,
                                    const unsigned char *at,
                                    const unsigned char *end,
                                    size_t n,
                                    struct ints_head *head);

/* The byte after n numbers that are all the same; NULL: they are not, or are none. */
const unsigned char *ints_read_same(enum ints_layout layout,
                                    const unsigned char *at,
                                    const unsigned char *end,
                                    size_t n,
                                    int64_t *ret_number);

/* As ints_read(), of n numbers that are differences: numbers[0] is there, numbers[1] to numbers[n] become
 * the sums. */
const unsigned char *ints_read_sums(enum ints_layout layout,
                                    const unsigned char *at,
                                    const unsigned char *end,
                                    size_t n,
                                    int64_t *numbers);
