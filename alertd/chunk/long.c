/*
 * Long chunks. See long.h.
 */

#include "alertd/chunk/long.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "alertd/chunk/packed.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

enum {
    LEVEL = 12 /* 6: three quarters of the time and a hundredth more; above nothing is gained */
};

size_t long_bytes_max(size_t n)
{
    return ZSTD_compressBound(packed_bytes_max(n));
}

static size_t write_as(enum ints_layout layout,
                       const int64_t *t_ms,
                       const double *values,
                       size_t n,
                       int64_t *room,
                       unsigned char *bytes,
                       unsigned char *out)
{
    size_t len = (size_t)(packed_write(layout, t_ms, values, n, room, bytes) - bytes);
    size_t taken = ZSTD_compress(out, long_bytes_max(n), bytes, len, LEVEL);

    if (ZSTD_isError(taken))
        UNREACHABLE("zstd does not compress into its own bound");
    return taken;
}

size_t long_write(const int64_t *t_ms,
                  const double *values,
                  size_t n,
                  enum ints_layout *ret_layout,
                  unsigned char *out)
{
    MEM_AUTO unsigned char *bytes = mem_alloc(packed_bytes_max(n));
    MEM_AUTO int64_t *room = mem_alloc(n * sizeof(*room));
    MEM_AUTO unsigned char *other = mem_alloc(long_bytes_max(n));
    size_t taken = write_as(INTS_BITS, t_ms, values, n, room, bytes, out);
    size_t other_taken = write_as(INTS_PLANES, t_ms, values, n, room, bytes, other);

    *ret_layout = other_taken < taken ? INTS_PLANES : INTS_BITS;
    if (*ret_layout == INTS_BITS)
        return taken;
    memcpy(out, other, other_taken);
    return other_taken;
}

struct long_room {
    ZSTD_DCtx *zstd;
    unsigned char *packed;
    int64_t *numbers;
    size_t packed_capacity, numbers_capacity;
};

struct long_room *long_room_new(void)
{
    struct long_room *room = mem_zalloc(sizeof(*room));

    room->zstd = ZSTD_createDCtx();
    if (!room->zstd)
        UNREACHABLE("zstd has no memory");
    return room;
}

void long_room_free(struct long_room *room)
{
    if (!room)
        return;
    (void)ZSTD_freeDCtx(room->zstd);
    free(room->packed);
    free(room->numbers);
    free(room);
}

bool long_read(const struct long_body *body,
               struct long_room *room,
               int64_t *t_ms,
               double *values,
               int64_t *ret_step_ms)
{
    unsigned long long most = ZSTD_getFrameContentSize(body->bytes, body->n_bytes);

    /* unknown and wrong ones are the largest numbers there are */
    if (most > packed_bytes_max(body->n))
        return false;
    room->packed = mem_grow(room->packed, &room->packed_capacity, (size_t)most + 1, 1);
    room->numbers = mem_grow(room->numbers, &room->numbers_capacity, body->n, sizeof(int64_t));
    size_t len = ZSTD_decompressDCtx(room->zstd, room->packed, (size_t)most, body->bytes,
                                     body->n_bytes);
    if (ZSTD_isError(len))
        return false;
    const struct packed_body packed = {body->layout, room->packed, room->packed + len,
                                       body->n,      body->t0_ms,  body->one_by_one};
    return packed_read(&packed, room->numbers, t_ms, values, ret_step_ms);
}
