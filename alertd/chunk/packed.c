/*
 * Samples as whole numbers. See packed.h.
 */

#include "alertd/chunk/packed.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "alertd/chunk/chunk.h"
#include "alertd/chunk/ints.h"
#include "alertd/chunk/wide.h"
#include "lib/model/sample.h"

enum {
    EXPONENT_MAX = 15,
    ODD_PART = 16, /* decimals are worth it when no more than 1 in so many is odd */
    ODD_BYTES = 2 + 8,
    HEAD_BYTES = 1 + 1 + 2 + 10, /* tag, exponent, number of odd ones, the first of differences */
    TAG_BITS = 1,                /* numbers are the bits of the values */
    TAG_DIFFERENCES = 2,
};

/* Exactly representable, so that a division by one is the nearest float to the decimal. */
static const double powers[EXPONENT_MAX + 1] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* Beyond this a float holds no longer every whole number. */
#define WHOLE_MAX 9007199254740992.0

size_t packed_bytes_max(size_t n)
{
    return HEAD_BYTES + n * ODD_BYTES + 2 * (INTS_HEAD_BYTES_MAX + 8 * n + 8) +
           2 * INTS_APART_MAX * INTS_APART_BYTES;
}

/* --- writing --- */

/* The values of a chunk as whole numbers. */
struct numbers {
    int64_t *of; /* the caller's room */
    size_t n_odd;
    unsigned exponent;
    bool are_bits;
};

/* Is the value number / 10^exponent, to the last bit? */
static bool is_decimal(double value, unsigned exponent, int64_t *ret_number)
{
    double scaled = value * powers[exponent];

    if (!(fabs(scaled) < WHOLE_MAX)) /* NaN neither */
        return false;
    int64_t number = llrint(scaled);
    *ret_number = number;
    return sample_bits((double)number / powers[exponent]) == sample_bits(value);
}

/* The smallest exponent from `exponent` on that makes it a decimal; EXPONENT_MAX + 1: none. */
static unsigned exponent_of(double value, unsigned exponent)
{
    int64_t number;

    while (exponent <= EXPONENT_MAX && !is_decimal(value, exponent, &number))
        exponent++;
    return exponent;
}

/* The exponent most values go along with. */
static unsigned find_exponent(const double *values, size_t n, size_t odd_max)
{
    unsigned exponent = 0;
    size_t n_odd = 0;

    for (size_t i = 0; i < n && n_odd <= odd_max; i++) {
        unsigned own = exponent_of(values[i], exponent);

        if (own <= EXPONENT_MAX)
            exponent = own;
        else
            n_odd++;
    }
    return exponent;
}

/* An odd one is written as what would have been likely, so that it costs its neighbours
 * nothing. */
static int64_t likely(const int64_t *numbers, size_t i)
{
    if (i == 0)
        return 0;
    uint64_t change = i > 1 ? (uint64_t)numbers[i - 1] - (uint64_t)numbers[i - 2] : 0;
    return (int64_t)((uint64_t)numbers[i - 1] + change);
}

/* False: too many are no decimals. */
static bool as_decimals(const double *values, size_t n, struct numbers *numbers)
{
    size_t odd_max = n / ODD_PART;

    numbers->are_bits = false;
    numbers->exponent = find_exponent(values, n, odd_max);
    numbers->n_odd = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_decimal(values[i], numbers->exponent, &numbers->of[i]))
            continue;
        if (numbers->n_odd == odd_max)
            return false;
        numbers->n_odd++;
        numbers->of[i] = likely(numbers->of, i);
    }
    return true;
}

static void as_bits(const double *values, size_t n, struct numbers *numbers)
{
    numbers->are_bits = true;
    numbers->exponent = 0;
    numbers->n_odd = 0;
    memcpy(numbers->of, values, n * sizeof(*values));
}

