/*
 * Protobuf's wire format. See protobuf.h.
 */

#include "lib/wire/protobuf.h"

/* At most ten bytes, the tenth at most 1. */
bool protobuf_long_varint(struct cursor *in, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in->at == in->end)
            return false;
        unsigned char byte = *in->at++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool read_fixed64(struct cursor *in, uint64_t *ret_value)
{
    if (in->end - in->at < 8)
        return false;
    *ret_value = protobuf_fixed64(in->at);
    in->at += 8;
    return true;
}

static bool read_fixed32(struct cursor *in, uint64_t *ret_value)
{
    uint32_t value;

    if (in->end - in->at < 4)
        return false;
    memcpy(&value, in->at, sizeof(value));
    *ret_value = le32toh(value);
    in->at += 4;
    return true;
}

bool protobuf_field(struct cursor *in, struct field *ret_field)
{
    uint64_t tag;
    uint64_t len;
    struct field field = {.start = in->at};

    if (!protobuf_varint(in, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return false;
    field.number = (uint32_t)(tag >> 3);
    field.type = tag & 7;
    bool fine;
    switch (field.type) {
    case WIRE_VARINT: fine = protobuf_varint(in, &field.value); break;
    case WIRE_FIXED64: fine = read_fixed64(in, &field.value); break;
    case WIRE_FIXED32: fine = read_fixed32(in, &field.value); break;
    case WIRE_BYTES:
        fine = protobuf_varint(in, &len) && len <= (uint64_t)(in->end - in->at);
        if (fine) {
            field.bytes = (struct cursor){in->at, in->at + len};
            in->at += len;
        }
        break;
    default: fine = false; /* groups, and what protobuf does not know */
    }
    if (fine)
        *ret_field = field;
    return fine;
}

size_t protobuf_varint_size(uint64_t value)
{
    size_t size = 1;

    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

void protobuf_put_varint(struct str *out, uint64_t value)
{
    char bytes[VARINT_BYTES_MAX];
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (char)(value | 0x80);
    bytes[n++] = (char)value;
    str_addn(out, bytes, n);
}
