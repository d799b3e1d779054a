/*
 * Protobuf's wire format. See protobuf.h.
 */

#include "lib/wire/protobuf.h"

bool protobuf_long_varint(struct cursor *in, uint64_t *ret_value)
{
    const unsigned char *behind = varint_get(in->at, in->end, ret_value);

    in->at = behind ? behind : in->at;
    return behind != NULL;
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
    unsigned char bytes[VARINT_BYTES_MAX];

    str_addn(out, (const char *)bytes, varint_put(bytes, value));
}
