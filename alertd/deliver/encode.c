/*
 * Text in the clothes that mail and HTTP want. See encode.h.
 */

#include "alertd/deliver/encode.h"

#include <string.h>

#include "lib/base/base64.h"

enum {
    QP_LINE_MAX = 75,    /* 76 with the soft break's '=' */
    WORD_BYTES_MAX = 45, /* 60 characters of base64 and "=?UTF-8?B?" "?=" */
};

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void encode_percent(const char *text, struct str *out)
{
    for (; *text; text++) {
        if (is_unreserved(*text))
            str_addc(out, *text);
        else
            str_addf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

/* One byte in quoted-printable; spaces at a line's end must not stay bare. */
static size_t qp_byte(const char *text, char *piece)
{
    static const char hex[] = "0123456789ABCDEF";
    unsigned char c = (unsigned char)*text;
    bool at_end = text[1] == '\0' || text[1] == '\n' || text[1] == '\r';

    if ((c >= 33 && c <= 126 && c != '=') || ((c == ' ' || c == '\t') && !at_end)) {
        piece[0] = (char)c;
        return 1;
    }
    piece[0] = '=';
    piece[1] = hex[c >> 4];
    piece[2] = hex[c & 15];
    return 3;
}

void encode_quoted_printable(const char *text, struct str *out)
{
    size_t column = 0;

    for (; *text; text++) {
        char piece[3];

        if (*text == '\r' && text[1] == '\n')
            continue;
        if (*text == '\n') {
            str_add(out, "\r\n");
            column = 0;
            continue;
        }
        size_t len = qp_byte(text, piece);
        if (column + len > QP_LINE_MAX) {
            str_add(out, "=\r\n");
            column = 0;
        }
        str_addn(out, piece, len);
        column += len;
    }
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 127)
            return false;
    return true;
}

/* The bytes of whole characters that fit one encoded word. */
static size_t word_length(const char *text)
{
    size_t len = strlen(text);

    if (len <= WORD_BYTES_MAX)
        return len;
    for (len = WORD_BYTES_MAX; len > 1 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
        continue;
    return len;
}

void encode_header(const char *text, struct str *out)
{
    STR_AUTO struct str clean = STR_INIT(4096);

    for (const char *at = text; *at; at++)
        str_addc(&clean, (unsigned char)*at < 32 || *at == 127 ? ' ' : *at);
    if (is_plain(str_text(&clean)) && !strstr(str_text(&clean), "=?")) {
        str_add(out, str_text(&clean));
        return;
    }
    for (const char *at = str_text(&clean); *at;) {
        size_t len = word_length(at);

        if (at != str_text(&clean))
            str_add(out, "\r\n ");
        str_add(out, "=?UTF-8?B?");
        base64_encode(at, len, out);
        str_add(out, "?=");
        at += len;
    }
}
