/*
 * Errors a person will read. See err.h.
 */

#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names in parentheses: to the analyzer they are macros as well. */

int(err_set)(struct err *reterr, int code, const char *fmt, ...)
{
    va_list ap;

    if (!reterr)
        return code;

    reterr->line = 0;
    reterr->column = 0;
    va_start(ap, fmt);
    (void)vsnprintf(reterr->text, sizeof(reterr->text), fmt, ap);
    va_end(ap);
    return code;
}

int(err_at)(struct err *reterr, int code, unsigned line, unsigned column, const char *fmt, ...)
{
    va_list ap;

    if (!reterr)
        return code;

    reterr->line = line;
    reterr->column = column;
    va_start(ap, fmt);
    (void)vsnprintf(reterr->text, sizeof(reterr->text), fmt, ap);
    va_end(ap);
    return code;
}

/* As much of it as there is room for. */
static void append(char text[ERR_TEXT_MAX], const char *more)
{
    size_t len = strlen(text);
    size_t n = strlen(more);

    n = n < ERR_TEXT_MAX - 1 - len ? n : ERR_TEXT_MAX - 1 - len;
    memcpy(text + len, more, n);
    text[len + n] = '\0';
}

int(err_prefix)(struct err *reterr, int code, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    va_list ap;

    if (!reterr)
        return code;

    memcpy(words, reterr->text, sizeof(words));
    va_start(ap, fmt);
    if (vsnprintf(reterr->text, sizeof(reterr->text), fmt, ap) < 0)
        reterr->text[0] = '\0';
    va_end(ap);
    append(reterr->text, ": ");
    append(reterr->text, words);
    return code;
}