/* In place: numbers[1..n) become the differences to the ones before. */
static void take_apart(int64_t *numbers, size_t n)
{
    for (size_t i = n; i-- > 1;)
        numbers[i] = (int64_t)((uint64_t)numbers[i] - (uint64_t)numbers[i - 1]);
}

static void add_up(int64_t *numbers, size_t n)
{
    uint64_t sum = (uint64_t)numbers[0];

    for (size_t i = 1; i < n; i++) {
        sum += (uint64_t)numbers[i];
        numbers[i] = (int64_t)sum;
    }
}

static unsigned char *write_times(
    enum ints_layout layout, const int64_t *t_ms, size_t n, int64_t *room, unsigned char *at)
{
    if (n == 1)
        return at;
    memcpy(room, t_ms, n * sizeof(*t_ms));
    take_apart(room, n);
    const struct ints_plan plan = ints_plan(layout, room + 1, n - 1);
    return ints_write(&plan, room + 1, n - 1, at);
}

static unsigned char *write_numbers(enum ints_layout layout,
                                    const struct numbers *numbers,
                                    size_t n,
                                    unsigned char *at)
{
    unsigned char *tag = at;

    *at++ = numbers->are_bits ? TAG_BITS : 0;
    *at++ = (unsigned char)numbers->exponent;
    memcpy(at, &(uint16_t){(uint16_t)numbers->n_odd}, 2);
    at += 2;
    const struct ints_plan itself = ints_plan(layout, numbers->of, n);
    if (n > 2) {
        take_apart(numbers->of, n);
        const struct ints_plan change = ints_plan(layout, numbers->of + 1, n - 1);
        if (ints_bytes(&change, n - 1) + 8 < ints_bytes(&itself, n)) {
            *tag |= TAG_DIFFERENCES;
            memcpy(at, &numbers->of[0], 8);
            return ints_write(&change, numbers->of + 1, n - 1, at + 8);
        }
        add_up(numbers->of, n);
    }
    return ints_write(&itself, numbers->of, n, at);
}

static unsigned char *write_odd(const double *values,
                                size_t n,
                                unsigned exponent,
                                unsigned char *at)
{
    int64_t number;

    for (size_t i = 0; i < n; i++) {
        if (is_decimal(values[i], exponent, &number))
            continue;
        memcpy(at, &(uint16_t){(uint16_t)i}, 2);
        memcpy(at + 2, &values[i], 8);
        at += ODD_BYTES;
    }
    return at;
}

unsigned char *packed_write(enum ints_layout layout,
                            const int64_t *t_ms,
                            const double *values,
                            size_t n,
                            int64_t *room,
                            unsigned char *out)
{
    struct numbers numbers = {.of = room};

    assert(n > 0 && n <= CHUNK_LONG_SAMPLES_MAX);
    unsigned char *at = write_times(layout, t_ms, n, room, out);
    if (!as_decimals(values, n, &numbers))
        as_bits(values, n, &numbers);
    at = write_numbers(layout, &numbers, n, at);
    return numbers.n_odd ? write_odd(values, n, numbers.exponent, at) : at;
}

/* --- reading --- */

static const unsigned char *read_differences(enum ints_layout layout,
                                             const unsigned char *at,
                                             const unsigned char *end,
                                             size_t n,
                                             int64_t first,
                                             int64_t *numbers)
{
    numbers[0] = first;
    return n > 1 ? ints_read_sums(layout, at, end, n - 1, numbers) : at;
}

static const unsigned char *read_times(const struct packed_body *body,
                                       int64_t *t_ms,
                                       int64_t *ret_step_ms)
{
    const unsigned char *at = NULL;

    *ret_step_ms = 0;
    if (body->n > 1)
        at = ints_read_same(body->layout, body->at, body->end, body->n - 1, ret_step_ms);
    return at ? at
              : read_differences(body->layout, body->at, body->end, body->n, body->t0_ms, t_ms);
}

