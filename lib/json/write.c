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

void json_stringn(struct json_out *out, const char *text, size_t len)
{
    before_value(out);
    str_addc(out->text, '"');
    for (size_t from = 0, at = 0; at <= len; at++) {
        unsigned char c = at < len ? (unsigned char)text[at] : 0;

        if (at < len && c >= 32 && c != '"' && c != '\\')
            continue;
        str_addn(out->text, text + from, at - from);
        from = at + 1;
        if (at == len)
            break;
        if (c == '"' || c == '\\')
            str_addf(out->text, "\\%c", c);
        else if (c == '\n')
            str_add(out->text, "\\n");
        else if (c == '\t')
            str_add(out->text, "\\t");
        else
            str_addf(out->text, "\\u%04x", (unsigned)c);
    }
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

void json_kv_time(struct json_out *out, const char *name, int64_t at_ms)
{
    char text[CLOCK_TEXT_MAX];

    json_key(out, name);
    json_string(out, at_ms ? clock_rfc3339(at_ms, text) : NULL);
}
