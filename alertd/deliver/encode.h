#pragma once

/*
 * Text in the clothes that mail and HTTP want. Private to deliver/.
 */

#include "lib/base/str.h"

/* RFC 3986: all but unreserved characters as %XX. */
void encode_percent(const char *text, struct str *out);
/* RFC 2045 quoted-printable, lines of at most 76 characters ending in CR LF. */
void encode_quoted_printable(const char *text, struct str *out);
/* RFC 2047: a header's text as it is when plain ASCII, else in base64 words of at most 75
 * characters, folded. Control characters become spaces: nobody injects a header. */
void encode_header(const char *text, struct str *out);
