/*
 * Errors a person will read. See err.h.
 */

#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *reterr, int code, const char *fmt, ...)
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

int err_at(struct err *reterr, int code, unsigned line, unsigned column, const char *fmt, ...)
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

int err_prefix(struct err *reterr, int code, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    va_list ap;

    if (!reterr)
        return code;

    memcpy(words, reterr->text, sizeof(words));
    va_start(ap, fmt);
    int len = vsnprintf(reterr->text, sizeof(reterr->text), fmt, ap);
    va_end(ap);
    if (len >= 0 && (size_t)len < sizeof(reterr->text))
        (void)snprintf(reterr->text + len, sizeof(reterr->text) - (size_t)len, ": %s", words);
    return code;
}
