/*
 * printf, as Go's fmt has it. What the format gets wrong appears in the text, as there:
 * `%!d(float64=3)` a verb that does not fit, `%!d(MISSING)`, `%!(EXTRA int=1)`.
 */

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/float.h"
#include "lib/model/quote.h"

enum {
    WIDTH_MAX = 200,
    PLACES_MAX = 60, /* digits behind the point */
};

struct spec {
    bool minus, plus, sharp, space, zero;
    int width;     /* -1: none */
    int precision; /* -1: none */
    char verb;
    const char *verb_at; /* in the format: a character of several bytes is no verb, but shown */
};

/* As many characters as the UTF-8 text has. */
static size_t count_characters(const char *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

static void pad(const struct spec *spec, const char *text, size_t len, struct str *out)
{
    size_t n = count_characters(text, len);
    size_t missing = spec->width > 0 && (size_t)spec->width > n ? (size_t)spec->width - n : 0;
    bool zero = spec->zero && !spec->minus;

    for (size_t i = 0; i < missing && !spec->minus; i++)
        str_addc(out, zero ? '0' : ' ');
    str_addn(out, text, len);
    for (size_t i = 0; i < missing && spec->minus; i++)
        str_addc(out, ' ');
}

/* A sign in front, zeros between it and the digits. */
static void pad_number(const struct spec *spec,
                       const char *sign,
                       const char *digits,
                       struct str *out)
{
    size_t len = strlen(sign) + strlen(digits);
    size_t missing = spec->width > 0 && (size_t)spec->width > len ? (size_t)spec->width - len : 0;
    bool zero = spec->zero && !spec->minus;

    for (size_t i = 0; i < missing && !spec->minus && !zero; i++)
        str_addc(out, ' ');
    str_add(out, sign);
    for (size_t i = 0; i < missing && zero; i++)
        str_addc(out, '0');
    str_add(out, digits);
    for (size_t i = 0; i < missing && spec->minus; i++)
        str_addc(out, ' ');
}

static const char *sign_of(const struct spec *spec, bool is_negative)
{
    return is_negative ? "-" : spec->plus ? "+" : spec->space ? " " : "";
}

/* C's formats spell these as Go's do. */
static void print_float(char verb, int precision, double size, char *digits, size_t room)
{
    if (verb == 'e')
        (void)snprintf(digits, room, "%.*e", precision, size);
    else if (verb == 'E')
        (void)snprintf(digits, room, "%.*E", precision, size);
    else if (verb == 'f' || verb == 'F')
        (void)snprintf(digits, room, "%.*f", precision, size);
    else if (verb == 'G')
        (void)snprintf(digits, room, "%.*G", precision, size);
    else
        (void)snprintf(digits, room, "%.*g", precision, size);
}

static void raise_letters(char *text)
{
    for (; *text; text++)
        *text = (char)toupper((unsigned char)*text);
}

/* 0x1.cp+01: an exponent of two digits, which C does not write. */
static void print_hexadecimal(const struct spec *spec, double size, char *digits, size_t room)
{
    char text[64];

    if (spec->precision < 0)
        (void)snprintf(text, sizeof(text), "%a", size);
    else
        (void)snprintf(text, sizeof(text), "%.*a", spec->precision < 40 ? spec->precision : 40,
                       size);
    size_t len = strcspn(text, "p");
    bool is_short = text[len] && text[len + 1] && text[len + 2] && !text[len + 3];
    (void)snprintf(digits, room, "%.*s%.2s%s%s", (int)len, text, text + len, is_short ? "0" : "",
                   text + len + (text[len] ? 2 : 0));
    if (spec->verb == 'X')
        raise_letters(digits);
}

/* A number without its sign, as the verb has it. */
static void print_digits(const struct spec *spec, double size, char *digits, size_t room)
{
    if (strchr("xX", spec->verb)) {
        print_hexadecimal(spec, size, digits, room);
    } else if (spec->precision < 0 && strchr("vgG", spec->verb)) {
        (void)float_go(size, digits);
        if (spec->verb == 'G')
            raise_letters(digits);
    } else {
        print_float(spec->verb, spec->precision < 0 ? 6 : spec->precision, size, digits, room);
    }
}

static void format_float(const struct spec *spec, double real, struct str *out)
{
    char digits[FLOAT_TEXT_MAX + PLACES_MAX + 8];
    bool is_negative = signbit(real) && !isnan(real);
    double size = fabs(real);

    if (!isfinite(real)) {
        struct spec blank = *spec;

        blank.zero = false;
        (void)snprintf(digits, sizeof(digits), "%s", isnan(real) ? "NaN" : "Inf");
        pad_number(&blank, isnan(real) ? "" : is_negative ? "-" : "+", digits, out);
        return;
    }
    print_digits(spec, size, digits, sizeof(digits));
    pad_number(spec, sign_of(spec, is_negative), digits, out);
}

static void format_int(const struct spec *spec, int64_t number, struct str *out)
{
    char digits[80];
    uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;
    unsigned long long shown = size;
    const char *prefix = "";
    size_t at = sizeof(digits) - 1;
    unsigned base = strchr("xX", spec->verb) ? 16 : spec->verb == 'o' ? 8 : 10;
    const char *letters = spec->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

    if (spec->verb == 'b')
        base = 2;
    digits[at] = '\0';
    do {
        digits[--at] = letters[shown % base];
        shown /= base;
    } while (shown && at > 0);
    if (spec->sharp)
        prefix = spec->verb == 'x'   ? "0x"
                 : spec->verb == 'X' ? "0X"
                 : spec->verb == 'o' ? "0"
                 : spec->verb == 'b' ? "0b"
                                     : "";
    char sign[8];
    (void)snprintf(sign, sizeof(sign), "%s%s", sign_of(spec, number < 0), prefix);
    pad_number(spec, sign, &digits[at], out);
}

/* The first `precision` characters. */
static size_t cut_text(const struct spec *spec, const char *text)
{
    size_t len = strlen(text);
    int n = 0;

    if (spec->precision < 0)
        return len;
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char)text[i] & 0xc0) == 0x80)
            continue;
        if (n++ == spec->precision)
            return i;
    }
    return len;
}

