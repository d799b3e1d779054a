/*
 * JSON out. See write.h.
 */

#include "lib/json/write.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/float.h"

static void before_value(struct json_out *out)
{
    if (out->need_comma)
        str_addc(out->text, ',');
    out->need_comma = true;
}

void json_open(struct json_out *out, char bracket)
{
    before_value(out);
    str_addc(out->text, bracket);
    out->need_comma = false;
    out->depth++;
}

void json_close(struct json_out *out, char bracket)
{
    assert(out->depth > 0);
    str_addc(out->text, bracket);
    out->need_comma = true;
    out->depth--;
}

/* Bytes of the UTF-8 character at text, 0 when there is none (RFC 3629, table in 4). */
static size_t character_length(const unsigned char *text, size_t left)
{
    unsigned char lead = text[0];
    size_t n = lead < 0x80                   ? 1
               : lead >= 0xc2 && lead < 0xe0 ? 2
               : lead >= 0xe0 && lead < 0xf0 ? 3
               : lead >= 0xf0 && lead < 0xf5 ? 4
                                             : 0;

    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (lead == 0xe0 && text[1] < 0xa0) || (lead == 0xf0 && text[1] < 0x90);
    bool beyond = (lead == 0xed && text[1] >= 0xa0) || (lead == 0xf4 && text[1] >= 0x90);
    return overlong || beyond ? 0 : n;
}

static void add_escaped(struct json_out *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        str_addf(out->text, "\\%c", c);
    else if (c == '\n')
        str_add(out->text, "\\n");
    else if (c == '\t')
        str_add(out->text, "\\t");
    else if (c < 32)
        str_addf(out->text, "\\u%04x", (unsigned)c);
    else
        str_add(out->text, "\xef\xbf\xbd"); /* U+FFFD for a byte that is not UTF-8 */
}

/* Of eight bytes: is one of them not written as it is (a control, a quote, a backslash), or more than a byte? */
static inline bool any_is_special(const char *text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones << 7;
    uint64_t bytes;

    memcpy(&bytes, text, sizeof(bytes));
    uint64_t quotes = bytes ^ ones * '"';
    uint64_t slashes = bytes ^ ones * '\\';
    /* a byte below n has borrowed for its highest bit; one that had it before is special anyway */
    return ((bytes | (bytes - ones * 32) | (quotes - ones) | (slashes - ones)) & highs) != 0;
}

static bool is_plain(const char *text, size_t len)
{
    size_t at = 0;

    for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t))
        if (any_is_special(text + at))
            return false;
    for (; at < len; at++) {
        unsigned char c = (unsigned char)text[at];
        if (c < 32 || c >= 0x80 || c == '"' || c == '\\')
            return false;
    }
    return true;
}

/* Nearly all of them. */
static void add_plain(struct json_out *out, const char *text, size_t len)
{
    char *room = str_room(out->text, len + 2);

    if (!room)
        return;
    room[0] = '"';
    if (len > 0)
        memcpy(room + 1, text, len);
    room[len + 1] = '"';
    str_grow(out->text, len + 2);
}

void json_stringn(struct json_out *out, const char *text, size_t len)
{
    size_t from = 0; /* not yet written */
    size_t at = 0;

    before_value(out);
    if (is_plain(text, len)) {
        add_plain(out, text, len);
        return;
    }
    str_addc(out->text, '"');
    while (at < len) {
        unsigned char c = (unsigned char)text[at];
        size_t n = c >= 0x80 ? character_length((const unsigned char *)text + at, len - at) : 1;

        if (c >= 32 && c != '"' && c != '\\' && n) {
            at += n;
            continue;
        }
        str_addn(out->text, text + from, at - from);
        add_escaped(out, c);
        from = ++at;
    }
    str_addn(out->text, text + from, len - from);
    str_addc(out->text, '"');
}

void json_string(struct json_out *out, const char *text)
{
    if (text)
        json_stringn(out, text, strlen(text));
    else
        json_null(out);
}

void json_key(struct json_out *out, const char *name)
{
    json_string(out, name);
    str_addc(out->text, ':');
    out->need_comma = false;
}

void json_int(struct json_out *out, int64_t value)
{
    before_value(out);
    str_addf(out->text, "%lld", (long long)value);
}

void json_bool(struct json_out *out, bool value)
{
    before_value(out);
    str_add(out->text, value ? "true" : "false");
}

void json_null(struct json_out *out)
{
    before_value(out);
    str_add(out->text, "null");
}

void json_float(struct json_out *out, double value)
{
    char text[FLOAT_TEXT_MAX];

    if (!isfinite(value)) {
        json_null(out);
        return;
    }
    before_value(out);
    size_t len = float_short(value, text);
    str_addn(out->text, text, len);
}

void json_raw(struct json_out *out, const char *json)
{
    before_value(out);
    str_add(out->text, json);
}

void json_kv_string(struct json_out *out, const char *name, const char *text)
{
    json_key(out, name);
    json_string(out, text);
}

void json_kv_int(struct json_out *out, const char *name, int64_t value)
{
    json_key(out, name);
    json_int(out, value);
}

void json_kv_bool(struct json_out *out, const char *name, bool value)
{
    json_key(out, name);
    json_bool(out, value);
}

void json_kv_float(struct json_out *out, const char *name, double value)
{
    json_key(out, name);
    json_float(out, value);
}

void json_kv_strings(struct json_out *out, const char *name, const char *const *texts, size_t n)
{
    json_key(out, name);
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        json_string(out, texts[i]);
    json_close(out, ']');
}

void json_kv_time(struct json_out *out, const char *name, int64_t at_ms)
{
    char text[CLOCK_TEXT_MAX];

    json_key(out, name);
    json_string(out, at_ms ? clock_rfc3339(at_ms, text) : NULL);
}
