/*
 * Who lies where in a pack. See places.h and docs/formats/partition.md.
 */

#include "alertd/store/places.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/mem.h"
#include "lib/base/varint.h"

enum {
    FORMAT = 1,
    CRC_BYTES = 4,
    PLACE_BYTES_MAX = 1 + 5 * VARINT_BYTES_MAX,
    BYTES_MAX = 1 << 30, /* of a pack: beyond it is damage */
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
    places->end = 0;
    places->n_all = 0;
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

/* How many places before this one have the bytes it has; 0: they are new. */
static size_t count_back(const struct places *places, const struct place *place)
{
    size_t back = 1;

    if (place->at == places->end)
        return 0;
    while (places->recent[(places->n_all - back) % PLACES_BACK].at != place->at)
        back++;
    return back;
}

void places_add(struct places *places, const struct place *place)
{
    const struct chunk_info *info = &place->head.info;
    uint64_t later = (uint64_t)info->t0_ms - (uint64_t)places->last.head.info.t0_ms;
    unsigned what = what_to_say(place, &places->last);
    size_t back = count_back(places, place);

    places->bytes = mem_grow(places->bytes, &places->capacity,
                             places->n + PLACE_BYTES_MAX + CRC_BYTES, 1);
    put(places, place->series - places->last.series);
    places->bytes[places->n++] = (unsigned char)what;
    put(places, back > 0 ? back * 2 + 1 : place->len * 2);
    if (what & SAYS_N)
        put(places, info->n);
    if (what & SAYS_T0)
        put(places, varint_zigzag((int64_t)later));
    if (what & SAYS_SPAN)
        put(places, span_of(info));
    places->last = places->recent[places->n_all++ % PLACES_BACK] = *place;
    if (back == 0)
        places->end += place->len;
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

    reader->at = reader->end = NULL;
    reader->last = (struct place){.series = first_series};
    reader->end_of_bytes = 0;
    reader->n_all = 0;
    reader->is_damaged = true;
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

/* Its bytes are new ones, or those of one before it. */
static bool find_bytes(struct places_reader *reader, uint64_t said, struct place *place)
{
    uint64_t back = said / 2;

    place->is_again = said % 2 > 0;
    if (place->is_again) {
        if (back == 0 || back > PLACES_BACK || back > reader->n_all)
            return false;
        place->at = reader->recent[(reader->n_all - back) % PLACES_BACK].at;
        place->len = reader->recent[(reader->n_all - back) % PLACES_BACK].len;
    } else {
        place->at = reader->end_of_bytes;
        place->len = said / 2;
        if (place->len > BYTES_MAX - reader->end_of_bytes)
            return false;
        reader->end_of_bytes += place->len;
    }
    reader->recent[reader->n_all % PLACES_BACK].at = (uint32_t)place->at;
    reader->recent[reader->n_all++ % PLACES_BACK].len = (uint32_t)place->len;
    return true;
}

static bool read_place(struct places_reader *reader, struct place *place)
{
    const unsigned char *end = reader->end;
    struct chunk_info *info = &place->head.info;
    uint64_t further = 0;
    uint64_t said = 0;
    uint64_t n = info->n;
    uint64_t later = 0;
    uint64_t span = span_of(info);

    const unsigned char *at = varint_get(reader->at, end, &further);
    if (!at || at == end)
        return false;
    unsigned what = *at++;
    at = get(at, end, true, &said);
    at = get(at, end, what & SAYS_N, &n);
    at = get(at, end, what & SAYS_T0, &later);
    at = get(at, end, what & SAYS_SPAN, &span);
    if (!at || further > UINT32_MAX - place->series || n == 0 || n > CHUNK_LONG_SAMPLES_MAX ||
        later > INT64_MAX || span > INT64_MAX || !find_bytes(reader, said, place))
        return false;
    place->series += (uint32_t)further;
    place->is_nobodys = what & IS_NOBODYS;
    place->head.format = (uint8_t)(what >> FORMAT_SHIFT);
    info->n = n;
    info->t0_ms = (int64_t)((uint64_t)info->t0_ms + (uint64_t)varint_unzigzag(later));
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
