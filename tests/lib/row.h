#pragma once

/*
 * Table tests under cmocka: name the row that the next checks are about, so that a
 * failure says which row it was. Include after <cmocka.h>'s own needs:
 *
 *     #include "tests/lib/row.h"
 *     row("for 2m: one false starts the wait again");
 */

/* cmocka 1.1.5 names types it does not include: in this order or not at all. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

__attribute__((format(printf, 1, 2))) static inline void row(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)fprintf(stderr, "# row: ");
    (void)vfprintf(stderr, fmt, ap);
    (void)fprintf(stderr, "\n");
    va_end(ap);
}
