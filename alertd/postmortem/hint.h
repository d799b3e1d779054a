#pragma once

/*
 * Words worth a second look in what people wrote: they name a person where a condition
 * would teach more, claim what nobody could know then, or promise nothing that can be
 * checked. A hint blocks nothing and can be dismissed.
 */

#include <stddef.h>

#include "lib/base/arena.h"

enum {
    HINT_MAX = 100
};

struct hint {
    const char *kind;   /* "hindsight", "blame", "certainty", "single cause", "vague action" */
    const char *phrase; /* as it stands in the table */
    const char *advice;
    unsigned line; /* of the text, from 1 */
};

/* A row of the table. What ships is only a beginning: an alertd may have another (docs/api.md). */
struct hint_word {
    const char *phrase, *kind, *advice;
};
struct hint_table {
    const struct hint_word *words;
    size_t n;
};
extern const struct hint_table hint_builtin;

/* The hints of a Markdown text, code and quotations left out; in the arena. NULL when it is
 * spent. */
struct hint *hint_find(struct arena *arena,
                       const struct hint_table *table,
                       const char *markdown,
                       size_t *ret_n);
