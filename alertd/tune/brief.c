/*
 * Runs of a few steps. See brief.h.
 */

#include "alertd/tune/brief.h"

#include <string.h>

#include "lib/base/lanes.h"
#include "lib/base/mem.h"

enum {
    NO_LEVEL = UINT8_MAX, /* beyond the ends: higher than all, so that nothing ends there */
    WORD = 64,
    FROM = BRIEF_EDGE,
    TO = BRIEF_EDGE + BRIEF_STEPS,
};

static inline uint8_t greater(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static inline uint8_t lesser(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* The bits of a block's bytes that are 255 or 0. */
static inline void take_bits(const uint8_t *bytes, uint64_t *ret_words)
{
    for (size_t i = 0; i < BRIEF_WORDS; i++) {
        ret_words[i] = 0;
        for (size_t k = 0; k < WORD; k += LANES_BYTES)
            ret_words[i] |= (uint64_t)lanes_byte_bits(bytes + i * WORD + k) << k;
    }
}

/* Of the block's steps alone, and not of what is behind them. */
static void cut_bits(const struct brief *brief, uint64_t *words)
{
    for (size_t i = 0; i < BRIEF_WORDS; i++) {
        size_t n = brief->n > i * WORD ? brief->n - i * WORD : 0;
        words[i] &= n >= WORD ? UINT64_MAX : (UINT64_C(1) << n) - 1;
    }
}

static void find_changes(const struct brief *brief, uint64_t *ret_words)
{
    const uint8_t *levels = brief->levels;
    uint8_t differs[BRIEF_STEPS];

    for (size_t i = 0; i < BRIEF_STEPS; i++)
        differs[i] = levels[FROM + i] != levels[FROM + i - 1] ? UINT8_MAX : 0;
    take_bits(differs, ret_words);
    cut_bits(brief, ret_words);
}

size_t brief_begin(struct brief *brief, size_t n, uint32_t before)
{
    size_t n_changes = 0;

    brief->n = n;
    memset(brief->levels, NO_LEVEL, BRIEF_EDGE);
    memset(brief->levels + BRIEF_EDGE + n, NO_LEVEL, BRIEF_ROOM - BRIEF_EDGE - n);
    brief->levels[BRIEF_EDGE - 1] = (uint8_t)before;
    find_changes(brief, brief->changes);
    brief->levels[BRIEF_EDGE - 1] = NO_LEVEL;
    for (size_t i = 0; i < BRIEF_WORDS; i++)
        n_changes += (size_t)__builtin_popcountll(brief->changes[i]);
    return n_changes;
}

size_t brief_crossings(const struct brief *brief, uint32_t first, struct surface_crossing *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < BRIEF_WORDS; i++)
        for (uint64_t word = brief->changes[i]; word != 0; word &= word - 1) {
            size_t at = i * WORD + (size_t)__builtin_ctzll(word);
            ret[n++] = (struct surface_crossing){first + (uint32_t)at,
                                                 brief->levels[BRIEF_EDGE + at]};
        }
    return n;
}

size_t brief_watch(const struct brief *brief,
                   uint32_t threshold,
                   bool was,
                   uint32_t first,
                   struct surface_crossing *ret)
{
    const uint8_t *levels = brief->levels + BRIEF_EDGE;
    const uint8_t above = (uint8_t)threshold;
    uint8_t passes[BRIEF_STEPS];
    uint64_t words[BRIEF_WORDS];
    uint64_t last = was;
    size_t n = 0;

    for (size_t i = 0; i < BRIEF_STEPS; i++)
        passes[i] = levels[i] > above ? UINT8_MAX : 0;
    take_bits(passes, words);
    for (size_t i = 0; i < BRIEF_WORDS; i++) {
        uint64_t word = words[i];
        words[i] = word ^ (word << 1 | last);
        last = word >> (WORD - 1);
    }
    cut_bits(brief, words);
    for (size_t i = 0; i < BRIEF_WORDS; i++)
        for (uint64_t word = words[i]; word != 0; word &= word - 1) {
            was = !was;
            ret[n++] = (struct surface_crossing){
                first + (uint32_t)(i * WORD + (size_t)__builtin_ctzll(word)), was};
        }
    return n;
}

/* --- runs of a few steps --- */

/* All windows of n steps. */
struct window {
    uint8_t least[BRIEF_ROOM];   /* [i]: of the steps from i on */
    uint8_t beside[BRIEF_STEPS]; /* the greater of a block's step's two neighbours */
};

/* Where runs of n steps begin. */
static inline void find_runs(const uint8_t *restrict levels,
                             size_t n,
                             struct window *restrict window,
                             uint64_t *restrict ret_words)
{
    uint8_t is_run[BRIEF_STEPS];

    for (size_t i = 0; i < BRIEF_STEPS; i++) {
        window->beside[i] = greater(levels[FROM + i - 1], levels[FROM + i + n]);
        is_run[i] = window->least[FROM + i] > window->beside[i] ? UINT8_MAX : 0;
    }
    take_bits(is_run, ret_words);
}

/* From n steps to n + 1. */
static inline void widen(const uint8_t *restrict levels,
                         size_t n,
                         struct window *restrict window,
                         const uint8_t *restrict most,
                         uint8_t *restrict ret_most)
{
    for (size_t i = 0; i < TO; i++)
        window->least[i] = lesser(window->least[i], levels[i + n]);
    for (size_t i = 0; i < TO; i++)
        ret_most[i] = greater(most[i], levels[i + n]);
}

/* The greatest least of all windows of `n` steps, a power of two, that a step lies in. */
static inline void open_levels(struct brief *brief, const struct window *window, size_t n)
{
    uint8_t widened[BRIEF_EDGE + TO];
    uint8_t before[BRIEF_EDGE + TO];

    memset(widened, 0, BRIEF_EDGE);
    memcpy(widened + BRIEF_EDGE, window->least, TO);
    for (size_t half = 1; half < n; half *= 2) {
        memcpy(before, widened, sizeof(before));
        for (size_t i = BRIEF_EDGE; i < BRIEF_EDGE + TO; i++)
            widened[i] = greater(before[i], before[i - half]);
    }
    memcpy(brief->levels + BRIEF_EDGE, widened + 2 * (size_t)BRIEF_EDGE, brief->n);
}

static inline __attribute__((always_inline)) void count_all(struct brief *brief,
                                                            const struct tally_stretch *stretch,
                                                            int64_t *peaks,
                                                            size_t n_rows)
{
    MEM_UNSET struct window window;
    uint64_t words[BRIEF_WORDS];

    memcpy(window.least, brief->levels, BRIEF_ROOM);
    memcpy(brief->most[0], brief->levels, BRIEF_ROOM);
    for (size_t n = 1; n <= BRIEF_RUN; n++) {
        const uint8_t *most = brief->most[n - 1] + FROM;
        const uint8_t *least = window.least + FROM;
        int64_t *few = stretch->few + n * n_rows;

        find_runs(brief->levels, n, &window, words);
        for (size_t i = 0; i < BRIEF_WORDS; i++)
            for (uint64_t word = words[i]; word != 0; word &= word - 1) {
                size_t at = i * WORD + (size_t)__builtin_ctzll(word);
                int64_t *row = peaks + most[at] * n_rows;
                few[window.beside[at]]++;
                few[least[at]]--;
                row[window.beside[at]]++;
                row[least[at]]--;
            }
        widen(brief->levels, n, &window, brief->most[n - 1], brief->most[n]);
    }
    open_levels(brief, &window, BRIEF_RUN + 1);
}

#ifdef LANES_WIDE
LANES_WIDE static void count_wide(struct brief *brief,
                                  const struct tally_stretch *stretch,
                                  int64_t *peaks,
                                  size_t n_rows)
{
    count_all(brief, stretch, peaks, n_rows);
}
#endif

void brief_count(struct brief *brief,
                 const struct tally_stretch *stretch,
                 int64_t *peaks,
                 size_t n_rows)
{
#ifdef LANES_WIDE
    if (lanes_are_wide()) {
        count_wide(brief, stretch, peaks, n_rows);
        return;
    }
#endif
    count_all(brief, stretch, peaks, n_rows);
}

/* The highest level there was in the steps [begin, end), before runs of a few steps were taken away. */
static uint32_t peak_of(const struct brief *brief, size_t begin, size_t end)
{
    const uint8_t *widest = brief->most[BRIEF_RUN] + BRIEF_EDGE;
    const size_t n_widest = BRIEF_RUN + 1;

    if (end - begin <= n_widest)
        return brief->most[end - begin - 1][BRIEF_EDGE + begin];
    uint8_t peak = widest[end - n_widest];
    for (; begin + n_widest < end; begin += n_widest)
        peak = greater(peak, widest[begin]);
    return peak;
}

size_t brief_rest(const struct brief *brief, uint32_t first, struct brief_rest *ret)
{
    uint64_t words[BRIEF_WORDS];
    size_t begin = 0;
    size_t n = 0;

    find_changes(brief, words);
    words[0] &= ~UINT64_C(1);
    for (size_t i = 0; i < BRIEF_WORDS; i++)
        for (uint64_t word = words[i]; word != 0; word &= word - 1) {
            size_t end = i * WORD + (size_t)__builtin_ctzll(word);
            ret[n++] = (struct brief_rest){first + (uint32_t)begin,
                                           brief->levels[BRIEF_EDGE + begin],
                                           peak_of(brief, begin, end)};
            begin = end;
        }
    ret[n++] = (struct brief_rest){first + (uint32_t)begin, brief->levels[BRIEF_EDGE + begin],
                                   peak_of(brief, begin, brief->n)};
    return n;
}