/* Text that may stand between back quotes. */
static bool fits_back_quotes(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '`' || text[i] == 0x7f || ((unsigned char)text[i] < ' ' && text[i] != '\t'))
            return false;
    return true;
}

static void add_quoted(const struct spec *spec, const char *text, size_t len, struct str *out)
{
    if (spec->sharp && spec->verb == 'q' && fits_back_quotes(text, len)) {
        str_addc(out, '`');
        str_addn(out, text, len);
        str_addc(out, '`');
    } else {
        quote_add(out, text, len);
    }
}

/* The bytes: 6869, with `% x` 68 69, with `%#x` 0x6869. */
static void add_bytes(const struct spec *spec, const char *text, size_t len, struct str *out)
{
    const char *prefix = spec->verb == 'x' ? "0x" : "0X";

    for (size_t i = 0; i < len; i++) {
        str_add(out, spec->space && i ? " " : "");
        str_add(out, spec->sharp && (spec->space || i == 0) ? prefix : "");
        str_addf(out, spec->verb == 'x' ? "%02x" : "%02X", (unsigned char)text[i]);
    }
}

static void format_text(const struct spec *spec, const char *text, struct str *out)
{
    STR_AUTO struct str made = STR_INIT(TMPL_OUTPUT_MAX);
    size_t len = cut_text(spec, text);

    if (spec->verb == 'q' || (spec->verb == 'v' && spec->sharp))
        add_quoted(spec, text, len, &made);
    else if (spec->verb == 'x' || spec->verb == 'X')
        add_bytes(spec, text, len, &made);
    else
        str_addn(&made, text, len);
    pad(spec, str_text(&made), made.len, out);
}

