/*
 * Packed whole numbers. See ints.h and docs/formats/chunk.md.
 */

#include "alertd/chunk/ints.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
    TRIM_MAX = INTS_APART_MAX / 2, /* so many of the lowest, so many of the highest */
    PLANES_WIDTH_MAX = 32,
    LOAD_WIDTH_MAX = 57, /* a word loaded at any bit holds so many whole */
};

static unsigned bit_width(uint64_t x)
{
    return x ? 64U - (unsigned)__builtin_clzll(x) : 0;
}

/* --- planning --- */

/* The extremes of the numbers: low[0] the lowest, high[0] the highest, and the next ones. */
struct extremes {
    int64_t low[TRIM_MAX + 1], high[TRIM_MAX + 1];
};

static void note_low(int64_t *low, int64_t x)
{
    for (size_t i = 0; i <= TRIM_MAX; i++)
        if (x < low[i]) {
            int64_t other = low[i];
            low[i] = x;
            x = other;
        }
}

static void note_high(int64_t *high, int64_t x)
{
    for (size_t i = 0; i <= TRIM_MAX; i++)
        if (x > high[i]) {
            int64_t other = high[i];
            high[i] = x;
            x = other;
        }
}

static struct extremes find_extremes(const int64_t *numbers, size_t n)
{
    struct extremes extremes;

    for (size_t i = 0; i <= TRIM_MAX; i++) {
        extremes.low[i] = INT64_MAX;
        extremes.high[i] = INT64_MIN;
    }
    for (size_t i = 0; i < n; i++) {
        if (numbers[i] < extremes.low[TRIM_MAX])
            note_low(extremes.low, numbers[i]);
        if (numbers[i] > extremes.high[TRIM_MAX])
            note_high(extremes.high, numbers[i]);
    }
    return extremes;
}

/* The range that costs the fewest bits, with what it leaves out at the price of standing apart. */
static struct ints_plan plan_range(const int64_t *numbers, size_t n)
{
    const struct extremes extremes = find_extremes(numbers, n);
    size_t trim_max = n > 2 * INTS_APART_MAX ? TRIM_MAX : 0;
    uint64_t best_bits = UINT64_MAX;
    struct ints_plan best = {0};

    for (size_t a = 0; a <= trim_max; a++)
        for (size_t b = 0; b <= trim_max; b++) {
            uint64_t range = (uint64_t)extremes.high[b] - (uint64_t)extremes.low[a];
            uint64_t bits = (uint64_t)bit_width(range) * n + (a + b) * 8U * INTS_APART_BYTES;

            if (bits < best_bits) {
                best_bits = bits;
                best = (struct ints_plan){.low = extremes.low[a], .high = extremes.high[b]};
            }
        }
    return best;
}

static bool stands_apart(const struct ints_plan *plan, int64_t x)
{
    return x < plan->low || x > plan->high;
}

/* The greatest step that both are multiples of; 0 is one of any. */
static uint64_t common_step(uint64_t step, uint64_t distance)
{
    if (step && distance % step == 0)
        return step; /* mostly */
    while (distance) {
        uint64_t rest = step % distance;
        step = distance;
        distance = rest;
    }
    return step;
}

struct ints_plan ints_plan(enum ints_layout layout, const int64_t *numbers, size_t n)
{
    struct ints_plan plan = plan_range(numbers, n);

    plan.layout = layout;
    for (size_t i = 0; i < n; i++) {
        if (stands_apart(&plan, numbers[i]))
            plan.n_apart++;
        else if (plan.step != 1)
            plan.step = common_step(plan.step, (uint64_t)numbers[i] - (uint64_t)plan.low);
    }
    assert(plan.n_apart <= INTS_APART_MAX);
    if (plan.step)
        plan.width = bit_width(((uint64_t)plan.high - (uint64_t)plan.low) / plan.step);
    return plan;
}

/* --- writing --- */

/* Wide codes are mostly noise: planes would fill up their highest byte for nothing. */
static bool has_planes(enum ints_layout layout, unsigned width)
{
    return layout == INTS_PLANES && width <= PLANES_WIDTH_MAX;
}

