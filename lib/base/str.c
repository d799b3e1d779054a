/*
 * Text under construction, with a ceiling. See str.h.
 */

#include "lib/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

void str_reserve(struct str *str, size_t more)
{
    size_t left = str->limit - str->len;
    size_t capacity = str->len + (more < left ? more : left) + 1;

    if (str->full || capacity <= str->capacity)
        return;
    str->text = mem_realloc(str->text, capacity);
    str->capacity = capacity;
    str->text[str->len] = '\0';
}

char *str_room(struct str *str, size_t len)
{
    if (str->full || len > str->limit - str->len) {
        str->full = true;
        return NULL;
    }
    if (len >= str->capacity - str->len) /* a byte for the end */
        str->text = mem_grow(str->text, &str->capacity, str->len + len + 1, 1);
    return str->text + str->len;
}

void str_grow(struct str *str, size_t len)
{
    str->len += len;
    str->text[str->len] = '\0';
}

void str_addn(struct str *str, const char *bytes, size_t len)
{
    char *room = str_room(str, len);

    if (!room)
        return;
    if (len)
        memcpy(room, bytes, len);
    str_grow(str, len);
}

void str_add(struct str *str, const char *text)
{
    str_addn(str, text, strlen(text));
}

void str_addc(struct str *str, char c)
{
    str_addn(str, &c, 1);
}

void str_addv(struct str *str, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;

    va_copy(again, ap);
    int need = vsnprintf(small, sizeof(small), fmt, ap);
    if (need >= 0 && (size_t)need < sizeof(small)) {
        str_addn(str, small, (size_t)need);
    } else if (need >= 0) {
        char *large = mem_alloc((size_t)need + 1);

        (void)vsnprintf(large, (size_t)need + 1, fmt, again);
        str_addn(str, large, (size_t)need);
        free(large);
    }
    va_end(again);
}

void str_addf(struct str *str, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    str_addv(str, fmt, ap);
    va_end(ap);
}

const char *str_text(const struct str *str)
{
    return str->text ? str->text : "";
}

char *str_take(struct str *str)
{
    char *text = str->text ? str->text : mem_strdup("");

    *str = STR_INIT(str->limit);
    return text;
}

void str_cut(struct str *str, size_t len)
{
    if (len < str->len) {
        str->len = len;
        str->text[len] = '\0';
    }
    str->full = false;
}

void str_done(struct str *str)
{
    free(str->text);
    *str = STR_INIT(str->limit);
}

void str_add_rune(struct str *str, uint32_t rune)
{
    if (rune < 0x80) {
        str_addc(str, (char)rune);
    } else if (rune < 0x800) {
        str_addc(str, (char)(0xc0 | rune >> 6));
        str_addc(str, (char)(0x80 | (rune & 0x3f)));
    } else if (rune < 0x10000) {
        str_addc(str, (char)(0xe0 | rune >> 12));
        str_addc(str, (char)(0x80 | (rune >> 6 & 0x3f)));
        str_addc(str, (char)(0x80 | (rune & 0x3f)));
    } else {
        str_addc(str, (char)(0xf0 | rune >> 18));
        str_addc(str, (char)(0x80 | (rune >> 12 & 0x3f)));
        str_addc(str, (char)(0x80 | (rune >> 6 & 0x3f)));
        str_addc(str, (char)(0x80 | (rune & 0x3f)));
    }
}
