/*
 * Numbers as text, exactly and quickly. See float.h.
 */

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <strings.h>

extern "C" {
#include "lib/base/float.h"
}

static size_t put(char *text, const char *word)
{
    size_t len = std::strlen(word);

    std::memcpy(text, word, len + 1);
    return len;
}

static size_t special(double value, char *text)
{
    if (std::isnan(value))
        return put(text, "NaN");
    return put(text, value > 0 ? "+Inf" : "-Inf");
}

/* Counts and bytes: most numbers there are, and much quicker as what they are. */
static bool is_small_whole(double value)
{
    return std::fabs(value) < 9e15 && value == std::trunc(value) &&
           !(value == 0 && std::signbit(value));
}

/* "1.25e+22" in full: the digits that matter, then zeros. to_chars() would write out the
 * binary value to its last digit instead, where Go does not. */
static size_t put_large(double value, char *text)
{
    char digits[64];
    char *end = std::to_chars(digits, digits + sizeof(digits) - 1, value,
                              std::chars_format::scientific)
                    .ptr;
    *end = '\0';
    size_t n = 0;
    long zeros = 0;

    for (const char *at = digits; at < end; at++) {
        if (*at == 'e') {
            zeros += std::strtol(at + 1, nullptr, 10);
            break;
        }
        if (*at == '.')
            zeros -= static_cast<long>(std::strcspn(at + 1, "e"));
        else
            text[n++] = *at;
    }
    for (; zeros > 0; zeros--)
        text[n++] = '0';
    text[n] = '\0';
    return n;
}

extern "C" __attribute__((visibility("hidden"))) size_t float_plain(double value, char *text)
{
    constexpr double whole_from = 9007199254740992; /* 2^53: no fraction, not all digits matter */

    if (!std::isfinite(value))
        return special(value, text);
    if (std::fabs(value) >= whole_from)
        return put_large(value, text);

    char *last = text + FLOAT_TEXT_MAX - 1;
    char *end = is_small_whole(value)
                    ? std::to_chars(text, last, static_cast<long long>(value)).ptr
                    : std::to_chars(text, last, value, std::chars_format::fixed).ptr;
    *end = '\0';
    return static_cast<size_t>(end - text);
}

extern "C" __attribute__((visibility("hidden"))) size_t float_exponent(double value, char *text)
{
    if (!std::isfinite(value))
        return special(value, text);

    char *end =
        std::to_chars(text, text + FLOAT_TEXT_MAX - 1, value, std::chars_format::scientific).ptr;
    *end = '\0';
    return static_cast<size_t>(end - text);
}

/* Plain from 0.0001 up to `limit`, otherwise with an exponent. */
static size_t shortest(double value, double limit, char *text)
{
    double size = std::fabs(value);

    if (std::isfinite(value) && (size == 0 || (size >= 1e-4 && size < limit)))
        return float_plain(value, text);
    return float_exponent(value, text);
}

extern "C" __attribute__((visibility("hidden"))) size_t float_short(double value, char *text)
{
    return shortest(value, 1e21, text);
}

extern "C" __attribute__((visibility("hidden"))) size_t float_go(double value, char *text)
{
    return shortest(value, 1e6, text);
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == std::strlen(word) && strncasecmp(text, word, len) == 0;
}

extern "C" __attribute__((visibility("hidden"))) int float_parse(const char *text,
                                                                 size_t len,
                                                                 double *ret_value)
{
    bool minus = len && text[0] == '-';
    double value = 0;

    if (len && (text[0] == '-' || text[0] == '+')) {
        text++;
        len--;
    }
    if (!len || text[0] == '-' || text[0] == '+')
        return -EINVAL;
    if (is_word(text, len, "nan")) {
        *ret_value = std::numeric_limits<double>::quiet_NaN();
        return 0;
    }
    if (is_word(text, len, "inf") || is_word(text, len, "infinity")) {
        value = std::numeric_limits<double>::infinity();
    } else {
        if (!std::strchr("0123456789.", text[0]))
            return -EINVAL;
        auto read = std::from_chars(text, text + len, value);
        if (read.ptr != text + len || read.ec == std::errc::invalid_argument)
            return -EINVAL;
        if (read.ec == std::errc::result_out_of_range) {
            const char *e = static_cast<const char *>(std::memchr(text, 'e', len));
            if (!e)
                e = static_cast<const char *>(std::memchr(text, 'E', len));
            value = e && e[1] == '-' ? 0 : std::numeric_limits<double>::infinity();
        }
    }
    *ret_value = minus ? -value : value;
    return 0;
}
