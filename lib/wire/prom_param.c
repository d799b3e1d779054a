/*
 * Parameters of the Prometheus query API. See prom_param.h.
 */

#include "lib/wire/prom_param.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/float.h"
#include "lib/model/duration.h"

#define SECONDS_MAX 9e12 /* what fits int64 milliseconds with room to compute */

int prom_param_time(const char *text, int64_t *ret_ms, struct err *reterr)
{
    double seconds;

    if (float_parse(text, strlen(text), &seconds) == 0 && fabs(seconds) <= SECONDS_MAX) {
        *ret_ms = (int64_t)floor(seconds) * 1000 +
                  (int64_t)round((seconds - floor(seconds)) * 1000);
        return 0;
    }
    if (clock_parse_rfc3339(text, ret_ms) == 0)
        return 0;
    return err_set(reterr, PROM_PARAM_E_BAD, "cannot parse \"%s\" to a valid timestamp", text);
}

int prom_param_duration(const char *text, int64_t *ret_ms, struct err *reterr)
{
    double seconds;

    if (float_parse(text, strlen(text), &seconds) == 0 && !isnan(seconds)) {
        if (fabs(seconds) > SECONDS_MAX)
            return err_set(reterr, PROM_PARAM_E_BAD,
                           "cannot parse \"%s\" to a valid duration. It overflows int64", text);
        *ret_ms = (int64_t)(seconds * 1000);
        return 0;
    }
    if (duration_parse(text, strlen(text), ret_ms) == 0)
        return 0;
    return err_set(reterr, PROM_PARAM_E_BAD, "cannot parse \"%s\" to a valid duration", text);
}

int prom_param_limit(const char *text, size_t *ret_limit, struct err *reterr)
{
    char *end;
    long long limit = strtoll(text, &end, 10);

    if (end == text || *end)
        return err_set(reterr, PROM_PARAM_E_BAD, "cannot parse \"%s\" to a whole number", text);
    if (limit < 0)
        return err_set(reterr, PROM_PARAM_E_BAD, "limit must be non-negative");
    *ret_limit = (size_t)limit;
    return 0;
}

size_t prom_float_text(double value, char *text)
{
    double size = fabs(value);
    bool plain = !isfinite(value) || size == 0 || (size >= 1e-6 && size < 1e21);

    return plain ? float_plain(value, text) : float_exponent(value, text);
}

size_t prom_time_text(int64_t t_ms, char *text)
{
    uint64_t size = t_ms < 0 ? 0 - (uint64_t)t_ms : (uint64_t)t_ms;
    char digits[24];
    size_t at = sizeof(digits);
    size_t n = 0;

    if (size % 1000) {
        for (unsigned rest = (unsigned)(size % 1000), i = 0; i < 3; i++, rest /= 10)
            digits[--at] = (char)('0' + rest % 10);
        digits[--at] = '.';
    }
    uint64_t seconds = size / 1000;
    do {
        digits[--at] = (char)('0' + seconds % 10);
        seconds /= 10;
    } while (seconds);
    if (t_ms < 0)
        text[n++] = '-';
    memcpy(text + n, digits + at, sizeof(digits) - at);
    return n + sizeof(digits) - at;
}

void prom_add_time(struct str *out, int64_t t_ms)
{
    char text[PROM_TIME_TEXT_MAX];

    str_addn(out, text, prom_time_text(t_ms, text));
}

/* `_` at *at: `__` is one, `_2e_` the character of that number. False: neither. */
static bool add_escape(const char **at, struct str *out)
{
    char *end;

    if ((*at)[1] == '_') {
        str_addc(out, '_');
        *at += 2;
        return true;
    }
    size_t digits = strspn(*at + 1, "0123456789abcdef");
    unsigned long rune = strtoul(*at + 1, &end, 16);
    if (digits == 0 || digits > 6 || (*at)[1 + digits] != '_' || rune == 0 || rune > 0x10ffff ||
        (rune >= 0xd800 && rune < 0xe000))
        return false;
    str_add_rune(out, (uint32_t)rune);
    *at += digits + 2;
    return true;
}

void prom_unescape_name(const char *text, struct str *out)
{
    const char *at = text;

    if (strncmp(text, "U__", 3) != 0) {
        str_add(out, text);
        return;
    }
    for (at += 3; *at;) {
        if (*at != '_') {
            str_addc(out, *at++);
        } else if (!add_escape(&at, out)) {
            str_cut(out, 0); /* not an escaped name after all */
            str_add(out, text);
            return;
        }
    }
}
