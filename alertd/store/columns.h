#pragma once

/*
 * One series' samples on their way between memory, files and who asks: times and values, each in a
 * row.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/chunk/chunk.h"
#include "lib/base/err.h"

/* Columns under construction: whatever order, cleaned by columns_settle(). */
struct columns {
    int64_t *t_ms;
    double *values;
    size_t n, capacity, values_capacity;
};
void columns_done(struct columns *columns);
void columns_add(struct columns *columns, int64_t t_ms, double value);
/* All samples of a sealed chunk within [from, to]. 0 or CHUNK_E_CORRUPT. */
int columns_add_chunk(struct columns *columns,
                      const void *bytes,
                      size_t len,
                      int64_t from_ms,
                      int64_t to_ms,
                      struct err *reterr);
/* Those of a chunk of our own memory. False: they are not what it says. */
bool columns_add_view(struct columns *columns,
                      const struct chunk_view *view,
                      int64_t from_ms,
                      int64_t to_ms);
/* In time order, one sample a time. */
void columns_settle(struct columns *columns);
/* The same of two bare columns; returns how many are left. */
size_t samples_settle(int64_t *t_ms, double *values, size_t n);
