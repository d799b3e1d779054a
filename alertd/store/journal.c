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
#include "lib/base/varint.h"

enum {
    FORMAT = 1,
    FORMAT_HISTORY = 2,
    CRC_BYTES = 4,
    SAMPLE_BYTES_MAX = 1 + 5 + 1 + VARINT_BYTES_MAX +
                       8, /* a run ends, one begins; a step, a value */
};

static void put(struct journal *journal, uint64_t x)
{
    journal->n += varint_put(journal->bytes + journal->n, x);
}

/* The step wraps in 64 bits; all of 2^64 steps and an end do not fit one varint, so the
 * zigzag's low bit moves: 0 ends, 1 is a step in 64 bits to follow, others are step + 2. */
static void put_step(struct journal *journal, int64_t t_ms)
{
    uint64_t zigzag = varint_zigzag((int64_t)((uint64_t)t_ms - (uint64_t)journal->last_ms));

    if (zigzag < UINT64_MAX - 2) {
        put(journal, zigzag + 2);
    } else {
        put(journal, 1);
        put(journal, zigzag);
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
            put(journal, 0);
        put(journal, (uint64_t)local_id + 1);
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
    put(journal, 0);
    uint32_t crc = crc32c(0, journal->bytes, journal->n);
    for (size_t i = 0; i < CRC_BYTES; i++)
        journal->bytes[journal->n++] = (unsigned char)(crc >> (8 * i));
}

void journal_done(struct journal *journal)
{
    free(journal->bytes);
    *journal = (struct journal){0};
}

/* Who takes a run's samples, and whose they are. */
struct taker {
    uint32_t local_id;
    void (*each)(void *arg, uint32_t local_id, struct sample sample);
    void *arg;
};

/* The byte behind a step that began with `first`; NULL: it is none. */
static const unsigned char *get_step(const unsigned char *at,
                                     const unsigned char *end,
                                     uint64_t first,
                                     int64_t *ret_step)
{
    uint64_t zigzag = first - 2;

    if (first == 1)
        at = varint_get(at, end, &zigzag);
    *ret_step = varint_unzigzag(zigzag);
    return at;
}

/* The byte behind one series' run; NULL: the bytes are not one. */
static const unsigned char *read_run(const struct taker *taker,
                                     const unsigned char *at,
                                     const unsigned char *end,
                                     int64_t *t_ms)
{
    for (;;) {
        struct sample sample;
        uint64_t first = 0;
        int64_t step;

        at = varint_get(at, end, &first);
        if (!at || first == 0)
            return at;
        at = get_step(at, end, first, &step);
        if (!at || end - at < 8)
            return NULL;
        *t_ms = (int64_t)((uint64_t)*t_ms + (uint64_t)step);
        memcpy(&sample.value, at, 8);
        at += 8;
        sample.t_ms = *t_ms;
        taker->each(taker->arg, taker->local_id, sample);
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
    struct taker taker = {.each = each, .arg = arg};
    const unsigned char *at = bytes;
    uint32_t crc = 0;
    int64_t t_ms = 0;

    if (len < 1 + CRC_BYTES)
        return err_set(reterr, CHUNK_E_CORRUPT, "a journal row of %zu bytes", len);
    const unsigned char *end = at + len - CRC_BYTES;
    for (size_t i = 0; i < CRC_BYTES; i++)
        crc |= (uint32_t)end[i] << (8 * i);
    if (crc != crc32c(0, bytes, len - CRC_BYTES))
        return err_set(reterr, CHUNK_E_CORRUPT, "a journal row's checksum does not match");
    if (*at != FORMAT && *at != FORMAT_HISTORY)
        return err_set(reterr, CHUNK_E_CORRUPT, "a journal row of an unknown format");
    for (at++; at && at < end;) {
        uint64_t id = 0;

        at = varint_get(at, end, &id);
        taker.local_id = (uint32_t)(id - 1);
        at = at && id > 0 && id <= UINT32_MAX ? read_run(&taker, at, end, &t_ms) : NULL;
    }
    return at ? 0 : err_set(reterr, CHUNK_E_CORRUPT, "a journal row is not what it says");
}
