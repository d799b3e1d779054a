/*
 * printf, as Go's fmt has it. What the format gets wrong appears in the text, as there:
 * `%!d(float64=3)` a verb that does not fit, `%!d(MISSING)`, `%!(EXTRA int=1)`.
 */

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alertd/rule/template_private.h"
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
    if (spec->precision < 0 && strchr("vgG", spec->verb)) {
        (void)float_go(size, digits);
    } else {
        int precision = spec->precision < 0 ? 6 : spec->precision;

        print_float(spec->verb, precision, size, digits, sizeof(digits));
    }
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
        prefix = spec->verb == 'x' ? "0x" : spec->verb == 'X' ? "0X" : "";
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

static void format_text(const struct spec *spec, const char *text, struct str *out)
{
    STR_AUTO struct str made = STR_INIT(RULE_TEMPLATE_OUTPUT_MAX);
    size_t len = cut_text(spec, text);

    if (spec->verb == 'q')
        quote_add(&made, text, len);
    else if (spec->verb == 'x' || spec->verb == 'X')
        for (size_t i = 0; i < len; i++)
            str_addf(&made, spec->verb == 'x' ? "%02x" : "%02X", (unsigned char)text[i]);
    else
        str_addn(&made, text, len);
    pad(spec, str_text(&made), made.len, out);
}

/* A character by its number: %c %U, ASCII and beyond. */
static void format_character(const struct spec *spec, int64_t number, struct str *out)
{
    char text[16];

    if (spec->verb == 'U')
        (void)snprintf(text, sizeof(text), "U+%04llX", (unsigned long long)number);
    else
        (void)snprintf(text, sizeof(text), "%c", number > 0 && number < 128 ? (char)number : '?');
    pad(spec, text, strlen(text), out);
}

static void format_wrong(const struct spec *spec, const struct value *value, struct str *out)
{
    str_addf(out, "%%!%c(", spec->verb);
    if (value->kind != VALUE_NONE)
        str_addf(out, "%s=", value_type_name(value));
    if (value->kind == VALUE_NONE)
        str_add(out, "<nil>");
    else
        value_print(value, out);
    str_addc(out, ')');
}

static void format_any(const struct spec *spec, const struct value *value, struct str *out)
{
    STR_AUTO struct str text = STR_INIT(RULE_TEMPLATE_OUTPUT_MAX);

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
    else if (value->kind == VALUE_FLOAT && (is_v || strchr("eEfFgG", spec->verb)))
        format_float(spec, value->real, out);
    else if ((value->kind == VALUE_INT && is_v) ||
             ((value->kind == VALUE_INT || value->kind == VALUE_DURATION) &&
              strchr("dxXob", spec->verb)))
        format_int(spec, value->number, out);
    else if (value->kind == VALUE_INT && strchr("cU", spec->verb))
        format_character(spec, value->number, out);
    else if (value->kind == VALUE_TEXT && (is_v || strchr("sqxX", spec->verb)))
        format_text(spec, value->text, out);
    else if (is_v || (value->kind == VALUE_BOOL && spec->verb == 't') ||
             (spec->verb == 's' && (value->kind == VALUE_TIME || value->kind == VALUE_DURATION ||
                                    value->kind == VALUE_LABELS)))
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

/* Flags, width and precision behind the %; returns where the verb stands. */
static const char *read_spec(const char *at, struct spec *spec)
{
    static const char flags[] = "-+# 0";

    *spec = (struct spec){.width = -1, .precision = -1};
    for (; *at && strchr(flags, *at); at++) {
        spec->minus |= *at == '-';
        spec->plus |= *at == '+';
        spec->sharp |= *at == '#';
        spec->space |= *at == ' ';
        spec->zero |= *at == '0';
    }
    if (isdigit((unsigned char)*at))
        at = read_number(at, WIDTH_MAX, &spec->width);
    if (*at == '.')
        at = read_number(at + 1, PLACES_MAX, &spec->precision);
    spec->verb = *at;
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
    size_t used = 0;

    for (const char *at = format; *at; at++) {
        struct spec spec;

        if (*at != '%') {
            str_addc(out, *at);
            continue;
        }
        at = read_spec(at + 1, &spec);
        if (*at == '\0') {
            str_add(out, "%!(NOVERB)");
            break;
        }
        if (*at == '%')
            str_addc(out, '%');
        else if (used == n)
            str_addf(out, "%%!%c(MISSING)", *at);
        else
            format_one(&spec, &args[used++], out);
    }
    if (used < n)
        add_extra(&args[used], n - used, out);
}