static size_t codes_bytes(enum ints_layout layout, unsigned width, size_t n)
{
    return !has_planes(layout, width) ? (width * n + 7) / 8 : (width + 7U) / 8 * n;
}

size_t ints_bytes(const struct ints_plan *plan, size_t n)
{
    return INTS_HEAD_BYTES_MAX + codes_bytes(plan->layout, plan->width, n) +
           plan->n_apart * INTS_APART_BYTES;
}

static uint64_t code_of(const struct ints_plan *plan, int64_t number)
{
    return stands_apart(plan, number) ? 0 : ((uint64_t)number - (uint64_t)plan->low) / plan->step;
}

static unsigned char *put_bits(const struct ints_plan *plan,
                               const int64_t *numbers,
                               size_t n,
                               unsigned char *at)
{
    unsigned __int128 ahead = 0; /* bits not yet written */
    unsigned n_ahead = 0;

    for (size_t i = 0; i < n; i++) {
        ahead |= (unsigned __int128)code_of(plan, numbers[i]) << n_ahead;
        for (n_ahead += plan->width; n_ahead >= 8; n_ahead -= 8) {
            *at++ = (unsigned char)ahead;
            ahead >>= 8;
        }
    }
    if (n_ahead > 0)
        *at++ = (unsigned char)ahead;
    return at;
}

static unsigned char *put_planes(const struct ints_plan *plan,
                                 const int64_t *numbers,
                                 size_t n,
                                 unsigned char *at)
{
    size_t n_planes = (plan->width + 7U) / 8;

    for (size_t i = 0; i < n; i++) {
        uint64_t code = code_of(plan, numbers[i]);

        for (size_t k = 0; k < n_planes; k++)
            at[k * n + i] = (unsigned char)(code >> (8 * k));
    }
    return at + n_planes * n;
}

static unsigned char *put_codes(const struct ints_plan *plan,
                                const int64_t *numbers,
                                size_t n,
                                unsigned char *at)
{
    if (plan->width == 0)
        return at;
    return has_planes(plan->layout, plan->width) ? put_planes(plan, numbers, n, at)
                                                 : put_bits(plan, numbers, n, at);
}

unsigned char *ints_write(const struct ints_plan *plan,
                          const int64_t *numbers,
                          size_t n,
                          unsigned char *out)
{
    unsigned char *at = out + varint_put(out, varint_zigzag(plan->low));

    at += varint_put(at, plan->step);
    *at++ = (unsigned char)plan->width;
    *at++ = (unsigned char)plan->n_apart;
    at = put_codes(plan, numbers, n, at);
    for (size_t i = 0; i < n; i++) {
        if (!stands_apart(plan, numbers[i]))
            continue;
        uint16_t place = (uint16_t)i;
        memcpy(at, &place, 2);
        memcpy(at + 2, &numbers[i], 8);
        at += INTS_APART_BYTES;
    }
    return at;
}

/* --- reading --- */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read as they lie");

