/*
 * The UTF-8 grammar of matchers: names and values are bare words or quoted as in Go.
 *
 *     [ "{" ] [ word op word { "," word op word } [ "," ] ] [ "}" ]
 *
 * A bare word holds no blank and none of {}!=~,\"'`
 */

#include "alertd/route/matchers_utf8.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/model/labels.h"

enum {
    WORD_MAX = 64 * 1024
};

struct reader {
    const char *text, *at;
    struct err *reterr;
};

static int refuse(const struct reader *reader, const char *expected)
{
    return err_set(reader->reterr, ROUTE_MATCHERS_E_SYNTAX, "at byte %zu of %.200s: expected %s",
                   (size_t)(reader->at - reader->text) + 1, reader->text, expected);
}

static size_t blank(const char *at)
{
    if (*at && strchr(" \t\n\v\f\r", *at))
        return 1;
    /* the next line and the no-break space, then U+1680, U+2000..200A, 2028, 2029, 202F,
     * 205F, 3000: what Unicode calls white space */
    if (strncmp(at, "\xc2\x85", 2) == 0 || strncmp(at, "\xc2\xa0", 2) == 0)
        return 2;
    if (strncmp(at, "\xe1\x9a\x80", 3) == 0 || strncmp(at, "\xe3\x80\x80", 3) == 0 ||
        strncmp(at, "\xe2\x81\x9f", 3) == 0)
        return 3;
    if (strncmp(at, "\xe2\x80", 2) == 0) {
        unsigned char last = (unsigned char)at[2];

        if ((last >= 0x80 && last <= 0x8a) || last == 0xa8 || last == 0xa9 || last == 0xaf)
            return 3;
    }
    return 0;
}

static void skip(struct reader *reader)
{
    for (size_t n; (n = blank(reader->at)) > 0;)
        reader->at += n;
}

static int digit(char c, int base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;

    return value < base ? value : -1;
}

/* \xHH, \ooo, \uHHHH, \UHHHHHHHH behind the backslash; how many bytes it took, 0: none. */
// NOLINTNEXTLINE(readability-function-cognitive-complexity): one escape after another
static size_t numbered(const char *at, struct str *out)
{
    int base = *at >= '0' && *at <= '7' ? 8 : 16;
    size_t skipped = base == 8 ? 0 : 1;
    size_t n = base == 8 ? 3 : *at == 'x' ? 2 : *at == 'u' ? 4 : *at == 'U' ? 8 : 0;
    uint32_t value = 0;

    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        int one = digit(at[skipped + i], base);

        if (one < 0)
            return 0;
        value = value * (uint32_t)base + (uint32_t)one;
    }
    if (*at == 'u' || *at == 'U') {
        if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
            return 0;
        str_add_rune(out, value);
    } else {
        if (value > 255)
            return 0;
        str_addc(out, (char)value);
    }
    return skipped + n;
}

static int quoted_word(struct reader *reader, struct str *out)
{
    static const char names[] = "abfnrtv\\\"";
    static const char bytes[] = "\a\b\f\n\r\t\v\\\"";
    const char *at = reader->at + 1;

    for (; *at != '"'; at++) {
        if (*at == '\0' || *at == '\n')
            return refuse(reader, "a closed quote");
        if (*at != '\\') {
            str_addc(out, *at);
            continue;
        }

        const char *known = at[1] ? strchr(names, at[1]) : NULL;
        size_t n = known ? 1 : numbered(at + 1, out);

        if (n == 0)
            return refuse(reader, "escapes such as \\\\, \\\" and \\n only");
        if (known)
            str_addc(out, bytes[known - names]);
        at += n;
    }
    if (out->full || !labels_text_ok(str_text(out), out->len))
        return refuse(reader, "UTF-8 in quotes");
    reader->at = at + 1;
    return 0;
}

static int word(struct reader *reader, struct str *out, const char *expected)
{
    skip(reader);
    if (*reader->at == '"')
        return quoted_word(reader, out);
    while (*reader->at && !strchr("{}!=~,\\\"'`", *reader->at) && blank(reader->at) == 0)
        str_addc(out, *reader->at++);
    return out->len > 0 ? 0 : refuse(reader, expected);
}

static int one(struct reader *reader, struct route_matchers *matchers)
{
    STR_AUTO struct str name = STR_INIT(WORD_MAX);
    STR_AUTO struct str value = STR_INIT(WORD_MAX);
    enum matcher_type type = MATCHER_EQUAL;
    size_t n;

    if (word(reader, &name, "a label name"))
        return ROUTE_MATCHERS_E_SYNTAX;
    if (name.len == 0)
        return refuse(reader, "a label name that is not empty");
    skip(reader);
    n = matchers_operator(reader->at, &type);
    if (n == 0)
        return refuse(reader, "=, !=, =~ or !~");
    reader->at += n;
    if (word(reader, &value, "a label value"))
        return ROUTE_MATCHERS_E_SYNTAX;
    return matchers_add(matchers, type, str_text(&name), str_text(&value), reader->reterr);
}

int utf8_matchers(const char *text, struct route_matchers *matchers, struct err *reterr)
{
    struct reader reader = {text, text, reterr};
    bool braces;

    skip(&reader);
    braces = *reader.at == '{';
    reader.at += braces;
    skip(&reader);
    while (*reader.at && *reader.at != '}') {
        int r = one(&reader, matchers);

        if (r)
            return r;
        skip(&reader);
        if (*reader.at == ',') {
            reader.at++;
            skip(&reader);
        } else if (*reader.at && *reader.at != '}') {
            return refuse(&reader, "a comma or the end");
        }
    }
    if (braces != (*reader.at == '}'))
        return refuse(&reader, braces ? "a closing brace" : "an opening brace before it");
    reader.at += braces;
    skip(&reader);
    return *reader.at ? refuse(&reader, "the end") : 0;
}
