#pragma once

/*
 * Protobuf's wire format, walked by hand: one field of a message after the other. Inside
 * lib/wire. Format: protobuf.dev/programming-guides/encoding.
 *
 * Every length is checked against what is left, varints end within ten bytes, groups (wire
 * types 3 and 4) are refused.
 */

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/varint.h"

enum {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

/* What is left to read of one message. */
struct cursor {
    const unsigned char *at, *end;
};

struct field {
    uint32_t number;
    unsigned type;
    uint64_t value; /* of a varint or fixed field */
    struct cursor bytes;
    const unsigned char *start; /* of its tag */
};

/* The next field of a message; false when it is malformed. */
bool protobuf_field(struct cursor *in, struct field *ret_field);
bool protobuf_long_varint(struct cursor *in, uint64_t *ret_value);
/* One varint, as packed fields hold them: most are a byte. */
static inline bool protobuf_varint(struct cursor *in, uint64_t *ret_value)
{
    if (in->at == in->end || *in->at > 0x7f)
        return protobuf_long_varint(in, ret_value);
    *ret_value = *in->at++;
    return true;
}
/* Eight bytes, the lowest first. */
static inline uint64_t protobuf_fixed64(const unsigned char *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

/* --- writing --- */

size_t protobuf_varint_size(uint64_t value);
void protobuf_put_varint(struct str *out, uint64_t value);
