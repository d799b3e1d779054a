/*
 * Packed values four at a time. See wide.h.
 *
 * Eight codes are as many bytes as one is bits, so a group of eight begins with a byte. Narrow ones are
 * in two words, each of which all four lanes have and shift by their own code's place; of 5 bits:
 *
 *     bytes    0       1       2       3       4
 *     codes    00000111 11222223 33334444 45555566 66677777
 *     words    from byte 0: shifts 0, 5, 10, 15
 *                              from byte 2: shifts 4, 9, 14, 19
 */

#include "alertd/chunk/wide.h"

#include <string.h>

#include "lib/base/lanes.h"

#ifdef LANES_WIDE

enum {
    GROUP = 8,
    FOUR_WIDTH_MAX = 15,  /* four codes and the four bits before them are a word */
    WIDTH_MAX = 32,       /* of codes and of steps: what lanes multiply */
    REST_MAX = 8 * GROUP, /* codes whose words may reach behind what may be read */
    REST_BYTES = 2 * WIDTH_MAX + sizeof(uint64_t),
};

/* Numbers below this, either side of 0, are the low bits of a float that is this much and half of it more:
 * that is how lanes without an instruction for it become floats. */
#define NEAR_MAX (INT64_C(1) << 51)

/* What all groups of a row have in common. */
struct group {
    __m256i shifts[2], mask;
    __m256i low, step;
    __m256d power, inverse;
    size_t n_bytes;          /* from one group to the next */
    size_t n_planes, stride; /* 0: bits */
    bool has_words;          /* each code has a word; else four are in one */
    bool is_sum, divides;
    uint8_t offsets[GROUP]; /* of the words, in bytes */
};

/* Where nothing is optimized each of them would take room in the frame of whoever calls. */
#ifdef __OPTIMIZE__
#define INLINE_WIDE LANES_WIDE static inline __attribute__((always_inline))
#else
#define INLINE_WIDE LANES_WIDE static
#endif

INLINE_WIDE long long word_at(const unsigned char *at)
{
    long long word;

    memcpy(&word, at, sizeof(word));
    return word;
}

/* How the codes lie. */
enum lie {
    LIE_FOUR,   /* four of them in a word */
    LIE_WORDS,  /* each in a word of its own */
    LIE_PLANES, /* byte by byte */
};

INLINE_WIDE __m256i codes_of_planes(const struct group *group, const unsigned char *at)
{
    __m256i codes = _mm256_setzero_si256();

    for (size_t k = group->n_planes; k-- > 0;) {
        int four;
        memcpy(&four, at + k * group->stride, sizeof(four));
        codes = _mm256_or_si256(_mm256_slli_epi64(codes, 8),
                                _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(four)));
    }
    return codes;
}

/* Of the first four of a group, or the last. */
INLINE_WIDE __m256i codes_at(const struct group *group,
                             const unsigned char *at,
                             int half,
                             enum lie lie)
{
    const uint8_t *offsets = group->offsets + (half ? GROUP / 2 : 0);

    if (lie == LIE_PLANES)
        return codes_of_planes(group, at + (half ? GROUP / 2 : 0));
    const __m256i words = lie == LIE_FOUR ? _mm256_set1_epi64x(word_at(at + offsets[0]))
                                          : _mm256_set_epi64x(
                                                word_at(at + offsets[3]), word_at(at + offsets[2]),
                                                word_at(at + offsets[1]), word_at(at + offsets[0]));
    return _mm256_and_si256(_mm256_srlv_epi64(words, group->shifts[half]), group->mask);
}

/* Each lane and those below it. */
INLINE_WIDE __m256i sums_of(__m256i x)
{
    const __m256i zero = _mm256_setzero_si256();

    x = _mm256_add_epi64(x, _mm256_slli_si256(x, 8));
    return _mm256_add_epi64(x, _mm256_blend_epi32(zero, _mm256_permute4x64_epi64(x, 0x55), 0xf0));
}

/* x / power without a division (Markstein, IBM J. Res. Dev. 34, 1990): what a product by 1 / power leaves of x
 * is multiplied once more. Before the last rounding it is within 2^-50 of a float's last place of
 * x / power, which for powers of ten up to 10^15 is never nearer than 2^-36 to the middle of two floats. */
INLINE_WIDE __m256d quotient(__m256d x, __m256d power, __m256d inverse)
{
    const __m256d q = _mm256_mul_pd(x, inverse);

    return _mm256_fmadd_pd(_mm256_fnmadd_pd(q, power, x), inverse, q);
}

INLINE_WIDE __m256d as_floats(__m256i numbers)
{
    const __m256d shift = _mm256_set1_pd((double)(3 * NEAR_MAX));

    return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_add_epi64(numbers, _mm256_castpd_si256(shift))),
                         shift);
}

/* *last: the sum before the first in all lanes; it becomes the last. */
INLINE_WIDE void write_four(const struct group *group,
                            __m256i codes,
                            bool is_sum,
                            bool divides,
                            __m256i *last,
                            double *values)
{
    __m256i numbers = _mm256_add_epi64(_mm256_mul_epu32(codes, group->step), group->low);

    if (is_sum) {
        const __m256i sums = sums_of(numbers);
        numbers = _mm256_add_epi64(sums, *last);
        *last = _mm256_add_epi64(*last, _mm256_permute4x64_epi64(sums, 0xff));
    }
    __m256d floats = as_floats(numbers);
    if (divides)
        floats = quotient(floats, group->power, group->inverse);
    _mm256_storeu_pd(values, floats);
}

/* So many groups from some bytes on; returns the last sum. */
struct groups {
    struct group of;
    __m256i last; /* the sum before them */
    const unsigned char *at;
    size_t n;
    double *values;
};

