#pragma once

/*
 * What changed between two texts, line by line: the shortest edit by Myers' algorithm
 * (An O(ND) difference algorithm, 1986), after what both begin and end with is set aside.
 *
 * Texts that differ in more than LINES_EDITS_MAX lines are not compared further: everything
 * between is taken out and put in. It stays true, only longer.
 */

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    LINES_E_LIMIT = 1,
    LINES_EDITS_MAX = 1000,
};

enum lines_kind {
    LINES_SAME,
    LINES_REMOVED,
    LINES_ADDED,
};

struct lines_edit {
    enum lines_kind kind;
    const char *text; /* a loan from one of the texts */
    size_t len;       /* without the line break */
};

const char *lines_kind_name(enum lines_kind kind); /* "same", "removed", "added" */

/* In the arena. */
int lines_diff(struct arena *arena,
               const char *before,
               const char *after,
               struct lines_edit **ret_edits,
               size_t *ret_n,
               struct err *reterr);
