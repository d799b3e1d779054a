/*
 * The nearest word, by optimal string alignment: Levenshtein's distance (1966) with
 * swapped neighbours counted once (Damerau 1964). Three rows of the table are enough.
 */

#include "lib/base/near.h"

#include <string.h>

enum {
    WORD_MAX = 64,
    DISTANCE_MAX = 3,
};

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned distance(const char *a, const char *b)
{
    size_t len = strlen(b);
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *here = rows[2];

    for (size_t j = 0; j <= len; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1]; i++) {
        here[0] = (unsigned)i;
        for (size_t j = 1; j <= len; j++) {
            unsigned replaced = above[j - 1] + (a[i - 1] != b[j - 1]);

            here[j] = least(replaced, least(above[j], here[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                here[j] = least(here[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = above;
        above = here;
        here = spare;
    }
    return above[len];
}

const char *near_word(const char *word, const char *const *known)
{
    const char *best = NULL;
    unsigned best_distance = DISTANCE_MAX + 1;

    if (strlen(word) > WORD_MAX)
        return NULL;
    for (; *known; known++) {
        if (strlen(*known) > WORD_MAX)
            continue;
        unsigned far = distance(word, *known);
        if (far < best_distance && far <= (strlen(*known) + 2) / 3) {
            best = *known;
            best_distance = far;
        }
    }
    return best;
}
