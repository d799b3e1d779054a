#pragma once

/*
 * The body of a long chunk, for days that are over: as packed.h lays samples out, and then
 * compressed by zstd. Bits without room between them where the samples are noise, whole bytes
 * in planes where zstd finds more in them: whichever is shorter. Smaller than packed, slower to
 * read and much slower to write.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/chunk/ints.h"

/* Room that long_write() needs for n samples. */
size_t long_bytes_max(size_t n);
/* n is 1 to CHUNK_LONG_SAMPLES_MAX. Returns how many bytes it took; the reader has to be told
 * the layout. */
size_t long_write(const int64_t *t_ms,
                  const double *values,
                  size_t n,
                  enum ints_layout *ret_layout,
                  unsigned char *out);

/* What reading needs besides, kept from one to the next. */
struct long_room;
struct long_room *long_room_new(void);
void long_room_free(struct long_room *room); /* NULL is fine */

struct long_body {
    enum ints_layout layout;
    const unsigned char *bytes;
    size_t n_bytes;
    size_t n;
    int64_t t0_ms;
    bool one_by_one;
};

/* As packed_read(). */
bool long_read(const struct long_body *body,
               struct long_room *room,
               int64_t *t_ms,
               double *values,
               int64_t *ret_step_ms);
