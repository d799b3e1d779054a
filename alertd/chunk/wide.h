#pragma once

/*
 * Most packed values, in one pass from their codes to floats and four at a time, where the processor can
 * (lanes.h): codes of up to 32 bits, none that stands apart, and no number further from 0 than 2^51. All
 * else, and all other processors, take the steps of packed.c one by one. The bits of the values are the
 * same.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/chunk/ints.h"

/* Codes of a row of whole numbers, and what becomes of them. */
struct wide_codes {
    const struct ints_head *head;
    const unsigned char *at, *end; /* up to `end` everything may be read */
    size_t n;
    double power; /* values are numbers / power, a power of ten up to 10^15 */
    const int64_t *
        first; /* NULL: each code is a number; else they are differences, and it is the first number */
};

/* n values, n + 1 of differences. False: not to be read this way; some values may be written. */
bool wide_read(const struct wide_codes *codes, double *values);
