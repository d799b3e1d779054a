#pragma once

/*
 * A chunk: up to CHUNK_SAMPLES_MAX samples of one series in time order, compressed
 * without losing a bit. Open, it is appended to; sealed, it has a checksum and is packed as
 * its data allow. Layout: docs/formats/chunk.md.
 *
 *     open      bits (xor.h)
 *     sealed    format | n | t0 | t1 | body: packed.h, long.h or xor.h | CRC-32C
 *
 * Invariants
 *  (1) Times strictly increase; any int64 is a time.
 *  (2) All 64 bits of a value come back: NaN payloads, -0, denormals.
 *  (3) What chunk_decode() is given came from a disk and is not believed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/model/sample.h"

enum {
    CHUNK_E_CORRUPT = 1,
    CHUNK_SAMPLES_MAX = 1024,
    CHUNK_LONG_SAMPLES_MAX = 17280, /* a day of one every 5 s */
    CHUNK_MARK_SAMPLES = 32,
    CHUNK_HEAD_BYTES = 19,
    CHUNK_BYTES_MIN = CHUNK_HEAD_BYTES + 8 + 4,
};

/* What is known behind a sample of an open chunk: reading and writing go on from there. */
struct chunk_mark {
    int64_t t_ms;
    uint64_t delta;            /* to the sample before it */
    uint64_t bits;             /* its value's */
    uint32_t at;               /* the next sample's first bit */
    uint16_t n;                /* samples up to it */
    uint8_t leading, trailing; /* the xor window in use; leading 255: none yet */
};

/* The same in less room, of a chunk whose times are near enough; there are two in every open
 * chunk. Its value's bits are chunk.mark_bits, and it is behind a multiple of CHUNK_MARK_SAMPLES:
 * the newer one behind the last of these, the older one behind the one before. */
struct chunk_kept_mark {
    uint32_t after_ms; /* since t0_ms */
    uint32_t delta;
    uint32_t at      : 20; /* 0: there is none */
    uint32_t leading : 6, trailing : 6;
};

/* An open chunk that has a sample: one piece of heap, for there is one of each series. Appended to,
 * packed, and begun again. Who wants its newest samples only begins at a mark: the last but one is
 * at least CHUNK_MARK_SAMPLES back. */
struct chunk {
    int64_t t0_ms;
    struct chunk_mark last;
    uint64_t mark_bits[2];
    struct chunk_kept_mark marks[2]; /* the older first */
    uint32_t capacity;               /* of bytes */
    unsigned char bytes[];
};

/* NULL: it is empty, before and after. free() does as well. */
void chunk_done(struct chunk **chunk);
/* NULL begins one; otherwise sample.t_ms > last.t_ms and last.n < CHUNK_SAMPLES_MAX. It moves. */
void chunk_append(struct chunk **chunk, struct sample sample);

/* Seals n samples (1 to CHUNK_SAMPLES_MAX), times strictly increasing, into out, which has
 * chunk_room(n) bytes; returns how many it took. */
size_t chunk_room(size_t n);
size_t chunk_pack(const int64_t *t_ms, const double *values, size_t n, unsigned char *out);
/* The same of up to CHUNK_LONG_SAMPLES_MAX as a long chunk: for what is read seldom. */
size_t chunk_long_room(size_t n);
size_t chunk_pack_long(const int64_t *t_ms, const double *values, size_t n, unsigned char *out);

struct chunk_info {
    size_t n;
    int64_t t0_ms, t1_ms;
};

/* Checks the checksum and reads the head. 0 or CHUNK_E_CORRUPT. */
int chunk_check(const void *bytes, size_t len, struct chunk_info *ret_info, struct err *reterr);

/* Decodes all samples into two columns with room for info.n.
 * Checks like chunk_check(). 0 or CHUNK_E_CORRUPT; the columns may be half written then. */
int chunk_decode(const void *bytes,
                 size_t len,
                 int64_t *t_ms,
                 double *values,
                 size_t *ret_n,
                 struct err *reterr);

/* The samples of an open chunk: the same columns, n = chunk->last.n. Not NULL. */
void chunk_read_open(const struct chunk *chunk, int64_t *t_ms, double *values);

/* A chunk's samples where they lie, sealed or open: a loan. Its bits can be copied elsewhere
 * and decoded there. */
struct chunk_view {
    const unsigned char *bits;
    size_t n_bytes;
    uint8_t format; /* as sealed; 0: open */
    size_t n;
    int64_t t0_ms, t1_ms;
    struct chunk_mark begin; /* of an open one: behind the first sample */
};

/* Of a chunk whose checksum was found right (chunk_check()), or that never left memory. */
struct chunk_view chunk_view_sealed(const void *bytes, size_t len, const struct chunk_info *info);
/* Not empty. All samples from from_ms on, and perhaps some before. */
struct chunk_view chunk_view_open(const struct chunk *chunk, int64_t from_ms);
/* All samples into two columns with room for view->n; their times ascend from t0_ms to t1_ms.
 * False: the bits are not these samples, the columns are half written. */
bool chunk_view_decode(const struct chunk_view *view, int64_t *t_ms, double *values);

/* For who decodes many: what it takes is kept from one to the next. Zeroed at first. */
struct chunk_decoder {
    struct long_room *room;
    bool one_by_one; /* as every processor can: for tests, the bits are the same */
};
void chunk_decoder_done(struct chunk_decoder *decoder);
/* The same, but times that are regular are not written: *ret_step_ms lies between them. 0: they are
 * written. */
bool chunk_decode_regular(struct chunk_decoder *decoder,
                          const struct chunk_view *view,
                          int64_t *t_ms,
                          double *values,
                          int64_t *ret_step_ms);
/* n of them. */
void chunk_write_times(int64_t first_ms, int64_t step_ms, size_t n, int64_t *t_ms);
