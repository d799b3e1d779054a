#pragma once

/*
 * Errors a person will read.
 *
 * A function that can fail returns int: 0 is success, a negative errno is the
 * world failing (disk, memory, network: pass it up unchanged), and a positive
 * MODULE_E_* is an answer the caller must deal with here. Where a person needs
 * words, the last parameter is a `struct err *`, owned by the caller, written
 * only on failure, and allowed to be NULL.
 */

#include <stddef.h>

enum {
    ERR_TEXT_MAX = 400
};

struct err {
    unsigned line; /* 1-based position in the input, 0 = no position */
    unsigned column;
    char text[ERR_TEXT_MAX];
};

/* Fill *reterr (when not NULL) and return code, so that callers can write
 * `return err_set(err, PROMQL_E_SYNTAX, ...)`. */
int err_set(struct err *reterr, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a position; line and column are 1-based. */
int err_at(struct err *reterr, int code, unsigned line, unsigned column, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Put "prefix: " in front of the words (a file name, a rule's name); returns code. */
int err_prefix(struct err *reterr, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__
/* The analyzer does not look into other files: what comes back is the code, and so not 0 where that is none. */
static inline int err_code(int filled, int code)
{
    return code;
}
#define err_set(reterr, code, ...)    err_code((err_set)((reterr), (code), __VA_ARGS__), (code))
#define err_at(reterr, code, ...)     err_code((err_at)((reterr), (code), __VA_ARGS__), (code))
#define err_prefix(reterr, code, ...) err_code((err_prefix)((reterr), (code), __VA_ARGS__), (code))
#endif
