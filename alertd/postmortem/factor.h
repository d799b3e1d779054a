#pragma once

/*
 * Contributing factors, as they stand in a document: each item of a list, or paragraph, of their
 * section is one; "#capacity" anywhere in it says what it is about.
 *
 *     ## Contributing factors
 *
 *     - The batch had no limit. #capacity #code
 *     - Nobody watched the queue. #monitoring
 */

#include <stddef.h>

#include "lib/base/arena.h"

enum {
    FACTOR_TAG_MAX = 40,
    FACTOR_TAGS_MAX = 5,
    FACTORS_MAX = 200, /* of one document; the rest is left out */
};

struct factor {
    const char *text; /* in one line, without its tags and the list's sign */
    const char *tags[FACTOR_TAGS_MAX];
    size_t n_tags; /* in small letters, each once */
};

/* Those under a heading ("Contributing factors") of a Markdown document; in the arena. NULL when
 * it is spent. */
struct factor *factor_find(struct arena *arena,
                           const char *markdown,
                           const char *heading,
                           size_t *ret_n);
