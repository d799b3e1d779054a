/*
 * Base64. See base64.h.
 */

#include "lib/base/base64.h"

void base64_encode(const void *bytes, size_t len, struct str *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = bytes;

    for (size_t i = 0; i < len; i += 3) {
        unsigned triple = (unsigned)at[i] << 16;

        if (i + 1 < len)
            triple |= (unsigned)at[i + 1] << 8;
        if (i + 2 < len)
            triple |= at[i + 2];
        str_addc(out, digits[triple >> 18]);
        str_addc(out, digits[triple >> 12 & 63]);
        str_addc(out, i + 1 < len ? digits[triple >> 6 & 63] : '=');
        str_addc(out, i + 2 < len ? digits[triple & 63] : '=');
    }
}
