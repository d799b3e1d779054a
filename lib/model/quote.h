#pragma once

/*
 * Text between double quotes, as Go's strconv.Quote writes it: what Prometheus
 * prints for matcher values and string literals, and what its templates mean by %q.
 */

#include <stddef.h>

#include "lib/base/str.h"

/* Appends "text" with \a \b \f \n \r \t \v \\ \" escapes, \xNN for bytes that are not
 * UTF-8, \u for characters that cannot be seen. */
void quote_add(struct str *out, const char *text, size_t len);
