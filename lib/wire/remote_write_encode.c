/*
 * A remote write 1.0 body under construction. See remote_write_encode.h.
 *
 * Protobuf's length-delimited fields carry their length in front, so every
 * message is measured first and written second; nothing is moved.
 */

#include "lib/wire/remote_write_encode.h"

#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bug.h"
#include "lib/base/mem.h"
#include "lib/wire/protobuf.h"

#define TAG(field, wire) ((unsigned char)((field) << 3 | (wire)))

void remote_write_init(struct remote_write *writer, size_t limit)
{
    *writer = (struct remote_write){.body = STR_INIT(limit)};
}

void remote_write_done(struct remote_write *writer)
{
    if (!writer)
        return;
    str_done(&writer->body);
    free(writer->block);
    *writer = (struct remote_write){.body = STR_INIT(0)};
}

void remote_write_clear(struct remote_write *writer)
{
    str_cut(&writer->body, 0);
    writer->n_samples = 0;
    writer->full = false;
}

/* Tag, length and bytes of a string field (one-byte tags only). */
static size_t field_size(size_t len)
{
    return 1 + protobuf_varint_size(len) + len;
}

static void put_field(struct str *out, unsigned field, const char *text, size_t len)
{
    str_addc(out, (char)TAG(field, WIRE_BYTES));
    protobuf_put_varint(out, len);
    str_addn(out, text, len);
}

static size_t label_size(const struct label *label)
{
    return field_size(strlen(label->name)) + field_size(strlen(label->value));
}

static void put_label(struct str *out, const struct label *label)
{
    str_addc(out, (char)TAG(1, WIRE_BYTES));
    protobuf_put_varint(out, label_size(label));
    put_field(out, 1, label->name, strlen(label->name));
    put_field(out, 2, label->value, strlen(label->value));
}

static size_t sample_size(struct sample sample)
{
    return 1 + 8 + 1 + protobuf_varint_size((uint64_t)sample.t_ms);
}

static void put_sample(struct str *out, struct sample sample)
{
    uint64_t bits = sample_bits(sample.value);
    char fixed[8];

    for (int i = 0; i < 8; i++)
        fixed[i] = (char)(bits >> (8 * i));
    str_addc(out, (char)TAG(2, WIRE_BYTES));
    protobuf_put_varint(out, sample_size(sample));
    str_addc(out, (char)TAG(1, WIRE_FIXED64));
    str_addn(out, fixed, sizeof(fixed));
    str_addc(out, (char)TAG(2, WIRE_VARINT));
    protobuf_put_varint(out, (uint64_t)sample.t_ms); /* negative: ten bytes of two's complement */
}

/* Opens a field of the request when it fits whole; the caller writes `size` bytes. */
static bool open_field(struct remote_write *writer, unsigned field, size_t size)
{
    if (field_size(size) > writer->body.limit - writer->body.len) {
        writer->full = true;
        return false;
    }
    str_addc(&writer->body, (char)TAG(field, WIRE_BYTES));
    protobuf_put_varint(&writer->body, size);
    return true;
}

bool remote_write_add_series(struct remote_write *writer,
                             const struct label *labels,
                             size_t n,
                             const struct sample *samples,
                             size_t n_samples)
{
    size_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += field_size(label_size(&labels[i]));
    for (size_t i = 0; i < n_samples; i++)
        size += field_size(sample_size(samples[i]));
    if (!open_field(writer, 1, size))
        return false;
    for (size_t i = 0; i < n; i++)
        put_label(&writer->body, &labels[i]);
    for (size_t i = 0; i < n_samples; i++)
        put_sample(&writer->body, samples[i]);
    writer->n_samples += n_samples;
    return true;
}

bool remote_write_add(struct remote_write *writer,
                      const struct label *labels,
                      size_t n,
                      struct sample sample)
{
    return remote_write_add_series(writer, labels, n, &sample, 1);
}

bool remote_write_add_metadata(struct remote_write *writer,
                               const char *family,
                               enum metric_type type,
                               const char *help)
{
    size_t size = 1 + protobuf_varint_size(type) + field_size(strlen(family)) +
                  field_size(strlen(help));

    if (!open_field(writer, 3, size))
        return false;
    str_addc(&writer->body, (char)TAG(1, WIRE_VARINT));
    protobuf_put_varint(&writer->body, type);
    put_field(&writer->body, 2, family, strlen(family));
    put_field(&writer->body, 4, help, strlen(help));
    return true;
}

void remote_write_seal(struct remote_write *writer, const char **ret_block, size_t *ret_len)
{
    size_t len = snappy_max_compressed_length(writer->body.len);

    writer->block = mem_grow(writer->block, &writer->block_capacity, len, 1);
    if (snappy_compress(str_text(&writer->body), writer->body.len, writer->block, &len) !=
        SNAPPY_OK)
        bug_abort(__FILE__, __LINE__, __func__, "snappy refuses a buffer of its own size");
    *ret_block = writer->block;
    *ret_len = len;
}
