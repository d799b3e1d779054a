#pragma once

/*
 * The body of an open chunk, and of a sealed one whose values are best left that way: for each
 * sample the change of the time's change, and the value xor the one before.
 *
 * After Pelkonen et al., "Gorilla: a fast, scalable, in-memory time series database" (VLDB
 * 2015), with milliseconds and wider time classes. Written by chunk_append().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunk_mark;

enum { /* what a kept mark has room for: chunk.h */
    XOR_MARK_AT_MAX = (1 << 20) - 1,
    XOR_MARK_WINDOW_NONE = 63,
};

/* A body of n samples from t0_ms on; not believed. False: it is none; the columns are half
 * written. Whether times ascend is not looked at. */
bool xor_read(const unsigned char *bytes,
              size_t n_bytes,
              size_t n,
              int64_t t0_ms,
              int64_t *t_ms,
              double *values);
/* The same of n samples from the one at the mark on; mark->at is a bit of `bytes`. */
bool xor_read_on(const unsigned char *bytes,
                 size_t n_bytes,
                 const struct chunk_mark *mark,
                 size_t n,
                 int64_t *t_ms,
                 double *values);