static bool read_odd(
    const unsigned char *at, const unsigned char *end, size_t n_odd, size_t n, double *values)
{
    if ((size_t)(end - at) != n_odd * ODD_BYTES)
        return false;
    for (size_t i = 0; i < n_odd; i++, at += ODD_BYTES) {
        uint16_t place;

        memcpy(&place, at, 2);
        if (place >= n)
            return false;
        memcpy(&values[place], at + 2, 8);
    }
    return true;
}

/* What stands in front of the numbers that values are. */
struct values_head {
    unsigned tag, exponent;
    uint16_t n_odd;
    int64_t first; /* of differences */
};

static const unsigned char *read_values_head(const unsigned char *at,
                                             const unsigned char *end,
                                             struct values_head *head)
{
    if (end - at < 4)
        return NULL;
    head->tag = at[0];
    head->exponent = at[1];
    memcpy(&head->n_odd, at + 2, 2);
    at += 4;
    if (head->tag > (TAG_BITS | TAG_DIFFERENCES) || head->exponent > EXPONENT_MAX)
        return NULL;
    if (!(head->tag & TAG_DIFFERENCES))
        return at;
    if (end - at < 8)
        return NULL;
    memcpy(&head->first, at, 8);
    return at + 8;
}

/* The byte behind the numbers; NULL: they are not all the same. */
static const unsigned char *read_constant(const struct packed_body *body,
                                          const struct values_head *head,
                                          const unsigned char *at,
                                          double *values)
{
    int64_t number;

    at = head->tag == 0 ? ints_read_same(body->layout, at, body->end, body->n, &number) : NULL;
    for (size_t i = 0; at && i < body->n; i++)
        values[i] = (double)number / powers[head->exponent];
    return at;
}

/* The byte behind the numbers; NULL: they are not to be read so. */
static const unsigned char *read_wide(const struct packed_body *body,
                                      const struct values_head *values_head,
                                      const unsigned char *at,
                                      double *values)
{
    bool are_changes = values_head->tag & TAG_DIFFERENCES;
    size_t n = body->n - are_changes;
    struct ints_head head;

    if (values_head->tag & TAG_BITS || n == 0)
        return NULL;
    at = ints_read_head(body->layout, at, body->end, n, &head);
    if (!at)
        return NULL;
    const struct wide_codes codes = {.head = &head,
                                     .at = at,
                                     .end = body->end,
                                     .n = n,
                                     .power = powers[values_head->exponent],
                                     .first = are_changes ? &values_head->first : NULL};
    return wide_read(&codes, values) ? at + head.n_bytes : NULL;
}

static const unsigned char *read_one_by_one(const struct packed_body *body,
                                            const struct values_head *head,
                                            const unsigned char *at,
                                            int64_t *room,
                                            double *values)
{
    size_t n = body->n;

    at = head->tag & TAG_DIFFERENCES
             ? read_differences(body->layout, at, body->end, n, head->first, room)
             : ints_read(body->layout, at, body->end, n, room);
    if (!at)
        return NULL;
    if (head->tag & TAG_BITS)
        memcpy(values, room, n * sizeof(*values));
    else
        for (size_t i = 0; i < n; i++)
            values[i] = (double)room[i] / powers[head->exponent];
    return at;
}

bool packed_read(const struct packed_body *body,
                 int64_t *room,
                 int64_t *t_ms,
                 double *values,
                 int64_t *ret_step_ms)
{
    struct values_head head = {0};
    const unsigned char *at = read_times(body, t_ms, ret_step_ms);

    at = at ? read_values_head(at, body->end, &head) : NULL;
    if (!at)
        return false;
    const unsigned char *behind = read_constant(body, &head, at, values);
    if (!behind && !body->one_by_one)
        behind = read_wide(body, &head, at, values);
    if (!behind)
        behind = read_one_by_one(body, &head, at, room, values);
    return behind && read_odd(behind, body->end, head.n_odd, body->n, values);
}
