#pragma once

/*
 * Text under construction, with a ceiling.
 *
 * Appending never fails at the call: past the ceiling the text stops growing and
 * `full` stays set, so a writer appends freely and checks once at the end. The
 * text is always NUL-terminated. Memory is on the heap (mem.h).
 *
 *     STR_AUTO struct str text = STR_INIT(64 * 1024);
 *     str_addf(&text, "%s is down", instance);
 *     if (text.full) ...
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    char *text; /* NULL while empty: read it through str_text() */
    size_t len;
    size_t capacity;
    size_t limit; /* most bytes of text, without the NUL */
    bool full;    /* something was refused */
};

#define STR_INIT(max_bytes) ((struct str){.limit = (max_bytes)})
#define STR_AUTO            __attribute__((cleanup(str_done)))

void str_add(struct str *str, const char *text);
void str_addn(struct str *str, const char *bytes, size_t len);
void str_addc(struct str *str, char c);
/* A code point below 0x110000 as UTF-8; surrogates are for the caller to refuse. */
void str_add_rune(struct str *str, uint32_t rune);
void str_addf(struct str *str, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_addv(struct str *str, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Room for what is about to come, so that it is not copied as it grows; no promise. */
void str_reserve(struct str *str, size_t more);
/* For writers of many small pieces: room for len bytes behind the text, of which as many as
 * str_grow() is told become part of it. NULL past the ceiling. */
char *str_room(struct str *str, size_t len);
void str_grow(struct str *str, size_t len);

/* The text so far, never NULL; a loan until the next append. */
const char *str_text(const struct str *str);

/* Hands the heap text over to the caller (free()), leaves *str empty. */
char *str_take(struct str *str);

/* Cut back to len bytes and forget `full`; the memory is kept. */
void str_cut(struct str *str, size_t len);

void str_done(struct str *str);
