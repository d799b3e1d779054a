#pragma once

/*
 * A long chunk without its first bytes, for who keeps elsewhere what they say:
 *
 *     chunk   format | n | t0 | t1 | zstd's magic number | ... | CRC-32C
 *     lean                                               | ... | CRC-32C
 *
 * The checksum is the chunk's: of all of it, so that a wrong head is found as well.
 */

#include <stddef.h>
#include <stdint.h>

#include "alertd/chunk/chunk.h"

enum {
    LEAN_MAGIC_BYTES = 4,
    LEAN_LEFT_OUT = CHUNK_HEAD_BYTES + LEAN_MAGIC_BYTES, /* bytes that a lean one is shorter by */
};

struct lean_head {
    uint8_t format;
    struct chunk_info info;
};

/* Of what chunk_pack_long() made: its bytes from LEAN_LEFT_OUT on are the lean chunk. */
struct lean_head lean_take(const unsigned char *chunk);
/* The whole again, into room for n_bytes + LEAN_LEFT_OUT. Nothing is believed: chunk_check() says
 * whether it is one. */
void lean_give(const struct lean_head *head, const void *lean, size_t n_bytes, unsigned char *out);
