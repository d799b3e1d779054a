/*
 * Who lies where in a pack. See places.h and docs/formats/partition.md.
 */

#include "alertd/store/places.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/store/varint.h"
#include "lib/base/crc32c.h"
#include "lib/base/mem.h"

enum {
    FORMAT = 1,
    CRC_BYTES = 4,
    PLACE_BYTES_MAX = 1 + 5 * VARINT_BYTES_MAX,
    LEN_MAX = 1 << 30,
};

/* What of a place is said, in its second byte; the chunk's format is in the upper half. */
enum {
    SAYS_N = 1,
    SAYS_T0 = 2,
    SAYS_SPAN = 4,
    IS_NOBODYS = 8,
    FORMAT_SHIFT = 4,
};

static uint64_t span_of(const struct chunk_info *info)
{
    return (uint64_t)info->t1_ms - (uint64_t)info->t0_ms;
}

/* --- writing --- */

void places_begin(struct places *places, uint32_t first_series)
{
    places->bytes = mem_grow(places->bytes, &places->capacity, 1 + CRC_BYTES, 1);
    places->bytes[0] = FORMAT;
    places->n = 1;
    places->last = (struct place){.series = first_series};
}

static void put(struct places *places, uint64_t x)
{
    places->n += varint_put(places->bytes + places->n, x);
}

static unsigned what_to_say(const struct place *place, const struct place *last)
{
    const struct chunk_info *info = &place->head.info;
    unsigned what = (unsigned)place->head.format << FORMAT_SHIFT;

    what |= info->n != last->head.info.n ? SAYS_N : 0;
    what |= info->t0_ms != last->head.info.t0_ms ? SAYS_T0 : 0;
    what |= span_of(info) != span_of(&last->head.info) ? SAYS_SPAN : 0;
    return what | (place->is_nobodys ? IS_NOBODYS : 0);
}

void places_add(struct places *places, const struct place *place)
{
    const struct chunk_info *info = &place->head.info;
    uint64_t later = (uint64_t)info->t0_ms - (uint64_t)places->last.head.info.t0_ms;
    unsigned what = what_to_say(place, &places->last);

    places->bytes = mem_grow(places->bytes, &places->capacity,
                             places->n + PLACE_BYTES_MAX + CRC_BYTES, 1);
    put(places, place->series - places->last.series);
    places->bytes[places->n++] = (unsigned char)what;
    put(places, place->len);
    if (what & SAYS_N)
        put(places, info->n);
    if (what & SAYS_T0)
        put(places, later << 1 ^ (0 - (later >> 63))); /* zigzag */
    if (what & SAYS_SPAN)
        put(places, span_of(info));
    places->last = *place;
}

void places_finish(struct places *places)
{
    uint32_t crc = crc32c(0, places->bytes, places->n);

    for (size_t i = 0; i < CRC_BYTES; i++)
        places->bytes[places->n++] = (unsigned char)(crc >> (8 * i));
}

void places_done(struct places *places)
{
    free(places->bytes);
    *places = (struct places){0};
}

/* --- reading --- */

void places_read(struct places_reader *reader, uint32_t first_series, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint32_t crc = 0;

    *reader = (struct places_reader){.last.series = first_series, .is_damaged = true};
    if (len < 1 + CRC_BYTES || at[0] != FORMAT)
        return;
    for (size_t i = 0; i < CRC_BYTES; i++)
        crc |= (uint32_t)at[len - CRC_BYTES + i] << (8 * i);
    if (crc != crc32c(0, at, len - CRC_BYTES))
        return;
    reader->at = at + 1;
    reader->end = at + len - CRC_BYTES;
    reader->is_damaged = false;
}

/* Takes the next number when there is one to take; `at` NULL stays. */
static const unsigned char *get(const unsigned char *at,
                                const unsigned char *end,
                                bool is_said,
                                uint64_t *x)
{
    return at && is_said ? varint_get(at, end, x) : at;
}

static bool read_place(struct places_reader *reader, struct place *place)
{
    const unsigned char *end = reader->end;
    struct chunk_info *info = &place->head.info;
    uint64_t further = 0;
    uint64_t n = info->n;
    uint64_t later = 0;
    uint64_t span = span_of(info);

    const unsigned char *at = varint_get(reader->at, end, &further);
    if (!at || at == end)
        return false;
    unsigned what = *at++;
    place->at += place->len;
    at = get(at, end, true, &place->len);
    at = get(at, end, what & SAYS_N, &n);
    at = get(at, end, what & SAYS_T0, &later);
    at = get(at, end, what & SAYS_SPAN, &span);
    if (!at || further > UINT32_MAX - place->series || place->len > LEN_MAX || n == 0 ||
        n > CHUNK_LONG_SAMPLES_MAX)
        return false;
    place->series += (uint32_t)further;
    place->is_nobodys = what & IS_NOBODYS;
    place->head.format = (uint8_t)(what >> FORMAT_SHIFT);
    info->n = n;
    info->t0_ms = (int64_t)((uint64_t)info->t0_ms + (later >> 1 ^ (0 - (later & 1))));
    info->t1_ms = (int64_t)((uint64_t)info->t0_ms + span);
    reader->at = at;
    return true;
}

bool places_next(struct places_reader *reader, struct place *ret_place)
{
    if (reader->at == reader->end)
        return false;
    if (!read_place(reader, &reader->last)) {
        reader->is_damaged = true;
        reader->at = reader->end;
        return false;
    }
    *ret_place = reader->last;
    return true;
}