/* One loop for each kind of row, in which nothing is asked: who calls says what it is. */
INLINE_WIDE __m256i loop(const struct groups *groups, enum lie lie, bool is_sum, bool divides)
{
    const struct group group = groups->of;
    const unsigned char *at = groups->at;
    double *values = groups->values;
    __m256i last = groups->last;

    for (size_t i = 0; i < groups->n; i++, at += group.n_bytes, values += GROUP) {
        write_four(&group, codes_at(&group, at, 0, lie), is_sum, divides, &last, values);
        write_four(&group, codes_at(&group, at, 1, lie), is_sum, divides, &last,
                   values + GROUP / 2);
    }
    return last;
}

INLINE_WIDE __m256i loop_lying(const struct groups *groups, enum lie lie)
{
    if (groups->of.is_sum)
        return groups->of.divides ? loop(groups, lie, true, true) : loop(groups, lie, true, false);
    return groups->of.divides ? loop(groups, lie, false, true) : loop(groups, lie, false, false);
}

LANES_WIDE static __m256i read_groups(const struct groups *groups)
{
    if (groups->of.n_planes > 0)
        return loop_lying(groups, LIE_PLANES);
    return groups->of.has_words ? loop_lying(groups, LIE_WORDS) : loop_lying(groups, LIE_FOUR);
}

/* The codes behind the last group that may be read whole: out of a copy with room behind it. */
LANES_WIDE static void read_rest(struct group group,
                                 const unsigned char *at,
                                 const unsigned char *end,
                                 size_t n,
                                 __m256i last,
                                 double *values)
{
    unsigned char bytes[REST_BYTES] = {0};
    double some[REST_MAX];

    if (group.n_planes == 0)
        memcpy(bytes, at, (size_t)(end - at) < sizeof(bytes) ? (size_t)(end - at) : sizeof(bytes));
    for (size_t k = 0; k < group.n_planes; k++)
        memcpy(bytes + k * GROUP, at + k * group.stride, n);
    group.stride = GROUP;
    (void)read_groups(&(struct groups){group, last, bytes, (n + GROUP - 1) / GROUP, some});
    memcpy(values, some, n * sizeof(*values));
}

/* Can no number, or no sum of them, be further from 0 than floats are whole by their bits? */
static bool are_near(const struct wide_codes *codes)
{
    const struct ints_head *head = codes->head;
    unsigned __int128 low = head->low >> 63 ? 0 - head->low : head->low;
    unsigned __int128 most = low + (((unsigned __int128)1 << head->width) - 1) * head->step;

    if (!codes->first)
        return most < NEAR_MAX;
    uint64_t first = (uint64_t)*codes->first;
    return most * codes->n + (first >> 63 ? 0 - first : first) < NEAR_MAX;
}

static bool is_narrow(const struct ints_head *head)
{
    return head->n_apart == 0 && head->width > 0 && head->width <= WIDTH_MAX &&
           head->step >> WIDTH_MAX == 0;
}

/* So many groups of n codes may be read as they lie. */
static size_t count_groups(const struct wide_codes *codes, const struct group *group)
{
    size_t n_bytes = (size_t)(codes->end - codes->at);
    size_t n_words = group->offsets[GROUP - 1] + sizeof(uint64_t); /* of a group */
    size_t n_whole = codes->n / GROUP;

    if (group->n_planes > 0)
        return n_whole;
    size_t n_readable = n_bytes >= n_words ? (n_bytes - n_words) / group->n_bytes + 1 : 0;
    return n_readable < n_whole ? n_readable : n_whole;
}

LANES_WIDE static struct group group_of(const struct wide_codes *codes)
{
    const struct ints_head *head = codes->head;
    struct group group = {
        .n_bytes = head->n_planes ? GROUP : head->width,
        .n_planes = head->n_planes,
        .stride = codes->n,
        .has_words = head->width > FOUR_WIDTH_MAX,
        .mask = _mm256_set1_epi64x((1LL << head->width) - 1),
        .low = _mm256_set1_epi64x((long long)head->low),
        .step = _mm256_set1_epi64x((long long)head->step),
        .power = _mm256_set1_pd(codes->power),
        .inverse = _mm256_set1_pd(1 / codes->power),
        .is_sum = codes->first != NULL,
        .divides = codes->power > 1,
    };
    int64_t shifts[GROUP];

    for (unsigned i = 0; i < GROUP; i++) {
        unsigned word = group.has_words ? i : i / 4 * 4; /* the code its word begins with */

        group.offsets[i] = (uint8_t)(word * head->width / 8);
        shifts[i] = i * head->width - group.offsets[i] * 8;
    }
    memcpy(group.shifts, shifts, sizeof(shifts));
    return group;
}

LANES_WIDE static void read_all(const struct wide_codes *codes, double *values)
{
    const struct group group = group_of(codes);
    const size_t n_groups = count_groups(codes, &group);
    const size_t n_read = n_groups * GROUP;
    __m256i last = _mm256_setzero_si256();

    if (codes->first) {
        last = _mm256_set1_epi64x(*codes->first);
        *values++ = (double)*codes->first / codes->power;
    }
    last = read_groups(&(struct groups){group, last, codes->at, n_groups, values});
    if (n_read < codes->n)
        read_rest(group, codes->at + n_groups * group.n_bytes, codes->end, codes->n - n_read, last,
                  values + n_read);
}

bool wide_read(const struct wide_codes *codes, double *values)
{
    if (!lanes_are_wide() || !is_narrow(codes->head) || !are_near(codes))
        return false;
    read_all(codes, values);
    return true;
}

#else

bool wide_read(const struct wide_codes *codes, double *values)
{
    (void)codes;
    (void)values;
    return false;
}
#endif
