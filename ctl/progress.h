#pragma once

/*
 * How far a long command is: a bar on a terminal, rewritten in place; elsewhere a line at
 * each tenth. On standard error, so that what a command prints stays what it prints.
 *
 *     import  [############--------]  60 %  2026-11-03T12:00Z  1,234,567 samples  about 2 min left
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/pace.h"

enum {
    COUNT_TEXT_MAX = 32
};

/* "1,234,567"; returns text. */
char *count_text(int64_t n, char *text);

struct progress {
    const char *what;
    bool on_terminal;
    int64_t from, to; /* of positions; from == to: nobody knows the end */
    struct pace pace; /* of this run */
    int64_t begun_ms, shown_ms;
    int shown_tenth;
    bool is_shown; /* a bar stands on the line */
};

void progress_init(struct progress *progress, const char *what, int64_t from, int64_t to);
/* at: the position; where: it in words; n_samples: so far. */
void progress_show(struct progress *progress, int64_t at, const char *where, int64_t n_samples);
/* The bar goes: before words, and at the end. */
void progress_clear(struct progress *progress);
