/*
 * Samples in time order as a stream of bits that can be appended to. See xor.h and
 * docs/formats/chunk.md.
 *
 * Bits are written from the highest of each byte. The writer keeps the unused bits of its
 * last byte zero, so that it only ever ors into memory.
 */

#include "alertd/chunk/xor.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/chunk/chunk.h"
#include "lib/base/mem.h"

enum {
    WINDOW_NONE = 255,
};

_Static_assert((WINDOW_NONE & XOR_MARK_WINDOW_NONE) == XOR_MARK_WINDOW_NONE,
               "a kept mark has its lowest bits");

/* Classes of the delta of delta: a prefix, then so many bits in two's complement. */
static const struct time_class {
    uint8_t prefix, prefix_bits, bits;
} time_classes[] = {
    {0x0, 1, 0}, {0x2, 2, 8}, {0x6, 3, 14}, {0xe, 4, 20}, {0xf, 4, 64},
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are turned around below");

/* --- writing --- */

/* Room for so many bits more. There are hundreds of thousands of chunks, and what one does not
 * use is memory of its series: it grows by an eighth, to what an allocator that deals in sixteen
 * bytes and keeps eight for itself would take anyway. */
static struct chunk *make_room(struct chunk *chunk, unsigned n_bits)
{
    size_t need = ((chunk ? chunk->last.at : 0) + n_bits + 7) / 8;

    if (chunk && need <= chunk->capacity)
        return chunk;
    size_t used = chunk ? offsetof(struct chunk, bytes) + chunk->capacity : 0;
    size_t whole = (offsetof(struct chunk, bytes) + need + need / 8 + 15) / 16 * 16 + 8;
    struct chunk *grown = mem_realloc(chunk, whole);
    memset((char *)grown + used, 0, whole - used);
    grown->capacity = (uint32_t)(whole - offsetof(struct chunk, bytes));
    return grown;
}

/* There is room, and what is there behind the last bit is zero. */
static void put_bits(struct chunk *chunk, uint64_t value, unsigned n_bits)
{
    size_t byte = chunk->last.at / 8;
    unsigned room = 64 - (chunk->last.at & 7);

    if (n_bits <= room && byte + 8 <= chunk->capacity) { /* one word, as a rule */
        uint64_t word;
        memcpy(&word, chunk->bytes + byte, 8);
        word |= __builtin_bswap64(value << (64 - n_bits) >> (64 - room));
        memcpy(chunk->bytes + byte, &word, 8);
        chunk->last.at += n_bits;
        return;
    }
    while (n_bits > 0) {
        unsigned left = 8 - (chunk->last.at & 7);
        assert(left <= 8);
        unsigned take = n_bits < left ? n_bits : left;
        uint64_t part = value >> (n_bits - take) & (0xffU >> (8 - take));

        chunk->bytes[chunk->last.at / 8] |= (unsigned char)(part << (left - take));
        chunk->last.at += take;
        n_bits -= take;
    }
}

/* A prefix and what it announces. */
struct code {
    uint64_t prefix, value;
    unsigned n_prefix, n_bits; /* 1 to 13, 0 to 64 */
};

static struct code code_of(uint64_t prefix, unsigned n_prefix, uint64_t value, unsigned n_bits)
{
    if (n_bits < 64)
        value &= (UINT64_C(1) << n_bits) - 1;
    return (struct code){prefix, value, n_prefix, n_bits};
}

static unsigned code_bits(const struct code *code)
{
    return code->n_prefix + code->n_bits;
}

/* Of up to 64 bits. */
static uint64_t code_word(const struct code *code)
{
    return code->prefix << code->n_bits | code->value;
}

static void put_code(struct chunk *chunk, const struct code *code)
{
    if (code_bits(code) <= 64) {
        put_bits(chunk, code_word(code), code_bits(code));
        return;
    }
    put_bits(chunk, code->prefix, code->n_prefix);
    put_bits(chunk, code->value, code->n_bits);
}

static bool fits(int64_t value, unsigned bits)
{
    int64_t half = bits ? INT64_C(1) << (bits - 1) : 0;

    return bits ? value >= -half && value < half : value == 0;
}

static struct code code_time(struct chunk_mark *last, int64_t t_ms)
{
    /* Wraps on purpose: any two int64 have a difference modulo 2^64. */
    uint64_t delta = (uint64_t)t_ms - (uint64_t)last->t_ms;
    int64_t change = (int64_t)(delta - last->delta);
    const struct time_class *in = time_classes;

    while (in->bits < 64 && !fits(change, in->bits))
        in++;
    last->delta = delta;
    return code_of(in->prefix, in->prefix_bits, (uint64_t)change, in->bits);
}

static struct code code_value(struct chunk_mark *last, uint64_t bits)
{
    uint64_t change = bits ^ last->bits;

    if (change == 0)
        return code_of(0, 1, 0, 0);
    unsigned leading = (unsigned)__builtin_clzll(change);
    unsigned trailing = (unsigned)__builtin_ctzll(change);
    if (leading > 31)
        leading = 31;
    bool fits_window = last->leading != WINDOW_NONE && leading >= last->leading &&
                       trailing >= last->trailing;
    /* A window much wider than the change costs more than naming a new one (11 bits). */
    if (fits_window && leading - last->leading + trailing - last->trailing < 12)
        return code_of(2, 2, change >> last->trailing, 64U - last->leading - last->trailing);
    last->leading = (uint8_t)leading;
    last->trailing = (uint8_t)trailing;
    unsigned width = 64 - leading - trailing;
    return code_of(3U << 11 | leading << 6 | (width - 1), 13, change >> trailing, width);
}

/* What lies too far apart for one is read from an older one, or from the begin. */
static void keep_mark(struct chunk *chunk)
{
    const struct chunk_mark *last = &chunk->last;
    uint64_t after_ms = (uint64_t)last->t_ms - (uint64_t)chunk->t0_ms;

    chunk->marks[0] = chunk->marks[1];
    chunk->mark_bits[0] = chunk->mark_bits[1];
    chunk->marks[1].at = 0;
    if (after_ms > UINT32_MAX || last->delta > UINT32_MAX)
        return;
    chunk->mark_bits[1] = last->bits;
    chunk->marks[1] = (struct chunk_kept_mark){
        .after_ms = (uint32_t)after_ms,
        .delta = (uint32_t)last->delta,
        .at = last->at & XOR_MARK_AT_MAX,
        .leading = last->leading & (unsigned)XOR_MARK_WINDOW_NONE,
        .trailing = last->trailing & (unsigned)XOR_MARK_WINDOW_NONE,
    };
}

_Static_assert(CHUNK_SAMPLES_MAX *(4 + 64 + 13 + 64) <= XOR_MARK_AT_MAX, "a mark is at any bit");

static struct chunk *begin_chunk(struct sample sample)
{
    struct chunk *chunk = make_room(NULL, 64);

    chunk->t0_ms = sample.t_ms;
    chunk->last.leading = WINDOW_NONE;
    put_bits(chunk, sample_bits(sample.value), 64);
    return chunk;
}

void chunk_append(struct chunk **chunk, struct sample sample)
{
    uint64_t bits = sample_bits(sample.value);

    if (!*chunk) {
        *chunk = begin_chunk(sample);
    } else {
        struct chunk_mark *last = &(*chunk)->last;

        assert(last->n < CHUNK_SAMPLES_MAX);
        assert(sample.t_ms > last->t_ms);
        const struct code time = code_time(last, sample.t_ms);
        const struct code value = code_value(last, bits);
        unsigned n_bits = code_bits(&time) + code_bits(&value);
        *chunk = make_room(*chunk, n_bits);
        if (n_bits <= 64) {
            put_bits(*chunk, code_word(&time) << code_bits(&value) | code_word(&value), n_bits);
        } else {
            put_code(*chunk, &time);
            put_code(*chunk, &value);
        }
    }
    struct chunk_mark *last = &(*chunk)->last;
    last->t_ms = sample.t_ms;
    last->bits = bits;
    if (++last->n % CHUNK_MARK_SAMPLES == 0)
        keep_mark(*chunk);
}

void chunk_done(struct chunk **chunk)
{
    free(*chunk);
    *chunk = NULL;
}

/* --- reading --- */

/* Where the reader is. It may run past the end, where all bits are zero: who reads looks at
 * `at` now and then. */
struct bits {
    const unsigned char *bytes;
    size_t n_bytes;
    size_t at; /* in bits */
};

enum {
    PEEK_BITS = 57 /* of a word loaded at any bit, so many are there */
};

static uint64_t last_bytes(const struct bits *in, size_t byte)
{
    uint64_t word = 0;

    for (size_t i = 0; i < 8; i++)
        word = word << 8 | (byte + i < in->n_bytes ? in->bytes[byte + i] : 0);
    return word;
}

/* The next bits, from the highest of the word; PEEK_BITS of them count. */
static inline uint64_t peek(const struct bits *in)
{
    size_t byte = in->at / 8;
    uint64_t word;

    if (byte + 8 <= in->n_bytes) {
        memcpy(&word, in->bytes + byte, 8);
        word = __builtin_bswap64(word);
    } else {
        word = last_bytes(in, byte);
    }
    return word << (in->at % 8);
}

/* 1 to 64 bits. */
static inline uint64_t get_bits(struct bits *in, unsigned n_bits)
{
    uint64_t high = 0;

    if (n_bits > 32) {
        high = peek(in) >> 32 << (n_bits - 32);
        in->at += 32;
        n_bits -= 32;
    }
    uint64_t word = peek(in) >> (64 - n_bits);
    in->at += n_bits;
    return high | word;
}

struct state {
    int64_t t_ms;
    uint64_t delta;
    uint64_t bits;
    unsigned leading, width; /* of the xor window; width 0: none yet */
};

/* A delta of delta; `word` is what lies ahead and does not begin with a zero. */
static void change_delta(struct bits *in, struct state *state, uint64_t word)
{
    unsigned ones = ~word ? (unsigned)__builtin_clzll(~word) : 64;
    const struct time_class *class = &time_classes[ones < 4 ? ones : 4];
    unsigned unused = 64U - class->bits;

    in->at += class->prefix_bits;
    state->delta += (uint64_t)((int64_t)(get_bits(in, class->bits) << unused) >> unused);
}

/* A value; `word` is what lies ahead, of which `used` bits are read already. False: bits that
 * no writer of ours makes. */
static inline bool next_value(struct bits *in, struct state *state, uint64_t word, unsigned used)
{
    if (word >> 63 == 0) {
        in->at += used + 1;
        return true;
    }
    if (word >> 62 == 3) {
        state->leading = (unsigned)(word >> 57 & 31);
        state->width = (unsigned)(word >> 51 & 63) + 1;
        word <<= 13;
        used += 13;
    } else {
        word <<= 2;
        used += 2;
    }
    unsigned width = state->width;
    if (width == 0 || state->leading + width > 64)
        return false;
    unsigned shift = 64 - state->leading - width;
    if (width + used <= PEEK_BITS) { /* most changes lie within the same word */
        state->bits ^= word >> (64 - width) << shift;
        in->at += used + width;
    } else {
        in->at += used;
        state->bits ^= get_bits(in, width) << shift;
    }
    return true;
}

/* Samples at the same distance with the same value are two zero bits each: so many of them
 * lie ahead, at most `most`. */
static inline size_t count_repeats(uint64_t word, size_t most)
{
    size_t zeros = word ? (size_t)__builtin_clzll(word) : 64;
    size_t n = (zeros < PEEK_BITS ? zeros : PEEK_BITS - 1) / 2;

    return n < most ? n : most;
}

/* n samples, of which the first is in the state. False: not a chunk of n samples. */
static bool decode_bits(
    struct bits *in, struct state state, size_t n, int64_t *t_ms, double *values)
{
    t_ms[0] = state.t_ms;
    values[0] = sample_from_bits(state.bits);
    for (size_t i = 1; i < n;) {
        uint64_t word = peek(in);
        size_t repeats = count_repeats(word, n - i);

        for (size_t end = i + repeats; i < end; i++) {
            state.t_ms = (int64_t)((uint64_t)state.t_ms + state.delta);
            t_ms[i] = state.t_ms;
            values[i] = values[i - 1];
        }
        in->at += 2 * repeats;
        if (i == n || repeats)
            continue;
        unsigned used = 1;
        if (word >> 63) {
            change_delta(in, &state, word);
            word = peek(in);
            used = 0;
        }
        if (!next_value(in, &state, word << used, used))
            return false;
        state.t_ms = (int64_t)((uint64_t)state.t_ms + state.delta);
        t_ms[i] = state.t_ms;
        values[i++] = sample_from_bits(state.bits);
    }
    return in->at <= in->n_bytes * 8;
}

bool xor_read(const unsigned char *bytes,
              size_t n_bytes,
              size_t n,
              int64_t t0_ms,
              int64_t *t_ms,
              double *values)
{
    struct bits in = {.bytes = bytes, .n_bytes = n_bytes};
    struct state state = {.t_ms = t0_ms, .bits = get_bits(&in, 64)};

    return decode_bits(&in, state, n, t_ms, values);
}

bool xor_read_on(const unsigned char *bytes,
                 size_t n_bytes,
                 const struct chunk_mark *mark,
                 size_t n,
                 int64_t *t_ms,
                 double *values)
{
    struct bits in = {.bytes = bytes, .n_bytes = n_bytes, .at = mark->at};
    struct state state = {.t_ms = mark->t_ms, .delta = mark->delta, .bits = mark->bits};

    if (mark->leading != WINDOW_NONE && mark->leading != XOR_MARK_WINDOW_NONE) {
        state.leading = mark->leading;
        state.width = 64U - mark->leading - mark->trailing;
    }
    return decode_bits(&in, state, n, t_ms, values);
}