/* A character by its number: %c x, %q 'x', %U U+0078, %#U with both. */
static void format_character(const struct spec *spec, int64_t number, struct str *out)
{
    STR_AUTO struct str text = STR_INIT(64);
    STR_AUTO struct str letter = STR_INIT(8);
    bool is_letter = number > 0 && number <= 0x10ffff && (number < 0xd800 || number > 0xdfff);

    str_add_rune(&letter, is_letter ? (uint32_t)number : 0xfffd);
    if (spec->verb == 'U')
        str_addf(&text, "U+%04llX%s", (unsigned long long)number, spec->sharp ? " " : "");
    if (spec->verb == 'c')
        str_add(&text, str_text(&letter));
    else if (spec->verb == 'q' || spec->sharp)
        str_addf(&text, strchr("'\\", letter.text[0]) ? "'\\%s'" : "'%s'", letter.text);
    pad(spec, str_text(&text), text.len, out);
}

static void format_one(const struct spec *spec, const struct value *value, struct str *out);

static size_t verb_length(const char *at)
{
    unsigned char lead = (unsigned char)*at;

    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* `%!d(` and what is wrong behind it. */
static void open_wrong(const char *verb_at, struct str *out)
{
    str_add(out, "%!");
    str_addn(out, verb_at, verb_length(verb_at));
    str_addc(out, '(');
}

/* The value as %v with the same width, and what is wrong with it. */
static void format_wrong(const struct spec *spec, const struct value *value, struct str *out)
{
    struct spec plain = *spec;

    plain.verb = 'v';
    open_wrong(spec->verb_at, out);
    if (value->kind == VALUE_NONE) {
        str_add(out, "<nil>");
    } else {
        str_addf(out, "%s=", value_type_name(value));
        format_one(&plain, value, out);
    }
    str_addc(out, ')');
}

static void format_any(const struct spec *spec, const struct value *value, struct str *out)
{
    STR_AUTO struct str text = STR_INIT(TMPL_OUTPUT_MAX);

    if (value->kind == VALUE_NONE)
        str_add(&text, "<nil>");
    else
        value_print(value, &text);
    pad(spec, str_text(&text), text.len, out);
}

static void format_one(const struct spec *spec, const struct value *value, struct str *out)
{
    bool is_v = spec->verb == 'v';

    if (spec->verb == 'T')
        format_text(spec, value_type_name(value), out);
    else if (value->kind == VALUE_FLOAT && (is_v || strchr("eEfFgGxX", spec->verb)))
        format_float(spec, value->real, out);
    else if ((value->kind == VALUE_INT && is_v) ||
             ((value->kind == VALUE_INT || value->kind == VALUE_DURATION) &&
              strchr("dxXob", spec->verb)))
        format_int(spec, value->number, out);
    else if (value->kind == VALUE_INT && strchr("cqU", spec->verb))
        format_character(spec, value->number, out);
    else if (value->kind == VALUE_TEXT && (is_v || strchr("sqxX", spec->verb)))
        format_text(spec, value->text, out);
    else if (is_v || (value->kind == VALUE_BOOL && spec->verb == 't') ||
             (spec->verb == 's' && (value->kind == VALUE_TIME || value->kind == VALUE_DURATION ||
                                    value->kind == VALUE_LABELS || value->kind == VALUE_LIST)))
        format_any(spec, value, out);
    else
        format_wrong(spec, value, out);
}

static const char *read_number(const char *at, int most, int *ret_number)
{
    int number = 0;

    for (; isdigit((unsigned char)*at); at++)
        number = number > most ? most : number * 10 + (*at - '0');
    *ret_number = number > most ? most : number;
    return at;
}

/* The arguments, and which is next. */
struct cursor {
    const struct value *args;
    size_t n, next;
    bool reordered; /* [2] was written somewhere: what is left over is not told */
    bool bad_index; /* this verb's [n] names no argument */
};

/* `[2]` names the next argument. */
static const char *read_index(const char *at, struct cursor *cursor, bool *ret_found)
{
    int number = 0;

    *ret_found = false;
    if (*at != '[')
        return at;
    cursor->reordered = true;
    const char *end = read_number(at + 1, WIDTH_MAX, &number);
    if (*end == ']' && number >= 1 && (size_t)number <= cursor->n) {
        cursor->next = (size_t)number - 1;
        *ret_found = true;
        return end + 1;
    }
    cursor->bad_index = true;
    end = strchr(at, ']');
    return end ? end + 1 : at + 1;
}

/* `*`: the next argument is the number; -1 when it is none. */
static int number_of_argument(struct cursor *cursor)
{
    const struct value *value = cursor->next < cursor->n ? &cursor->args[cursor->next] : NULL;

    cursor->next += value != NULL;
    if (!value || value->kind != VALUE_INT || value->number < -WIDTH_MAX ||
        value->number > WIDTH_MAX)
        return INT_MIN;
    return (int)value->number;
}

static const char *read_width(
    const char *at, struct spec *spec, struct cursor *cursor, bool *indexed, struct str *out)
{
    at = read_index(at, cursor, indexed);
    if (*at == '*') {
        *indexed = false;
        spec->width = number_of_argument(cursor);
        if (spec->width == INT_MIN)
            str_add(out, "%!(BADWIDTH)");
        spec->minus |= spec->width < 0;
        spec->width = spec->width == INT_MIN ? -1 : abs(spec->width);
        return at + 1;
    }
    if (isdigit((unsigned char)*at)) {
        cursor->bad_index |= *indexed;
        at = read_number(at, WIDTH_MAX, &spec->width);
    }
    return at;
}

static const char *read_precision(
    const char *at, struct spec *spec, struct cursor *cursor, bool *indexed, struct str *out)
{
    cursor->bad_index |= *indexed;
    at = read_index(at + 1, cursor, indexed);
    if (*at != '*')
        return read_number(at, PLACES_MAX, &spec->precision);
    *indexed = false;
    spec->precision = number_of_argument(cursor);
    if (spec->precision < 0)
        str_add(out, "%!(BADPREC)");
    if (spec->precision > PLACES_MAX)
        spec->precision = PLACES_MAX;
    return at + 1;
}

/* Flags, width and precision behind the %; returns where the verb stands. */
static const char *read_spec(const char *at,
                             struct spec *spec,
                             struct cursor *cursor,
                             struct str *out)
{
    static const char flags[] = "-+# 0";
    bool indexed = false;

    *spec = (struct spec){.width = -1, .precision = -1};
    cursor->bad_index = false;
    for (; *at && strchr(flags, *at); at++) {
        spec->minus |= *at == '-';
        spec->plus |= *at == '+';
        spec->sharp |= *at == '#';
        spec->space |= *at == ' ';
        spec->zero |= *at == '0';
    }
    at = read_width(at, spec, cursor, &indexed, out);
    if (*at == '.')
        at = read_precision(at, spec, cursor, &indexed, out);
    if (!indexed)
        at = read_index(at, cursor, &indexed);
    spec->verb = (unsigned char)*at < 0x80 ? *at : '?';
    spec->verb_at = at;
    return at;
}

static void add_extra(const struct value *args, size_t n, struct str *out)
{
    str_add(out, "%!(EXTRA ");
    for (size_t i = 0; i < n; i++) {
        if (i)
            str_add(out, ", ");
        if (args[i].kind == VALUE_NONE) {
            str_add(out, "<nil>");
            continue;
        }
        str_addf(out, "%s=", value_type_name(&args[i]));
        value_print(&args[i], out);
    }
    str_addc(out, ')');
}

void value_format(const char *format, const struct value *args, size_t n, struct str *out)
{
    struct cursor cursor = {.args = args, .n = n};

    for (const char *at = format; *at; at++) {
        struct spec spec;

        if (*at != '%') {
            str_addc(out, *at);
            continue;
        }
        at = read_spec(at + 1, &spec, &cursor, out);
        if (*at == '\0') {
            str_add(out, "%!(NOVERB)");
            break;
        }
        if (*at == '%') {
            str_addc(out, '%');
        } else if (cursor.bad_index || cursor.next >= n) {
            open_wrong(at, out);
            str_add(out, cursor.bad_index ? "BADINDEX)" : "MISSING)");
        } else {
            format_one(&spec, &args[cursor.next++], out);
        }
        at += verb_length(at) - 1;
    }
    if (!cursor.reordered && cursor.next < n)
        add_extra(&args[cursor.next], n - cursor.next, out);
}
