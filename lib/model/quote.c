/*
 * Text between double quotes. See quote.h.
 */

#include "lib/model/quote.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/model/labels.h"

static size_t sequence_length(const char *text, size_t len)
{
    size_t n = 1;

    while (n < 4 && n < len && ((unsigned char)text[n] & 0xc0) == 0x80)
        n++;
    return labels_text_ok(text, n) ? n : 0;
}

static uint32_t decode(const char *text, size_t n)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t rune = (unsigned char)text[0] & lead_bits[n];

    for (size_t i = 1; i < n; i++)
        rune = rune << 6 | ((unsigned char)text[i] & 0x3f);
    return rune;
}

/* The unseen characters that turn up in practice: controls, spaces other than the
 * ordinary one, format characters, private use. (Go's table also knows which code
 * points are not assigned yet.) */
static bool is_visible(uint32_t rune)
{
    static const uint32_t unseen[][2] = {
        {0x7f, 0xa0},     {0xad, 0xad},     {0x600, 0x605},     {0x61c, 0x61c},
        {0x6dd, 0x6dd},   {0x1680, 0x1680}, {0x180e, 0x180e},   {0x2000, 0x200f},
        {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},   {0xd800, 0xf8ff},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0001, 0xe0fff}, {0xf0000, 0x10ffff},
    };

    if (rune < 0x20)
        return false;
    for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
        if (rune >= unseen[i][0] && rune <= unseen[i][1])
            return false;
    return true;
}

static void add_unseen(struct str *out, uint32_t rune)
{
    static const char codes[] = "\a\b\f\n\r\t\v";
    static const char letters[] = "abfnrtv";
    const char *found = rune && rune < 0x20 ? strchr(codes, (int)rune) : NULL;

    if (found)
        str_addf(out, "\\%c", letters[found - codes]);
    else if (rune < 0x20 || rune == 0x7f)
        str_addf(out, "\\x%02x", (unsigned)rune);
    else if (rune < 0x10000)
        str_addf(out, "\\u%04x", (unsigned)rune);
    else
        str_addf(out, "\\U%08x", (unsigned)rune);
}

void quote_add(struct str *out, const char *text, size_t len)
{
    str_addc(out, '"');
    for (size_t at = 0; at < len;) {
        size_t n = sequence_length(text + at, len - at);

        if (n == 0 && text[at]) {
            str_addf(out, "\\x%02x", (unsigned)(unsigned char)text[at]);
            at++;
            continue;
        }
        n = n ? n : 1; /* a NUL */
        uint32_t rune = decode(text + at, n);
        if (rune == '"' || rune == '\\')
            str_addc(out, '\\');
        if (is_visible(rune))
            str_addn(out, text + at, n);
        else
            add_unseen(out, rune);
        at += n;
    }
    str_addc(out, '"');
}
