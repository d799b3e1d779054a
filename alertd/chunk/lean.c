/*
 * Long chunks without their first bytes. See lean.h and docs/formats/chunk.md.
 */

#include "alertd/chunk/lean.h"

#include <assert.h>
#include <string.h>

static const unsigned char magic[LEAN_MAGIC_BYTES] = {0x28, 0xb5, 0x2f, 0xfd};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they lie");

struct lean_head lean_take(const unsigned char *chunk)
{
    struct lean_head head = {.format = chunk[0]};
    uint16_t n;

    assert(memcmp(chunk + CHUNK_HEAD_BYTES, magic, sizeof(magic)) == 0);
    memcpy(&n, chunk + 1, 2);
    memcpy(&head.info.t0_ms, chunk + 3, 8);
    memcpy(&head.info.t1_ms, chunk + 11, 8);
    head.info.n = n;
    return head;
}

void lean_give(const struct lean_head *head, const void *lean, size_t n_bytes, unsigned char *out)
{
    out[0] = head->format;
    memcpy(out + 1, &(uint16_t){(uint16_t)head->info.n}, 2);
    memcpy(out + 3, &head->info.t0_ms, 8);
    memcpy(out + 11, &head->info.t1_ms, 8);
    memcpy(out + CHUNK_HEAD_BYTES, magic, sizeof(magic));
    memcpy(out + LEAN_LEFT_OUT, lean, n_bytes);
}
