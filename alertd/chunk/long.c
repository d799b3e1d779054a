/*
 * Long chunks. See long.h.
 */

#include "alertd/chunk/long.h"

#include <zstd.h>

#include "alertd/chunk/packed.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

enum {
    LEVEL = 6 /* higher ones take longer for a hundredth less */
};

size_t long_bytes_max(size_t n)
{
    return ZSTD_compressBound(packed_bytes_max(n));
}

size_t long_write(const int64_t *t_ms, const double *values, size_t n, unsigned char *out)
{
    MEM_AUTO unsigned char *bytes = mem_alloc(packed_bytes_max(n));
    MEM_AUTO int64_t *room = mem_alloc(n * sizeof(*room));
    size_t len = (size_t)(packed_write(INTS_PLANES, t_ms, values, n, room, bytes) - bytes);
    size_t taken = ZSTD_compress(out, long_bytes_max(n), bytes, len, LEVEL);

    if (ZSTD_isError(taken))
        UNREACHABLE("zstd does not compress into its own bound");
    return taken;
}

bool long_read(const unsigned char *bytes,
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
    const struct packed_body body = {INTS_PLANES, packed, packed + len, n, t0_ms};
    return packed_read(&body, room, t_ms, values);
}
