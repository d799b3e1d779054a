/*
 * The journal's body: samples as they were acknowledged, series by series.
 *
 *     format 1 or 2 | { local id + 1, { time step, value } ... 0 } ... | CRC-32C
 *
 * Format 2 is of an import of history, and otherwise the same. Numbers are varints; a time step is zigzag(t - t before), counted from 0 at the start of
 * the body, plus one, so that 0 can end the run; values are eight bytes.
 */

#include <stdlib.h>
#include <string.h>

#include "alertd/store/partition.h"
#include "lib/base/crc32c.h"
#include "lib/base/mem.h"

enum {
    FORMAT = 1,
    FORMAT_HISTORY = 2,
    CRC_BYTES = 4,
    SAMPLE_BYTES_MAX = 1 + 5 + 10 + 1 + 8,
};

static void put_varint(struct journal *journal, uint64_t value)
{
    while (value > 0x7f) {
        journal->bytes[journal->n++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    journal->bytes[journal->n++] = (unsigned char)value;
}

/* The step wraps in 64 bits; all of 2^64 steps and an end do not fit one varint, so the
 * zigzag's low bit moves: 0 ends, 1 is a step in 64 bits to follow, others are step + 2. */
static void put_step(struct journal *journal, int64_t t_ms)
{
    int64_t step = (int64_t)((uint64_t)t_ms - (uint64_t)journal->last_ms);
    uint64_t zigzag = (uint64_t)step << 1 ^ (uint64_t)(step >> 63);

    if (zigzag < UINT64_MAX - 2) {
        put_varint(journal, zigzag + 2);
    } else {
        put_varint(journal, 1);
        put_varint(journal, zigzag);
    }
    journal->last_ms = t_ms;
}

void journal_add(struct journal *journal, uint32_t local_id, struct sample sample)
{
    journal->bytes = mem_grow(journal->bytes, &journal->capacity,
                              journal->n + SAMPLE_BYTES_MAX + CRC_BYTES + 16, 1);
    if (journal->n == 0)
        journal->bytes[journal->n++] = journal->is_history ? FORMAT_HISTORY : FORMAT;
    if (journal->n_samples == 0 || local_id != journal->local_id) {
        if (journal->n_samples > 0)
            put_varint(journal, 0);
        put_varint(journal, (uint64_t)local_id + 1);
        journal->local_id = local_id;
    }
    put_step(journal, sample.t_ms);
    memcpy(journal->bytes + journal->n, &sample.value, 8);
    journal->n += 8;
    journal->n_samples++;
}

void journal_finish(struct journal *journal)
{
    if (journal->n_samples == 0)
        return;
    put_varint(journal, 0);
    uint32_t crc = crc32c(0, journal->bytes, journal->n);
    for (size_t i = 0; i < CRC_BYTES; i++)
        journal->bytes[journal->n++] = (unsigned char)(crc >> (8 * i));
}

void journal_done(struct journal *journal)
{
    free(journal->bytes);
    *journal = (struct journal){0};
}

struct cursor {
    const unsigned char *at, *end;
};

static bool get_varint(struct cursor *in, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        unsigned char byte = *in->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool get_step(struct cursor *in, uint64_t first, int64_t *ret_step)
{
    uint64_t zigzag = first - 2;

    if (first == 1 && !get_varint(in, &zigzag))
        return false;
    *ret_step = (int64_t)(zigzag >> 1 ^ -(zigzag & 1));
    return true;
}

/* One series' run; false when the bytes are not one. */
static bool read_run(struct cursor *in,
                     uint32_t local_id,
                     int64_t *t_ms,
                     void (*each)(void *arg, uint32_t local_id, struct sample sample),
                     void *arg)
{
    for (;;) {
        struct sample sample;
        uint64_t first;
        int64_t step;

        if (!get_varint(in, &first))
            return false;
        if (first == 0)
            return true;
        if (!get_step(in, first, &step) || in->end - in->at < 8)
            return false;
        *t_ms = (int64_t)((uint64_t)*t_ms + (uint64_t)step);
        memcpy(&sample.value, in->at, 8);
        in->at += 8;
        sample.t_ms = *t_ms;
        each(arg, local_id, sample);
    }
}

bool journal_is_history(const void *bytes, size_t len)
{
    return len > 0 && *(const unsigned char *)bytes == FORMAT_HISTORY;
}

int journal_read(const void *bytes,
                 size_t len,
                 void (*each)(void *arg, uint32_t local_id, struct sample sample),
                 void *arg,
                 struct err *reterr)
{
    struct cursor in = {bytes, bytes};
    uint32_t crc = 0;
    int64_t t_ms = 0;

    if (len < 1 + CRC_BYTES)
        return err_set(reterr, CHUNK_E_CORRUPT, "a journal row of %zu bytes", len);
    in.end = in.at + len - CRC_BYTES;
    for (size_t i = 0; i < CRC_BYTES; i++)
        crc |= (uint32_t)in.end[i] << (8 * i);
    if (crc != crc32c(0, bytes, len - CRC_BYTES))
        return err_set(reterr, CHUNK_E_CORRUPT, "a journal row's checksum does not match");
    if (*in.at != FORMAT && *in.at != FORMAT_HISTORY)
        return err_set(reterr, CHUNK_E_CORRUPT, "a journal row of an unknown format");
    in.at++;
    while (in.at < in.end) {
        uint64_t id;

        if (!get_varint(&in, &id) || id == 0 || id > UINT32_MAX ||
            !read_run(&in, (uint32_t)(id - 1), &t_ms, each, arg))
            return err_set(reterr, CHUNK_E_CORRUPT, "a journal row is not what it says");
    }
    return 0;
}
