/*
 * What all chunks have around their bodies. See chunk.h and docs/formats/chunk.md.
 */

#include "alertd/chunk/chunk.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "alertd/chunk/long.h"
#include "alertd/chunk/packed.h"
#include "alertd/chunk/xor.h"
#include "lib/base/crc32c.h"
#include "lib/base/mem.h"

enum format {
    FORMAT_XOR = 1,       /* xor.h */
    FORMAT_HISTOGRAM = 2, /* kept for SAMPLE_HISTOGRAM */
    FORMAT_PACKED = 3,    /* packed.h */
    FORMAT_LONG = 4,      /* long.h, in planes */
    FORMAT_LONG_BITS = 5, /* long.h, in bits */
};

enum {
    CRC_BYTES = 4,
    DEAR_BYTES = 3, /* a sample: so much is worth a look whether the other body is shorter */
};

static void put_le(unsigned char *at, uint64_t value, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_le(const unsigned char *at, size_t n_bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n_bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

/* The same samples as an open chunk's bits, when these are no more than `less_than` bytes. */
static size_t pack_as_xor(
    const int64_t *t_ms, const double *values, size_t n, size_t less_than, void *out)
{
    struct chunk *chunk = NULL;
    size_t len = 0;

    for (size_t i = 0; i < n; i++)
        chunk_append(&chunk, (struct sample){t_ms[i], values[i]});
    if (chunk && (chunk->last.at + 7) / 8 < less_than) {
        len = (chunk->last.at + 7) / 8;
        memcpy(out, chunk->bytes, len);
    }
    chunk_done(&chunk);
    return len;
}

size_t chunk_room(size_t n)
{
    return CHUNK_HEAD_BYTES + packed_bytes_max(n) + CRC_BYTES;
}

/* Puts head and checksum around a body; returns the bytes of all. */
static size_t close_chunk(
    enum format format, const int64_t *t_ms, size_t n, size_t body_len, unsigned char *out)
{
    size_t len = CHUNK_HEAD_BYTES + body_len;

    out[0] = (unsigned char)format;
    put_le(out + 1, n, 2);
    put_le(out + 3, (uint64_t)t_ms[0], 8);
    put_le(out + 11, (uint64_t)t_ms[n - 1], 8);
    put_le(out + len, crc32c(0, out, len), CRC_BYTES);
    return len + CRC_BYTES;
}

size_t chunk_pack(const int64_t *t_ms, const double *values, size_t n, unsigned char *out)
{
    unsigned char *body = out + CHUNK_HEAD_BYTES;
    MEM_UNSET int64_t room[CHUNK_SAMPLES_MAX];

    assert(n > 0 && n <= CHUNK_SAMPLES_MAX);
    size_t len = (size_t)(packed_write(INTS_BITS, t_ms, values, n, room, body) - body);
    /* It takes longer to read: it has to be clearly shorter. */
    size_t shorter = len > n * DEAR_BYTES ? pack_as_xor(t_ms, values, n, len - len / 4, body) : 0;
    return close_chunk(shorter ? FORMAT_XOR : FORMAT_PACKED, t_ms, n, shorter ? shorter : len, out);
}

size_t chunk_long_room(size_t n)
{
    return CHUNK_HEAD_BYTES + long_bytes_max(n) + CRC_BYTES;
}

size_t chunk_pack_long(const int64_t *t_ms, const double *values, size_t n, unsigned char *out)
{
    enum ints_layout layout;

    assert(n > 0 && n <= CHUNK_LONG_SAMPLES_MAX);
    size_t len = long_write(t_ms, values, n, &layout, out + CHUNK_HEAD_BYTES);
    return close_chunk(layout == INTS_PLANES ? FORMAT_LONG : FORMAT_LONG_BITS, t_ms, n, len, out);
}

/* --- reading --- */

static bool is_ascending(const int64_t *t_ms, size_t n)
{
    bool ascending = true;

    for (size_t i = 1; i < n; i++)
        ascending &= t_ms[i] > t_ms[i - 1];
    return ascending;
}

static bool read_packed(const struct chunk_decoder *decoder,
                        const struct chunk_view *view,
                        int64_t *t_ms,
                        double *values,
                        int64_t *ret_step_ms)
{
    const struct packed_body body = {INTS_BITS, view->bits,  view->bits + view->n_bytes,
                                     view->n,   view->t0_ms, decoder->one_by_one};
    MEM_UNSET int64_t room[CHUNK_SAMPLES_MAX];

    return view->n <= CHUNK_SAMPLES_MAX && packed_read(&body, room, t_ms, values, ret_step_ms);
}

static bool read_long(struct chunk_decoder *decoder,
                      const struct chunk_view *view,
                      int64_t *t_ms,
                      double *values,
                      int64_t *ret_step_ms)
{
    const struct long_body body = {view->format == FORMAT_LONG ? INTS_PLANES : INTS_BITS,
                                   view->bits,
                                   view->n_bytes,
                                   view->n,
                                   view->t0_ms,
                                   decoder->one_by_one};

    if (!decoder->room)
        decoder->room = long_room_new();
    return long_read(&body, decoder->room, t_ms, values, ret_step_ms);
}

static bool read_view(struct chunk_decoder *decoder,
                      const struct chunk_view *view,
                      int64_t *t_ms,
                      double *values,
                      int64_t *ret_step_ms)
{
    if (view->format == FORMAT_PACKED)
        return read_packed(decoder, view, t_ms, values, ret_step_ms);
    if (view->format == FORMAT_LONG || view->format == FORMAT_LONG_BITS)
        return read_long(decoder, view, t_ms, values, ret_step_ms);
    *ret_step_ms = 0;
    if (view->format != FORMAT_XOR && view->begin.n > 0) /* an open one */
        return xor_read_on(view->bits, view->n_bytes, &view->begin, view->n, t_ms, values);
    return xor_read(view->bits, view->n_bytes, view->n, view->t0_ms, t_ms, values);
}

static bool are_times(const struct chunk_view *view, const int64_t *t_ms)
{
    return is_ascending(t_ms, view->n) && t_ms[view->n - 1] == view->t1_ms;
}

void chunk_decoder_done(struct chunk_decoder *decoder)
{
    long_room_free(decoder->room);
    decoder->room = NULL;
}

/* They are not as said when they come to wrap around either. */
static bool is_step(const struct chunk_view *view, int64_t step_ms)
{
    uint64_t span_ms = (uint64_t)view->t1_ms - (uint64_t)view->t0_ms;

    return step_ms > 0 && span_ms % (uint64_t)step_ms == 0 &&
           span_ms / (uint64_t)step_ms == view->n - 1;
}

bool chunk_decode_regular(struct chunk_decoder *decoder,
                          const struct chunk_view *view,
                          int64_t *t_ms,
                          double *values,
                          int64_t *ret_step_ms)
{
    int64_t step_ms = 0;

    if (!read_view(decoder, view, t_ms, values, &step_ms) ||
        !(step_ms != 0 ? is_step(view, step_ms) : are_times(view, t_ms)))
        return false;
    *ret_step_ms = step_ms;
    return true;
}

void chunk_write_times(int64_t first_ms, int64_t step_ms, size_t n, int64_t *t_ms)
{
    uint64_t at_ms = (uint64_t)first_ms; /* behind the last one it may be beyond all times */

    for (size_t i = 0; i < n; i++, at_ms += (uint64_t)step_ms)
        t_ms[i] = (int64_t)at_ms;
}

bool chunk_view_decode(const struct chunk_view *view, int64_t *t_ms, double *values)
{
    struct chunk_decoder decoder = {0};
    int64_t step_ms = 0;
    bool is_fine = chunk_decode_regular(&decoder, view, t_ms, values, &step_ms);

    if (is_fine && step_ms != 0)
        chunk_write_times(view->t0_ms, step_ms, view->n, t_ms);
    chunk_decoder_done(&decoder);
    return is_fine;
}

int chunk_check(const void *bytes, size_t len, struct chunk_info *ret_info, struct err *reterr)
{
    const unsigned char *at = bytes;

    if (len < CHUNK_BYTES_MIN)
        return err_set(reterr, CHUNK_E_CORRUPT, "a chunk of %zu bytes: %d at least", len,
                       CHUNK_BYTES_MIN);
    if (get_le(at + len - CRC_BYTES, CRC_BYTES) != crc32c(0, at, len - CRC_BYTES))
        return err_set(reterr, CHUNK_E_CORRUPT, "a chunk's checksum does not match");
    if (at[0] == FORMAT_HISTOGRAM)
        return err_set(reterr, CHUNK_E_CORRUPT,
                       "a chunk of native histograms, which are not supported");
    bool is_long = at[0] == FORMAT_LONG || at[0] == FORMAT_LONG_BITS;
    if (at[0] != FORMAT_XOR && at[0] != FORMAT_PACKED && !is_long)
        return err_set(reterr, CHUNK_E_CORRUPT, "a chunk of format %u: made by a newer version?",
                       at[0]);
    size_t most = is_long ? CHUNK_LONG_SAMPLES_MAX : CHUNK_SAMPLES_MAX;
    struct chunk_info info = {.n = get_le(at + 1, 2),
                              .t0_ms = (int64_t)get_le(at + 3, 8),
                              .t1_ms = (int64_t)get_le(at + 11, 8)};
    if (info.n == 0 || info.n > most || info.t1_ms < info.t0_ms)
        return err_set(reterr, CHUNK_E_CORRUPT, "a chunk says it has %zu samples", info.n);
    *ret_info = info;
    return 0;
}

struct chunk_view chunk_view_sealed(const void *bytes, size_t len, const struct chunk_info *info)
{
    return (struct chunk_view){
        .bits = (const unsigned char *)bytes + CHUNK_HEAD_BYTES,
        .n_bytes = len - CHUNK_HEAD_BYTES - CRC_BYTES,
        .format = *(const unsigned char *)bytes,
        .n = info->n,
        .t0_ms = info->t0_ms,
        .t1_ms = info->t1_ms,
    };
}

struct chunk_view chunk_view_open(const struct chunk *chunk, int64_t from_ms)
{
    struct chunk_view view = {
        .bits = chunk->bytes,
        .n_bytes = (chunk->last.at + 7) / 8,
        .n = chunk->last.n,
        .t0_ms = chunk->t0_ms,
        .t1_ms = chunk->last.t_ms,
    };

    for (unsigned i = 2; i-- > 0;) {
        const struct chunk_kept_mark *mark = &chunk->marks[i];
        int64_t t_ms = (int64_t)((uint64_t)chunk->t0_ms + mark->after_ms);
        unsigned n = (chunk->last.n / CHUNK_MARK_SAMPLES + i - 1) * CHUNK_MARK_SAMPLES;

        if (mark->at == 0 || t_ms > from_ms)
            continue;
        view.begin = (struct chunk_mark){
            .t_ms = t_ms,
            .delta = mark->delta,
            .bits = chunk->mark_bits[i],
            .at = mark->at % 8,
            .n = (uint16_t)n,
            .leading = mark->leading,
            .trailing = mark->trailing,
        };
        view.bits += mark->at / 8;
        view.n_bytes -= mark->at / 8;
        view.n = chunk->last.n - n + 1;
        view.t0_ms = t_ms;
        break;
    }
    return view;
}

int chunk_decode(
    const void *bytes, size_t len, int64_t *t_ms, double *values, size_t *ret_n, struct err *reterr)
{
    struct chunk_info info = {0};

    int r = chunk_check(bytes, len, &info, reterr);
    if (r != 0)
        return r;
    const struct chunk_view view = chunk_view_sealed(bytes, len, &info);
    if (!chunk_view_decode(&view, t_ms, values))
        return err_set(reterr, CHUNK_E_CORRUPT, "a chunk's bits are not %zu samples", info.n);
    *ret_n = info.n;
    return 0;
}

void chunk_read_open(const struct chunk *chunk, int64_t *t_ms, double *values)
{
    const struct chunk_view view = chunk_view_open(chunk, INT64_MIN);
    bool fine = chunk_view_decode(&view, t_ms, values);
    assert(fine);
    (void)fine;
}