static uint64_t load(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

/* A code at the end of what may be read, or one too wide for a word loaded at its first bit. */
static uint64_t code_at(const unsigned char *bytes, size_t n_bytes, size_t bit, unsigned width)
{
    unsigned __int128 word = 0;

    for (size_t i = 0; i < 9 && bit / 8 + i < n_bytes; i++)
        word |= (unsigned __int128)bytes[bit / 8 + i] << (8 * i);
    return (uint64_t)(word >> (bit % 8)) & (UINT64_MAX >> (64 - width));
}

/* So many codes lie in words that may be read whole. */
static size_t count_whole(size_t n_bytes, unsigned width, size_t n)
{
    size_t n_whole = width <= LOAD_WIDTH_MAX && n_bytes >= 8 ? (n_bytes - 8) * 8 / width : 0;

    return n_whole < n ? n_whole : n;
}

/* width 1 to 64; n_bytes may be read, the codes lie within. */
static void unpack_bits(
    const unsigned char *bytes, size_t n_bytes, unsigned width, size_t n, uint64_t *codes)
{
    size_t n_whole = count_whole(n_bytes, width, n);
    uint64_t mask = UINT64_MAX >> (64 - width);

    for (size_t i = 0, bit = 0; i < n_whole; i++, bit += width)
        codes[i] = load(bytes + bit / 8) >> (bit % 8) & mask;
    for (size_t i = n_whole; i < n; i++)
        codes[i] = code_at(bytes, n_bytes, i * width, width);
}

static void unpack_planes(const unsigned char *bytes, unsigned width, size_t n, uint64_t *codes)
{
    for (size_t i = 0; i < n; i++)
        codes[i] = bytes[i];
    for (unsigned k = 1; k < (width + 7U) / 8; k++)
        for (size_t i = 0; i < n; i++)
            codes[i] |= (uint64_t)bytes[k * n + i] << (8 * k);
}

static const unsigned char *read_apart(const unsigned char *at,
                                       size_t n_apart,
                                       size_t n,
                                       int64_t *numbers)
{
    for (size_t i = 0; i < n_apart; i++, at += INTS_APART_BYTES) {
        uint16_t place;

        memcpy(&place, at, 2);
        if (place >= n)
            return NULL;
        memcpy(&numbers[place], at + 2, 8);
    }
    return at;
}

const unsigned char *ints_read_head(enum ints_layout layout,
                                    const unsigned char *at,
                                    const unsigned char *end,
                                    size_t n,
                                    struct ints_head *head)
{
    uint64_t low = 0;

    at = varint_get(at, end, &low);
    at = at ? varint_get(at, end, &head->step) : NULL;
    if (!at || end - at < 2)
        return NULL;
    head->low = (uint64_t)varint_unzigzag(low);
    head->width = at[0];
    head->n_planes = has_planes(layout, head->width) ? (head->width + 7U) / 8 : 0;
    head->n_apart = at[1];
    head->n_bytes = codes_bytes(layout, head->width, n);
    at += 2;
    if (head->width > 64 || head->n_apart > INTS_APART_MAX ||
        (size_t)(end - at) < head->n_bytes + head->n_apart * INTS_APART_BYTES)
        return NULL;
    return at;
}

static void scale(uint64_t *codes, size_t n, uint64_t low, uint64_t step)
{
    if (step == 1)
        for (size_t i = 0; i < n; i++)
            codes[i] += low;
    else
        for (size_t i = 0; i < n; i++)
            codes[i] = low + codes[i] * step;
}

const unsigned char *ints_read(enum ints_layout layout,
                               const unsigned char *at,
                               const unsigned char *end,
                               size_t n,
                               int64_t *numbers)
{
    uint64_t *codes = (uint64_t *)numbers;
    struct ints_head head;

    at = ints_read_head(layout, at, end, n, &head);
    if (!at)
        return NULL;
    if (head.width == 0) {
        for (size_t i = 0; i < n; i++)
            codes[i] = head.low;
        return read_apart(at, head.n_apart, n, numbers);
    }
    if (head.n_planes > 0)
        unpack_planes(at, head.width, n, codes);
    else
        unpack_bits(at, (size_t)(end - at), head.width, n, codes);
    scale(codes, n, head.low, head.step);
    return read_apart(at + head.n_bytes, head.n_apart, n, numbers);
}

const unsigned char *ints_read_same(enum ints_layout layout,
                                    const unsigned char *at,
                                    const unsigned char *end,
                                    size_t n,
                                    int64_t *ret_number)
{
    struct ints_head head;

    at = ints_read_head(layout, at, end, n, &head);
    if (!at || head.width > 0 || head.n_apart > 0)
        return NULL;
    *ret_number = (int64_t)head.low;
    return at;
}

const unsigned char *ints_read_sums(enum ints_layout layout,
                                    const unsigned char *at,
                                    const unsigned char *end,
                                    size_t n,
                                    int64_t *numbers)
{
    uint64_t *sums = (uint64_t *)numbers;

    at = ints_read(layout, at, end, n, numbers + 1);
    for (size_t i = 1; at && i <= n; i++)
        sums[i] += sums[i - 1];
    return at;
}
