/*
 * Long chunks. See long.h.
 */

#include "alertd/chunk/long.h"

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

bool long_read(enum ints_layout layout,
               const unsigned char *bytes,
               size_t n_bytes,
               size_t n,
               int64_t t0_ms,
               int64_t *t_ms,
               double *values)
{
    unsigned long long most = ZSTD_getFrameContentSize(bytes, n_bytes);

    /* unknown and wrong ones are the largest numbers there are */
    if (most > packed_bytes_max(n))
        return false;
    MEM_AUTO unsigned char *packed = mem_alloc((size_t)most + 1);
    MEM_AUTO int64_t *room = mem_alloc(n * sizeof(*room));
    size_t len = ZSTD_decompress(packed, (size_t)most, bytes, n_bytes);
    if (ZSTD_isError(len))
        return false;
    const struct packed_body body = {layout, packed, packed + len, n, t0_ms};
    return packed_read(&body, room, t_ms, values);
}
