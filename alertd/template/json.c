/*
 * Values as JSON, as Go's encoding/json writes them: fields in their order, maps by name, <, >
 * and & as escapes, so that it may stand in a page.
 */

#include <math.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/bug.h"
#include "lib/base/float.h"

static void add_text(const char *text, struct str *out)
{
    str_addc(out, '"');
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;

        if (c == '"' || c == '\\')
            str_addf(out, "\\%c", c);
        else if (c == '\n')
            str_add(out, "\\n");
        else if (c == '\r')
            str_add(out, "\\r");
        else if (c == '\t')
            str_add(out, "\\t");
        else if (c == '\b')
            str_add(out, "\\b");
        else if (c == '\f')
            str_add(out, "\\f");
        else if (c < 0x20 || c == '<' || c == '>' || c == '&')
            str_addf(out, "\\u%04x", c);
        else if (strncmp(at, "\xe2\x80\xa8", 3) == 0 || strncmp(at, "\xe2\x80\xa9", 3) == 0) {
            str_addf(out, "\\u20%02x", (unsigned char)at[2] - 0x80U); /* line ends of scripts */
            at += 2;
        } else
            str_addc(out, (char)c);
    }
    str_addc(out, '"');
}

/* Exponents only beyond 1e21 and below 1e-6, and e-9, not e-09. */
static void add_float(double real, struct str *out)
{
    char text[FLOAT_TEXT_MAX];
    char *zero;

    if (!isfinite(real)) {
        str_add(out, "null"); /* JSON has no such number */
        return;
    }
    if (real == 0 || (fabs(real) >= 1e-6 && fabs(real) < 1e21)) {
        str_addn(out, text, float_plain(real, text));
        return;
    }
    size_t len = float_exponent(real, text);
    text[len] = '\0';
    zero = strstr(text, "e-0");
    if (zero)
        memmove(zero + 2, zero + 3, strlen(zero + 3) + 1);
    str_add(out, text);
}

static void add_pairs(const struct labels *labels, struct str *out)
{
    str_addc(out, '{');
    for (uint32_t i = 0; i < labels->n; i++) {
        str_add(out, i ? "," : "");
        add_text(labels->at[i].name, out);
        str_addc(out, ':');
        add_text(labels->at[i].value, out);
    }
    str_addc(out, '}');
}

static void add_list(const struct value *value, struct str *out)
{
    str_addc(out, '[');
    for (size_t i = 0; i < value->n; i++) {
        str_add(out, i ? "," : "");
        value_json(&value->items[i], out);
    }
    str_addc(out, ']');
}

static void add_record(const struct value *value, struct str *out)
{
    const char *const *names = value->type && value->type->json_names ? value->type->json_names
                                                                      : value->names;
    bool any = false;

    str_addc(out, '{');
    for (size_t i = 0; i < value->n; i++) {
        if (!names[i])
            continue;
        str_add(out, any ? "," : "");
        add_text(names[i], out);
        str_addc(out, ':');
        value_json(&value->items[i], out);
        any = true;
    }
    str_addc(out, '}');
}

/* Maps are written by name, whatever order they were made in: the next larger name each time;
 * they are as short as the arguments of a call. */
static void add_map(const struct value *value, struct str *out)
{
    const char *last = NULL;

    str_addc(out, '{');
    for (;;) {
        size_t next = value->n;

        for (size_t i = 0; i < value->n; i++)
            if ((!last || strcmp(value->names[i], last) > 0) &&
                (next == value->n || strcmp(value->names[i], value->names[next]) < 0))
                next = i;
        if (next == value->n)
            break;
        str_add(out, last ? "," : "");
        last = value->names[next];
        add_text(last, out);
        str_addc(out, ':');
        value_json(&value->items[next], out);
    }
    str_addc(out, '}');
}

void value_json(const struct value *value, struct str *out)
{
    if (out->full)
        return;
    switch (value->kind) {
    case VALUE_NONE: str_add(out, "null"); return;
    case VALUE_BOOL: str_add(out, value->is_true ? "true" : "false"); return;
    case VALUE_INT:
    case VALUE_DURATION: str_addf(out, "%lld", (long long)value->number); return;
    case VALUE_FLOAT: add_float(value->real, out); return;
    case VALUE_TEXT: add_text(value->text, out); return;
    case VALUE_LABELS:
        if (value->is_nil)
            str_add(out, "null");
        else
            add_pairs(value->labels, out);
        return;
    case VALUE_LIST:
        if (value->is_nil)
            str_add(out, "null");
        else
            add_list(value, out);
        return;
    case VALUE_MAP: add_map(value, out); return;
    case VALUE_RECORD: add_record(value, out); return;
    case VALUE_TIME:
        str_addc(out, '"');
        tmpl_format_time(value, "2006-01-02T15:04:05.999999999Z07:00", out);
        str_addc(out, '"');
        return;
    }
    UNREACHABLE("value_kind out of range");
}
