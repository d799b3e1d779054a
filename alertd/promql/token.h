#pragma once

/*
 * The words of PromQL.
 *
 * Keywords are not reserved: `sum`, `by`, `offset` ... are also metric and label
 * names, so a word stays a TOKEN_WORD and carries the keyword it could be; the
 * parser decides by place. Inside braces no keyword exists, inside brackets a colon
 * stands between range and step instead of being part of a name.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,     /* metric, label, function, keyword */
    TOKEN_NUMBER,   /* 1, .5, 0x1f, 1_000, 1e3, NaN, Inf: value */
    TOKEN_DURATION, /* 5m, 1h30m: value in milliseconds */
    TOKEN_STRING,   /* text is without quotes, escapes undone */
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_LEFT_BRACE,
    TOKEN_RIGHT_BRACE,
    TOKEN_LEFT_BRACKET,
    TOKEN_RIGHT_BRACKET,
    TOKEN_COMMA,
    TOKEN_COLON,
    TOKEN_AT,
    TOKEN_EQUAL,         /* = */
    TOKEN_REGEX,         /* =~ */
    TOKEN_NOT_REGEX,     /* !~ */
    TOKEN_ADD,           /* + */
    TOKEN_SUBTRACT,      /* - */
    TOKEN_MULTIPLY,      /* * */
    TOKEN_DIVIDE,        /* / */
    TOKEN_MODULO,        /* % */
    TOKEN_POWER,         /* ^ */
    TOKEN_IS_EQUAL,      /* == */
    TOKEN_NOT_EQUAL,     /* != */
    TOKEN_GREATER,       /* > */
    TOKEN_GREATER_EQUAL, /* >= */
    TOKEN_LESS,          /* < */
    TOKEN_LESS_EQUAL,    /* <= */
    TOKEN_TRIM_UPPER,    /* </ native histograms only */
    TOKEN_TRIM_LOWER,    /* >/ native histograms only */
};

enum keyword {
    KEYWORD_NONE,
    KEYWORD_AND,
    KEYWORD_OR,
    KEYWORD_UNLESS,
    KEYWORD_ATAN2,
    KEYWORD_OFFSET,
    KEYWORD_BY,
    KEYWORD_WITHOUT,
    KEYWORD_ON,
    KEYWORD_IGNORING,
    KEYWORD_GROUP_LEFT,
    KEYWORD_GROUP_RIGHT,
    KEYWORD_BOOL,
    KEYWORD_START,
    KEYWORD_END,
    KEYWORD_STEP,
    KEYWORD_RANGE,
    KEYWORD_MIN_OF,
    KEYWORD_MAX_OF,
    KEYWORD_ANCHORED,
    KEYWORD_SMOOTHED,
    KEYWORD_FILL,
    KEYWORD_FILL_LEFT,
    KEYWORD_FILL_RIGHT,
    KEYWORD_AGGREGATOR, /* token.aggregator says which */
};

struct token {
    enum token_kind kind;
    enum keyword keyword;
    int aggregator;      /* enum promql_aggregator */
    uint32_t start, end; /* bytes of the text */
    const char *text;    /* words and strings: a copy in the arena */
    double value;        /* NUMBER: the number; DURATION: seconds */
    int64_t duration_ms; /* DURATION */
};

struct lexer {
    const char *text;
    uint32_t at;
    bool in_braces;
    bool in_brackets;
    int open_parens;
    struct arena *arena;
};

/* The next token; 0, PROMQL_E_SYNTAX (with position) or PROMQL_E_LIMIT. */
int lexer_next(struct lexer *lexer, struct token *ret_token, struct err *reterr);

/* The string literal at the quote; for lexer_next(). */
int lexer_string(struct lexer *lexer, struct token *token, struct err *reterr);

/* Fills reterr with the line and column of byte `at`; returns code. */
int lexer_error(const char *text, uint32_t at, int code, struct err *reterr, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* How an error message calls this token: `identifier "foo"`, `<op:*>`, `end of input`. */
const char *token_describe(const struct token *token, const char *text, char *out, size_t size);

enum {
    TOKEN_DESCRIPTION_MAX = 96
};
