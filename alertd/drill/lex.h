#pragma once

/*
 * Lines and tokens of a drill file.
 *
 *     at 35m deploy "checkout 1.42"      # a word, a word, a word, a text
 *     series up{job="a b"} 1 for 10m     # braces keep their blanks
 *     answer ~"wal(-|_)size"             # a pattern: backslashes stay
 *
 * A line ends a statement; a comment goes from a # that begins a word to the end, and is kept.
 */

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    DRILL_BYTES_MAX = 256 * 1024,
    DRILL_TOKENS_MAX = 4096, /* of a line */
};

enum drill_token_kind {
    DRILL_WORD,
    DRILL_TEXT,
    DRILL_PATTERN,
};

struct drill_token {
    enum drill_token_kind kind;
    const char *text;
    unsigned column;
};

struct drill_line {
    struct drill_token *tokens;
    size_t n;
    const char *comment; /* with its #; NULL: none */
    unsigned number;
    unsigned depth; /* for printing: 0 the title, 1 the drill, 2 a player's */
};

struct drill_lines {
    struct drill_line *at;
    size_t n;
};

/* Everything in arena. 0 or DRILL_E_FILE. */
int drill_lex(const char *text,
              size_t len,
              struct arena *arena,
              struct drill_lines *ret_lines,
              struct err *reterr);
