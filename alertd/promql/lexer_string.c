/*
 * String literals: "..." and '...' with Go's escapes, `...` taken as it stands.
 */

#include <string.h>

#include "alertd/promql/promql.h"
#include "alertd/promql/token.h"

static size_t put_utf8(uint32_t rune, char *out)
{
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xc0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3f));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xe0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3f));
        out[2] = (char)(0x80 | (rune & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | rune >> 18);
    out[1] = (char)(0x80 | (rune >> 12 & 0x3f));
    out[2] = (char)(0x80 | (rune >> 6 & 0x3f));
    out[3] = (char)(0x80 | (rune & 0x3f));
    return 4;
}

struct escape {
    const struct lexer *lexer;
    uint32_t start; /* of the string, for errors */
    uint32_t at;
    char quote;
    struct err *reterr;
};

static int bad_escape(const struct escape *in, char c)
{
    if (c == '\0')
        return lexer_error(in->lexer->text, in->start, PROMQL_E_SYNTAX, in->reterr,
                           "escape sequence not terminated");
    return lexer_error(in->lexer->text, in->start, PROMQL_E_SYNTAX, in->reterr,
                       "unknown escape sequence U+%04X '%c'", (unsigned)(unsigned char)c, c);
}

/* \xHH \NNN \uHHHH \UHHHHHHHH, at the first digit. */
static int numeric_escape(struct escape *in, int n_digits, unsigned base, uint32_t *ret_value)
{
    uint32_t value = 0;

    for (int i = 0; i < n_digits; i++) {
        char c = in->lexer->text[in->at];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;

        if (digit >= base)
            return lexer_error(in->lexer->text, in->start, PROMQL_E_SYNTAX, in->reterr,
                               "illegal character U+%04X '%c' in escape sequence",
                               (unsigned)(unsigned char)c, c ? c : '0');
        value = value * base + digit;
        in->at++;
    }
    *ret_value = value;
    return 0;
}

static int escaped_rune(struct escape *in, char kind, char *out, size_t *ret_len)
{
    bool is_byte = kind == 'x' || (kind >= '0' && kind <= '7');
    int n_digits = kind == 'u' ? 4 : kind == 'U' ? 8 : kind == 'x' ? 2 : 3;
    uint32_t value = 0;

    if (kind >= '0' && kind <= '7')
        in->at--;
    int r = numeric_escape(in, n_digits, kind >= '0' && kind <= '7' ? 8 : 16, &value);
    if (r)
        return r;
    if (value == 0)
        return lexer_error(in->lexer->text, in->start, PROMQL_E_SYNTAX, in->reterr,
                           "a string must not hold a NUL");
    if ((is_byte && value > 255) || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return lexer_error(in->lexer->text, in->start, PROMQL_E_SYNTAX, in->reterr,
                           "escape sequence is an invalid Unicode code point");
    if (is_byte) {
        out[0] = (char)value;
        *ret_len = 1;
    } else {
        *ret_len = put_utf8(value, out);
    }
    return 0;
}

/* in->at is behind the backslash. */
static int unescape(struct escape *in, char *out, size_t *ret_len)
{
    static const char letters[] = "abfnrtv\\";
    static const char codes[] = "\a\b\f\n\r\t\v\\";
    char kind = in->lexer->text[in->at];
    const char *found = kind ? strchr(letters, kind) : NULL;

    if (found || (kind && kind == in->quote)) {
        *out = found ? codes[found - letters] : kind;
        *ret_len = 1;
        in->at++;
        return 0;
    }
    if (kind != 'x' && kind != 'u' && kind != 'U' && !(kind >= '0' && kind <= '7'))
        return bad_escape(in, kind);
    in->at++;
    return escaped_rune(in, kind, out, ret_len);
}

int lexer_string(struct lexer *lexer, struct token *token, struct err *reterr)
{
    const char *text = lexer->text;
    struct escape in = {lexer, lexer->at, lexer->at + 1, text[lexer->at], reterr};
    const char *close = strchr(text + in.at, in.quote);
    /* The next quote bounds nothing when it is escaped; the rest of the text does. */
    size_t room = in.quote == '`' && close ? (size_t)(close - text) - in.at : strlen(text + in.at);
    char *out = arena_alloc(lexer->arena, room + 1);
    size_t len = 0;

    if (!out)
        return lexer_error(text, in.start, PROMQL_E_LIMIT, reterr,
                           "the query needs more memory than it may use");
    while (text[in.at] != in.quote) {
        if (!text[in.at] || (text[in.at] == '\n' && in.quote != '`'))
            return lexer_error(text, in.start, PROMQL_E_SYNTAX, reterr, "unterminated %s string",
                               in.quote == '`' ? "raw" : "quoted");
        if (text[in.at] == '\\' && in.quote != '`') {
            size_t n = 0;
            in.at++;
            int r = unescape(&in, out + len, &n);
            if (r)
                return r;
            len += n;
        } else {
            out[len++] = text[in.at++];
        }
    }
    lexer->at = in.at + 1;
    token->kind = TOKEN_STRING;
    token->text = out;
    return 0;
}
